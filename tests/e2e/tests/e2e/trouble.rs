//! Backends that fail, tenders that die, and the end.

use core::time::Duration;
use std::io::{Read, Write};
use std::time::Instant;

use e2e::running::CELL;
use e2e::{Config, Outcome, Place, Running, backend, client, ensure};
use rustix::process::Signal;

pub(crate) fn refused(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let config = Config::default().route(&["a.example.test"], &[backend::nobody()?]).route(&[], &[answer.address()]);
    let running = Running::start(place, &config)?;
    let mut stream = client::connect_as(running.address(), "a.example.test", &client::config(None)?)?;
    let start = Instant::now();
    let mut nothing = Vec::new();
    // An end without data; whether with a close_notify is documented, a hang or a wrong byte is not.
    let _ = stream.read_to_end(&mut nothing);
    ensure(nothing.is_empty(), "bytes from a backend that is not there")?;
    ensure(start.elapsed() < Duration::from_secs(5), "the close took too long")?;
    next_works(&running)
}

fn next_works(running: &Running) -> Outcome {
    let answer = client::ask(&mut client::connect(running.address())?, "next\n")?;
    ensure(answer == "answer to next\n", format!("got {answer:?}"))
}

pub(crate) fn reset(place: &Place) -> Outcome {
    let (resetter, answer) = (backend::resetter(100_000)?, backend::answer()?);
    let config = Config::default().route(&["a.example.test"], &[resetter.address()]).route(&[], &[answer.address()]);
    let running = Running::start(place, &config)?;
    let mut stream = client::connect_as(running.address(), "a.example.test", &client::config(None)?)?;
    stream.write_all(b"x")?;
    stream.flush()?;
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes);
    ensure(bytes.len() <= 100_000 && bytes.iter().all(|byte| *byte == 0x5a), "wrong bytes before the reset")?;
    // The client must be able to tell: a backend's reset is never dressed up as an orderly end of the stream.
    ensure(ended.is_err(), "the truncation was hidden behind a close_notify")?;
    next_works(&running)
}

pub(crate) fn killed_tender(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let running = Running::start(place, &Config::one_route(&[answer.address()]))?;
    next_works(&running)?;
    let tender = running.kill(CELL)?;
    // Listeners stay open over a restart: the next connection waits instead of being refused.
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match next_works(&running) {
            Ok(()) => break,
            Err(fault) if Instant::now() > end => return Err(format!("no answer after the restart: {fault}; {}", running.said()).into()),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    ensure(!running.processes().contains(&tender), "the killed tender is still there")
}

pub(crate) fn sigterm(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let mut running = Running::start(place, &Config::one_route(&[answer.address()]))?;
    next_works(&running)?;
    let start = Instant::now();
    running.signal(Signal::TERM)?;
    let status = running.ended(Duration::from_secs(10))?;
    ensure(status.code() == Some(0), format!("ended with {status}; {}", running.said()))?;
    ensure(start.elapsed() < Duration::from_secs(2), format!("took {:?}", start.elapsed()))
}
