//! What must hold, whatever happens.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use appliance::Report;
use appliance::report::Serial;
use keys::bundle::{Limits, Memory};
use keys::limits::HEAP_ROUNDING_SHARE;

use crate::secrets::Secrets;
use crate::sim::Sim;
use crate::watch::Finding;
use crate::wire::Lane;

/// Turns at one and the same time after which a run is said to go nowhere.
const TURNS_AT_ONCE_MAX: u32 = 2_000;
/// What a connection may take beyond its lifetime: for its peer to take the last bytes.
const LINGER: Duration = Duration::from_secs(60);
/// How often the status is looked at.
const STATUS_EVERY: Duration = Duration::from_secs(10);

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
    /// Nobody reaches a backend but clients whose handshake is done, who are let in, and at their route's.
    OnlyAuthenticated,
    /// What goes on the wire is what a sound stack sends: numbers that nobody can tell, the same bytes again, zeros for padding.
    SoundWire,
    /// No ticket outlives its key, and no key its time.
    Tickets,
    /// Gauges stay within their limits, and what is allocated within the heap.
    WithinBudget,
    /// Where there is a connection, there is a deadline.
    TimerForEach,
    /// Each connection ends, with one record, within its lifetime.
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
    /// Connections that are there, and since when.
    open: BTreeMap<Serial, Duration>,
    /// The longest life that any limits of this run have allowed, and the time that the world stood still.
    lifetime: Duration,
    excused: Duration,
    /// The wall clock was wrong at some time.
    clock_moved: bool,
    /// What may not be told, by name, in every form that a text may give it.
    secrets: Secrets,
    told_at: Option<Duration>,
}

impl Judge {
    pub(super) fn new(limits: &Limits, memory: Memory) -> Self {
        let limits = memory.fit(limits.clone());
        Self {
            rings: memory.rings(&limits),
            memory,
            turns_at: (Duration::ZERO, 0),
            reports_seen: 0,
            records: 0,
            lost: 0,
            open: BTreeMap::new(),
            lifetime: Duration::from_millis(limits.lifetime_ms),
            excused: Duration::ZERO,
            clock_moved: false,
            secrets: Secrets::default(),
            told_at: None,
            limits,
        }
    }

    /// From now on nothing that the cell tells may hold this.
    pub(super) fn forbid(&mut self, name: &str, secret: &[u8]) {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let list = format!("{secret:?}");
        let list = list.trim_matches(['[', ']']);
        for form in [secret, hex.as_bytes(), hex.to_uppercase().as_bytes(), list.as_bytes()] {
            self.secrets.forbid(name, form);
        }
    }

    /// The world stood still for so long, and nobody can be blamed for it.
    pub(super) fn excuse(&mut self, time: Duration) {
        self.excused += time;
    }

    /// Whether the wall clock was ever wrong.
    pub(super) fn is_clock_moved(&self) -> bool {
        self.clock_moved
    }

    /// From now on these limits may hold, too: for what was there before, the old ones go on.
    pub(super) fn allow(&mut self, limits: &Limits) {
        let new = self.memory.fit(limits.clone());
        let rings = self.memory.rings(&new);
        self.rings = (self.rings.0.max(rings.0), self.rings.1.max(rings.1));
        self.lifetime = self.lifetime.max(Duration::from_millis(new.lifetime_ms));
        self.limits.connections = self.limits.connections.max(new.connections);
        self.limits.waiting = self.limits.waiting.max(new.waiting);
        self.limits.handshakes = self.limits.handshakes.max(new.handshakes);
    }

    /// A fresh cell begins to count and to report anew.
    pub(super) fn forget_the_cell(&mut self) {
        (self.reports_seen, self.records, self.lost) = (0, 0, 0);
        self.open.clear();
    }

    /// What does not hold after this turn.
    pub(super) fn look(&mut self, sim: &Sim) -> Option<Complaint> {
        self.clock_moved |= sim.cell.wall_error_s != 0;
        let complaint = self.progress(sim).or_else(|| found(sim)).or_else(|| self.budgets(sim)).or_else(|| self.reports(sim));
        let complaint = complaint.or_else(|| self.ages(sim)).or_else(|| self.status(sim));
        complaint.map(|(rule, words)| Complaint { rule, words, at: sim.now })
    }

    fn progress(&mut self, sim: &Sim) -> Option<(Rule, String)> {
        let count = if self.turns_at.0 == sim.now { self.turns_at.1 + 1 } else { 0 };
        self.turns_at = (sim.now, count);
        (count > TURNS_AT_ONCE_MAX).then(|| {
            let latest = sim.lanes.each_ref().map(Lane::latest);
            (Rule::Progress, format!("{count} turns, and time stands still: {}; latest frames {latest:02x?}", sim.wishes()))
        })
    }

