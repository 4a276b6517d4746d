//! One fixed run, for counting instructions: `cargo run -p sim --example turn -- requests 1000`, `-- bulk 16` (MiB each way),
//! or `-- connections 100` (one after the other, each with a full handshake and one request).
//!
//! Under `valgrind --tool=callgrind --toggle-collect='*Appliance*step*'` only the appliance's own work is counted, not the clients', the backends' or
//! the wires'. A run with 0 requests gives what the handshake costs, to be taken off.

use core::time::Duration;
use std::sync::Arc;

use sim::{Kind, Manners, Plan, Rng, Setup, Sim, Speech, Talk, Then, backend};

const REPLY_LEN: usize = 1024;

fn main() -> Result<(), String> {
    let mut words = std::env::args().skip(1);
    let what = words.next().unwrap_or_else(|| "requests".to_owned());
    let count: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(1000);
    let requests = if what == "connections" { 1 } else { count };
    let connections = if what == "connections" { count } else { 1 };
    let len = if what == "bulk" { count << 20 } else { REPLY_LEN * requests };
    let (manners, talk, then) = match what.as_str() {
        "requests" | "connections" => (
            Manners::Answer { request_len: 100, reply: vec![b'r'; REPLY_LEN] },
            Talk::Exchanges { request: vec![b'q'; 100], reply_len: REPLY_LEN, count: requests },
            Then::CloseAfter(REPLY_LEN * requests),
        ),
        "bulk" => (Manners::Echo, Talk::Stream(Rng::new(1).bytes(count << 20)), Then::Close),
        _ => return Err("requests N, bulk MIB, or connections N".to_owned()),
    };
    let setup = Setup { kind: Kind::Ed25519, offload: true, backends: vec![(backend(1), manners)], ..Setup::default() };
    let mut sim = Sim::new(setup);
    for _ in 0..connections {
        run(&mut sim, talk.clone(), then, len)?;
    }
    let counters = sim.cell.appliance.counters();
    let (frames, steps) = (counters.front.rx_frames + counters.back.rx_frames, sim.cell.steps);
    #[expect(clippy::print_stdout, reason = "an example's output")]
    {
        println!("{what} {count}: {steps} steps, {frames} frames in, {} turns, {} bytes down", counters.turns, counters.bytes_down);
    }
    Ok(())
}

/// One client, from its SYN to its end; it must have received `len` bytes. It trusts afresh, so that no ticket shortens its handshake.
fn run(sim: &mut Sim, talk: Talk, then: Then, len: usize) -> Result<(), String> {
    let plan = sim.plan(1, "default.test", talk, then);
    let mut config = sim.config();
    config.resumption = rustls_std::client::Resumption::disabled();
    let client = sim.clients.add(Plan { speech: Speech::Tls(Arc::new(config), "default.test"), ..plan });
    let ended = sim.run_all(Duration::from_secs(36_000));
    let outcome = sim.clients.outcome(client);
    if ended && outcome.received.len() == len {
        return Ok(());
    }
    Err(format!("{:?} after {} of {len} bytes: {:?}", outcome.end, outcome.received.len(), sim.cell.appliance.counters()))
}
