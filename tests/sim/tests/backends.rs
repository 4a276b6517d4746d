//! What docs/backends.md promises: backends that die, hang, reset and come back; all that die; lines of those who wait; who gets whom.

use core::net::SocketAddr;
use core::time::Duration;

use appliance::report::{BackendFault, Change, CheckFault, End, NoBackend, Record};
use appliance::{BackendState, BackendView, Report};
use keys::bundle::{Balance, Check, CheckKind, Eject, Limits, Upstream};
use sim::{ClientEnd, Manners, Setup, Sim, Talk, Then, backend};

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// A route to `count` echoing backends.
fn sim(count: u8, upstream: Upstream) -> Sim {
    let routes = vec![(vec![], (1..=count).map(backend).collect())];
    let backends = (1..=count).map(|n| (backend(n), Manners::Echo)).collect();
    let limits = Limits { connect_timeout_ms: 1000, ..Limits::default() };
    Sim::new(Setup { routes, backends, upstream, limits, ..Setup::default() })
}

fn checked(kind: CheckKind) -> Upstream {
    Upstream { check: Some(Check { kind, interval_ms: 1000, timeout_ms: 500, rise: 2, fall: 2 }), ..Upstream::default() }
}

fn http() -> Upstream {
    checked(CheckKind::Http { path: "/healthz".into(), host: "app".into(), expect: (200, 299) })
}

/// A client from address `n` that says hello, and what then.
fn hello(sim: &mut Sim, n: u16, then: Then) -> usize {
    let plan = sim.plan(n, "default.test", Talk::Stream(b"hello".to_vec()), then);
    sim.clients.add(plan)
}

/// A client that gets its answer, and the backend that it was from.
fn served(sim: &mut Sim, n: u16) -> SocketAddr {
    let client = hello(sim, n, Then::CloseAfter(5));
    let done = |sim: &Sim| sim.clients.outcome(client).end.is_some();
    assert!(sim.run_until(sim.now + MINUTE, done));
    assert_eq!(sim.clients.outcome(client).received, b"hello", "{:?}", sim.records().last());
    let last = sim.records().last().and_then(|record| record.backend);
    last.expect("a backend")
}

/// A client that is not served, and why.
fn turned_away(sim: &mut Sim, n: u16) -> End {
    let client = hello(sim, n, Then::Wait);
    let records = sim.records().len();
    assert!(sim.run_until(sim.now + MINUTE, |sim| sim.records().len() > records));
    sim.run_to(sim.now + SECOND / 10);
    assert_eq!(sim.clients.outcome(client).end.map(|(end, _)| end), Some(ClientEnd::Truncated));
    sim.records()[records].end
}

fn wait(sim: &mut Sim, time: Duration) {
    sim.run_to(sim.now + time);
}

fn changes(sim: &Sim) -> Vec<(SocketAddr, Change)> {
    let changed =
        |report: &Report| if let Report::BackendChanged(changed) = report { Some((changed.backend, changed.change)) } else { None };
    sim.cell.reports.iter().filter_map(changed).collect()
}

fn faults(sim: &Sim) -> Vec<BackendFault> {
    let failed = |report: &Report| if let Report::BackendFailed(failed) = report { Some(failed.fault) } else { None };
    sim.cell.reports.iter().filter_map(failed).collect()
}

fn view(sim: &Sim, n: u8) -> BackendView {
    let backends = sim.cell.appliance.pools().flat_map(|pool| pool.backends);
    backends.into_iter().find(|view| view.address == backend(n)).expect("a backend of the route")
}

fn ends<'s>(records: &[&'s Record]) -> Vec<&'s End> {
    records.iter().map(|record| &record.end).collect()
}

#[test]
fn a_backend_that_dies_takes_its_connections_along_and_nobody_elses() {
    let mut sim = sim(2, Upstream::default());
    let (one, two) = (hello(&mut sim, 1, Then::Wait), hello(&mut sim, 2, Then::Wait));
    wait(&mut sim, SECOND);
    sim.backends.stop(backend(1));
    wait(&mut sim, SECOND);
    assert_eq!(ends(&sim.records()), [&End::BackendGone]);
    let truncated = |client| sim.clients.outcome(client).end.map(|(end, _)| end) == Some(ClientEnd::Truncated);
    assert!(truncated(one) != truncated(two), "the client can tell that something is missing");
    for n in 3..20 {
        assert_eq!(served(&mut sim, n), backend(2), "whoever comes is served by the other");
    }
    assert_eq!(changes(&sim), [(backend(1), Change::Ejected)]);
    assert_eq!(faults(&sim), [BackendFault::Refused; 3], "after three it rests, and is asked no more");
    assert_eq!(view(&sim, 1).state, BackendState::Ejected);
}

