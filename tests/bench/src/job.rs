//! What is measured.

use core::cell::Cell;
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::Outcome;
use crate::backend::Backend;
use crate::connection::Connection;
use crate::cpu::{self, Meter};
use crate::generator::{Generator, Script};
use crate::subject::{Place, Subject};
use crate::tickets::Tickets;

/// How long each rate is measured, in each round.
const DURATION: Duration = Duration::from_secs(2);
/// How long tickets are gathered before resumption is measured.
const WARM_UP: Duration = Duration::from_millis(300);
/// Idle connections whose memory is measured.
const IDLE: usize = 1_000;

/// A job: its name, its unit, and whether more is better.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) more_is_better: bool,
}

/// A value, and how busy the cores were meanwhile (0 to 1), where that says something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value {
    pub(crate) value: f64,
    pub(crate) busy: Option<(f64, f64)>,
}

type Measure = fn(&Place, &Subject, &Backend) -> Outcome<Value>;

pub(crate) const ALL: [(&Job, Measure); 6] = [
    (&Job { name: "full handshakes", unit: "1/s", more_is_better: true }, handshakes),
    (&Job { name: "resumed handshakes", unit: "1/s", more_is_better: true }, resumptions),
    (&Job { name: "keep-alive requests, 1 KiB", unit: "1/s", more_is_better: true }, requests),
    (&Job { name: "bulk download", unit: "MB/s", more_is_better: true }, bulk),
    (&Job { name: "memory per idle connection", unit: "KiB", more_is_better: false }, idle_memory),
    (&Job { name: "start to first handshake", unit: "ms", more_is_better: false }, start_up),
];

/// Measures `run` with both cores' use.
fn metered(run: impl FnOnce() -> Outcome<f64>) -> Outcome<Value> {
    let (server, generator) = (Meter::start(cpu::SERVER), Meter::start(cpu::GENERATOR));
    let value = run()?;
    Ok(Value { value, busy: Some((server.share(), generator.share())) })
}

/// Opens and closes.
struct Handshake;

impl Script for Handshake {
    fn opened(&mut self, _: &mut Connection) -> Outcome<bool> {
        Ok(false)
    }

    fn readable(&mut self, _: &mut Connection) -> Outcome<bool> {
        Ok(true)
    }
}

fn handshakes(place: &Place, subject: &Subject, backend: &Backend) -> Outcome<Value> {
    let server = subject.start(place, backend.address())?;
    let mut generator = Generator::new(server.address())?;
    metered(|| {
        let tally = generator.run(64, DURATION, || Handshake)?;
        Ok(f64::from(tally.handshakes) / tally.elapsed.as_secs_f64())
    })
}

/// Opens, and closes once a ticket has come for the next one.
struct Resume(Arc<Tickets>);

impl Script for Resume {
    fn opened(&mut self, _: &mut Connection) -> Outcome<bool> {
        Ok(true)
    }

    fn readable(&mut self, _: &mut Connection) -> Outcome<bool> {
        Ok(!self.0.take_fresh())
    }
}

/// TLS 1.3 with a ticket and a fresh X25519 key; a server that does not resume comes to 0.
fn resumptions(place: &Place, subject: &Subject, backend: &Backend) -> Outcome<Value> {
    let server = subject.start(place, backend.address())?;
    let tickets = Arc::new(Tickets::default());
    let mut generator = Generator::resuming(server.address(), &tickets)?;
    generator.run(64, WARM_UP, || Resume(Arc::clone(&tickets)))?;
    metered(|| {
        let tally = generator.run(64, DURATION, || Resume(Arc::clone(&tickets)))?;
        Ok(f64::from(tally.resumed) / tally.elapsed.as_secs_f64())
    })
}

/// Asks for `size` bytes, again and again, and counts answers and bytes.
struct Asking {
    size: usize,
    head: Vec<u8>,
    left: usize,
    block: Rc<Cell<Vec<u8>>>,
    answers: Rc<Cell<u64>>,
    bytes: Rc<Cell<u64>>,
}

