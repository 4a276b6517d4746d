//! The legitimate client: from an address of its own it asks a question every few milliseconds, whatever else happens, and notes how long the answer took.

use core::net::{IpAddr, SocketAddr};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use e2e::{Outcome, client, ensure, keys_dir};
use rustls_std::pki_types::ServerName;
use rustls_std::{ClientConfig, ClientConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

use crate::witness::LEGITIMATE;

/// From the end of one question to the next.
const INTERVAL: Duration = Duration::from_millis(25);
/// What takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A legitimate visitor: who it is, and whom it visits.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    from: IpAddr,
    to: SocketAddr,
    config: Arc<ClientConfig>,
}

/// What came of one question.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) began: Instant,
    pub(crate) took: Duration,
    pub(crate) fault: Option<String>,
}

impl Visitor {
    /// It trusts the tests' authority, and resumes nothing.
    pub(crate) fn new(from: IpAddr, to: SocketAddr) -> Outcome<Self> {
        Ok(Self { from, to, config: client::trusting(&[&keys_dir()?.join("ca.pem")])? })
    }

    /// Connects, shakes hands, asks, and reads the answer to its end.
    pub(crate) fn ask(&self) -> Outcome {
        self.asks_within(PATIENCE)
    }

    /// The same with less patience, at each step.
    pub(crate) fn asks_within(&self, patience: Duration) -> Outcome {
        let socket = Socket::new(Domain::for_address(self.to), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(self.from, 0).into())?;
        socket.connect_timeout(&self.to.into(), patience)?;
        let tcp = TcpStream::from(socket);
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(patience))?;
        tcp.set_write_timeout(Some(patience))?;
        self.ask_over(tcp)
    }

    /// The same over a connection that is there, whosever it is.
    pub(crate) fn ask_over(&self, mut tcp: impl Read + Write) -> Outcome {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let line = format!("{LEGITIMATE} {}\n", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut tls = ClientConnection::new(Arc::clone(&self.config), ServerName::try_from("localhost")?)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        let mut stream = StreamOwned::new(tls, tcp);
        stream.write_all(line.as_bytes())?;
        stream.flush()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure(answer == format!("answer to {line}"), format!("a wrong answer: {answer:?}"))
    }
}

/// The visitor on a thread of its own, until dropped.
#[derive(Debug)]
pub(crate) struct Probe {
    samples: Arc<Mutex<Vec<Sample>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Probe {
    pub(crate) fn start(visitor: Visitor) -> Self {
        let (samples, stop) = <(Arc<Mutex<Vec<Sample>>>, Arc<AtomicBool>)>::default();
        let (notes, ended) = (Arc::clone(&samples), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let began = Instant::now();
                let fault = visitor.ask().err().map(|fault| fault.to_string());
                let took = began.elapsed();
                notes.lock().unwrap_or_else(PoisonError::into_inner).push(Sample { began, took, fault });
                thread::sleep(INTERVAL);
            }
        });
        Self { samples, stop, thread: Some(thread) }
    }

    /// What was asked within a time.
    pub(crate) fn within(&self, from: Instant, to: Instant) -> Vec<Sample> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.iter().filter(|sample| sample.began >= from && sample.began < to).cloned().collect()
    }

    /// Waits until this many questions that were asked after `from` are answered, or have failed.
    pub(crate) fn wait_for(&self, count: usize, from: Instant) {
        while self.within(from, Instant::now()).len() < count && self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Forgets what was asked before.
    pub(crate) fn forget(&self, before: Instant) {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).retain(|sample| sample.began >= before);
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