#[test]
fn a_backend_that_comes_back_is_asked_again_when_its_rest_is_over() {
    let mut sim = sim(2, Upstream { eject: Eject { failures: 1, for_ms: 5000 }, ..Upstream::default() });
    sim.backends.stop(backend(1));
    (1..4).for_each(|n| assert_eq!(served(&mut sim, n), backend(2)));
    wait(&mut sim, 6 * SECOND);
    (4..6).for_each(|n| assert_eq!(served(&mut sim, n), backend(2), "it is still dead: one is enough to know"));
    sim.backends.start(backend(1));
    wait(&mut sim, 6 * SECOND);
    let by: Vec<_> = (6..8).map(|n| served(&mut sim, n)).collect();
    assert!(by.contains(&backend(1)), "{by:?}");
    assert_eq!(changes(&sim), [(backend(1), Change::Ejected), (backend(1), Change::Ejected), (backend(1), Change::Returned)]);
    assert_eq!((view(&sim, 1).state, view(&sim, 1).failures), (BackendState::Up, 2));
}

#[test]
fn a_backend_that_hangs_costs_its_clients_the_connect_limit_and_then_rests() {
    let mut sim = sim(2, Upstream::default());
    sim.silence(backend(1));
    let mut slow = 0;
    for n in 1..12 {
        let began = sim.now;
        assert_eq!(served(&mut sim, n), backend(2));
        slow += usize::from(sim.now - began >= SECOND);
    }
    assert_eq!(slow, 3, "then it is not asked any more");
    assert_eq!(faults(&sim), [BackendFault::Silent; 3]);
}

#[test]
fn checks_find_a_backend_that_hangs_before_clients_do_and_find_it_again() {
    let mut sim = sim(2, checked(CheckKind::Tcp));
    wait(&mut sim, 2 * SECOND);
    sim.silence(backend(1));
    wait(&mut sim, 4 * SECOND);
    assert_eq!(changes(&sim), [(backend(1), Change::Down(CheckFault::Silent))]);
    for n in 1..6 {
        let began = sim.now;
        assert_eq!(served(&mut sim, n), backend(2));
        assert!(sim.now - began < SECOND / 2, "nobody waits for it");
    }
    sim.unsilence(backend(1));
    wait(&mut sim, 4 * SECOND);
    assert_eq!(changes(&sim)[1..], [(backend(1), Change::Up)]);
    let by: Vec<_> = (6..8).map(|n| served(&mut sim, n)).collect();
    assert!(by.contains(&backend(1)), "{by:?}");
    assert!(view(&sim, 1).checks_failed >= 2 && view(&sim, 1).checks_passed >= 2, "{:?}", view(&sim, 1));
}

#[test]
fn a_backend_that_resets_what_it_took_is_not_ejected_but_an_http_check_finds_it() {
    let mut sim = sim(2, Upstream::default());
    sim.backends.behave(backend(1), Manners::ResetAfter(1));
    let mut gone = 0;
    for n in 1..9 {
        let client = hello(&mut sim, n, Then::CloseAfter(5));
        assert!(sim.run_all(MINUTE));
        gone += usize::from(sim.clients.outcome(client).received.is_empty());
    }
    assert_eq!(gone, 4, "a client could cause it, so it says nothing against the backend");
    assert_eq!(changes(&sim), []);

    let mut sim = self::sim(2, http());
    sim.backends.behave(backend(1), Manners::ResetAfter(1));
    sim.backends.behave(backend(2), Manners::Speak(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()));
    wait(&mut sim, 3 * SECOND);
    assert_eq!(changes(&sim), [(backend(1), Change::Down(CheckFault::Closed))]);
    assert_eq!(view(&sim, 2).state, BackendState::Up);
}

