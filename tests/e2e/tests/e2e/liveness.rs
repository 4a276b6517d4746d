//! One peer's misbehaviour costs the others nothing, and memory stays where it was.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::Read;
use std::thread;
use std::time::Instant;

use e2e::{Config, Outcome, Place, Running, backend, client, ensure, flood};
use rustix::process::Signal;

/// What a cell may grow by while one peer misbehaves: its buffers, and what the allocator rounds up.
const GROWTH_MAX: u64 = 16 << 20;

pub(crate) fn stalled_reader(place: &Place) -> Outcome {
    let (endless, answer) = (backend::endless()?, backend::answer()?);
    let config = Config::default().route(&["a.example.test"], &[endless.address()]).route(&[], &[answer.address()]);
    let running = Running::start(place, &config)?;
    ask_once(&running)?;
    let before = running.memory();
    let mut stalled = client::connect_as(running.address(), "a.example.test", &client::config(None)?)?;
    let end = Instant::now() + Duration::from_secs(10);
    let mut asked = 0;
    while Instant::now() < end {
        ask_once(&running)?;
        asked += 1;
        thread::sleep(Duration::from_millis(50));
    }
    let after = running.memory();
    ensure(asked >= 50, format!("only {asked} answers in 10 s beside a stalled reader"))?;
    ensure(after < before + GROWTH_MAX, format!("memory went from {before} to {after} bytes"))?;
    // It goes on where it stopped.
    let mut block = vec![0; 1 << 20];
    stalled.read_exact(&mut block)?;
    ensure(block.iter().all(|byte| *byte == 0x5a), "the stalled stream is damaged")
}

fn ask_once(running: &Running) -> Outcome {
    let answer = client::ask(&mut client::connect(running.address())?, "and me?\n")?;
    ensure(answer == "answer to and me?\n", format!("got {answer:?}"))
}

pub(crate) fn spoofed_syns(place: &Place) -> Outcome {
    const SYNS: u32 = 100_000;
    let answer = backend::answer()?;
    let mut running = Running::start(place, &Config::one_route(&[answer.address()]))?;
    ask_once(&running)?;
    let before = running.memory();
    let SocketAddr::V4(target) = running.address() else { return Err("the TAP test uses IPv4".into()) };
    let flood = thread::spawn(move || flood::syns(target, SYNS));
    let mut during = 0;
    while !flood.is_finished() {
        ask_once(&running)?;
        during += 1;
    }
    let sent = flood.join().map_err(|_| "the flood panicked")??;
    ask_once(&running)?;
    let after = running.memory();
    ensure(sent == SYNS, format!("only {sent} SYNs left"))?;
    ensure(during > 0, "no legitimate connection was tried during the flood")?;
    ensure(after < before + (1 << 20), format!("memory went from {before} to {after} bytes"))?;
    running.signal(Signal::TERM)?;
    running.ended(Duration::from_secs(10))?;
    let (syns, cookies) = (running.counter("front", "syns")?, running.counter("front", "cookies_sent")?);
    ensure(running.counter("front", "flows")? == 0, "spoofed SYNs left flows behind")?;
    // The kernel drops what the TAP's queue has no room for.
    ensure(syns >= u64::from(sent) / 2, format!("of {sent} SYNs only {syns} came to the guest"))?;
    ensure(cookies >= syns * 9 / 10, format!("{syns} SYNs, but only {cookies} cookies"))?;
    // Each legitimate client came in through a cookie, and nobody else did.
    let accepted = running.counter("front", "cookies_accepted")?;
    ensure(accepted == during + 2, format!("{} clients, but {accepted} cookies accepted", during + 2))
}
