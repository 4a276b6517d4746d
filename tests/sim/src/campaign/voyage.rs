//! One run of a scenario.

use core::time::Duration;
use std::collections::BTreeMap;

use appliance::Report;
use appliance::report::End;
use keys::bundle::Bundle;

use super::judge::{Complaint, Judge, Rule};
use super::scenario::{Act, BACKENDS, Change, Manner, ROUTES, SPEECH_BLOCKS, SPEECH_SPEAKER, Scenario, Visit, What};
use super::words::{BLOCK_LEN, CANARY, words};
use crate::backend::Manners;
use crate::client::{ClientEnd, Plan, Talk, Then};
use crate::sim::{Setup, Sim, backend};
use crate::wire::Faults;

/// What the cell may take, beyond its limits, to be rid of everybody when all trouble is over: TCP's own retransmissions.
const SETTLE: Duration = Duration::from_secs(600);
/// So long may a client wait for the whole answer when all is well.
const SERVICE: Duration = Duration::from_secs(5);
/// The client that comes last: nobody else has its address.
const PROBE: u16 = 9_999;
const PROBE_BLOCKS: usize = 500;

/// What happened on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logbook {
    /// Turns of the run's loop.
    pub turns: u64,
    /// Virtual milliseconds.
    pub ms: u64,
    /// Connections taken on, handshakes, resumptions; of cells that were lost as well.
    pub accepted: u64,
    /// See there.
    pub handshakes: u64,
    /// See there.
    pub resumptions: u64,
    /// Clients that got everything, and were told so.
    pub whole: u64,
    /// How connections ended.
    pub ends: BTreeMap<String, u64>,
}

impl Logbook {
    /// Takes another run's in.
    pub fn add(&mut self, other: &Self) {
        self.turns += other.turns;
        self.ms += other.ms;
        self.accepted += other.accepted;
        self.handshakes += other.handshakes;
        self.resumptions += other.resumptions;
        self.whole += other.whole;
        for (end, count) in &other.ends {
            *self.ends.entry(end.clone()).or_default() += count;
        }
    }
}

/// Sails through a scenario, with those of its acts for which `keep` holds.
///
/// # Errors
/// The first thing that did not hold. (A panic passes through.)
pub fn sail(scenario: &Scenario, keep: impl Fn(usize) -> bool) -> Result<Logbook, Complaint> {
    let mut voyage = Voyage::new(scenario);
    for (_, act) in scenario.acts.iter().enumerate().filter(|(index, _)| keep(*index)) {
        voyage.run_to(act.at)?;
        voyage.take(act)?;
    }
    voyage.calm();
    voyage.settle()?;
    voyage.probe()?;
    voyage.drain()?;
    Ok(voyage.logbook)
}

struct Voyage {
    sim: Sim,
    setup: Setup,
    judge: Judge,
    /// Each honest client's number, and what it did.
    visits: Vec<(usize, u64, Visit)>,
    logbook: Logbook,
}

fn setup_of(scenario: &Scenario) -> Setup {
    let speech = words(SPEECH_SPEAKER, SPEECH_BLOCKS);
    let manners = |manner| match manner {
        Manner::Echo => Manners::Echo,
        Manner::EchoAfterEnd => Manners::EchoAfterEnd,
        Manner::Speak => Manners::Speak(speech.clone()),
    };
    let backends = ROUTES.iter().flat_map(|(_, manner, list)| list.iter().map(|n| (backend(*n), manners(*manner))));
    Setup {
        seed: scenario.seed,
        kind: scenario.kind,
        routes: ROUTES.iter().map(|(name, _, list)| (vec![*name], list.iter().map(|n| backend(*n)).collect())).collect(),
        upstream: scenario.upstream.clone(),
        backends: backends.collect(),
        limits: scenario.limits.clone(),
        memory: scenario.memory,
        offload: scenario.offload,
        ..Setup::default()
    }
}

impl Voyage {
    fn new(scenario: &Scenario) -> Self {
        let mut sim = Sim::new(setup_of(scenario));
        sim.backends.heard = Some(Vec::new());
        let judge = Judge::new(&scenario.limits, scenario.memory);
        let mut voyage = Self { sim, setup: setup_of(scenario), judge, visits: Vec::new(), logbook: Logbook::default() };
        voyage.forbid();
        voyage
    }

    /// No key anywhere, and no plaintext before the cell.
    fn forbid(&mut self) {
        let keys: Vec<Vec<u8>> = self.sim.identities().iter().map(|identity| identity.secret().to_vec()).collect();
        let [up, down, back_up, back_down] = &mut self.sim.lanes;
        for front in [up, down] {
            front.forbid([keys.as_slice(), &[CANARY.to_vec()]].concat());
        }
        for back in [back_up, back_down] {
            back.forbid(keys.clone());
        }
    }

