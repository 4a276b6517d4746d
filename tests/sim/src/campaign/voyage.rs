//! One run of a scenario.

use core::time::Duration;
use std::borrow::Cow;
use std::collections::BTreeMap;

use appliance::Report;
use appliance::report::End;
use keys::bundle::{Bundle, Check, Tls, Upstream};
use rustls_std::pki_types::ServerName;
use rustls_std::{AlertDescription, ClientConnection, Error};

use super::judge::{Complaint, Judge, Rule};
use super::scenario::{Act, BACKENDS, Before, Change, GUARDED, Manner, ROUTES, SPEECH_BLOCKS, Scenario, Visit, What};
use super::words::{BLOCK_LEN, CANARY, speaker_of, speech, words};
use crate::backend::Manners;
use crate::cell::wall;
use crate::client::{ClientEnd, Outcome, Plan, Speech, Talk, Then};
use crate::identity::{Dialect, Kind, Shown};
use crate::sim::{Setup, Sim, backend};
use crate::trace::{digest, mix};
use crate::watch::Numbers;
use crate::wire::Faults;

/// What the cell may take, beyond its limits, to be rid of everybody when all trouble is over: TCP's own retransmissions.
const SETTLE: Duration = Duration::from_secs(600);
/// So long may a client wait for the whole answer when all is well.
const SERVICE: Duration = Duration::from_secs(5);
/// The key of tickets that outlive a cell: a secret like any other.
const TICKET_KEY: [u8; 32] = *b"the key of tickets, all of them.";
/// The client that comes last: nobody else has its address.
const PROBE: u16 = 9_999;
const PROBE_BLOCKS: usize = 500;
/// So much later than its limit may a drain end: whoever is cut off is told of, and reports have their room.
const DRAIN_ALLOWANCE: Duration = Duration::from_secs(1);

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
    /// Runs on a calm day, and visits on such days that had to be served.
    pub calm: u64,
    /// See there.
    pub owed: u64,
    /// Drains that began while clients were there.
    pub drains: u64,
    /// Cells that were lost because an allocation failed.
    pub exhausted: u64,
    /// Frames, times and reports, as one number: of the same scenario it is the same every time. Of many runs, their sum.
    pub hash: u64,
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
        self.calm += other.calm;
        self.owed += other.owed;
        self.drains += other.drains;
        self.exhausted += other.exhausted;
        self.hash = self.hash.wrapping_add(other.hash);
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
    /// Whether nothing but visits happens.
    is_calm: bool,
    /// All honest clients; the place of each is the speaker that it is.
    guests: Vec<Guest>,
    /// When all certificates were changed.
    reissued: Vec<Duration>,
    /// When the drain that goes on has to be over.
    drain: Option<Duration>,
    logbook: Logbook,
}

/// An honest client that has come.
struct Guest {
    /// Its number among all clients.
    index: usize,
    visit: Visit,
    /// How often certificates had been changed by then: it trusts those of then.
    certificates: usize,
}

