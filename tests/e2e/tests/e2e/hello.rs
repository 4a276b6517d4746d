//! Any split of a ClientHello works, and what is no hello gets an alert.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use e2e::{Config, Outcome, Place, Running, backend, client, ensure};
use rustls_std::pki_types::ServerName;
use rustls_std::{ClientConnection, StreamOwned};

/// Connects, sends the hello by `send`, finishes the handshake, and asks a question.
fn with_hello(place: &Place, send: impl FnOnce(&mut TcpStream, &[u8]) -> Outcome) -> Outcome {
    let answer = backend::answer()?;
    let running = Running::start(place, &Config::one_route(&[answer.address()]))?;
    let mut tls = ClientConnection::new(client::config(None)?, ServerName::try_from("localhost")?)?;
    let hello = client::hello_bytes(&mut tls)?;
    let mut tcp = TcpStream::connect(running.address())?;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(client::PATIENCE))?;
    send(&mut tcp, &hello)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp)?;
    }
    let answer = client::ask(&mut StreamOwned::new(tls, tcp), "split\n")?;
    ensure(answer == "answer to split\n", format!("got {answer:?}"))
}

pub(crate) fn byte_by_byte(place: &Place) -> Outcome {
    with_hello(place, |tcp, hello| {
        for byte in hello {
            tcp.write_all(&[*byte])?;
            thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    })
}

pub(crate) fn many_records(place: &Place) -> Outcome {
    with_hello(place, |tcp, hello| Ok(tcp.write_all(&client::cut_into_records(hello, 7))?))?;
    with_hello(place, |tcp, hello| Ok(tcp.write_all(&client::cut_into_records(hello, 1))?))
}

pub(crate) fn plain_http(place: &Place) -> Outcome {
    let echo = backend::echo()?;
    let running = Running::start(place, &Config::one_route(&[echo.address()]))?;
    let mut tcp = TcpStream::connect(running.address())?;
    tcp.set_read_timeout(Some(client::PATIENCE))?;
    tcp.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer)?;
    // A fatal alert record, RFC 8446 section 6; then an orderly end, or reading would have failed.
    ensure(answer.len() == 7 && answer[0] == 21 && answer[5] == 2, format!("got {answer:02x?}"))?;
    ensure(echo.accepted() == 0, "the backend must not see it")?;
    Ok(())
}
