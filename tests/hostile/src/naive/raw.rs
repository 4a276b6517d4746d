//! TCP servers that know no TLS.

use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use e2e::backend::Backend;
use socket2::SockRef;

use super::Naive;

/// `internal_error`, fatal.
const INTERNAL_ERROR: [u8; 7] = [21, 3, 3, 0, 2, 2, 80];
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// A ServerHello of TLS 1.2 with nothing in it: record, message, version, random, no session, a suite, no compression.
const SERVER_HELLO_HEAD: [u8; 11] = [22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3];

pub(super) fn start(naive: Naive) -> io::Result<Backend> {
    Backend::start(move |mut stream| match naive {
        Naive::Silent => io::copy(&mut stream, &mut io::sink()).map(drop),
        Naive::Resetting => reset(&mut stream),
        Naive::Agreeable => answer(&mut stream, &server_hello()),
        Naive::FirstRead => first_read(&mut stream),
        _ => answer(&mut stream, &INTERNAL_ERROR),
    })
}

fn reset(stream: &mut TcpStream) -> io::Result<()> {
    stream.read_exact(&mut [0])?;
    SockRef::from(&*stream).set_linger(Some(Duration::ZERO))
}

fn answer(stream: &mut TcpStream, answer: &[u8]) -> io::Result<()> {
    stream.read_exact(&mut [0])?;
    stream.write_all(answer)?;
    stream.shutdown(Shutdown::Write)?;
    io::copy(stream, &mut io::sink()).map(drop)
}

fn server_hello() -> Vec<u8> {
    [&SERVER_HELLO_HEAD[..], &[0x5a; 32], &[0, 0xc0, 0x2b, 0]].concat()
}

/// A hello is what the first read returns, or it is none.
fn first_read(stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    let len = stream.read(&mut buffer)?;
    let [22, 3, _, high, low, ..] = buffer else { return answer_now(stream) };
    if len == 5 + usize::from(u16::from_be_bytes([high, low])) {
        stream.write_all(&server_hello())?;
    }
    answer_now(stream)
}

fn answer_now(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&HANDSHAKE_FAILURE)
}
