//! Every limit of time at its time, every budget at its number, and the drain.

use core::time::Duration;

use appliance::Report;
use appliance::report::{Budget, End, NoBackend, Record, Timeout};
use keys::bundle::Limits;
use sim::{ClientEnd, LATENCY, Manners, Plan, Setup, Sim, Talk, Then, backend};

const MINUTE: Duration = Duration::from_secs(60);
/// Some round trips, and what the wheel's tick adds.
const SLACK: Duration = Duration::from_millis(20);

fn sim(limits: Limits, manners: Manners) -> Sim {
    Sim::new(Setup { limits, backends: vec![(backend(1), manners)], ..Setup::default() })
}

fn hello(sim: &mut Sim, n: u16, then: Then) -> usize {
    let plan = sim.plan(n, "default.test", Talk::Stream(b"hello".to_vec()), then);
    sim.clients.add(plan)
}

fn mute(n: u16) -> Plan {
    Plan::raw(n, Vec::new())
}

fn only_record(sim: &Sim) -> &Record {
    let records = sim.records();
    assert_eq!(records.len(), 1);
    records[0]
}

fn refusals(sim: &Sim) -> Vec<Budget> {
    let refused = |report: &Report| if let Report::Refused(refused) = report { Some(refused.budget) } else { None };
    sim.cell.reports.iter().filter_map(refused).collect()
}

fn end_of(sim: &Sim, client: usize) -> Option<ClientEnd> {
    sim.clients.outcome(client).end.map(|(end, _)| end)
}

fn assert_about(time: Duration, expected: Duration) {
    assert!((expected..expected + SLACK).contains(&time), "{time:?} instead of {expected:?}");
}

#[test]
fn a_client_that_says_nothing_is_reset_at_the_limit_of_the_first_byte() {
    let mut sim = sim(Limits { first_byte_timeout_ms: 2000, handshake_timeout_ms: 3000, ..Limits::default() }, Manners::Echo);
    let client = sim.clients.add(mute(1));
    assert!(sim.run_all(MINUTE));
    assert_eq!(only_record(&sim).end, End::Timeout(Timeout::FirstByte));
    assert_about(only_record(&sim).time, Duration::from_secs(2));
    assert_eq!(end_of(&sim, client), Some(ClientEnd::Broken(net::CloseReason::PeerReset)));
    assert_eq!(sim.cell.appliance.counters().timeouts.first_byte, 1);
}

#[test]
fn the_handshake_limit_holds_for_silence_too_where_it_is_the_shorter() {
    let mut sim = sim(Limits { first_byte_timeout_ms: 9000, handshake_timeout_ms: 3000, ..Limits::default() }, Manners::Echo);
    sim.clients.add(mute(1));
    assert!(sim.run_all(MINUTE));
    assert_eq!(only_record(&sim).end, End::Timeout(Timeout::Handshake));
    assert_about(only_record(&sim).time, Duration::from_secs(3));
}

#[test]
fn slow_bytes_do_not_put_the_handshake_limit_off() {
    let mut sim = sim(Limits { handshake_timeout_ms: 3000, ..Limits::default() }, Manners::Echo);
    let plan = sim.plan(1, "default.test", Talk::Stream(Vec::new()), Then::Wait);
    sim.clients.add(Plan { trickle: Some((1, Duration::from_millis(500))), ..plan });
    assert!(sim.run_all(MINUTE));
    assert_eq!(only_record(&sim).end, End::Timeout(Timeout::Handshake));
    assert_about(only_record(&sim).time, Duration::from_secs(3));
}

#[test]
fn silence_ends_at_the_idle_limit_after_the_last_byte() {
    let mut sim = sim(Limits { idle_timeout_ms: 7000, ..Limits::default() }, Manners::Echo);
    let client = hello(&mut sim, 1, Then::Wait);
    assert!(sim.run_all(MINUTE));
    assert_eq!(only_record(&sim).end, End::Timeout(Timeout::Idle));
    assert_about(only_record(&sim).time, Duration::from_secs(7) + 2 * LATENCY);
    assert_eq!(end_of(&sim, client), Some(ClientEnd::Truncated));
    assert_eq!(sim.clients.outcome(client).received, b"hello");
}

