//! Which claims the log takes, and who has won what.

use std::collections::BTreeSet;

use arbiter::fault::Place;
use arbiter::{Claim, Digest, Document, Tier, Verdict, Wrong};

use crate::hourly::Hourly;
use crate::limits::{CLAIMS_IN_ALL_MAX, CLAIMS_MAX, WINS_MAX};
use crate::refused::Refused;

/// A claim that holds: a commitment counts from when the log took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Win {
    /// Who has won.
    pub claimant: String,
    /// What they have to say about it.
    pub text: String,
    /// When, as they say.
    pub time: u64,
    /// When the claim was entered.
    pub entered: u64,
    /// When it was committed to, if it was.
    pub committed: Option<u64>,
    /// The entry's number.
    pub entry: u64,
}

impl Win {
    /// From when on it counts.
    #[must_use]
    pub fn since(&self) -> u64 {
        self.committed.unwrap_or(self.entered)
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Claims {
    /// Claims, and whether they came with what they were committed to: such a one may come after the bare one.
    known: BTreeSet<(Digest, bool)>,
    tiers: [Tally; Tier::ALL.len()],
}

#[derive(Debug)]
struct Tally {
    hourly: Hourly,
    in_all: usize,
    /// Claims that hold, each once: with what it was committed to it is still the same.
    holding: BTreeSet<Digest>,
    /// Of these the first, by when they count.
    first: Vec<(Digest, Win)>,
}

impl Claims {
    pub(crate) fn new() -> Self {
        Self { known: BTreeSet::new(), tiers: Tier::ALL.map(|_| Tally::new()) }
    }

    /// Whether this one is to be entered.
    pub(crate) fn admit(&mut self, claim: &[u8], verdict: &Verdict, now: u64) -> Result<(), Refused> {
        let parsed = Claim::parse(claim).map_err(|_| Refused::Unfounded)?;
        if !is_founded(verdict) {
            return Err(Refused::Unfounded);
        }
        if is_early(verdict) {
            return Err(Refused::Early { from: parsed.body.time });
        }
        let committed = committed(verdict);
        if self.known.contains(&(Digest::of(&[claim]), committed.is_some())) {
            return Err(Refused::Known);
        }
        let tier = parsed.body.tier;
        let tally = self.tally(tier);
        let is_win = matches!(verdict, Verdict::Falsified { .. }) && tally.is_first(committed.unwrap_or(now));
        let is_full = tally.in_all >= CLAIMS_IN_ALL_MAX || tally.hourly.full_until(now).is_some();
        // A win is entered whatever the holder of the flag has sent before.
        if is_full && !is_win { Err(Refused::Claims(tier)) } else { Ok(()) }
    }

    /// It was entered.
    pub(crate) fn entered(&mut self, claim: &[u8], verdict: &Verdict, (entered, entry): (u64, u64)) {
        let Ok(parsed) = Claim::parse(claim) else { return };
        let (committed, digest) = (committed(verdict), Digest::of(&[claim]));
        self.known.insert((digest, committed.is_some()));
        let tally = self.tally(parsed.body.tier);
        tally.hourly.count(entered);
        tally.in_all = tally.in_all.saturating_add(1);
        let (claimant, text, time) = (parsed.body.claimant.into(), parsed.body.text.into(), parsed.body.time);
        let win = Win { claimant, text, time, entered, committed, entry };
        if holds_as_entered(verdict) {
            tally.holds(digest, win);
        }
    }

    /// Those of a tier that hold and count first, in order.
    pub(crate) fn wins(&self, tier: Tier) -> impl Iterator<Item = &Win> {
        self.of(tier).into_iter().flat_map(|tally| &tally.first).map(|(_, win)| win)
    }

    /// How many of a tier hold.
    pub(crate) fn holding(&self, tier: Tier) -> usize {
        self.of(tier).map_or(0, |tally| tally.holding.len())
    }

    fn of(&self, tier: Tier) -> Option<&Tally> {
        Tier::ALL.iter().zip(&self.tiers).find_map(|(of, tally)| (*of == tier).then_some(tally))
    }

    const fn tally(&mut self, tier: Tier) -> &mut Tally {
        let [auth, read, write, key, exec, escape, down, wallet] = &mut self.tiers;
        match tier {
            Tier::Auth => auth,
            Tier::Read => read,
            Tier::Write => write,
            Tier::Key => key,
            Tier::Exec => exec,
            Tier::Escape => escape,
            Tier::Down => down,
            Tier::Wallet => wallet,
        }
    }
}

impl Tally {
    fn new() -> Self {
        Self { hourly: Hourly::new(CLAIMS_MAX), in_all: 0, holding: BTreeSet::new(), first: Vec::new() }
    }

    /// Whether what counts from then on is before what has won.
    fn is_first(&self, since: u64) -> bool {
        self.first.first().is_none_or(|(_, won)| since < won.since())
    }

    /// A claim holds. One that is known already counts from the earlier of its times.
    fn holds(&mut self, digest: Digest, win: Win) {
        self.holding.insert(digest);
        if self.first.iter().any(|(known, had)| *known == digest && had.since() <= win.since()) {
            return;
        }
        self.first.retain(|(known, _)| *known != digest);
        self.first.push((digest, win));
        self.first.sort_by_key(|(_, win)| (win.since(), win.entry));
        self.first.truncate(WINS_MAX);
    }
}

/// When a claim that holds was committed to, if it was.
const fn committed(verdict: &Verdict) -> Option<u64> {
    match verdict {
        Verdict::Falsified { committed, .. } => *committed,
        Verdict::NotFalsified { .. } | Verdict::SetupError { .. } => None,
    }
}

/// Whether it holds, or fails by a time alone: then its signature is right, and only the holder of the flag (or, for `down`, somebody whom a record names) can have made it. A late claim without a
/// commitment is not among them, so that what is late and in the log was committed to.
fn is_founded(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Falsified { .. } => true,
        Verdict::NotFalsified { reasons } => reasons.iter().all(|reason| {
            let in_claim = matches!(reason.place, Place { document: Document::Claim | Document::Crash, .. });
            in_claim && matches!(reason.wrong, Wrong::BeforeStart | Wrong::AfterEnd | Wrong::Future | Wrong::RecordTime)
        }),
        Verdict::SetupError { .. } => false,
    }
}

/// Whether it fails by nothing but that its time is still to come: then it holds later, and as a failure it would keep itself out for ever.
fn is_early(verdict: &Verdict) -> bool {
    let Verdict::NotFalsified { reasons } = verdict else { return false };
    !reasons.is_empty() && reasons.iter().all(|reason| reason.wrong == Wrong::Future)
}

/// Whether an entered claim holds when it is judged again without what it was committed to: of late ones only those were entered that held.
fn holds_as_entered(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Falsified { .. } => true,
        Verdict::NotFalsified { reasons } => reasons.iter().all(|reason| reason.wrong == Wrong::Late),
        Verdict::SetupError { .. } => false,
    }
}