impl Asking {
    fn ask(&mut self, connection: &mut Connection) -> Outcome {
        self.head.clear();
        self.left = 0;
        connection.say(format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", self.size).as_bytes())
    }

    /// Takes `bytes` of the answer; whether it is complete.
    fn take(&mut self, mut bytes: &[u8]) -> Outcome<bool> {
        if self.left == 0 {
            let before = self.head.len();
            self.head.extend_from_slice(bytes);
            let Some(end) = self.head.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(false) };
            if !self.head.starts_with(b"HTTP/1.1 200") {
                return Err("the answer is not the backend's".into());
            }
            bytes = &bytes[end + 4 - before..];
            self.left = self.size;
        }
        self.bytes.set(self.bytes.get() + bytes.len() as u64);
        self.left = self.left.checked_sub(bytes.len()).ok_or("more bytes than asked for")?;
        Ok(self.left == 0)
    }
}

impl Script for Asking {
    fn opened(&mut self, connection: &mut Connection) -> Outcome<bool> {
        self.ask(connection)?;
        Ok(true)
    }

    fn readable(&mut self, connection: &mut Connection) -> Outcome<bool> {
        let mut block = self.block.take();
        block.resize(256 * 1024, 0);
        loop {
            let count = connection.read(&mut block)?;
            if count == 0 {
                // rustls may have stopped reading the socket until its plaintext was taken.
                connection.pump()?;
                let count = connection.read(&mut block)?;
                if count == 0 {
                    break;
                }
                self.taken(&block[..count], connection)?;
                continue;
            }
            self.taken(&block[..count], connection)?;
        }
        self.block.set(block);
        Ok(true)
    }
}

impl Asking {
    fn taken(&mut self, bytes: &[u8], connection: &mut Connection) -> Outcome {
        if self.take(bytes)? {
            self.answers.set(self.answers.get() + 1);
            self.ask(connection)?;
        }
        Ok(())
    }
}

/// Runs `concurrency` askers; answers and bytes per second.
fn asking(generator: &mut Generator, concurrency: usize, size: usize) -> Outcome<(f64, f64)> {
    let (answers, bytes, block) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)), Rc::new(Cell::new(Vec::new())));
    let script =
        || Asking { size, head: Vec::new(), left: 0, block: Rc::clone(&block), answers: Rc::clone(&answers), bytes: Rc::clone(&bytes) };
    let seconds = generator.run(concurrency, DURATION, script)?.elapsed.as_secs_f64();
    Ok((as_f64(answers.get()) / seconds, as_f64(bytes.get()) / seconds))
}

fn requests(place: &Place, subject: &Subject, backend: &Backend) -> Outcome<Value> {
    let server = subject.start(place, backend.address())?;
    let mut generator = Generator::new(server.address())?;
    metered(|| Ok(asking(&mut generator, 64, 1024)?.0))
}

fn bulk(place: &Place, subject: &Subject, backend: &Backend) -> Outcome<Value> {
    let server = subject.start(place, backend.address())?;
    let mut generator = Generator::new(server.address())?;
    metered(|| Ok(asking(&mut generator, 4, 1 << 30)?.1 / 1e6))
}

fn idle_memory(place: &Place, subject: &Subject, backend: &Backend) -> Outcome<Value> {
    let server = subject.start(place, backend.address())?;
    let mut generator = Generator::new(server.address())?;
    let first = generator.hold(10)?;
    thread::sleep(Duration::from_millis(200));
    let before = server.memory();
    let held = generator.hold(IDLE)?;
    thread::sleep(Duration::from_millis(200));
    let grown = server.memory().saturating_sub(before);
    drop((first, held));
    Ok(Value { value: as_f64(grown) / 1024.0 / as_f64(IDLE as u64), busy: None })
}

fn start_up(place: &Place, subject: &Subject, backend: &Backend) -> Outcome<Value> {
    let start = Instant::now();
    let server = subject.launch(place, backend.address())?;
    let end = start + Duration::from_secs(10);
    loop {
        // A fresh generator each time: a refused connection leaves nothing behind.
        if std::net::TcpStream::connect_timeout(&server.address(), Duration::from_millis(4)).is_ok()
            && Generator::new(server.address())?.hold(1).is_ok()
        {
            return Ok(Value { value: start.elapsed().as_secs_f64() * 1e3, busy: None });
        }
        if Instant::now() > end {
            return Err("no handshake within 10 s".into());
        }
        thread::sleep(Duration::from_micros(200));
    }
}

/// Counts here stay far below 2^52.
fn as_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count >> 20).unwrap_or(u32::MAX)) * f64::from(1 << 20) + f64::from(u32::try_from(count & 0xf_ffff).unwrap_or(0))
}