#[test]
fn an_http_check_tells_by_the_status_whether_a_backend_is_well() {
    let answers: [(&[u8], Option<CheckFault>); 6] = [
        (b"HTTP/1.1 204 No Content\r\n\r\n", None),
        (b"HTTP/1.0 200\r\n", None),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", Some(CheckFault::Status(503))),
        (b"SSH-2.0-OpenSSH\r\n", Some(CheckFault::Malformed)),
        (b"HTTP/1.1 2", Some(CheckFault::Closed)),
        (b"", Some(CheckFault::Closed)),
    ];
    for (answer, fault) in answers {
        let mut sim = sim(1, http());
        sim.backends.behave(backend(1), Manners::Speak(answer.to_vec()));
        wait(&mut sim, 2 * SECOND);
        let expected: Vec<_> = fault.map(|fault| (backend(1), Change::Down(fault))).into_iter().collect();
        assert_eq!(changes(&sim), expected, "{:?}", answer.escape_ascii().to_string());
    }
    let mut sim = sim(1, http());
    sim.backends.behave(backend(1), Manners::Silent);
    wait(&mut sim, 2 * SECOND);
    assert_eq!(changes(&sim), [(backend(1), Change::Down(CheckFault::Silent))], "it takes connections, and says nothing");
}

#[test]
fn when_all_die_each_client_hears_it_at_once_and_the_first_after_their_return_is_served() {
    let mut sim = sim(2, Upstream::default());
    (1..=2).for_each(|n| sim.backends.stop(backend(n)));
    for n in 1..10 {
        let began = sim.now;
        assert_eq!(turned_away(&mut sim, n), End::NoBackend(NoBackend::Failed));
        assert!(sim.now - began < SECOND / 2);
    }
    assert_eq!([view(&sim, 1).state, view(&sim, 2).state], [BackendState::Ejected; 2]);
    (1..=2).for_each(|n| sim.backends.start(backend(n)));
    served(&mut sim, 20);
}

#[test]
fn when_checks_say_that_all_are_down_no_client_is_sent_anywhere() {
    let mut sim = sim(2, checked(CheckKind::Tcp));
    wait(&mut sim, 2 * SECOND);
    (1..=2).for_each(|n| sim.backends.stop(backend(n)));
    wait(&mut sim, 3 * SECOND);
    for n in 1..5 {
        assert_eq!(turned_away(&mut sim, n), End::NoBackend(NoBackend::Down));
    }
    assert_eq!(faults(&sim), [], "nobody tried");
    sim.backends.start(backend(2));
    wait(&mut sim, 3 * SECOND);
    assert_eq!(served(&mut sim, 9), backend(2));
    let down = |n| (backend(n), Change::Down(CheckFault::Refused));
    let all = changes(&sim);
    assert!(all.contains(&down(1)) && all.contains(&down(2)) && all.ends_with(&[(backend(2), Change::Up)]), "{all:?}");
}

#[test]
fn a_thousand_clients_of_a_dead_route_are_counted_and_few_of_them_are_logged() {
    let mut sim = sim(1, Upstream::default());
    sim.backends.stop(backend(1));
    for n in 0..1000 {
        hello(&mut sim, n, Then::Wait);
    }
    assert!(sim.run_all(MINUTE));
    let counters = sim.cell.appliance.counters();
    assert_eq!((counters.backend_failures, counters.ended.no_backend), (1000, 1000));
    assert!(faults(&sim).len() <= 60, "{} lines", faults(&sim).len());
    assert!(counters.backend_reports_held_back >= 900);
}

#[test]
fn connections_to_one_backend_are_bounded_and_those_who_wait_are_served_in_order() {
    let mut sim = sim(2, Upstream { connections: 2, ..Upstream::default() });
    let holders: Vec<_> = (0..4).map(|n| hello(&mut sim, n, Then::Wait)).collect();
    wait(&mut sim, SECOND / 10);
    let waiting: Vec<_> = (4..8).map(|n| hello(&mut sim, n, Then::CloseAfter(5))).collect();
    wait(&mut sim, SECOND);
    let queued = |sim: &Sim| sim.cell.appliance.pools().map(|pool| pool.queued).sum::<u64>();
    assert_eq!((queued(&sim), view(&sim, 1).active, view(&sim, 2).active), (4, 2, 2));
    assert!(waiting.iter().all(|client| sim.clients.outcome(*client).received.is_empty()));
    let now = sim.now;
    sim.clients.release(holders[0], now);
    wait(&mut sim, SECOND);
    let answered: Vec<_> = waiting.iter().map(|client| sim.clients.outcome(*client).end.map(|(_, at)| at)).collect();
    assert!(answered.iter().all(Option::is_some), "{answered:?}");
    assert!(answered.is_sorted(), "first come first served: {answered:?}");
    assert_eq!((queued(&sim), sim.cell.appliance.counters().backend_waits), (0, 4));
    assert!(view(&sim, 1).active <= 2 && view(&sim, 2).active <= 2);
}

