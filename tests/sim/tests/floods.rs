//! Floods of clients that begin and do not go on: everybody honest is served, the flood displaces itself, and what is kept of it is bounded.

use core::time::Duration;

use appliance::report::{Budget, End};
use appliance::{Counters, Report};
use keys::bundle::Limits;
use sim::{ClientEnd, Manners, Plan, Setup, Sim, Talk, Then, backend};

/// How many of the flood there may be at one time, and how many come.
const ROOM: u32 = 20;
const FLOOD: u16 = 400;
/// The time over which it comes.
const FLOOD_TIME: Duration = Duration::from_secs(20);
const HONEST: u16 = 40;

fn sim() -> Sim {
    let limits = Limits { waiting: ROOM, handshakes: ROOM, log_per_s: 5, ..Limits::default() };
    Sim::new(Setup { limits, backends: vec![(backend(1), Manners::Echo)], ..Setup::default() })
}

/// Evenly over the flood's time.
fn at(n: u16, of: u16) -> Duration {
    FLOOD_TIME * u32::from(n) / u32::from(of)
}

/// Adds honest clients, each from its own address, and runs all; whether each honest one got its answer.
fn run(sim: &mut Sim) {
    let honest: Vec<usize> = (0..HONEST)
        .map(|n| {
            let plan = sim.plan(50_000 + n, "default.test", Talk::Stream(b"hello".to_vec()), Then::CloseAfter(5));
            sim.clients.add(Plan { at: at(n, HONEST), ..plan })
        })
        .collect();
    let mut most = (0, 0);
    sim.run_until(FLOOD_TIME + Duration::from_secs(60), |sim| {
        let Counters { waiting, handshaking, .. } = sim.cell.appliance.counters();
        most = (most.0.max(waiting), most.1.max(handshaking));
        sim.clients.open() == 0
    });
    for client in honest {
        let outcome = sim.clients.outcome(client);
        assert_eq!((outcome.received.as_slice(), outcome.end.map(|end| end.0)), (&b"hello"[..], Some(ClientEnd::Whole)));
    }
    assert!(most.0 <= ROOM.into() && most.1 <= ROOM.into(), "{most:?} at once");
}

/// A hello, but for its last bytes, which come one every four seconds.
fn slow(sim: &Sim, n: u16, from: u16) -> Plan {
    let plan = sim.plan(from, "default.test", Talk::Stream(Vec::new()), Then::Wait);
    Plan { at: at(n, FLOOD), trickle: Some((1, Duration::from_secs(4))), ..plan }
}

/// How the log of the flood is bounded: reports of it, and whether all others were counted.
fn told(sim: &Sim) -> (usize, u64) {
    let of_flood = |report: &&Report| matches!(report, Report::Closed(record) if matches!(record.end, End::Displaced(_) | End::Timeout(_)));
    let suppressed = sim.cell.reports.iter().map(|report| if let Report::Suppressed(count) = report { *count } else { 0 }).sum();
    (sim.cell.reports.iter().filter(of_flood).count(), suppressed)
}

fn assert_bounded_log(sim: &Sim) {
    let (told, suppressed) = told(sim);
    assert!(told <= 5 * 70, "{told} of the flood in the log");
    let Counters { ended, .. } = sim.cell.appliance.counters();
    let all = ended.displaced + ended.timeout;
    assert!(told as u64 + suppressed <= all && suppressed > 0, "{told} told, {suppressed} counted, of {all}");
}

#[test]
fn slow_hellos_of_one_source_displace_each_other_and_nobody_else() {
    let mut sim = sim();
    for n in 0..FLOOD {
        let plan = slow(&sim, n, 1);
        sim.clients.add(plan);
    }
    run(&mut sim);
    let counters = sim.cell.appliance.counters();
    assert!(counters.refused.waiting > u64::from(FLOOD) / 2, "{counters:?}");
    assert_eq!(counters.refused.waiting, counters.ended.displaced);
    assert_eq!(counters.ended.done, HONEST.into());
    assert_bounded_log(&sim);
}

#[test]
fn slow_hellos_of_many_sources_displace_the_oldest() {
    let mut sim = sim();
    for n in 0..FLOOD {
        let plan = slow(&sim, n, n);
        sim.clients.add(plan);
    }
    run(&mut sim);
    let counters = sim.cell.appliance.counters();
    assert!(counters.refused.waiting > u64::from(FLOOD) / 2, "{counters:?}");
    assert_eq!(counters.ended.done, HONEST.into());
}

#[test]
fn handshakes_that_stop_half_way_displace_each_other() {
    for sources in [1, FLOOD] {
        let mut sim = sim();
        for n in 0..FLOOD {
            // It hears the server's flight and never answers.
            let plan = sim.plan(n % sources, "default.test", Talk::Stream(Vec::new()), Then::Wait);
            let begin = at(n, FLOOD);
            let deaf = Some((begin + Duration::from_millis(3), Duration::from_secs(3600)));
            sim.clients.add(Plan { at: begin, deaf, ..plan });
        }
        run(&mut sim);
        let counters = sim.cell.appliance.counters();
        assert!(counters.refused.handshakes > u64::from(FLOOD) / 2, "{counters:?}");
        assert_eq!((counters.refused.waiting, counters.ended.done), (0, HONEST.into()));
    }
}

#[test]
fn refusals_are_logged_at_their_rate_and_all_counted() {
    let limits = Limits { connections: 50, log_per_s: 3, ..Limits::default() };
    let mut sim = Sim::new(Setup { limits, ..Setup::default() });
    for n in 0..250 {
        let plan = sim.plan(n, "default.test", Talk::Stream(b"x".to_vec()), Then::Wait);
        sim.clients.add(Plan { at: Duration::from_millis(10) * u32::from(n), ..plan });
    }
    sim.run_to(Duration::from_secs(5));
    assert_eq!(sim.cell.appliance.counters().refused.connections, 200);
    let of = |budget| move |report: &&Report| matches!(report, Report::Refused(refused) if refused.budget == budget);
    let told = sim.cell.reports.iter().filter(of(Budget::Connections)).count();
    assert!((3..=9).contains(&told), "{told} in two seconds");
    let suppressed: u64 = sim.cell.reports.iter().map(|report| if let Report::Suppressed(count) = report { *count } else { 0 }).sum();
    assert!(told as u64 + suppressed <= 200 && suppressed > 150, "{told} told and {suppressed} counted");
}
