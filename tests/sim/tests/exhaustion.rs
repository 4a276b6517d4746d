//! A guest whose allocation fails: it ends in the middle of a turn, and a fresh one takes its place.

use core::time::Duration;

use net::CloseReason;
use sim::{ClientEnd, Kind, Setup, Sim, Talk, Then, Trace};

const MINUTE: Duration = Duration::from_secs(60);

fn setup() -> Setup {
    Setup { kind: Kind::Ed25519, ..Setup::default() }
}

/// A client whose connection stands and is idle, and another one on its way; the next allocation but `granted` fails.
fn exhausted(granted: u64) -> (Sim, [usize; 2]) {
    let mut sim = Sim::new(setup());
    let plan = sim.plan(1, "default.test", Talk::Stream(b"hello".to_vec()), Then::Wait);
    let idle = sim.clients.add(plan);
    sim.run_to(Duration::from_secs(1));
    assert_eq!(sim.clients.outcome(idle).received, b"hello");
    let plan = sim.plan(2, "default.test", Talk::Stream(vec![7; 100_000]), Then::Wait);
    let coming = sim.clients.add(plan);
    sim.cell.heap.refuse_after(granted);
    (sim, [idle, coming])
}

#[test]
fn nothing_of_the_turn_in_which_an_allocation_fails_leaves_the_guest() {
    for granted in [0, 1, 10, 50, 100] {
        let (mut sim, _) = exhausted(granted);
        let sent = |sim: &Sim| [sim.lanes[1].trace, sim.lanes[3].trace];
        let (mut before, mut reports) = (sent(&sim), sim.cell.reports.len());
        let lost = sim.run_until(MINUTE, |sim| {
            if !sim.cell.is_lost() {
                (before, reports) = (sent(sim), sim.cell.reports.len());
            }
            sim.cell.is_lost()
        });
        assert!(lost, "after {granted}");
        sim.run_to(sim.now + MINUTE);
        assert_eq!((before, reports), (sent(&sim), sim.cell.reports.len()), "after {granted}");
    }
}

#[test]
fn clients_of_a_lost_guest_are_reset_when_they_speak_and_the_next_guest_serves() {
    for granted in [0, 1, 10, 50, 100] {
        let (mut sim, [idle, coming]) = exhausted(granted);
        assert!(sim.run_until(MINUTE, |sim| sim.cell.is_lost()));
        sim.restart(&setup());
        assert!(!sim.cell.is_lost());
        let plan = sim.plan(3, "default.test", Talk::Stream(b"hello".to_vec()), Then::Close);
        let newcomer = sim.clients.add(plan);
        sim.clients.release(idle, sim.now);
        assert!(sim.run_until(sim.now + MINUTE, |sim| sim.clients.outcome(newcomer).end.is_some()));
        sim.clients.leave(sim.now);
        assert!(sim.run_all(MINUTE));
        let end = |client| sim.clients.outcome(client).end.map(|(end, _)| end);
        assert_eq!(end(newcomer), Some(ClientEnd::Whole), "after {granted}");
        assert_eq!(end(idle), Some(ClientEnd::Broken(CloseReason::PeerReset)), "after {granted}");
        assert!(matches!(end(coming), Some(ClientEnd::Broken(_) | ClientEnd::Whole)), "after {granted}: {:?}", end(coming));
        let counters = sim.cell.appliance.counters();
        assert_eq!((counters.connections, counters.front.flows + counters.back.flows), (0, 0), "after {granted}");
    }
}

#[test]
fn the_same_allocation_fails_in_the_same_turn_each_time() {
    let run = |granted| -> ([Trace; 4], Duration) {
        let (mut sim, _) = exhausted(granted);
        assert!(sim.run_until(MINUTE, |sim| sim.cell.is_lost()));
        (sim.traces(), sim.now)
    };
    for granted in [0, 10, 100] {
        assert_eq!(run(granted), run(granted), "after {granted}");
    }
}

#[test]
fn what_clients_brought_is_given_back_when_they_are_gone() {
    const CLIENTS: u16 = 25;
    let mut sim = Sim::new(setup());
    let visit = |sim: &mut Sim| {
        for n in 0..CLIENTS {
            let plan = sim.plan(n, "default.test", Talk::Stream(vec![7; 10_000]), Then::Close);
            sim.clients.add(plan);
        }
        assert!(sim.run_all(MINUTE));
        // TIME-WAIT, and what is remembered of sources.
        sim.run_to(sim.now + 5 * MINUTE);
        sim.cell.heap.used()
    };
    // Tables grow with the first, and lists of who was here with some more.
    let held: Vec<u64> = (0..10).map(|_| visit(&mut sim)).collect();
    let each = held[9].saturating_sub(held[1]) / (8 * u64::from(CLIENTS));
    assert!(each < 64 && sim.cell.heap.peak() > held[9], "{each} bytes a client: {held:?}");
}