    fn run_to(&mut self, limit: Duration) -> Result<(), Complaint> {
        self.run_until(limit, |_| false).map(drop)
    }

    fn run_until(&mut self, limit: Duration, until: impl Fn(&Sim) -> bool) -> Result<bool, Complaint> {
        let (judge, mut complaint) = (&mut self.judge, None);
        let held = self.sim.run_until(limit, |sim| {
            complaint = judge.look(sim);
            complaint.is_some() || until(sim)
        });
        complaint.map_or(Ok(held), Err)
    }

    fn complain(&self, rule: Rule, words: impl Into<String>) -> Complaint {
        Complaint { rule, words: words.into(), at: self.sim.now }
    }

    fn take(&mut self, act: &Act) -> Result<(), Complaint> {
        match &act.what {
            What::Visit(visit) => self.visit(visit),
            What::Noise(who, bytes) => {
                self.sim.clients.add(Plan { at: self.sim.now, ..Plan::raw(*who, bytes.clone()) });
            }
            // With offloads a checksum is a promise, and no wire is between those who give and take it.
            What::Weather(faults) if self.setup.offload => self.weather(Faults { corrupt: 0, ..*faults }),
            What::Weather(faults) => self.weather(*faults),
            What::Mute(n) => self.sim.silence(backend(*n)),
            What::Unmute(n) => self.sim.unsilence(backend(*n)),
            What::Stop(n) => self.sim.backends.stop(backend(*n)),
            What::Start(n) => self.sim.backends.start(backend(*n)),
            What::Reload(change) => return self.reload(change),
            What::Pause(time) => self.sim.now += *time,
            What::Jump(by) => self.sim.cell.wall_error_s += by,
            What::Restart => self.restart(),
        }
        Ok(())
    }

    fn visit(&mut self, visit: &Visit) {
        let (name, now) = (ROUTES[visit.route].0, self.sim.now);
        let speaker = self.visits.len() as u64;
        let plan = Plan {
            trickle: visit.trickle,
            deaf: visit.deaf.map(|(from, time)| (now + from, now + from + time)),
            ..self.sim.plan(visit.who, name, Talk::Stream(words(speaker, visit.blocks)), visit.then)
        };
        let index = self.sim.clients.add(plan);
        self.visits.push((index, speaker, visit.clone()));
    }

    fn weather(&mut self, faults: Faults) {
        self.sim.lanes[0].set_faults(faults);
        self.sim.lanes[1].set_faults(faults);
    }

    fn reload(&mut self, change: &Change) -> Result<(), Complaint> {
        let unsound: fn(&mut Bundle) = |bundle| bundle.routes[0].certificates = vec![77];
        match change {
            Change::Limits(limits) => {
                self.setup.limits = limits.clone();
                self.judge.allow(limits);
            }
            Change::Upstream(upstream) => self.setup.upstream = upstream.clone(),
            Change::Certificates => {
                self.sim.reissue(&self.setup);
                self.forbid();
            }
            Change::Unsound => {
                self.setup.amend = unsound;
                let taken = self.sim.reload(&self.setup);
                self.setup.amend = |_| {};
                return if taken.is_err() { Ok(()) } else { Err(self.complain(Rule::Reload, "an unsound bundle was taken")) };
            }
        }
        self.sim.reload(&self.setup).map_err(|fault| self.complain(Rule::Reload, format!("{fault:?}")))
    }

    fn restart(&mut self) {
        self.note_the_cell();
        self.sim.restart(&self.setup);
        self.judge.forget_the_cell();
    }

    /// All trouble is over.
    fn calm(&mut self) {
        self.weather(Faults::default());
        for n in BACKENDS {
            self.sim.unsilence(backend(n));
            self.sim.backends.start(backend(n));
        }
    }