#[test]
fn a_lively_connection_is_not_idle_and_ends_at_its_lifetime() {
    let mut sim = sim(Limits { idle_timeout_ms: 1000, lifetime_ms: 9000, ..Limits::default() }, Manners::Echo);
    let plan = sim.plan(1, "default.test", Talk::Stream(vec![b'x'; 100_000]), Then::Wait);
    sim.clients.add(Plan { trickle: Some((200, Duration::from_millis(100))), ..plan });
    assert!(sim.run_all(MINUTE));
    assert_eq!(only_record(&sim).end, End::Timeout(Timeout::Lifetime));
    assert_about(only_record(&sim).time, Duration::from_secs(9));
}

#[test]
fn a_half_that_stays_open_in_silence_ends_at_the_half_close_limit() {
    let mut sim = sim(Limits { half_close_timeout_ms: 4000, ..Limits::default() }, Manners::Speak(b"bye".to_vec()));
    let plan = sim.plan(1, "default.test", Talk::Stream(Vec::new()), Then::CloseAfter(1000));
    let client = sim.clients.add(plan);
    sim.run_to(MINUTE);
    assert_eq!(sim.clients.outcome(client).received, b"bye");
    assert_eq!(only_record(&sim).end, End::Timeout(Timeout::HalfClose));
    assert_about(only_record(&sim).time, Duration::from_secs(4) + 2 * LATENCY);
}

#[test]
fn one_backend_that_is_silent_ends_at_the_connect_limit() {
    let mut sim = sim(Limits { connect_timeout_ms: 2000, ..Limits::default() }, Manners::Echo);
    sim.silence(backend(1));
    let client = hello(&mut sim, 1, Then::Wait);
    assert!(sim.run_all(MINUTE));
    assert_eq!(only_record(&sim).end, End::NoBackend(NoBackend::Failed));
    assert_about(only_record(&sim).time, Duration::from_secs(2) + 2 * LATENCY);
    assert_eq!(end_of(&sim, client), Some(ClientEnd::Truncated));
}

#[test]
fn connections_in_all_are_bounded_and_a_place_that_is_given_back_is_used() {
    let mut sim = sim(Limits { connections: 5, ..Limits::default() }, Manners::Echo);
    let clients: Vec<usize> = (0..8).map(|n| hello(&mut sim, n, Then::Wait)).collect();
    sim.run_to(Duration::from_secs(1));
    assert_eq!(sim.cell.appliance.counters().connections, 5);
    assert_eq!(refusals(&sim), [Budget::Connections; 3]);
    let now = sim.now;
    clients.iter().for_each(|client| sim.clients.release(*client, now));
    sim.run_to(Duration::from_secs(2));
    let late = hello(&mut sim, 9, Then::CloseAfter(5));
    assert!(sim.run_all(MINUTE));
    assert_eq!(sim.clients.outcome(late).received, b"hello");
}

#[test]
fn one_source_is_bounded_and_others_are_served() {
    let mut sim = sim(Limits { connections_per_source: 4, ..Limits::default() }, Manners::Echo);
    for _ in 0..10 {
        hello(&mut sim, 1, Then::Wait);
    }
    let other = hello(&mut sim, 2, Then::CloseAfter(5));
    sim.run_to(Duration::from_secs(1));
    let counters = sim.cell.appliance.counters();
    assert_eq!(counters.connections, 4);
    assert!(counters.refused.connections_per_source + counters.front.refused_by_source >= 6, "{counters:?}");
    assert_eq!(sim.clients.outcome(other).received, b"hello");
}

#[test]
fn the_rate_of_one_source_is_bounded() {
    let mut sim = sim(Limits { new_per_source_per_s: 5, ..Limits::default() }, Manners::Echo);
    for _ in 0..30 {
        hello(&mut sim, 1, Then::CloseAfter(5));
    }
    let other = hello(&mut sim, 2, Then::CloseAfter(5));
    assert!(sim.run_all(MINUTE));
    assert_eq!(sim.clients.outcome(other).received, b"hello");
    assert_eq!(sim.cell.appliance.counters().refused.new_per_source, 20, "two seconds' worth came in");
}

#[test]
fn the_rate_in_all_is_bounded_and_recovers() {
    let mut sim = sim(Limits { new_per_s: 5, ..Limits::default() }, Manners::Echo);
    for n in 0..30 {
        hello(&mut sim, n, Then::CloseAfter(5));
    }
    assert!(sim.run_all(MINUTE));
    assert_eq!(sim.cell.appliance.counters().refused.new, 20, "two seconds' worth came in");
    sim.run_to(Duration::from_secs(1));
    let late = hello(&mut sim, 99, Then::CloseAfter(5));
    sim.run_to(sim.now + Duration::from_secs(1));
    assert_eq!(sim.clients.outcome(late).received, b"hello");
}

