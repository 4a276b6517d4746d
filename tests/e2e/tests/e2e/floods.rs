//! Clients that begin and do not go on, many more than there is room for: everybody honest is served, and the flood displaces itself.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use e2e::{Config, Outcome, Place, Running, backend, client, ensure};
use rustix::process::Signal;
use rustls_std::ClientConnection;
use rustls_std::pki_types::ServerName;

/// How many of the flood there may be at one time, and how many come.
const ROOM: u64 = 50;
const FLOOD: u64 = 250;
/// How long a client that says nothing may stay where the limit is 300 ms: half of what a whole handshake may take.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// What a cell may grow by meanwhile: [`ROOM`] connections at their worst, and what the allocator rounds up.
const GROWTH_MAX: u64 = 16 << 20;

pub(crate) fn slow_hellos(place: &Place) -> Outcome {
    flood(place, "waiting", |hello| hello.len() / 2)
}

pub(crate) fn half_open_handshakes(place: &Place) -> Outcome {
    flood(place, "handshakes", <[u8]>::len)
}

pub(crate) fn silent_clients(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let mut running = Running::start(place, &Config::one_route(&[answer.address()]).limit("first_byte_timeout_ms", 300))?;
    let begun = Instant::now();
    let mut silent = TcpStream::connect(running.address())?;
    silent.set_read_timeout(Some(client::PATIENCE))?;
    ensure(silent.read(&mut [0]).unwrap_or(0) == 0, "a silent client got bytes")?;
    ensure(begun.elapsed() < SILENCE_MAX, format!("a silent client was there for {:?}", begun.elapsed()))?;
    ask(&running)?;
    stop(&mut running)?;
    ensure(running.counter("timeouts", "first_byte")? == 1, running.said())
}

/// Clients that send as much of a hello as `part` says, and then nothing, against a cell with [`ROOM`] for them in `limit`.
fn flood(place: &Place, limit: &str, part: fn(&[u8]) -> usize) -> Outcome {
    let answer = backend::answer()?;
    let mut running = Running::start(place, &Config::one_route(&[answer.address()]).limit(limit, ROOM).limit("log_per_s", 2))?;
    ask(&running)?;
    let hello = hello()?;
    let sent = hello.get(..part(&hello)).unwrap_or_default();
    let before = running.memory();
    let mut held = Vec::new();
    for n in 0..FLOOD {
        let mut stream = TcpStream::connect(running.address())?;
        // The box may reset it at once.
        let _ = stream.write_all(sent);
        held.push(stream);
        if n % 25 == 0 {
            ask(&running)?;
        }
    }
    ask(&running)?;
    let after = running.memory();
    ensure(after < before + GROWTH_MAX, format!("memory went from {before} to {after} bytes"))?;
    drop(held);
    stop(&mut running)?;
    let displaced = running.counter("refused", limit)?;
    ensure((FLOOD - ROOM - 1..=FLOOD).contains(&displaced), format!("{displaced} of {FLOOD} were displaced"))?;
    ensure(running.counter("ended", "displaced")? == displaced, running.said())?;
    let said = running.said();
    let told = said.lines().filter(|line| line.contains("displaced") && !line.contains("counters")).count();
    ensure((1..100).contains(&told), format!("{told} displacements in the log:\n{said}"))
}

fn hello() -> Outcome<Vec<u8>> {
    let mut tls = ClientConnection::new(Arc::clone(&client::config(None)?), ServerName::try_from("localhost")?)?;
    Ok(client::hello_bytes(&mut tls)?)
}

fn ask(running: &Running) -> Outcome {
    let answer = client::connect(running.address()).and_then(|mut stream| client::ask(&mut stream, "and me?\n"));
    let answer = answer.map_err(|fault| format!("an honest client was not served: {fault}"))?;
    ensure(answer == "answer to and me?\n", format!("got {answer:?}"))
}

fn stop(running: &mut Running) -> Outcome {
    running.signal(Signal::TERM)?;
    running.ended(Duration::from_secs(10)).map(drop)
}