#[test]
fn a_line_that_is_full_and_a_wait_that_is_too_long_are_ends_of_their_own() {
    let mut sim = sim(1, Upstream { connections: 1, queue: 2, queue_timeout_ms: 3000, ..Upstream::default() });
    hello(&mut sim, 0, Then::Wait);
    wait(&mut sim, SECOND / 10);
    (1..=3).for_each(|n| _ = hello(&mut sim, n, Then::Wait));
    wait(&mut sim, SECOND);
    assert_eq!(ends(&sim.records()), [&End::NoBackend(NoBackend::QueueFull)]);
    wait(&mut sim, 3 * SECOND);
    let timeout = End::NoBackend(NoBackend::QueueTimeout);
    assert_eq!(ends(&sim.records())[1..], [&timeout, &timeout]);
    assert!(sim.records()[1..].iter().all(|record| (3 * SECOND..3 * SECOND + SECOND / 10).contains(&record.time)));
    assert_eq!(sim.cell.appliance.counters().ended.queue, 3);
}

#[test]
fn a_client_that_leaves_the_line_leaves_its_place_to_the_next() {
    let mut sim = sim(1, Upstream { connections: 1, ..Upstream::default() });
    let holder = hello(&mut sim, 0, Then::Wait);
    wait(&mut sim, SECOND / 10);
    hello(&mut sim, 1, Then::Reset);
    wait(&mut sim, SECOND / 10);
    let patient = hello(&mut sim, 2, Then::CloseAfter(5));
    wait(&mut sim, SECOND / 10);
    let now = sim.now;
    sim.clients.release(holder, now);
    wait(&mut sim, SECOND);
    assert_eq!(sim.clients.outcome(patient).received, b"hello");
    assert_eq!((view(&sim, 1).active, sim.backends.accepted_by(backend(1))), (0, 2));
}

#[test]
fn a_source_stays_with_its_backend_until_that_goes() {
    let mut sim = sim(4, Upstream { balance: Balance::SourceHash, eject: Eject { failures: 1, for_ms: 600_000 }, ..Upstream::default() });
    let before: Vec<_> = (0..24).map(|n| served(&mut sim, n)).collect();
    assert_eq!((0..24).map(|n| served(&mut sim, n)).collect::<Vec<_>>(), before);
    let gone = before[0];
    sim.backends.stop(gone);
    for (n, was) in (0..24).zip(&before) {
        let is = served(&mut sim, n);
        assert!(if *was == gone { is != gone } else { is == *was }, "{n}: from {was} to {is}");
    }
}

#[test]
fn least_connections_fills_up_who_has_fewest() {
    let mut sim = sim(3, Upstream { balance: Balance::LeastConnections, ..Upstream::default() });
    (0..9).for_each(|n| _ = hello(&mut sim, n, Then::Wait));
    wait(&mut sim, SECOND);
    assert!((1..=3).all(|n| view(&sim, n).active == 3));
    sim.backends.stop(backend(1));
    sim.backends.start(backend(1));
    wait(&mut sim, SECOND);
    (10..13).for_each(|n| _ = hello(&mut sim, n, Then::Wait));
    wait(&mut sim, SECOND);
    assert_eq!(sim.backends.accepted_by(backend(1)), 6, "all three came to the empty one");
}

#[test]
fn no_more_backends_are_tried_than_retries_allow() {
    for (retries, tried) in [(0, 1), (1, 2), (2, 3), (9, 4)] {
        let mut sim = sim(4, Upstream { retries, eject: Eject { failures: 0, for_ms: 1 }, ..Upstream::default() });
        (1..=4).for_each(|n| sim.backends.stop(backend(n)));
        turned_away(&mut sim, 1);
        assert_eq!(faults(&sim).len(), tried, "{retries} retries");
    }
}
