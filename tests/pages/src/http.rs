//! Requests, byte by byte, and what comes back.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// Nothing takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status; 0 if there is none.
    pub status: u16,
    /// Its head, in lower case.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Its body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Connects, with bounded waits.
///
/// # Panics
/// When nobody listens.
#[must_use]
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a bound");
    stream
}

/// What comes back to these bytes until the end.
#[must_use]
pub fn raw(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = connect(address);
    let _ = stream.write_all(bytes);
    last(&mut stream)
}

/// The rest of a stream as an answer. What a reset cuts off counts as far as it came.
#[must_use]
pub fn last(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    parse(&bytes)
}

/// An answer on a connection that stays open: its head tells how long its body is.
///
/// # Errors
/// When the stream ends before, or waits too long.
pub fn next(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        bytes.extend(byte);
    }
    let mut answer = parse(&bytes);
    let len = answer.header("content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
    answer.body = vec![0; len];
    stream.read_exact(&mut answer.body)?;
    Ok(answer)
}

fn parse(bytes: &[u8]) -> Answer {
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len());
    let (head, body) = bytes.split_at(at);
    let head = String::from_utf8_lossy(head).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head, body: body.get(4..).unwrap_or_default().to_vec() }
}

/// A request as bytes, the last of its connection.
#[must_use]
pub fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let len = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: box\r\nconnection: close\r\ncontent-length: {len}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// GET.
#[must_use]
pub fn get(address: SocketAddr, path: &str) -> Answer {
    raw(address, &request("GET", path, "", b""))
}

/// POST.
#[must_use]
pub fn post(address: SocketAddr, path: &str, body: &[u8]) -> Answer {
    raw(address, &request("POST", path, "", body))
}