    /// Whoever is still there ends by its limits, and has seen nothing wrong.
    fn settle(&mut self) -> Result<(), Complaint> {
        let limits = &self.setup.limits;
        // Those that began with other limits have those: all are below these.
        let longest = Duration::from_millis(limits.lifetime_ms.max(660_000)) + SETTLE;
        // Whoever has only just begun arrives first.
        self.run_to(self.sim.now + Duration::from_secs(2))?;
        let limit = self.sim.now + longest;
        self.run_until(limit, |sim| {
            let counters = sim.cell.appliance.counters();
            counters.connections == 0 && counters.front.ring_bytes + counters.back.ring_bytes == 0
        })?;
        self.judge.look_back(&self.sim).map_or(Ok(()), Err)?;
        for (index, speaker, visit) in &self.visits {
            let outcome = self.sim.clients.outcome(*index);
            let wanted = match ROUTES[visit.route].1 {
                Manner::Speak => words(SPEECH_SPEAKER, SPEECH_BLOCKS),
                Manner::Echo | Manner::EchoAfterEnd => words(*speaker, visit.blocks),
            };
            if !wanted.starts_with(&outcome.received) {
                return Err(self.complain(Rule::ExactPrefix, format!("client {speaker} received what was not said to it")));
            }
            let whole = outcome.end.is_some_and(|(end, _)| end == ClientEnd::Whole);
            self.logbook.whole += u64::from(whole);
            // A client that closed first may hear the end of what it did not wait for.
            if whole && visit.then == Then::Close && outcome.received.len() != wanted.len() {
                let words = format!("client {speaker} was told that {} of {} bytes are all", outcome.received.len(), wanted.len());
                return Err(self.complain(Rule::ExactPrefix, words));
            }
        }
        Ok(())
    }

    fn probe(&mut self) -> Result<(), Complaint> {
        // Checks bring the backends up again, and rests end.
        self.run_to(self.sim.now + Duration::from_secs(30))?;
        for (route, (name, manner, _)) in ROUTES.iter().enumerate() {
            let (said, begun) = (words(u64::from(PROBE), PROBE_BLOCKS), self.sim.now);
            let wanted = if *manner == Manner::Speak { words(SPEECH_SPEAKER, SPEECH_BLOCKS) } else { said.clone() };
            let plan = self.sim.plan(PROBE - u16::try_from(route).unwrap_or(0), name, Talk::Stream(said), Then::Close);
            let index = self.sim.clients.add(plan);
            self.run_until(begun + SERVICE, |sim| sim.clients.outcome(index).end.is_some())?;
            let outcome = self.sim.clients.outcome(index);
            if outcome.received != wanted || !matches!(outcome.end, Some((ClientEnd::Whole, _))) {
                let words = format!("{name}: {} of {} bytes, {:?}", outcome.received.len(), wanted.len(), outcome.end);
                return Err(self.complain(Rule::Service, words));
            }
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), Complaint> {
        self.sim.drain();
        let limit = self.sim.now + Duration::from_millis(self.setup.limits.drain_timeout_ms) + Duration::from_secs(1);
        let drained = self.run_until(limit, |sim| sim.cell.appliance.drained())?;
        self.note_the_cell();
        self.logbook.turns = self.sim.turns;
        self.logbook.ms = u64::try_from(self.sim.now.as_millis()).unwrap_or(u64::MAX);
        if drained { Ok(()) } else { Err(self.complain(Rule::Drain, "not drained in time")) }
    }

    fn note_the_cell(&mut self) {
        let counters = self.sim.cell.appliance.counters();
        self.logbook.accepted += counters.accepted;
        self.logbook.handshakes += counters.handshakes;
        self.logbook.resumptions += counters.resumptions;
        for report in &self.sim.cell.reports {
            if let Report::Closed(record) = report {
                *self.logbook.ends.entry(name_of(record.end)).or_default() += 1;
            }
        }
    }
}

/// Without what it holds.
fn name_of(end: End) -> String {
    let text = format!("{end:?}");
    match end {
        End::ClientFault(_) | End::FrontEndFault(_) => text.split('(').next().unwrap_or_default().to_owned(),
        _ => text,
    }
}

const _: () = assert!(BLOCK_LEN * SPEECH_BLOCKS > 64 * 1024, "a speech is more than any ring holds");

#[cfg(test)]
mod tests {
    use keys::bundle::{Limits, Memory, Upstream};

    use super::*;
    use crate::identity::Kind;

    fn scenario() -> Scenario {
        Scenario {
            seed: 7,
            kind: Kind::Ed25519,
            memory: Memory::default(),
            limits: Limits { lifetime_ms: 60_000, ..Limits::default() },
            upstream: Upstream::default(),
            offload: false,
            acts: Vec::new(),
        }
    }

    fn visit(route: usize, then: Then) -> Visit {
        Visit { who: 1, route, blocks: 100, then, trickle: None, deaf: None }
    }

    fn rule<T: core::fmt::Debug>(result: Result<T, Complaint>) -> Rule {
        result.unwrap_err().rule
    }

    #[test]
    fn a_quiet_voyage_holds_on_every_route() {
        let acts = (0..ROUTES.len()).map(|route| Act { at: Duration::ZERO, what: What::Visit(visit(route, Then::Close)) });
        let logbook = sail(&Scenario { acts: acts.collect(), ..scenario() }, |_| true).unwrap();
        assert_eq!((logbook.whole, logbook.ends.get("Done")), (3, Some(&6)), "three visits, and a probe for each route");
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
}
