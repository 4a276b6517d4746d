//! A plain HTTP server behind the box: each path has a page of its own, long enough to need many records.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

use e2e::backend::Backend;

use crate::header::Header;

/// Lines of a page; about 200 KB.
const LINES: usize = 4000;

/// The page of a path.
pub(crate) fn of(path: &str) -> Vec<u8> {
    let line = |number: usize| format!("{number:06} the page of {path}, which is long enough\n");
    (0..LINES).map(line).collect::<String>().into_bytes()
}

/// Serves the page of whatever path is asked for, and ends.
pub(crate) fn server() -> io::Result<Backend> {
    Backend::start(|stream| {
        let path = request(&mut BufReader::new(&stream))?;
        respond(stream, &of(&path))
    })
}

/// A server that wants a PROXY header before each request, and answers with what the header says.
pub(crate) fn header_reader() -> io::Result<Backend> {
    Backend::start(|stream| {
        let mut from = BufReader::new(&stream);
        let header = Header::read(&mut from)?;
        request(&mut from)?;
        respond(stream.try_clone()?, header.lines().as_bytes())
    })
}

/// Reads a request's head; its path.
pub(crate) fn request(from: &mut impl BufRead) -> io::Result<String> {
    let mut first = String::new();
    from.read_line(&mut first)?;
    let mut line = first.clone();
    while line.len() > 2 {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            break;
        }
    }
    Ok(first.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// Answers with `body`.
pub(crate) fn respond(mut to: TcpStream, body: &[u8]) -> io::Result<()> {
    write!(to, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    to.write_all(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_differ_by_path() {
        assert_ne!(of("/a"), of("/b"));
    }

    #[test]
    fn a_request_is_read_to_its_empty_line() {
        let mut from = &b"GET /x HTTP/1.1\r\nHost: y\r\n\r\nrest"[..];
        assert_eq!(request(&mut from).ok().as_deref(), Some("/x"));
        assert_eq!(from, b"rest");
    }
}