fn setup_of(scenario: &Scenario) -> Setup {
    let manners = |manner| match manner {
        Manner::Echo => Manners::Echo,
        Manner::EchoAfterEnd => Manners::EchoAfterEnd,
        Manner::Speak => Manners::Speak(speech().to_vec()),
    };
    let backends = ROUTES.iter().flat_map(|(_, manner, list)| list.iter().map(|n| (backend(*n), manners(*manner))));
    Setup {
        seed: scenario.seed,
        kind: Kind::Ed25519,
        tls: Tls { ticket_lifetime_s: scenario.tickets.0, ticket_rotation_s: scenario.tickets.1, ..Tls::default() },
        ticket_key: scenario.shared_tickets.then_some(TICKET_KEY),
        guarded: vec![GUARDED],
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
        sim.lanes[0].note_endings();
        sim.lanes[1].suspect_the_sender(Numbers::Cookies);
        sim.lanes[3].suspect_the_sender(Numbers::Drawn);
        let mut judge = Judge::new(&scenario.limits, scenario.memory);
        judge.forbid("plaintext", &CANARY);
        for front in &mut sim.lanes[..2] {
            front.forbid("plaintext", &[&CANARY]);
        }
        let is_calm = scenario.is_calm();
        let logbook = Logbook { calm: u64::from(is_calm), ..Logbook::default() };
        let mut voyage =
            Self { sim, setup: setup_of(scenario), judge, is_calm, guests: Vec::new(), reissued: Vec::new(), drain: None, logbook };
        if scenario.shared_tickets {
            voyage.forbid("the tickets' key", &TICKET_KEY);
        }
        voyage.forbid_seed();
        voyage.forbid_keys();
        voyage
    }

    /// No half of this secret may be seen on any wire, or in what the cell tells.
    fn forbid(&mut self, name: &str, secret: &[u8]) {
        let halves = secret.split_at(secret.len() / 2);
        for lane in &mut self.sim.lanes {
            lane.forbid(name, &[halves.0, halves.1]);
        }
        self.judge.forbid(name, halves.0);
        self.judge.forbid(name, halves.1);
    }

    fn forbid_keys(&mut self) {
        let keys: Vec<Vec<u8>> = self.sim.identities().iter().map(|identity| identity.secret().to_vec()).collect();
        for key in keys {
            self.forbid("a private key", &key);
        }
    }

    /// All of the cell's own secrets come from it.
    fn forbid_seed(&mut self) {
        if let Some(seed) = self.sim.boots().last().copied() {
            self.forbid("the seed of a boot", &seed);
        }
    }

    fn run_to(&mut self, limit: Duration) -> Result<(), Complaint> {
        self.run_until(limit, |_| false).map(drop)
    }

    fn run_until(&mut self, limit: Duration, until: impl Fn(&Sim) -> bool) -> Result<bool, Complaint> {
        loop {
            let (judge, drain, mut complaint) = (&mut self.judge, self.drain, None);
            let held = self.sim.run_until(limit, |sim| {
                complaint = if sim.cell.is_lost() { None } else { judge.look(sim) };
                complaint.is_some() || sim.cell.is_lost() || is_over(drain, sim) || until(sim)
            });
            match complaint {
                Some(complaint) => return Err(complaint),
                None if self.sim.cell.is_lost() => self.restart(),
                None if is_over(drain, &self.sim) => self.end_drain()?,
                None => return Ok(held),
            }
        }
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
            What::Alert(who, before, alert) => self.alert(*who, *before, *alert),
            What::Weather(faults) => self.weather([0, 1], *faults),
            What::BackWeather(faults) => self.weather([2, 3], *faults),
            What::Mute(n) => self.sim.silence(backend(*n)),
            What::Unmute(n) => self.sim.unsilence(backend(*n)),
            What::Stop(n) => self.sim.backends.stop(backend(*n)),
            What::Start(n) => self.sim.backends.start(backend(*n)),
            What::Reload(change) => return self.reload(change),
            What::Pause(time) => {
                self.sim.now += *time;
                self.judge.excuse(*time);
                self.drain = self.drain.map(|limit| limit + *time);
            }
            What::Jump(by) => self.sim.cell.wall_error_s += by,
            What::Restart => self.restart(),
            What::Drain => self.begin_drain(),
            What::Exhaust(granted) => self.sim.cell.heap.refuse_after(*granted),
        }
        Ok(())
    }

    fn visit(&mut self, visit: &Visit) {
        let (name, now) = (ROUTES[visit.route].0, self.sim.now);
        let speaker = self.guests.len() as u64;
        let plan = Plan {
            trickle: visit.trickle,
            deaf: visit.deaf.map(|(from, time)| (now + from, now + from + time)),
            speech: Speech::Tls(self.sim.config_for(visit.dialect, visit.shown), name),
            ..self.sim.plan(visit.who, name, Talk::Stream(words(speaker, visit.blocks)), visit.then)
        };
        let index = self.sim.clients.add(plan);
        self.guests.push(Guest { index, visit: visit.clone(), certificates: self.reissued.len() });
    }

    fn alert(&mut self, who: u16, before: Before, [level, description]: [u8; 2]) {
        let mut bytes = Vec::new();
        if let Before::Hello(dialect) = before {
            let name = ServerName::try_from(ROUTES[0].0).expect("a name");
            let config = self.sim.config_for(dialect, Shown::Nothing);
            let mut client = ClientConnection::new(config, name).expect("a configuration that works");
            client.write_tls(&mut bytes).expect("a vector takes everything");
        }
        bytes.extend([21, 3, 3, 0, 2, level, description]);
        self.sim.clients.add(Plan { at: self.sim.now, ..Plan::raw(who, bytes) });
    }

    fn weather(&mut self, lanes: [usize; 2], faults: Faults) {
        // With offloads a checksum is a promise, and no wire is between those who give and take it.
        let corrupt = if self.setup.offload { 0 } else { faults.corrupt };
        for lane in lanes {
            self.sim.lanes[lane].set_faults(Faults { corrupt, ..faults });
        }
    }

    fn reload(&mut self, change: &Change) -> Result<(), Complaint> {
        match change {
            Change::Limits(limits) => {
                self.setup.limits = limits.clone();
                self.judge.allow(limits);
            }
            Change::Upstream(upstream) => self.setup.upstream = upstream.clone(),
            Change::Certificates => {
                self.sim.reissue(&self.setup);
                self.reissued.push(self.sim.now);
                self.forbid_keys();
            }
            Change::Unsound => return self.reload_unsound(|bundle| bundle.routes[0].certificates = vec![77]),
        }
        self.sim.reload(&self.setup).map_err(|fault| self.complain(Rule::Reload, format!("{fault:?}")))
    }

    /// A reload that must be refused, of a bundle that `spoil` has been at.
    fn reload_unsound(&mut self, spoil: fn(&mut Bundle)) -> Result<(), Complaint> {
        self.setup.amend = spoil;
        let taken = self.sim.reload(&self.setup);
        self.setup.amend = |_| {};
        if taken.is_err() { Ok(()) } else { Err(self.complain(Rule::Reload, "an unsound bundle was taken")) }
    }

    fn begin_drain(&mut self) {
        if self.drain.is_none() {
            self.logbook.drains += u64::from(self.sim.cell.appliance.counters().connections > 0);
            self.sim.drain();
            self.drain = Some(self.drain_limit());
        }
    }

    /// When a drain that begins now has to be over.
    fn drain_limit(&self) -> Duration {
        self.sim.now + Duration::from_millis(self.setup.limits.drain_timeout_ms) + DRAIN_ALLOWANCE
    }

    /// Whoever was there is gone, or was cut off, and told of.
    fn end_drain(&mut self) -> Result<(), Complaint> {
        if !self.sim.cell.appliance.drained() {
            let words = format!("{} connections outlive a drain", self.sim.cell.appliance.counters().connections);
            return Err(self.complain(Rule::Drain, words));
        }
        self.judge.count_records(&self.sim).map_or(Ok(()), Err)?;
        self.restart();
        Ok(())
    }

    fn restart(&mut self) {
        self.drain = None;
        self.note_the_cell();
        self.logbook.exhausted += u64::from(self.sim.cell.is_lost());
        self.sim.restart(&self.setup);
        self.judge.forget_the_cell();
        self.forbid_seed();
    }

    /// All trouble is over.
    fn calm(&mut self) {
        self.weather([0, 1], Faults::default());
        self.weather([2, 3], Faults::default());
        self.sim.cell.wall_error_s = 0;
        self.sim.cell.heap.refuse_nothing();
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
            counters.connections == 0 && counters.front.flows + counters.back.flows == 0 && sim.clients.dialing() == 0
        })?;
        self.judge.look_back(&self.sim).map_or(Ok(()), Err)?;
        self.see_them_off()?;
        self.check_the_heard()?;
        for (speaker, guest) in (0..).zip(&self.guests) {
            let whole = self.check_visit(speaker, guest).map_err(|(rule, words)| self.complain(rule, words))?;
            self.logbook.whole += u64::from(whole);
            self.logbook.owed += u64::from(self.is_owed(&guest.visit));
        }
        Ok(())
    }

    /// The cell knows nobody any more; whoever thinks otherwise is told so.
    fn see_them_off(&mut self) -> Result<(), Complaint> {
        self.sim.clients.leave(self.sim.now);
        let gone = self.run_until(self.sim.now + SETTLE, |sim| sim.clients.open() == 0)?;
        let words = || format!("{} clients never end, and the cell knows none of them", self.sim.clients.open());
        if gone { Ok(()) } else { Err(self.complain(Rule::EndForEach, words())) }
    }

    /// Each connection of each backend brought the words of one client, from the first on; and that client was let in, at that backend.
    fn check_the_heard(&self) -> Result<(), Complaint> {
        for (backend, bytes) in self.sim.backends.heard.as_deref().unwrap_or_default() {
            let speaker = speaker_of(bytes).map_err(|at| {
                let words = format!("a backend heard what nobody said, from byte {at} of {} on", bytes.len());
                self.complain(Rule::ExactPrefix, words)
            })?;
            let Some(speaker) = speaker else { continue };
            let Some(Guest { index, visit, .. }) = usize::try_from(speaker).ok().and_then(|speaker| self.guests.get(speaker)) else {
                return Err(self.complain(Rule::ExactPrefix, format!("a backend heard {speaker}, who is nobody")));
            };
            let is_in = visit.may_enter() && self.sim.clients.outcome(*index).established.is_some();
            let is_there = ROUTES[visit.route].2.iter().any(|n| self::backend(*n) == *backend);
            if !is_in || !is_there {
                return Err(self.complain(Rule::OnlyAuthenticated, format!("{backend} heard client {speaker}: {visit:?}")));
            }
        }
        Ok(())
    }

    /// Whether the client got everything and was told so.
    fn check_visit(&self, speaker: u64, guest: &Guest) -> Result<bool, (Rule, String)> {
        let (outcome, visit) = (self.sim.clients.outcome(guest.index), &guest.visit);
        let wanted = match ROUTES[visit.route].1 {
            _ if !visit.may_enter() => Cow::default(),
            Manner::Speak => Cow::Borrowed(speech()),
            Manner::Echo | Manner::EchoAfterEnd => words(speaker, visit.blocks).into(),
        };
        if !wanted.starts_with(&outcome.received) {
            let rule = if visit.may_enter() { Rule::ExactPrefix } else { Rule::OnlyAuthenticated };
            return Err((rule, format!("client {speaker} received what was not said to it")));
        }
        if let Some(fault) = outcome.fault.as_ref().filter(|fault| !self.is_explained(fault, guest)) {
            return Err((Rule::ExactPrefix, format!("client {speaker}: {fault}")));
        }
        if let Some(late) = self.stale_ticket(outcome) {
            return Err((
                Rule::Tickets,
                format!("client {speaker} resumed with a ticket whose key should have been gone for {late} periods"),
            ));
        }
        let whole = matches!(outcome.end, Some((ClientEnd::Whole, _)));
        if whole && outcome.received.len() != wanted.len() {
            let words = format!("client {speaker} was told that {} of {} bytes are all", outcome.received.len(), wanted.len());
            return Err((Rule::ExactPrefix, words));
        }
        // What is whole is all that was wanted, by now.
        if self.is_owed(visit) && !whole {
            let words = format!("client {speaker}: {} of {} bytes, {:?}, on a calm day", outcome.received.len(), wanted.len(), outcome.end);
            return Err((Rule::Service, words));
        }
        Ok(whole)
    }

    /// Whether it has to be served, whatever the others do.
    fn is_owed(&self, visit: &Visit) -> bool {
        self.is_calm && visit.is_plain()
    }

    /// What an honest client may dislike: certificates that were changed under its feet; being kept out; a cell whose clock is decades wrong.
    fn is_explained(&self, fault: &Error, guest: &Guest) -> bool {
        match fault {
            Error::InvalidCertificate(_) => self.are_certificates_changed(guest),
            Error::AlertReceived(AlertDescription::CertificateExpired) => self.judge.is_clock_moved(),
            Error::AlertReceived(_) => !guest.visit.may_enter(),
            _ => false,
        }
    }

    /// Whether others took the place of those that the client trusts while it was there.
    fn are_certificates_changed(&self, guest: &Guest) -> bool {
        let end = self.sim.clients.outcome(guest.index).end;
        self.reissued.get(guest.certificates).is_some_and(|changed| end.is_none_or(|(_, at)| *changed <= at))
    }

    /// By how many periods the key of the ticket that was taken was too old, even at the time when the ticket left its client.
    fn stale_ticket(&self, outcome: &Outcome) -> Option<u64> {
        let (ticket, left_at) = outcome.offered.as_ref().filter(|_| outcome.resumed && !self.judge.is_clock_moved())?;
        let period = u64::from_be_bytes(*ticket.first_chunk()?);
        let (lifetime, rotation) = (u64::from(self.setup.tls.ticket_lifetime_s), u64::from(self.setup.tls.ticket_rotation_s));
        let oldest = (wall(*left_at).as_secs() / rotation).checked_sub(lifetime.div_ceil(rotation))?;
        oldest.checked_sub(period).filter(|late| *late > 0)
    }

    fn probe(&mut self) -> Result<(), Complaint> {
        self.run_to(self.sim.now + recovery(&self.setup.upstream))?;
        for (route, (name, manner, _)) in ROUTES.iter().enumerate() {
            let (said, begun) = (words(u64::from(PROBE), PROBE_BLOCKS), self.sim.now);
            let wanted = if *manner == Manner::Speak { Cow::Borrowed(speech()) } else { said.clone().into() };
            let plan = self.sim.plan(PROBE - u16::try_from(route).unwrap_or(0), name, Talk::Stream(said), Then::Close);
            let shown = if route == GUARDED { Shown::Member } else { Shown::Nothing };
            let speech = Speech::Tls(self.sim.config_for(Dialect::Usual, shown), name);
            let index = self.sim.clients.add(Plan { speech, ..plan });
            self.run_until(begun + SERVICE, |sim| sim.clients.outcome(index).end.is_some())?;
            let outcome = self.sim.clients.outcome(index);
            if wanted != outcome.received || !matches!(outcome.end, Some((ClientEnd::Whole, _))) {
                let words = format!("{name}: {} of {} bytes, {:?}", outcome.received.len(), wanted.len(), outcome.end);
                return Err(self.complain(Rule::Service, words));
            }
            self.logbook.whole += 1;
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), Complaint> {
        self.sim.drain();
        let drained = self.run_until(self.drain_limit(), |sim| sim.cell.appliance.drained())?;
        self.note_the_cell();
        self.logbook.turns = self.sim.turns;
        self.logbook.hash = self.sim.traces().iter().fold(self.logbook.hash, |hash, trace| mix(mix(hash, trace.frames), trace.hash));
        self.logbook.ms = u64::try_from(self.sim.now.as_millis()).unwrap_or(u64::MAX);
        if !drained {
            return Err(self.complain(Rule::Drain, "not drained in time"));
        }
        self.judge.count_records(&self.sim).map_or(Ok(()), Err)
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
            self.logbook.hash = digest(self.logbook.hash, format!("{report:?}").as_bytes());
        }
    }
}

/// By when, without trouble, all backends are up again: a check that began in trouble has failed, as many as it takes have not, and rests have ended.
fn recovery(upstream: &Upstream) -> Duration {
    let checked_ms = |check: &Check| check.timeout_ms + check.interval_ms * u64::from(check.rise + 1);
    Duration::from_millis(upstream.check.as_ref().map_or(0, checked_ms).max(upstream.eject.for_ms))
}

/// Whether a drain that was begun has ended, or should have.
fn is_over(drain: Option<Duration>, sim: &Sim) -> bool {
    drain.is_some_and(|limit| sim.cell.appliance.drained() || sim.now > limit)
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
mod tests;
