//! Which claims the log takes, and who has won what.

use std::collections::BTreeSet;

use arbiter::fault::Place;
use arbiter::{Claim, Digest, Document, Tier, Verdict, Wrong};

use crate::hourly::Hourly;
use crate::limits::{CLAIMS_IN_ALL_MAX, CLAIMS_MAX};
use crate::refused::Refused;

/// The claim of a tier that held first: a commitment counts from when the log took it.
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
    won: Option<Win>,
}

impl Claims {
    pub(crate) fn new() -> Self {
        Self { known: BTreeSet::new(), tiers: Tier::ALL.map(|_| Tally { hourly: Hourly::new(CLAIMS_MAX), in_all: 0, won: None }) }
    }

    /// Whether this one is to be entered.
    pub(crate) fn admit(&mut self, claim: &[u8], verdict: &Verdict, now: u64) -> Result<(), Refused> {
        let parsed = Claim::parse(claim).map_err(|_| Refused::Unfounded)?;
        if !is_founded(verdict) {
            return Err(Refused::Unfounded);
        }
        let committed = committed(verdict);
        if self.known.contains(&(Digest::of(&[claim]), committed.is_some())) {
            return Err(Refused::Known);
        if is_early(verdict) {
            return Err(Refused::Early { from: parsed.body.time });
        }
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
        let committed = committed(verdict);
        self.known.insert((Digest::of(&[claim]), committed.is_some()));
        let tally = self.tally(parsed.body.tier);
        tally.hourly.count(entered);
        tally.in_all = tally.in_all.saturating_add(1);
        let (claimant, text, time) = (parsed.body.claimant.into(), parsed.body.text.into(), parsed.body.time);
        let win = Win { claimant, text, time, entered, committed, entry };
        if holds_as_entered(verdict) && tally.is_first(win.since()) {
            tally.won = Some(win);
        }
    }

    pub(crate) fn won(&self, tier: Tier) -> Option<&Win> {
        let (_, tally) = Tier::ALL.iter().zip(&self.tiers).find(|(of, _)| **of == tier)?;
        tally.won.as_ref()
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
    /// Whether what counts from then on is before what has won.
    fn is_first(&self, since: u64) -> bool {
        self.won.as_ref().is_none_or(|won| since < won.since())
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

/// Whether an entered claim holds when it is judged again without what it was committed to: of late ones only those were entered that held.
fn holds_as_entered(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Falsified { .. } => true,
        Verdict::NotFalsified { reasons } => reasons.iter().all(|reason| reason.wrong == Wrong::Late),
        Verdict::SetupError { .. } => false,
    }
}
/// Whether it fails by nothing but that its time is still to come: then it holds later, and as a failure it would keep itself out for ever.
fn is_early(verdict: &Verdict) -> bool {
    let Verdict::NotFalsified { reasons } = verdict else { return false };
    !reasons.is_empty() && reasons.iter().all(|reason| reason.wrong == Wrong::Future)
}

