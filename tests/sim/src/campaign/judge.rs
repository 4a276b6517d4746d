//! What must hold, whatever happens.

use core::fmt;
use core::time::Duration;

use appliance::Report;
use keys::bundle::{Limits, Memory};

use super::words::{CANARY, speaker_of};
use crate::sim::Sim;

/// Turns at one and the same time after which a run is said to go nowhere.
const TURNS_AT_ONCE_MAX: u32 = 20_000;

/// What did not hold, when, and how it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// What did not hold.
    pub rule: Rule,
    /// How it showed.
    pub words: String,
    /// When.
    pub at: Duration,
}

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Nothing panics.
    NoPanic,
    /// No plaintext and no key is in any frame where it does not belong, nor in a report.
    NoLeak,
    /// What arrives is a beginning of what was said, and whole if its end is said to be one.
    ExactPrefix,
    /// Nobody but an authenticated client reaches a backend.
    OnlyAuthenticated,
    /// Gauges stay within their limits.
    WithinBudget,
    /// Where there is a connection, there is a deadline.
    TimerForEach,
    /// Each connection ends, with a record.
    EndForEach,
    /// Time goes on.
    Progress,
    /// A legitimate client is served when all trouble is over.
    Service,
    /// A drain ends in time.
    Drain,
    /// A reload is taken if it is sound, and refused if it is not.
    Reload,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}: {}", self.rule, self.at, self.words)
    }
}

/// Looks at a run, turn by turn.
#[derive(Debug)]
pub(super) struct Judge {
    /// The most that any limits of this run have allowed.
    limits: Limits,
    rings: (u64, u64),
    memory: Memory,
    turns_at: (Duration, u32),
    reports_seen: usize,
    records: u64,
    /// Reports that were not made, and are counted instead.
    lost: u64,
}

impl Judge {
    pub(super) fn new(limits: &Limits, memory: Memory) -> Self {
        let limits = memory.fit(limits.clone());
        let rings = memory.rings(&limits);
        Self { limits, rings, memory, turns_at: (Duration::ZERO, 0), reports_seen: 0, records: 0, lost: 0 }
    }

    /// From now on these limits may hold, too: for what was there before, the old ones go on.
    pub(super) fn allow(&mut self, limits: &Limits) {
        let new = self.memory.fit(limits.clone());
        let rings = self.memory.rings(&new);
        self.rings = (self.rings.0.max(rings.0), self.rings.1.max(rings.1));
        self.limits.connections = self.limits.connections.max(new.connections);
        self.limits.waiting = self.limits.waiting.max(new.waiting);
        self.limits.handshakes = self.limits.handshakes.max(new.handshakes);
    }

    /// A fresh cell begins to count and to report anew.
    pub(super) fn forget_the_cell(&mut self) {
        (self.reports_seen, self.records, self.lost) = (0, 0, 0);
    }

    /// What does not hold after this turn.
    pub(super) fn look(&mut self, sim: &Sim) -> Option<Complaint> {
        let complaint = self.progress(sim).or_else(|| leak(sim)).or_else(|| self.budgets(sim)).or_else(|| self.reports(sim));
        complaint.map(|(rule, words)| Complaint { rule, words, at: sim.now })
    }

    fn progress(&mut self, sim: &Sim) -> Option<(Rule, String)> {
        let count = if self.turns_at.0 == sim.now { self.turns_at.1 + 1 } else { 0 };
        self.turns_at = (sim.now, count);
        (count > TURNS_AT_ONCE_MAX).then(|| (Rule::Progress, format!("{count} turns, and time stands still: {}", sim.wishes())))
    }

    fn budgets(&self, sim: &Sim) -> Option<(Rule, String)> {
        let counters = sim.cell.appliance.counters();
        let gauges = [
            ("connections", counters.connections, u64::from(self.limits.connections)),
            ("waiting", counters.waiting, u64::from(self.limits.waiting)),
            ("handshaking", counters.handshaking, u64::from(self.limits.handshakes)),
            ("front rings", counters.front.ring_bytes, self.rings.0),
            ("back rings", counters.back.ring_bytes, self.rings.1),
        ];
        let over = gauges.iter().find(|(_, now, limit)| now > limit);
        let idle = counters.connections > 0 && sim.cell.next(sim.now).is_none();
        over.map(|(name, now, limit)| (Rule::WithinBudget, format!("{name}: {now} of {limit}")))
            .or_else(|| idle.then(|| (Rule::TimerForEach, format!("{} connections and no deadline", counters.connections))))
    }

    fn reports(&mut self, sim: &Sim) -> Option<(Rule, String)> {
        let new = sim.cell.reports.get(self.reports_seen..).unwrap_or_default();
        self.reports_seen = sim.cell.reports.len();
        for report in new {
            match report {
                Report::Closed(_) => self.records += 1,
                Report::Lost(count) | Report::Suppressed(count) => self.lost += count,
                _ => {}
            }
            let text = format!("{report:?}");
            if memchr::memmem::find(text.as_bytes(), &CANARY).is_some() {
                return Some((Rule::NoLeak, format!("plaintext in a report: {text}")));
            }
        }
        None
    }

    /// What does not hold when nobody is there any more.
    pub(super) fn look_back(&self, sim: &Sim) -> Option<Complaint> {
        let complaint = self.accounts(sim).or_else(|| heard(sim));
        complaint.map(|(rule, words)| Complaint { rule, words, at: sim.now })
    }

    fn accounts(&self, sim: &Sim) -> Option<(Rule, String)> {
        let counters = sim.cell.appliance.counters();
        let wrong = |words| Some((Rule::EndForEach, words));
        if counters.connections > 0 {
            return wrong(format!("{} connections never end", counters.connections));
        }
        if counters.front.ring_bytes + counters.back.ring_bytes > 0 {
            return wrong(format!("{} + {} bytes of rings for nobody", counters.front.ring_bytes, counters.back.ring_bytes));
        }
        if self.records + self.lost < counters.accepted {
            return wrong(format!("{} accepted, {} records, {} not told", counters.accepted, self.records, self.lost));
        }
        None
    }
}

fn leak(sim: &Sim) -> Option<(Rule, String)> {
    let leaked = sim.lanes.iter().enumerate().find_map(|(lane, wire)| Some((lane, wire.leaked()?)))?;
    Some((Rule::NoLeak, format!("on lane {}: pattern {}", leaked.0, leaked.1)))
}

/// Each connection of each backend brought the words of one client, from the first on.
fn heard(sim: &Sim) -> Option<(Rule, String)> {
    let connections = sim.backends.heard.as_deref().unwrap_or_default();
    connections.iter().find_map(|bytes| match speaker_of(bytes) {
        Err(at) => Some((Rule::ExactPrefix, format!("a backend heard what nobody said, from byte {at} of {} on", bytes.len()))),
        Ok(_) => None,
    })
}