    fn budgets(&self, sim: &Sim) -> Option<(Rule, String)> {
        let counters = sim.cell.appliance.counters();
        let gauges = [
            ("connections", counters.connections, u64::from(self.limits.connections)),
            ("waiting", counters.waiting, u64::from(self.limits.waiting)),
            ("handshaking", counters.handshaking, u64::from(self.limits.handshakes)),
            ("front rings", counters.front.ring_bytes, self.rings.0),
            ("back rings", counters.back.ring_bytes, self.rings.1),
            ("heap", sim.cell.heap.peak(), self.memory.0 - self.memory.0 / HEAP_ROUNDING_SHARE),
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
                Report::Accepted(accepted) => _ = self.open.insert(accepted.serial, sim.now),
                Report::Closed(record) => {
                    self.records += 1;
                    if self.open.remove(&record.serial).is_none() && self.lost == 0 {
                        return Some((Rule::EndForEach, format!("{:?} ended twice, or never began", record.serial)));
                    }
                }
                Report::Lost(count) | Report::Suppressed(count) => self.lost += count,
                _ => {}
            }
            if let Some(name) = self.told(report) {
                return Some((Rule::NoLeak, format!("{name} in a report: {report:?}")));
            }
        }
        None
    }

    /// What may not be told and is, in a report as it is or as it travels to the log.
    fn told(&mut self, report: &Report) -> Option<String> {
        let mut space = [0; status::limits::ACCESS_LEN_MAX];
        let travels = if let Report::Closed(record) = report { record.access().encode(&mut space) } else { None };
        self.secret_in([format!("{report:?}").as_bytes(), travels.unwrap_or_default()])
    }

    fn secret_in(&mut self, forms: [&[u8]; 2]) -> Option<String> {
        forms.into_iter().find_map(|bytes| self.secrets.find(bytes).map(str::to_owned))
    }

    /// Each connection has a lifetime, whatever its peers do.
    fn ages(&self, sim: &Sim) -> Option<(Rule, String)> {
        let (serial, since) = self.open.first_key_value()?;
        let over = self.lost == 0 && sim.now - *since > self.lifetime + self.excused + LINGER;
        over.then(|| (Rule::EndForEach, format!("{serial:?} is there since {since:?}")))
    }

    /// What metrics are made of, now and then.
    fn status(&mut self, sim: &Sim) -> Option<(Rule, String)> {
        if self.told_at.is_some_and(|at| sim.now < at + STATUS_EVERY) {
            return None;
        }
        self.told_at = Some(sim.now);
        let status = sim.cell.appliance.status();
        let name = self.secret_in([format!("{status:?}").as_bytes(), &status.encode()])?;
        Some((Rule::NoLeak, format!("{name} in the status")))
    }

    /// What does not hold when nobody is there any more.
    pub(super) fn look_back(&self, sim: &Sim) -> Option<Complaint> {
        let complaint = self.accounts(sim);
        complaint.map(|(rule, words)| Complaint { rule, words, at: sim.now })
    }

    fn accounts(&self, sim: &Sim) -> Option<(Rule, String)> {
        let counters = sim.cell.appliance.counters();
        if counters.connections > 0 {
            return Some((Rule::EndForEach, format!("{} connections never end", counters.connections)));
        }
        let (rings, flows) = (counters.front.ring_bytes + counters.back.ring_bytes, counters.front.flows + counters.back.flows);
        if rings + flows + counters.waiting + counters.handshaking > 0 {
            let (waiting, handshaking) = (counters.waiting, counters.handshaking);
            let words = format!("{rings} bytes of rings, {flows} flows, {waiting} waiting, {handshaking} handshakes: of nobody");
            return Some((Rule::WithinBudget, words));
        }
        None
    }

    /// Whether there is a record of each connection, or it was counted: at the very end, because how many refusals were not told is said with a later step.
    pub(super) fn count_records(&self, sim: &Sim) -> Option<Complaint> {
        let accepted = sim.cell.appliance.counters().accepted;
        let words = || format!("{accepted} accepted, {} records, {} not told", self.records, self.lost);
        (self.records + self.lost < accepted).then(|| Complaint { rule: Rule::EndForEach, words: words(), at: sim.now })
    }
}

fn found(sim: &Sim) -> Option<(Rule, String)> {
    let (lane, finding) = sim.lanes.iter().enumerate().find_map(|(lane, wire)| Some((lane, wire.finding()?)))?;
    let rule = if matches!(finding, Finding::Secret(_)) { Rule::NoLeak } else { Rule::SoundWire };
    Some((rule, format!("on lane {lane}: {finding}")))
}
