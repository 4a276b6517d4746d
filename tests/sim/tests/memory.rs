//! What a connection costs in memory. One test alone in its process, because the counting allocator counts for all.

use std::time::Duration;

use keys::bundle::Limits;
use peak_alloc::PeakAlloc;
use sim::{Plan, Setup, Sim, Talk, Then};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const CONNECTIONS: u16 = 200;

/// Bytes in use for each of many connections after `fill` has put them there. The clients' and backends' ends are in it too, so the same is
/// measured with the appliance taken away: dropping it shows what was its own.
fn bytes_per_connection(fill: impl Fn(&mut Sim, u16)) -> usize {
    let limits = Limits { idle_timeout_ms: 3_600_000, ..Limits::default() };
    let mut sim = Sim::new(Setup { limits, ..Setup::default() });
    sim.run_to(Duration::from_millis(10));
    let own = |sim: Sim| {
        let Sim { cell, .. } = sim;
        let before = ALLOCATOR.current_usage();
        drop(cell);
        before - ALLOCATOR.current_usage()
    };
    for n in 0..CONNECTIONS {
        fill(&mut sim, n);
    }
    sim.run_to(Duration::from_secs(5));
    assert_eq!(sim.cell.appliance.counters().connections, u64::from(CONNECTIONS));
    sim.cell.reports = Vec::new();
    let full = own(sim);
    let empty = own(Sim::new(Setup::default()));
    (full - empty) / usize::from(CONNECTIONS)
}

#[test]
fn what_a_connection_costs() {
    let waiting = bytes_per_connection(|sim, n| {
        sim.clients.add(Plan::raw(n, vec![0x16, 3, 1, 0x20, 0]));
    });
    let idle = bytes_per_connection(|sim, n| {
        let plan = sim.plan(n, "default.test", Talk::Stream(b"hello".to_vec()), Then::Wait);
        sim.clients.add(plan);
    });
    println!("before the handshake: {waiting} bytes; idle after it, both flows counted: {idle} bytes");
    assert!(waiting <= 32 * 1024, "{waiting} bytes before the handshake is done");
    assert!(idle <= IDLE_MAX, "{idle} bytes for an idle connection");
}

const IDLE_MAX: usize = 16 * 1024;
