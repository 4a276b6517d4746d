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
        Self::start_on(TcpListener::bind("127.0.0.1:0")?, serve)
    }

    fn start_on(listener: TcpListener, serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> io::Result<Self> {
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
    Backend::start(answer_line)
}

/// The same, where one was before.
///
/// # Errors
/// When it cannot listen.
pub fn answer_at(address: SocketAddr) -> io::Result<Backend> {
    Backend::start_on(TcpListener::bind(address)?, answer_line)
}

fn answer_line(mut stream: TcpStream) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?;
    write!(stream, "answer to {line}")
}

/// Answers each line with `NAME: LINE` until the peer has said its last.
///
/// # Errors
/// When it cannot listen.
pub fn named(name: &'static str) -> io::Result<Backend> {
    Backend::start(move |stream| {
        let mut writer = stream.try_clone()?;
        for line in BufReader::new(&stream).lines() {
            writer.write_all(format!("{name}: {}\n", line?).as_bytes())?;
        }
        stream.shutdown(Shutdown::Write)
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

/// Reads a PROXY header and a line, and answers `SOURCE to DESTINATION with [FIELDS]: LINE`, the fields by their kinds. It reads the header by
/// itself, not by the code under test.
///
/// # Errors
/// When it cannot listen.
pub fn introduced() -> io::Result<Backend> {
    Backend::start(|mut stream| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (source, destination, fields) = read_header(&mut reader)?;
        let mut line = String::new();
        reader.read_line(&mut line)?;
        write!(stream, "{source} to {destination} with {fields:?}: {line}")
    })
}

/// Source, destination, and the kinds of the fields of version 2.
fn read_header(reader: &mut impl BufRead) -> io::Result<(SocketAddr, SocketAddr, Vec<u8>)> {
    let wrong = || io::Error::other("no PROXY header");
    if reader.fill_buf()?.first() == Some(&b'P') {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let words: Vec<&str> = line.trim_end().split(' ').collect();
        let ["PROXY", _, source, destination, from, to] = words[..] else { return Err(wrong()) };
        let address = |ip: &str, port: &str| Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?));
        return Ok((address(source, from).ok_or_else(wrong)?, address(destination, to).ok_or_else(wrong)?, Vec::new()));
    }
    let mut fixed = [0; 16];
    reader.read_exact(&mut fixed)?;
    let mut rest = vec![0; usize::from(u16::from_be_bytes([fixed[14], fixed[15]]))];
    reader.read_exact(&mut rest)?;
    let ip_len = match fixed[13] {
        0x11 => 4,
        0x21 => 16,
        _ => return Err(wrong()),
    };
    let ip = |at: usize| -> core::net::IpAddr {
        let bytes = &rest[at..at + ip_len];
        <[u8; 4]>::try_from(bytes).map_or_else(|_| <[u8; 16]>::try_from(bytes).unwrap_or_default().into(), Into::into)
    };
    let port = |at: usize| u16::from_be_bytes([rest[at], rest[at + 1]]);
    let source = SocketAddr::new(ip(0), port(2 * ip_len));
    let destination = SocketAddr::new(ip(ip_len), port(2 * ip_len + 2));
    let (mut fields, mut left) = (Vec::new(), &rest[2 * ip_len + 4..]);
    while let [kind, high, low, value @ ..] = left {
        fields.push(*kind);
        left = &value[usize::from(u16::from_be_bytes([*high, *low]))..];
    }
    Ok((source, destination, fields))
}

/// A loopback address on which nothing listens.
///
/// # Errors
/// When no port is free.
pub fn nobody() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
