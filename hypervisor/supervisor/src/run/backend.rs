//! The demo's own backend: a plain HTTP/1.1 server on a loopback port, just large enough to look at and to test with.
//!
//! `/` is a page, `/bytes/N` is N bytes, `/echo` sends a request's body back while it comes. One thread a connection, of a bounded number.

use core::net::{Ipv4Addr, SocketAddr};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::limits::{DEMO_CONNECTIONS_MAX, DEMO_HEAD_LEN_MAX};

const PAGE: &str = include_str!("demo.html");
const STACK_LEN: usize = 128 * 1024;
const CHUNK_LEN: usize = 16 * 1024;

/// Starts the server; it ends with the process.
///
/// # Errors
/// What the system says.
pub(super) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::Builder::new().name("demo-backend".into()).spawn(move || accept(&listener))?;
    Ok(address)
}

fn accept(listener: &TcpListener) {
    let seats = Arc::new(());
    for stream in listener.incoming().flatten() {
        if Arc::strong_count(&seats) > DEMO_CONNECTIONS_MAX {
            continue;
        }
        let seat = Arc::clone(&seats);
        // Without a thread the client finds its connection closed.
        let _thread = thread::Builder::new().stack_size(STACK_LEN).spawn(move || {
            let _ended = serve(stream);
            drop(seat);
        });
    }
}

/// One connection, request by request. An error is its end.
fn serve(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(CHUNK_LEN, stream.try_clone()?);
    let mut stream = stream;
    while let Some(request) = Request::read(&mut reader)? {
        if request.expects_continue {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = reader.by_ref().take(request.body_len);
        answer(&request, body, &mut stream)?;
        if request.closes {
            break;
        }
    }
    stream.shutdown(std::net::Shutdown::Write)
}

fn answer(request: &Request, mut body: impl Read, out: &mut impl Write) -> io::Result<()> {
    if request.path == "/echo" {
        head(out, "200 OK", "application/octet-stream", request.body_len)?;
        return copy(&mut body, out);
    }
    copy(&mut body, &mut io::sink())?;
    if let Some(len) = request.path.strip_prefix("/bytes/").and_then(|len| len.parse().ok()) {
        head(out, "200 OK", "application/octet-stream", len)?;
        return if request.is_head { Ok(()) } else { copy(&mut io::repeat(b'x').take(len), out) };
    }
    let (status, text) =
        if request.path == "/" { ("200 OK", PAGE) } else { ("404 Not Found", "<!doctype html><title>404</title>Not here.\n") };
    head(out, status, "text/html; charset=utf-8", u64::try_from(text.len()).unwrap_or(0))?;
    if request.is_head { Ok(()) } else { out.write_all(text.as_bytes()) }
}

fn head(out: &mut impl Write, status: &str, kind: &str, len: u64) -> io::Result<()> {
    out.write_all(
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\nServer: bountybox-demo\r\n\r\n").as_bytes(),
    )
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut chunk = [0; CHUNK_LEN];
    loop {
        let len = from.read(&mut chunk)?;
        if len == 0 {
            return Ok(());
        }
        to.write_all(chunk.get(..len).unwrap_or_default())?;
    }
}

/// What is understood of a request.
#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    path: String,
    is_head: bool,
    body_len: u64,
    closes: bool,
    expects_continue: bool,
}

impl Request {
    /// `None` where the client has said its last.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut left = DEMO_HEAD_LEN_MAX;
        let Some(first) = line(reader, &mut left)? else { return Ok(None) };
        let mut words = first.split(' ');
        let (method, path, version) = (words.next(), words.next(), words.next());
        let mut request = Self { path: path.ok_or(io::ErrorKind::InvalidData)?.into(), ..Self::default() };
        request.is_head = method == Some("HEAD");
        request.closes = version != Some("HTTP/1.1");
        while let Some(header) = line(reader, &mut left)?.filter(|header| !header.is_empty()) {
            let Some((name, value)) = header.split_once(':') else { continue };
            request.take_header(&name.to_ascii_lowercase(), value.trim())?;
        }
        Ok(Some(request))
    }

    fn take_header(&mut self, name: &str, value: &str) -> io::Result<()> {
        match name {
            "content-length" => self.body_len = value.parse().map_err(|_| io::ErrorKind::InvalidData)?,
            "transfer-encoding" => return Err(io::ErrorKind::Unsupported.into()),
            "connection" => self.closes = value.eq_ignore_ascii_case("close"),
            "expect" => self.expects_continue = true,
            _ => {}
        }
        Ok(())
    }
}

fn line(reader: &mut impl BufRead, left: &mut usize) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let read = reader.by_ref().take(u64::try_from(*left).unwrap_or(0)).read_until(b'\n', &mut bytes)?;
    *left = left.saturating_sub(read);
    if read == 0 {
        return Ok(None);
    }
    let text = bytes.strip_suffix(b"\n").ok_or(io::ErrorKind::InvalidData)?;
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    String::from_utf8(text.to_vec()).map(Some).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Option<Request>> {
        Request::read(&mut text.as_bytes())
    }

    fn answered(path: &str, body: &[u8]) -> String {
        let request = Request { path: path.into(), body_len: body.len() as u64, ..Request::default() };
        let mut out = Vec::new();
        answer(&request, body, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_request_is_understood() {
        let request =
            read("POST /echo HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nabc").unwrap().unwrap();
        assert_eq!(request, Request { path: "/echo".into(), is_head: false, body_len: 3, closes: true, expects_continue: true });
        assert_eq!(read("").unwrap(), None);
    }

    #[test]
    fn what_is_no_request_is_an_error() {
        assert!(read("GET\r\n\r\n").is_err());
        assert!(read("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n").is_err());
        assert!(read(&"a".repeat(DEMO_HEAD_LEN_MAX + 1)).is_err());
    }

    #[test]
    fn every_path_has_its_answer() {
        assert!(answered("/", b"").ends_with(PAGE));
        assert!(answered("/bytes/5", b"").ends_with("Content-Length: 5\r\nServer: bountybox-demo\r\n\r\nxxxxx"));
        assert!(answered("/echo", b"hello").ends_with("\r\n\r\nhello"));
        assert!(answered("/nowhere", b"").starts_with("HTTP/1.1 404 "));
    }
}
