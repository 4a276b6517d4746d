//! Each rule, broken: and a voyage on which all hold.

use keys::bundle::{Check, CheckKind, Limits, Memory, Upstream};

use super::*;

fn scenario() -> Scenario {
    Scenario {
        seed: 7,
        memory: Memory::default(),
        limits: Limits { lifetime_ms: 60_000, ..Limits::default() },
        upstream: Upstream::default(),
        offload: false,
        tickets: (7200, 3600),
        shared_tickets: false,
        acts: Vec::new(),
    }
}

fn visit(route: usize, then: Then) -> Visit {
    let shown = if route == GUARDED { Shown::Member } else { Shown::Nothing };
    Visit { who: 1, route, dialect: Dialect::Usual, shown, blocks: 100, then, trickle: None, deaf: None }
}

/// Behind each run, one for each route.
const PROBES: u64 = ROUTES.len() as u64;

fn rule<T: core::fmt::Debug>(result: Result<T, Complaint>) -> Rule {
    result.unwrap_err().rule
}

#[test]
fn a_quiet_voyage_holds_on_every_route() {
    let acts = (0..ROUTES.len()).map(|route| Act { at: Duration::ZERO, what: What::Visit(visit(route, Then::Close)) });
    let logbook = sail(&Scenario { acts: acts.collect(), ..scenario() }, |_| true).unwrap();
    assert_eq!((logbook.whole, logbook.ends.get("Done")), (8, Some(&8)), "a visit and a probe for each route");
}

#[test]
fn a_backend_that_says_what_is_not_its_to_say_is_found() {
    for lie in [words(99, 100), words(0, 99)] {
        let mut voyage = Voyage::new(&scenario());
        for n in BACKENDS {
            voyage.sim.backends.behave(backend(n), Manners::Speak(lie.clone()));
        }
        voyage.visit(&visit(0, Then::Close));
        assert_eq!(rule(voyage.settle()), Rule::ExactPrefix);
    }
}

#[test]
fn a_speech_that_is_cut_and_told_to_be_whole_is_found_whatever_the_client_does_then() {
    for then in [Then::Wait, Then::Close, Then::CloseAfter(100)] {
        let mut voyage = Voyage::new(&scenario());
        for n in BACKENDS {
            voyage.sim.backends.behave(backend(n), Manners::Speak(speech()[..5000].to_vec()));
        }
        voyage.visit(&visit(2, then));
        let complaint = voyage.settle().unwrap_err();
        assert!(complaint.rule == Rule::ExactPrefix && complaint.words.contains("5000 of 96000 bytes are all"), "{then:?}: {complaint}");
    }
}

/// The client has its configuration, and is not on its way yet.
#[test]
fn certificates_that_nobody_has_changed_and_that_a_client_dislikes_are_found() {
    let mut voyage = Voyage { is_calm: false, ..Voyage::new(&scenario()) };
    voyage.visit(&visit(0, Then::Close));
    voyage.reload(&Change::Certificates).unwrap();
    voyage.settle().unwrap();
    assert_eq!(voyage.logbook.whole, 0);
    let mut voyage = Voyage::new(&scenario());
    voyage.reload(&Change::Certificates).unwrap();
    voyage.visit(&visit(0, Then::Close));
    voyage.sim.reissue(&voyage.setup);
    voyage.sim.reload(&voyage.setup).unwrap();
    let complaint = voyage.settle().unwrap_err();
    assert!(complaint.rule == Rule::ExactPrefix && complaint.words.contains("invalid peer certificate"), "{complaint}");
}

#[test]
fn plaintext_on_the_front_link_is_found() {
    let mut voyage = Voyage::new(&scenario());
    voyage.sim.clients.add(Plan::raw(1, CANARY.to_vec()));
    assert_eq!(rule(voyage.settle()), Rule::NoLeak);
}

#[test]
fn a_key_on_any_link_is_found() {
    let mut voyage = Voyage::new(&scenario());
    let key = voyage.sim.identities()[0].secret().to_vec();
    assert!(key.len() == 32 && key.iter().any(|byte| *byte != key[0]), "it is the key");
    for n in BACKENDS {
        voyage.sim.backends.behave(backend(n), Manners::Speak(key.clone()));
    }
    voyage.visit(&visit(0, Then::Close));
    assert_eq!(rule(voyage.settle()), Rule::NoLeak);
}

#[test]
fn what_a_backend_hears_from_nobody_is_found() {
    let mut voyage = Voyage::new(&scenario());
    let plan = voyage.sim.plan(1, "echo.test", Talk::Stream(b"not anybody's words".to_vec()), Then::Close);
    voyage.sim.clients.add(plan);
    assert_eq!(rule(voyage.settle()), Rule::ExactPrefix);
}

