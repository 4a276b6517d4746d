//! A short campaign, for every test run; `make sim` makes long ones. And what long ones have found, each by name.

use core::time::Duration;

use keys::bundle::Memory;
use sim::campaign::{sail, throw};
use sim::{Kind, Manners, Setup, Sim, Talk, Then, backend};

#[test]
fn everything_holds_whatever_a_few_seeds_throw() {
    for seed in 1..=6 {
        if let Err(complaint) = sail(&throw(seed), |_| true) {
            panic!("make sim SEED={seed}: {complaint}");
        }
    }
}

#[test]
fn a_seed_gives_the_same_voyage_again_to_the_last_byte() {
    for seed in 1..=4 {
        let logs = [(); 3].map(|()| sail(&throw(seed), |_| true).unwrap());
        assert!(logs.iter().all(|log| *log == logs[0]), "{logs:?}");
        assert_ne!(logs[0].hash, 0);
    }
}

/// The backend is idle for long enough to have its rings shrunk, while a record comes in byte by byte: the cell turned without end, and sent its backend
/// two segments each time, for as long as the record took.
#[test]
fn a_record_that_comes_byte_by_byte_to_an_idle_backend_costs_no_more_turns_than_bytes() {
    let mut sim = Sim::new(Setup { backends: vec![(backend(1), Manners::Speak(vec![7; 96_000]))], ..Setup::default() });
    let mut plan = sim.plan(1, "default.test", Talk::Stream(vec![7; 20_000]), Then::Close);
    plan.trickle = Some((35, Duration::from_millis(19)));
    sim.clients.add(plan);
    sim.run_to(Duration::from_secs(6));
    let (turns, sent) = (sim.turns, sim.cell.appliance.counters().back.tx_frames);
    let spins = sim.run_until(Duration::from_secs(8), |sim| sim.turns > turns + 1000);
    let (turns, sent) = (sim.turns - turns, sim.cell.appliance.counters().back.tx_frames - sent);
    assert!(!spins && sent < 10, "{turns} turns, {sent} segments to the backend in two seconds");
}

/// Memory is short, and two flows fall idle with large rings. When the first gave its rings back memory was no longer short, so it took them again, and told
/// its peer of the larger window: and so on without end, in one and the same instant, as fast as the link took it.
#[test]
fn rings_that_went_under_pressure_are_not_taken_again_at_once() {
    let mut sim = Sim::new(Setup { memory: Memory(12 << 20), kind: Kind::Ed25519, ..Setup::default() });
    for n in 1..=2 {
        let plan = sim.plan(n, "default.test", Talk::Stream(vec![7; 400_000]), Then::Wait);
        sim.clients.add(plan);
    }
    sim.run_to(Duration::from_millis(200));
    let (large, turns) = (sim.cell.appliance.counters().front.ring_bytes, sim.turns);
    let spins = sim.run_until(Duration::from_secs(9), |sim| sim.turns > turns + 1000);
    let small = sim.cell.appliance.counters().front.ring_bytes;
    assert!(!spins, "{} turns at {:?}", sim.turns - turns, sim.now);
    assert!(small < large / 2, "the rings went: {large} {small}");
}
