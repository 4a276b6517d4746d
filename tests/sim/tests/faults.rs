//! What the terminator does when something is wrong: the right end for each side, the right record, and the next connection works.

use core::time::Duration;

use appliance::Report;
use appliance::report::{BackendFault, End, NoBackend};
use rustls_std::AlertDescription;
use sim::{ClientEnd, Manners, Plan, Setup, Sim, Talk, Then, backend, refusing};

const MINUTE: Duration = Duration::from_secs(60);

fn hello(sim: &mut Sim, n: u16, name: &'static str, then: Then) -> usize {
    let plan = sim.plan(n, name, Talk::Stream(b"hello".to_vec()), then);
    sim.clients.add(plan)
}

fn end_of(sim: &Sim, client: usize) -> Option<ClientEnd> {
    sim.clients.outcome(client).end.map(|(end, _)| end)
}

fn backend_faults(sim: &Sim) -> Vec<BackendFault> {
    let failed = |report: &Report| if let Report::BackendFailed(failed) = report { Some(failed.fault) } else { None };
    sim.cell.reports.iter().filter_map(failed).collect()
}

#[test]
fn a_refusing_backend_gives_a_truncation_and_no_close_notify() {
    let mut sim = Sim::new(Setup { routes: vec![(vec![], vec![refusing()])], ..Setup::default() });
    let client = hello(&mut sim, 1, "default.test", Then::Wait);
    assert!(sim.run_all(MINUTE));
    assert_eq!(end_of(&sim, client), Some(ClientEnd::Truncated));
    assert_eq!(backend_faults(&sim), [BackendFault::Refused]);
    assert_eq!(sim.records()[0].end, End::NoBackend(NoBackend::Failed));
    assert_eq!(sim.records()[0].backend, None);
}

#[test]
fn a_refusing_backend_is_passed_over_for_the_next() {
    let routes = vec![(vec![], vec![refusing(), backend(2)])];
    let mut sim = Sim::new(Setup { routes, backends: vec![(backend(2), Manners::Echo)], ..Setup::default() });
    for n in 0..4 {
        let client = hello(&mut sim, n, "default.test", Then::CloseAfter(5));
        assert!(sim.run_all(MINUTE));
        assert_eq!(sim.clients.outcome(client).received, b"hello");
    }
    assert_eq!(sim.backends.accepted.get(&backend(2)), Some(&4));
    assert!(sim.records().iter().all(|record| record.backend == Some(backend(2)) && record.end == End::Done));
    assert!(!backend_faults(&sim).is_empty() && backend_faults(&sim).iter().all(|fault| *fault == BackendFault::Refused));
}

#[test]
fn a_silent_backend_is_passed_over_when_its_time_is_up() {
    let routes = vec![(vec![], vec![backend(1), backend(2)])];
    let backends = vec![(backend(1), Manners::Echo), (backend(2), Manners::Echo)];
    let mut sim = Sim::new(Setup { routes, backends, ..Setup::default() });
    sim.silence(backend(1));
    let client = hello(&mut sim, 1, "default.test", Then::CloseAfter(5));
    assert!(sim.run_all(MINUTE));
    assert_eq!(sim.clients.outcome(client).received, b"hello");
    assert_eq!(backend_faults(&sim), [BackendFault::Silent]);
    let time = sim.records()[0].time;
    assert!((Duration::from_secs(5)..Duration::from_millis(5100)).contains(&time), "{time:?}");
}

#[test]
fn backends_take_turns() {
    let routes = vec![(vec![], vec![backend(1), backend(2), backend(3)])];
    let backends = (1..=3).map(|n| (backend(n), Manners::Echo)).collect();
    let mut sim = Sim::new(Setup { routes, backends, ..Setup::default() });
    for n in 0..9 {
        hello(&mut sim, n, "default.test", Then::CloseAfter(5));
    }
    assert!(sim.run_all(MINUTE));
    assert!((1..=3).all(|n| sim.backends.accepted.get(&backend(n)) == Some(&3)), "{:?}", sim.backends.accepted);
}

