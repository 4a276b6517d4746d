//! Clients that stop reading while their backend goes on: the cell stays within its memory, and serves whoever comes next.

use core::time::Duration;

use keys::bundle::Memory;
use sim::{Heap, Kind, Manners, Setup, Sim, Talk, Then, backend};

const FOREVER: Duration = Duration::from_secs(3600);
/// Before the first of them is given up for a window that stays shut.
const FULLEST: Duration = Duration::from_secs(20);

/// A cell with `mib` of memory and so many clients that read nothing of what has no end, at their fullest.
fn stalled(mib: u64, readers: u16) -> Sim {
    let backends = vec![(backend(1), Manners::Endless)];
    let mut sim = Sim::new(Setup { memory: Memory(mib << 20), backends, kind: Kind::Ed25519, ..Setup::default() });
    for n in 0..readers {
        let mut plan = sim.plan(n, "default.test", Talk::Stream(b"go".to_vec()), Then::Wait);
        plan.at = Duration::from_millis(4) * u32::from(n);
        plan.deaf = Some((plan.at + Duration::from_millis(50), FOREVER));
        sim.clients.add(plan);
    }
    sim.run_to(FULLEST);
    sim
}

/// Bytes that the cell holds.
fn taken(sim: Sim) -> u64 {
    let Sim { mut cell, .. } = sim;
    cell.reports = Vec::new();
    Heap::given_back(cell)
}

#[test]
fn stalled_readers_take_no_more_than_the_memory_and_a_newcomer_is_served() {
    // Many more than there is room for: those who find none are turned away before anything of them is kept.
    let sim = stalled(256, 3000);
    let counters = sim.cell.appliance.counters();
    let (rings, flows) = ((counters.front.ring_bytes + counters.back.ring_bytes) >> 20, counters.connections);
    assert!(counters.front.growths_refused > 0 && counters.front.refused_by_limit > 0, "{counters:?}");
    assert!(flows >= 1500, "{counters:?}");
    let taken = taken(sim);
    println!("{flows} of 3000 stalled readers: {} of 256 MiB, {rings} MiB of them charged for rings", taken >> 20);
    assert!(taken <= 256 << 20, "{taken} bytes");

    // As many as there is room for, and one that reads.
    let mut sim = stalled(64, 300);
    assert_eq!(sim.cell.appliance.counters().connections, 300);
    let plan = sim.plan(300, "default.test", Talk::Stream(b"go".to_vec()), Then::CloseAfter(300_000));
    let newcomer = sim.clients.add(plan);
    sim.run_to(FULLEST + Duration::from_secs(5));
    assert!(sim.clients.outcome(newcomer).received.len() >= 300_000, "{}", sim.clients.outcome(newcomer).received.len());
    assert!(sim.cell.appliance.counters().front.growths_refused > 0);
}
