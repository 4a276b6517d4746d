//! As much of HTTP as the admin interface needs, and the second channel of `target`: one request a connection, its head bounded in bytes and in time, its body not wanted.
//!
//! The head is parsed by `httparse`, which hyper uses.

use core::time::Duration;
use std::io::{self, Read, Write};
use std::time::Instant;

use crate::limits::{ADMIN_HEAD_LEN_MAX, ADMIN_HEADERS_MAX, ADMIN_TIMEOUT};

/// A stream whose waits can be bounded.
pub(crate) trait Timed: Read + Write {
    /// Bounds the next waits for input and for output.
    fn set_patience(&self, patience: Duration) -> io::Result<()>;
}

impl Timed for std::net::TcpStream {
    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))?;
        self.set_write_timeout(Some(patience))
    }
}

impl Timed for std::os::unix::net::UnixStream {
    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))?;
        self.set_write_timeout(Some(patience))
    }
}

/// What is understood of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With what stands behind a question mark.
    pub(crate) path: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) body: String,
}

pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
pub(crate) const JSON: &str = "application/json";

impl Response {
    pub(crate) fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, kind: TEXT, body: body.into() }
    }
}

/// Reads a request and writes what `answer` makes of it.
pub(crate) fn serve(stream: &mut impl Timed, answer: impl FnOnce(&Request) -> Response) -> io::Result<()> {
    converse(stream, |request| Some(answer(request)))
}

/// Reads a request and writes what `answer` makes of it, if that is anything yet.
pub(crate) fn converse(stream: &mut impl Timed, answer: impl FnOnce(&Request) -> Option<Response>) -> io::Result<()> {
    let until = Instant::now() + ADMIN_TIMEOUT;
    let response = match read(stream, until)? {
        Ok(request) => answer(&request),
        Err(status) => Some(Response::text(status, format!("{}\n", reason(status)))),
    };
    response.map_or(Ok(()), |response| write(stream, &response))
}

/// Writes an answer.
pub(crate) fn write(stream: &mut impl Timed, response: &Response) -> io::Result<()> {
    stream.set_patience(ADMIN_TIMEOUT)?;
    stream.write_all(head(response).as_bytes())?;
    stream.write_all(response.body.as_bytes())?;
    stream.flush()
}

/// The request, or the status that says what is wrong with it.
fn read(stream: &mut impl Timed, until: Instant) -> io::Result<Result<Request, u16>> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        match parse(&head) {
            Parsed::Request(request) => return Ok(Ok(request)),
            Parsed::Wrong => return Ok(Err(400)),
            Parsed::Partial if head.len() >= ADMIN_HEAD_LEN_MAX => return Ok(Err(431)),
            Parsed::Partial => {}
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Err(408));
        }
        stream.set_patience(left)?;
        match stream.read(&mut chunk) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(len) => head.extend_from_slice(chunk.get(..len).unwrap_or_default()),
            Err(fault) if matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => return Ok(Err(408)),
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
}

enum Parsed {
    Request(Request),
    Partial,
    Wrong,
}

fn parse(head: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; ADMIN_HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Partial) => Parsed::Partial,
        Ok(httparse::Status::Complete(_)) => {
            let (method, path) = (request.method.unwrap_or_default().to_owned(), request.path.unwrap_or_default().to_owned());
            Parsed::Request(Request { method, path })
        }
        Err(_) => Parsed::Wrong,
    }
}

fn head(response: &Response) -> String {
    let Response { status, kind, body } = response;
    let allow = if *status == 405 { "Allow: GET\r\n" } else { "" };
    format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{allow}Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         Connection: close\r\n\r\n",
        reason(*status),
        body.len()
    )
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;
    use std::thread;

    /// What a client that says `said` and then waits is told.
    fn told(said: &[u8]) -> String {
        let (mut client, mut server) = UnixStream::pair().unwrap();
        let serving =
            thread::spawn(move || serve(&mut server, |request| Response::text(200, format!("{} {}", request.method, request.path))));
        for piece in said.chunks(700) {
            if client.write_all(piece).is_err() {
                break;
            }
        }
        let mut heard = Vec::new();
        // What the server left unread makes its close a reset; its answer is here before.
        let _reset = client.read_to_end(&mut heard);
        serving.join().unwrap().unwrap();
        String::from_utf8(heard).unwrap()
    }

    #[test]
    fn a_request_is_understood_and_answered_in_full() {
        let heard = told(b"GET /status?text HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(heard.starts_with("HTTP/1.1 200 OK\r\n") && heard.contains("\r\nContent-Length: 16\r\n"), "{heard}");
        assert!(heard.ends_with("\r\n\r\nGET /status?text"), "{heard}");
    }

    #[test]
    fn what_is_no_request_is_told_so() {
        assert!(told(b"\x16\x03\x01\x02\x00\x01").starts_with("HTTP/1.1 400 "));
        assert!(told(b"GET / HTTP/9\r\n\r\n").starts_with("HTTP/1.1 400 "));
    }

    #[test]
    fn a_head_without_end_is_cut_off() {
        let endless = [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; ADMIN_HEAD_LEN_MAX + 1024]].concat();
        assert!(told(&endless).starts_with("HTTP/1.1 431 "));
        let many = [b"GET / HTTP/1.1\r\n".to_vec(), b"X: y\r\n".repeat(ADMIN_HEADERS_MAX + 1), b"\r\n".to_vec()].concat();
        assert!(told(&many).starts_with("HTTP/1.1 400 "));
    }

    #[test]
    fn a_client_that_says_nothing_is_not_waited_for() {
        let began = Instant::now();
        assert!(told(b"GET / HT").starts_with("HTTP/1.1 408 "));
        assert!(began.elapsed() < ADMIN_TIMEOUT * 2);
    }
}