#[test]
fn a_client_that_reads_nothing_is_reset_at_the_stall_limit() {
    let mut sim = sim(Limits { stall_timeout_ms: 8000, ..Limits::default() }, Manners::Endless);
    let plan = sim.plan(1, "default.test", Talk::Stream(b"go".to_vec()), Then::Wait);
    sim.clients.add(Plan { deaf: Some((Duration::from_millis(100), MINUTE)), ..plan });
    sim.run_to(Duration::from_secs(7));
    assert_eq!(sim.cell.appliance.counters().connections, 1);
    sim.run_to(Duration::from_secs(12));
    assert_eq!(only_record(&sim).end, End::Timeout(Timeout::Stall));
    assert_eq!(sim.cell.appliance.counters().timeouts.stall, 1);
    assert_eq!(sim.backends.connections(), 0, "and its backend is rid of it");
}

#[test]
fn a_drain_finishes_what_runs_and_takes_nothing_new() {
    let mut sim = sim(Limits::default(), Manners::Echo);
    let running = hello(&mut sim, 1, Then::Wait);
    sim.run_to(Duration::from_secs(1));
    sim.drain();
    let late = hello(&mut sim, 2, Then::Wait);
    sim.run_to(Duration::from_secs(2));
    assert!(!sim.cell.appliance.drained());
    assert!(sim.clients.outcome(late).received.is_empty());
    let now = sim.now;
    sim.clients.release(running, now);
    assert!(sim.run_until(Duration::from_secs(5), |sim| sim.cell.appliance.drained()));
    assert!(sim.now < Duration::from_millis(2100), "{:?}", sim.now);
    sim.run_to(Duration::from_secs(5));
    assert_eq!(end_of(&sim, running), Some(ClientEnd::Whole));
}

#[test]
fn a_drain_ends_at_its_limit_whatever_runs() {
    let mut sim = sim(Limits { drain_timeout_ms: 3000, ..Limits::default() }, Manners::Echo);
    hello(&mut sim, 1, Then::Wait);
    sim.clients.add(mute(2));
    sim.run_to(Duration::from_secs(1));
    sim.drain();
    assert!(sim.run_until(MINUTE, |sim| sim.cell.appliance.drained()));
    assert_about(sim.now, Duration::from_secs(4));
    assert_eq!(sim.cell.appliance.counters().ended.drained, 2);
    sim.run_to(Duration::from_secs(5));
    assert_eq!(sim.backends.connections() + sim.clients.open(), 0, "and both sides have heard of it");
}

/// What the pace of the log kept back waited for the next second, and the guest ended before: the first thing that drains under way found (seed 82).
#[test]
fn a_drain_tells_how_many_early_ends_were_not_told_before_it_ends() {
    let mut sim = sim(Limits { waiting: 1, log_per_s: 1, drain_timeout_ms: 100, ..Limits::default() }, Manners::Echo);
    (0..9).for_each(|n| _ = sim.clients.add(mute(n)));
    sim.run_to(Duration::from_millis(100));
    sim.drain();
    assert!(sim.run_until(MINUTE, |sim| sim.cell.appliance.drained()));
    let not_told = |report: &Report| if let Report::Suppressed(count) = report { Some(*count) } else { None };
    let not_told: u64 = sim.cell.reports.iter().filter_map(not_told).sum();
    assert_eq!((sim.cell.appliance.counters().accepted, sim.records().len(), not_told), (9, 2, 7));
}

/// Three times as many as may wait to be told of.
#[test]
fn when_thousands_end_at_once_each_is_told_of() {
    const MANY: u16 = 1500;
    for cut_off in [false, true] {
        let mut sim = sim(
            Limits { waiting: 4096, handshakes: 4096, idle_timeout_ms: 20_000, drain_timeout_ms: 1000, ..Limits::default() },
            Manners::Echo,
        );
        for n in 0..MANY {
            hello(&mut sim, n, Then::Wait);
        }
        sim.run_to(Duration::from_secs(10));
        assert_eq!(sim.cell.appliance.counters().connections, u64::from(MANY));
        if cut_off {
            sim.drain();
        }
        sim.run_to(Duration::from_secs(40));
        let counters = sim.cell.appliance.counters();
        assert_eq!((sim.records().len(), counters.reports_lost), (usize::from(MANY), 0), "cut off: {cut_off}");
    }
}
