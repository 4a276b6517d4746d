//! One fixed run, for counting instructions: `cargo run -p sim --example turn -- requests 1000`, or `-- bulk 16` (MiB each way).
//!
//! Under `valgrind --tool=callgrind --toggle-collect='*Appliance*step*'` only the appliance's own work is counted, not the clients', the backends' or
//! the wires'. A run with 0 requests gives what the handshake costs, to be taken off.

use core::time::Duration;

use sim::{Kind, Manners, Rng, Setup, Sim, Talk, Then, backend};

const REPLY_LEN: usize = 1024;

fn main() -> Result<(), String> {
    let mut words = std::env::args().skip(1);
    let what = words.next().unwrap_or_else(|| "requests".to_owned());
    let count: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(1000);
    let len = if what == "bulk" { count << 20 } else { REPLY_LEN * count };
    let (manners, talk, then) = match what.as_str() {
        "requests" => (
            Manners::Answer { request_len: 100, reply: vec![b'r'; REPLY_LEN] },
            Talk::Exchanges { request: vec![b'q'; 100], reply_len: REPLY_LEN, count },
            Then::CloseAfter(REPLY_LEN * count),
        ),
        "bulk" => (Manners::Echo, Talk::Stream(Rng::new(1).bytes(count << 20)), Then::Close),
        _ => return Err("requests N, or bulk MIB".to_owned()),
    };
    let setup = Setup { kind: Kind::Ed25519, offload: true, backends: vec![(backend(1), manners)], ..Setup::default() };
    let mut sim = Sim::new(setup);
    let plan = sim.plan(1, "default.test", talk, then);
    let client = sim.clients.add(plan);
    let ended = sim.run_all(Duration::from_secs(36_000));
    let outcome = sim.clients.outcome(client);
    if !ended || outcome.received.len() != len {
        return Err(format!("{:?} after {} of {len} bytes: {:?}", outcome.end, outcome.received.len(), sim.cell.appliance.counters()));
    }
    let counters = sim.cell.appliance.counters();
    let (frames, steps) = (counters.front.rx_frames + counters.back.rx_frames, sim.cell.steps);
    #[expect(clippy::print_stdout, reason = "an example's output")]
    {
        println!("{what} {count}: {steps} steps, {frames} frames in, {} turns, {} bytes down", counters.turns, counters.bytes_down);
    }
    Ok(())
}
