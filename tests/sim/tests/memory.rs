//! What a connection costs in memory.

use core::time::Duration;

use sim::{Heap, Plan, Setup, Sim, Talk, Then};

const CONNECTIONS: u16 = 200;

/// Bytes that the appliance reserves for each of many connections once `fill` has put them there: what dropping it gives back, less what an
/// empty one gives back.
fn bytes_per_connection(fill: impl Fn(&mut Sim, u16)) -> u64 {
    let mut sim = Sim::new(Setup::default());
    sim.run_to(Duration::from_millis(10));
    let own = |sim: Sim| Heap::given_back(sim.cell);
    for n in 0..CONNECTIONS {
        fill(&mut sim, n);
    }
    sim.run_to(Duration::from_secs(9));
    assert_eq!(sim.cell.appliance.counters().connections, u64::from(CONNECTIONS));
    sim.cell.reports = Vec::new();
    let full = own(sim);
    let empty = own(Sim::new(Setup::default()));
    (full - empty) / u64::from(CONNECTIONS)
}

#[test]
fn a_connection_costs_little_before_its_handshake_and_when_idle() {
    let waiting = bytes_per_connection(|sim, n| {
        sim.clients.add(Plan::raw(n, vec![0x16, 3, 1, 0x20, 0]));
    });
    // Long enough for what is idle to give its rings back.
    let idle = bytes_per_connection(|sim, n| {
        let plan = sim.plan(n, "default.test", Talk::Stream(b"hello".to_vec()), Then::Wait);
        sim.clients.add(plan);
    });
    let busy = bytes_per_connection(|sim, n| {
        let plan = sim.plan(n, "default.test", Talk::Stream(vec![1; 100_000]), Then::Wait);
        sim.clients.add(plan);
    });
    let rings = net::Limits::default().idle_rx_ring + net::Limits::default().idle_tx_ring;
    println!(
        "a connection's bytes: {waiting} before the handshake, {idle} idle after it, {busy} idle after 100 kB; {rings} a flow's rings"
    );
    assert!(waiting <= WAITING_MAX, "{waiting} bytes before the handshake");
    assert!(idle <= IDLE_MAX, "{idle} bytes when idle");
    assert!(busy <= IDLE_MAX, "{busy} bytes when idle again");
}

/// The bound that the design promises.
const WAITING_MAX: u64 = 32 * 1024;
/// The same: both flows and the session.
const IDLE_MAX: u64 = 16 * 1024;
