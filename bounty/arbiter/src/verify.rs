//! The judgement: what is the operator's fault leaves nothing to judge by; what is the claim's fault is a reason against it; a claim without one is won.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::claim::Claim;
use crate::digest::Digest;
use crate::fault::{Document, Fault, Place};
use crate::manifest::Manifest;
use crate::note::VerifierKey;
use crate::rules::{Case, RULES};
use crate::tier::Tier;

/// What a claim is judged with beside the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// When it is judged, in seconds since 1970: by one's own clock, or by the log's entry of the claim.
    pub now: u64,
    /// What was committed to before the claim was shown, if anything.
    pub commitment: Option<Commitment<'a>>,
}

/// A commitment, and what opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment<'a> {
    /// The log's [receipt](crate::receipt).
    pub receipt: &'a [u8],
    /// The claimant's [opening](crate::commitment::Opening).
    pub opening: &'a [u8],
    /// The digest of the write-up, if it is at hand. Without it the opening's word is taken.
    pub write_up: Option<Digest>,
}

/// What is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The claim holds: what the manifest promised of this tier is falsified.
    Falsified {
        /// What was won.
        tier: Tier,
        /// By whom.
        claimant: String,
        /// When, as they say.
        time: u64,
        /// When it was committed to, as the log says.
        committed: Option<u64>,
    },
    /// The claim does not hold.
    NotFalsified {
        /// All that is wrong with it, in the order of the rules; at least one.
        reasons: Vec<Fault>,
    },
    /// There is nothing to judge by: the operator's key or the manifest is wrong.
    SetupError {
        /// What is wrong; at least one.
        reasons: Vec<Fault>,
    },
}

/// Judges a claim. The operator's key is `NAME+ID+BASE64`, as [`VerifierKey`] prints.
#[must_use]
pub fn verify(manifest: &[u8], operator: &str, claim: &[u8], context: &Context<'_>) -> Verdict {
    let operator = VerifierKey::parse(operator).map_err(|wrong| Place::whole(Document::Operator).wrong(wrong));
    match operator.and_then(|operator| Manifest::read(manifest, &operator)) {
        Ok(manifest) => judge(&manifest, claim, context),
        Err(fault) => Verdict::SetupError { reasons: alloc::vec![fault] },
    }
}

fn judge(manifest: &Manifest<'_>, bytes: &[u8], context: &Context<'_>) -> Verdict {
    let claim = match Claim::parse(bytes) {
        Ok(claim) => claim,
        Err(fault) => return Verdict::NotFalsified { reasons: alloc::vec![fault] },
    };
    let case = Case::new(manifest, bytes, &claim, context);
    let reasons: Vec<Fault> = RULES.iter().filter_map(|rule| (rule.holds)(&case).err()).collect();
    if !reasons.is_empty() {
        return Verdict::NotFalsified { reasons };
    }
    let committed = case.committed();
    Verdict::Falsified { tier: claim.body.tier, claimant: claim.body.claimant.into(), time: claim.body.time, committed }
}

/// One line for what it is, and one for each thing that it says: what programs in two languages compare.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Falsified { tier, claimant, time, committed } => {
                writeln!(f, "Falsified\ntier {tier}\nclaimant {claimant}\ntime {time}")?;
                committed.map_or(Ok(()), |committed| writeln!(f, "committed {committed}"))
            }
            Self::NotFalsified { reasons } => print(f, "NotFalsified", reasons),
            Self::SetupError { reasons } => print(f, "SetupError", reasons),
        }
    }
}

fn print(f: &mut fmt::Formatter<'_>, verdict: &str, reasons: &[Fault]) -> fmt::Result {
    writeln!(f, "{verdict}")?;
    reasons.iter().try_for_each(|reason| writeln!(f, "{reason}"))
}