#[test]
fn a_backend_that_resets_midway_gives_a_truncation_and_the_next_connection_works() {
    let routes = vec![(vec!["bad.test"], vec![backend(1)]), (vec!["good.test"], vec![backend(2)])];
    let backends = vec![(backend(1), Manners::ResetAfter(5)), (backend(2), Manners::Echo)];
    let mut sim = Sim::new(Setup { routes, backends, ..Setup::default() });
    let bad = hello(&mut sim, 1, "bad.test", Then::Wait);
    assert!(sim.run_all(MINUTE));
    let good = hello(&mut sim, 1, "good.test", Then::CloseAfter(5));
    assert!(sim.run_all(MINUTE));
    assert_eq!(end_of(&sim, bad), Some(ClientEnd::Truncated));
    assert_eq!(end_of(&sim, good), Some(ClientEnd::Whole));
    assert_eq!(sim.records().iter().map(|record| record.end).collect::<Vec<_>>(), [End::BackendGone, End::Done]);
}

#[test]
fn names_lead_to_their_routes_and_certificates() {
    let routes = vec![(vec!["a.test"], vec![backend(1)]), (vec!["*.b.test"], vec![backend(2)])];
    let backends = vec![(backend(1), Manners::Speak(b"one".to_vec())), (backend(2), Manners::Speak(b"two".to_vec()))];
    let mut sim = Sim::new(Setup { routes, backends, ..Setup::default() });
    let one = hello(&mut sim, 1, "a.test", Then::Wait);
    let two = hello(&mut sim, 2, "x.b.test", Then::Wait);
    let none = hello(&mut sim, 3, "x.x.b.test", Then::Wait);
    assert!(sim.run_all(MINUTE));
    assert_eq!(sim.clients.outcome(one).received, b"one");
    assert_eq!(sim.clients.outcome(two).received, b"two");
    assert_eq!(end_of(&sim, none), Some(ClientEnd::Alert(AlertDescription::UnrecognisedName)), "the alert came before the FIN");
    assert_eq!(sim.cell.appliance.counters().ended.unknown_name, 1);
}

#[test]
fn a_client_that_goes_without_close_notify_is_a_reset_to_the_backend() {
    let mut sim = Sim::new(Setup::default());
    hello(&mut sim, 1, "default.test", Then::Vanish);
    sim.run_to(Duration::from_secs(2));
    assert_eq!(sim.records()[0].end, End::ClientTruncated);
    assert_eq!(sim.backends.broken, [net::CloseReason::PeerReset], "never an end in order");
    assert_eq!(sim.backends.connections(), 0);
}

#[test]
fn a_client_that_resets_takes_its_backends_flow_along() {
    let mut sim = Sim::new(Setup::default());
    hello(&mut sim, 1, "default.test", Then::Reset);
    sim.run_to(Duration::from_secs(2));
    assert_eq!(sim.records()[0].end, End::ClientGone);
    assert_eq!(sim.backends.connections(), 0);
}

#[test]
fn garbage_is_answered_by_an_alert_before_the_fin() {
    let inputs: [(&[u8], u8); 3] =
        [(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 10), (&[0x16, 3, 1, 0xff, 0xff, 1], 22), (&[0x16, 3, 1, 0, 4, 2, 0, 0, 0], 10)];
    for (input, alert) in inputs {
        let mut sim = Sim::new(Setup::default());
        let mut bytes = input.to_vec();
        bytes.resize(100_000, b'x');
        let client = sim.clients.add(Plan::raw(1, bytes));
        assert!(sim.run_all(MINUTE), "{input:?}");
        let outcome = sim.clients.outcome(client);
        assert_eq!(outcome.received, [21, 3, 3, 0, 2, 2, alert], "{input:?}: the alert came");
        assert_eq!(outcome.end.map(|(end, _)| end), Some(ClientEnd::Truncated), "{input:?}: and then a FIN, no reset");
        assert_eq!(sim.cell.appliance.counters().ended.client_fault, 1);
    }
}

#[test]
fn tickets_resume() {
    let mut sim = Sim::new(Setup::default());
    let first = hello(&mut sim, 1, "default.test", Then::CloseAfter(5));
    assert!(sim.run_all(MINUTE));
    let second = hello(&mut sim, 1, "default.test", Then::CloseAfter(5));
    assert!(sim.run_all(MINUTE));
    assert!(!sim.clients.outcome(first).resumed && sim.clients.outcome(second).resumed);
    assert_eq!(sim.cell.appliance.counters().resumptions, 1);
}