#[test]
fn more_connections_than_the_limits_allow_are_found() {
    let mut voyage = Voyage::new(&scenario());
    voyage.judge = Judge::new(&Limits { connections: 1, waiting: 1, handshakes: 1, ..Limits::default() }, Memory::default());
    voyage.visit(&visit(0, Then::Wait));
    voyage.visit(&visit(0, Then::Wait));
    assert_eq!(rule(voyage.settle()), Rule::WithinBudget);
}

#[test]
fn a_cell_that_takes_more_than_its_heap_is_found() {
    let mut voyage = Voyage::new(&scenario());
    voyage.judge = Judge::new(&Limits::default(), Memory(voyage.sim.cell.heap.used()));
    let complaint = voyage.settle().unwrap_err();
    assert_eq!((complaint.rule, complaint.words.starts_with("heap: ")), (Rule::WithinBudget, true), "{complaint}");
}

#[test]
fn a_guest_whose_allocation_fails_is_followed_by_another_and_all_holds() {
    let visits = [0, 1].map(|s| Act { at: Duration::from_secs(s), what: What::Visit(visit(0, Then::Wait)) });
    let [first, second] = visits;
    let acts = vec![first, Act { at: Duration::ZERO, what: What::Exhaust(40) }, second];
    let sailed = || sail(&Scenario { acts: acts.clone(), ..scenario() }, |_| true).unwrap();
    assert_eq!(sailed().exhausted, 1);
    assert_eq!(sailed(), sailed());
}

#[test]
fn a_client_that_never_ends_and_that_the_cell_does_not_know_is_found() {
    let mut voyage = Voyage::new(&scenario());
    let plan = voyage.sim.plan(1, "echo.test", Talk::Stream(Vec::new()), Then::Close);
    voyage.sim.clients.add(Plan { at: Duration::MAX, ..plan });
    assert_eq!(rule(voyage.settle()), Rule::EndForEach);
}

#[test]
fn a_connection_that_outlives_its_time_is_found() {
    let mut voyage = Voyage::new(&scenario());
    voyage.visit(&visit(0, Then::Wait));
    voyage.run_to(Duration::from_secs(1)).unwrap();
    assert_eq!(voyage.judge.look_back(&voyage.sim).unwrap().rule, Rule::EndForEach);
}

#[test]
fn a_box_that_serves_nobody_any_more_is_found() {
    let mut voyage = Voyage::new(&scenario());
    voyage.sim.backends.stop(backend(3));
    assert_eq!(rule(voyage.probe()), Rule::Service);
}

#[test]
fn a_route_that_lets_everybody_in_is_found() {
    for shown in [Shown::Nothing, Shown::Stranger] {
        let mut voyage = Voyage::new(&scenario());
        voyage.sim = Sim::new(Setup { guarded: Vec::new(), ..setup_of(&scenario()) });
        voyage.sim.backends.heard = Some(Vec::new());
        voyage.visit(&Visit { shown, ..visit(GUARDED, Then::Close) });
        assert_eq!(rule(voyage.settle()), Rule::OnlyAuthenticated);
    }
}

#[test]
fn a_guarded_route_is_closed_to_strangers_and_open_to_members() {
    for (shown, whole) in [(Shown::Nothing, 0), (Shown::Stranger, 0), (Shown::Member, 1)] {
        let mut voyage = Voyage::new(&scenario());
        voyage.visit(&Visit { shown, ..visit(GUARDED, Then::Close) });
        voyage.settle().unwrap();
        assert_eq!(voyage.logbook.whole, whole, "{shown:?}");
    }
}

#[test]
fn a_secret_in_a_report_and_one_in_the_status_are_found() {
    let mut voyage = Voyage::new(&scenario());
    voyage.judge.forbid("a name that is told", b"late.test");
    voyage.visit(&visit(1, Then::Close));
    let complaint = voyage.settle().unwrap_err();
    assert_eq!(complaint.rule, Rule::NoLeak);
    let mut voyage = Voyage::new(&scenario());
    voyage.judge.forbid("a name that stands in metrics", b"speak.test");
    assert!(voyage.settle().unwrap_err().words.contains("in the status"));
}

#[test]
fn a_ticket_whose_key_should_be_gone_is_found() {
    let voyage = Voyage::new(&Scenario { tickets: (4, 2), ..scenario() });
    let now = wall(Duration::from_secs(20)).as_secs() / 2;
    let late = |period: u64| {
        let offered = Some((period.to_be_bytes().to_vec(), Duration::from_secs(20)));
        voyage.stale_ticket(&Outcome { offered, resumed: true, ..Outcome::default() })
    };
    assert_eq!([late(now), late(now - 2), late(now - 3), late(now - 7)], [None, None, Some(1), Some(5)]);
}

