//! The facts held against what was promised: what page and JSON are made of.

use arbiter::manifest::{Manifest, Published};
use arbiter::note::VerifierKey;
use arbiter::{Digest, Tier};
use bounty_log::checkpoint::Checkpoint;

use crate::contest::{Facts, Win};
use crate::limits::WINS_SHOWN_MAX;

/// See the module.
#[derive(Debug, Clone)]
pub struct View {
    /// As the contest gave them.
    pub facts: Facts,
    /// What the manifest promises, or why it cannot be read.
    pub promised: Result<Promised, String>,
    /// The log's head, if it can be read.
    pub head: Option<Checkpoint>,
}

/// What the manifest promises.
#[derive(Debug, Clone)]
pub struct Promised {
    /// The contest's name.
    pub name: String,
    /// What names it in other documents.
    pub digest: Digest,
    /// The first second.
    pub start: u64,
    /// The first second behind the last.
    pub end: u64,
    /// The digest of the rules with which it began.
    pub rules: Digest,
    /// The digest of the image.
    pub image: Digest,
    /// The digest of the tender's program.
    pub tender: Digest,
    /// The revision of the sources.
    pub source: String,
    /// The log's key, as `NAME+ID+BASE64`.
    pub log: String,
    /// The tiers, in their order.
    pub tiers: Vec<TierView>,
}

/// A tier, and who won it.
#[derive(Debug, Clone)]
pub struct TierView {
    /// Which.
    pub tier: Tier,
    /// The public half of its flag, in base64.
    pub flag: String,
    /// Where it is, if that is published: an address of memory or of a wallet.
    pub address: Option<String>,
    /// Of `write`: what the word must hold.
    pub value: Option<String>,
    /// What there is to be won.
    pub prize: String,
    /// How many claims for it hold.
    pub won: usize,
    /// The first of them.
    pub wins: Vec<Win>,
}

/// Whether there is anything to be won now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not yet.
    Before,
    /// Now.
    Open,
    /// No longer.
    Over,
}

impl View {
    /// Holds facts and the log's head against the manifest.
    #[must_use]
    pub fn new(facts: Facts, checkpoint: Option<&[u8]>) -> Self {
        let promised = Promised::read(&facts);
        let head = promised.as_ref().ok().zip(checkpoint).and_then(|(promised, note)| {
            let key = VerifierKey::parse(&promised.log).ok()?;
            Checkpoint::read(note, &key).ok()
        });
        Self { facts, promised, head }
    }

    /// How long the box has served.
    #[must_use]
    pub fn uptime(&self) -> u64 {
        self.facts.now.saturating_sub(self.facts.since)
    }
}

impl Promised {
    fn read(facts: &Facts) -> Result<Self, String> {
        let operator = VerifierKey::parse(&facts.operator).map_err(|wrong| format!("the operator's key: {wrong}"))?;
        let manifest = Manifest::read(&facts.manifest, &operator).map_err(|fault| fault.to_string())?;
        let tiers = Tier::ALL.into_iter().zip(facts.unshown);
        let tiers = tiers.map(|(tier, unshown)| TierView::new(&manifest, tier, &facts.wins, unshown)).collect();
        Ok(Self {
            name: manifest.name.into(),
            digest: manifest.digest(),
            start: manifest.start,
            end: manifest.end,
            rules: manifest.rules,
            image: manifest.image,
            tender: manifest.tender,
            source: manifest.source.into(),
            log: manifest.log.to_string(),
            tiers,
        })
    }

    /// Whether there is anything to be won at a time.
    #[must_use]
    pub const fn phase(&self, now: u64) -> Phase {
        if now < self.start {
            Phase::Before
        } else if now < self.end {
            Phase::Open
        } else {
            Phase::Over
        }
    }

    /// How many tiers somebody won.
    #[must_use]
    pub fn won(&self) -> usize {
        self.tiers.iter().filter(|tier| tier.won > 0).count()
    }
}

impl TierView {
    fn new(manifest: &Manifest<'_>, tier: Tier, wins: &[Win], unshown: u64) -> Self {
        let flag = manifest.flag(tier);
        let word = |word: u64| format!("0x{word:016x}");
        let (address, value) = match flag.published {
            Published::Nothing => (None, None),
            Published::Read(address) => (Some(word(address)), None),
            Published::Write(address, value) => (Some(word(address)), Some(word(value))),
            Published::Wallet(address) => (Some(address.into()), None),
        };
        let of_tier = || wins.iter().filter(|win| win.tier == tier);
        let won = of_tier().count().saturating_add(usize::try_from(unshown).unwrap_or(usize::MAX));
        let wins = of_tier().take(WINS_SHOWN_MAX).cloned().collect();
        Self { tier, flag: flag.key.to_string(), address, value, prize: flag.prize.into(), won, wins }
    }
}

impl Phase {
    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Open => "open",
            Self::Over => "over",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_that_are_not_shown_are_counted() {
        let win = |entry| Win { tier: Tier::Read, claimant: "c".into(), text: "t".into(), time: 4, committed: None, entry };
        let wins = (1..=4).map(win).collect();
        let facts = Facts {
            wins,
            unshown: Tier::ALL.map(|tier| 5 * u64::from(tier == Tier::Read)),
            ..Facts::new(contest::manifest_note(), contest::operator())
        };
        let promised = View::new(facts, None).promised.expect("a manifest");
        let told: Vec<(Tier, usize, usize)> =
            promised.tiers.iter().map(|tier| (tier.tier, tier.won, tier.wins.len())).filter(|told| told.1 > 0).collect();
        assert_eq!((promised.won(), told), (1, vec![(Tier::Read, 9, 4)]));
    }
}
