//! The contest's page, asked over plain HTTP: as much of HTTP/1.1 as that takes.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use bounty_log::store::Source;

/// No step waits longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer is longer: the longest is a bundle of the log's entries.
const ANSWER_LEN_MAX: u64 = 32 * 1024 * 1024;

/// What the page said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Asks for a path.
///
/// # Errors
/// What TCP says, or that it is no HTTP.
pub fn get(page: SocketAddr, path: &str) -> io::Result<Answer> {
    ask(page, "GET", path, b"")
}

/// Hands something in.
///
/// # Errors
/// As [`get`].
pub fn post(page: SocketAddr, path: &str, body: &[u8]) -> io::Result<Answer> {
    ask(page, "POST", path, body)
}

fn ask(page: SocketAddr, method: &str, path: &str, body: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&page, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {page}\r\naccept: text/plain\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_LEN_MAX).read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = bytes.split_at_checked(end.checked_add(4)?)?;
    let status = core::str::from_utf8(head).ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_vec() })
}

/// A log, as the page serves it.
#[derive(Debug, Clone, Copy)]
pub struct Log(pub SocketAddr);

impl Source for Log {
    fn read(&self, name: &str, len_max: usize) -> io::Result<Option<Vec<u8>>> {
        let answer = get(self.0, &format!("/{name}"))?;
        match answer.status {
            200 if answer.body.len() <= len_max => Ok(Some(answer.body)),
            200 => Err(io::ErrorKind::FileTooLarge.into()),
            404 => Ok(None),
            status => Err(io::Error::other(format!("{name}: {status}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_told_apart() {
        let answer = parse(b"HTTP/1.1 409 Conflict\r\na: b\r\n\r\nno\r\n\r\n").expect("an answer");
        assert_eq!((answer.status, &answer.body[..]), (409, &b"no\r\n\r\n"[..]));
        assert!(parse(b"HTTP/1.1 200").is_none());
    }
}
