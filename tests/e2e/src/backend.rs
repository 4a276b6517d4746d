//! Plain TCP servers behind the box. Each listens on a loopback port of its own and ends with its handle.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Backend {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    accepted: Arc<AtomicU64>,
}

impl Backend {
    /// Serves each connection with `serve` on a thread of its own.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let backend = Self { address: listener.local_addr()?, stop: Arc::default(), accepted: Arc::default() };
        let (stop, accepted, serve) = (Arc::clone(&backend.stop), Arc::clone(&backend.accepted), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                accepted.fetch_add(1, Ordering::Relaxed);
                let serve = Arc::clone(&serve);
                let _ = thread::Builder::new().stack_size(128 * 1024).spawn(move || serve(stream));
            }
        });
        Ok(backend)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections accepted so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(200));
    }
}

/// Sends back whatever comes, and its FIN after the peer's.
///
/// # Errors
/// When it cannot listen.
pub fn echo() -> io::Result<Backend> {
    Backend::start(|stream| {
        let mut writer = stream.try_clone()?;
        io::copy(&mut &stream, &mut writer)?;
        stream.shutdown(Shutdown::Write)
    })
}

/// Reads a line, answers `answer to LINE`, and ends.
///
/// # Errors
/// When it cannot listen.
pub fn answer() -> io::Result<Backend> {
    Backend::start(|mut stream| {
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line)?;
        write!(stream, "answer to {line}")
    })
}

/// Says `bye`, ends its own direction at once, then counts what the peer still sends and checks that it is `expected` bytes; the verdict goes to `seen`.
///
/// # Errors
/// When it cannot listen.
pub fn half_closer(seen: Arc<AtomicU64>) -> io::Result<Backend> {
    Backend::start(move |mut stream| {
        stream.write_all(b"bye")?;
        stream.shutdown(Shutdown::Write)?;
        let count = io::copy(&mut stream, &mut io::sink())?;
        seen.store(count, Ordering::SeqCst);
        Ok(())
    })
}

/// Sends without end.
///
/// # Errors
/// When it cannot listen.
pub fn endless() -> io::Result<Backend> {
    Backend::start(|mut stream| {
        let block = vec![0x5a; 64 * 1024];
        loop {
            stream.write_all(&block)?;
        }
    })
}

/// Sends `before` bytes, then resets the connection.
///
/// # Errors
/// When it cannot listen.
pub fn resetter(before: usize) -> io::Result<Backend> {
    Backend::start(move |mut stream| {
        let mut first = [0; 1];
        stream.read_exact(&mut first)?;
        stream.write_all(&vec![0x5a; before])?;
        thread::sleep(Duration::from_millis(50));
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))
    })
}

/// A loopback address on which nothing listens.
///
/// # Errors
/// When no port is free.
pub fn nobody() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