#[test]
fn a_connection_that_is_there_longer_than_its_limits_say_is_found_while_it_is_there() {
    // Checks, so that something happens meanwhile.
    let check = Some(Check { kind: CheckKind::Tcp, interval_ms: 1000, timeout_ms: 200, rise: 2, fall: 2 });
    let limits = Limits { lifetime_ms: 600_000, idle_timeout_ms: 600_000, ..Limits::default() };
    let mut voyage = Voyage::new(&Scenario { limits, upstream: Upstream { check, ..Upstream::default() }, ..scenario() });
    voyage.judge = Judge::new(&Limits { lifetime_ms: 1, ..Limits::default() }, Memory::default());
    voyage.visit(&visit(0, Then::Wait));
    let complaint = voyage.run_to(Duration::from_secs(300)).unwrap_err();
    assert_eq!(complaint.rule, Rule::EndForEach);
}

#[test]
fn whoever_is_not_served_on_a_calm_day_is_found() {
    let mut voyage = Voyage::new(&scenario());
    voyage.sim.backends.stop(backend(3));
    voyage.visit(&visit(1, Then::Close));
    assert_eq!(rule(voyage.settle()), Rule::Service);
}

#[test]
fn calm_days_that_are_thrown_are_sailed_and_judged() {
    let calm = (1..100).map(super::super::throw).find(Scenario::is_calm).unwrap();
    let logbook = sail(&calm, |_| true).unwrap();
    assert!(logbook.calm == 1 && logbook.owed > 0 && logbook.whole >= logbook.owed + PROBES, "{logbook:?}");
}

/// The cell has a minute, and should have had none.
#[test]
fn a_drain_that_takes_longer_than_it_may_is_found() {
    let stuck = || {
        let limits = Limits { drain_timeout_ms: 60_000, ..scenario().limits };
        let mut voyage = Voyage::new(&Scenario { limits, ..scenario() });
        voyage.visit(&visit(0, Then::Wait));
        voyage.run_to(Duration::from_secs(1)).unwrap();
        voyage.setup.limits.drain_timeout_ms = 0;
        voyage
    };
    let mut voyage = stuck();
    voyage.begin_drain();
    assert_eq!(rule(voyage.run_to(Duration::from_secs(9))), Rule::Drain);
    assert_eq!(rule(stuck().drain()), Rule::Drain);
}

#[test]
fn a_drain_ends_who_is_there_and_a_fresh_cell_serves_who_comes_next() {
    let at = |s, what| Act { at: Duration::from_secs(s), what };
    let acts = vec![at(0, What::Visit(visit(0, Then::Wait))), at(1, What::Drain), at(4, What::Visit(visit(0, Then::Close)))];
    let logbook = sail(&Scenario { acts, ..scenario() }, |_| true).unwrap();
    assert_eq!((logbook.drains, logbook.ends.get("Drained"), logbook.whole), (1, Some(&1), 1 + PROBES));
}

/// A cell keeps its memory: this bundle is refused, and nothing was to make it so.
#[test]
fn a_sound_bundle_that_is_refused_is_found() {
    let mut voyage = Voyage::new(&scenario());
    voyage.setup.memory = Memory(Memory::default().0 / 2);
    assert_eq!(rule(voyage.reload(&Change::Limits(scenario().limits))), Rule::Reload);
}

#[test]
fn an_unsound_bundle_that_is_taken_is_found() {
    let mut voyage = Voyage::new(&scenario());
    voyage.reload(&Change::Unsound).unwrap();
    assert_eq!(rule(voyage.reload_unsound(|_| {})), Rule::Reload, "a sound one stands for it, which is taken");
}

#[test]
fn time_that_stands_still_is_found() {
    let mut voyage = Voyage::new(&scenario());
    let complaint = (0..10_000).find_map(|_| voyage.judge.look(&voyage.sim)).unwrap();
    assert_eq!(complaint.rule, Rule::Progress);
}

/// A guest that has ended asks for no turn any more.
#[test]
fn a_connection_without_a_deadline_is_found() {
    let mut voyage = Voyage::new(&scenario());
    voyage.visit(&visit(0, Then::Wait));
    voyage.run_to(Duration::from_secs(1)).unwrap();
    voyage.sim.cell.heap.refuse_after(0);
    voyage.visit(&visit(0, Then::Wait));
    voyage.sim.run_to(Duration::from_secs(2));
    assert_eq!(voyage.judge.look(&voyage.sim).unwrap().rule, Rule::TimerForEach);
}

#[test]
fn voyages_of_one_seed_have_one_hash_and_those_of_two_have_two() {
    let acts = vec![Act { at: Duration::ZERO, what: What::Visit(visit(0, Then::Close)) }];
    let hash = |seed| sail(&Scenario { seed, acts: acts.clone(), ..scenario() }, |_| true).unwrap().hash;
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}
