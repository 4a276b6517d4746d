//! Peers that would have a cell buffer more than it has.

use core::time::Duration;
use std::io::Read;
use std::thread;

use e2e::{Config, Outcome, Place, Running, backend, client, ensure};

/// The cell's heap. At its largest, a connection's rings are half a mebibyte.
const HEAP_MIB: u32 = 64;
const READERS: u32 = 400;

pub(crate) fn stalled_readers(place: &Place) -> Outcome {
    let (endless, answer) = (backend::endless()?, backend::answer()?);
    let config = Config::default().machine("heap_mib", HEAP_MIB).route(&["a.example.test"], &[endless.address()]);
    let running = Running::start(place, &config.route(&[], &[answer.address()]))?;
    let tls = client::config(None)?;
    let mut stalled = Vec::new();
    for _ in 0..READERS {
        stalled.push(client::connect_as(running.address(), "a.example.test", &tls)?);
    }
    // Time for every ring to fill.
    thread::sleep(Duration::from_secs(2));
    let answered = client::ask(&mut client::connect(running.address())?, "room for me?\n")?;
    ensure(answered == "answer to room for me?\n", format!("got {answered:?}"))?;
    // They go on where they stopped, in small steps as in large ones.
    let mut block = vec![0; 1 << 20];
    for stream in stalled.iter_mut().step_by(97) {
        stream.read_exact(&mut block)?;
        ensure(block.iter().all(|byte| *byte == 0x5a), "a stalled stream is damaged")?;
    }
    ensure(!running.said().contains("heap is exhausted"), running.said())?;
    ensure(running.said().matches("ready").count() == 1, format!("the cell was restarted: {}", running.said()))
}
