//! The claim: what somebody says to have won, signed by what was won.
//!
//! The signature is by the tier's flag key, so only who holds that key can claim; the claimant stands under the signature, so a published claim is of no use to anybody else. `down` has no
//! key to find: its claim holds the tender's crash record, which names the claimant, and is signed by the claimant's own key.

use alloc::vec::Vec;
use core::fmt;

use crate::digest::Digest;
use crate::fault::{Document, Fault, Place, Wrong};
use crate::limits::{CLAIM_LEN_MAX, CLAIMANT_LEN_MAX, CRASH_LEN_MAX, TEXT_LEN_MAX};
use crate::lines::{Lines, Seal, encode_base64};
use crate::tier::Tier;

/// A claim whose form is right. Nothing in it has been judged yet.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    /// What it says.
    pub body: Body<'a>,
    /// The signature of it.
    pub seal: Seal<'a>,
}

/// What a claim says. It prints as the message that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body<'a> {
    /// The contest.
    pub manifest: Digest,
    /// What was won.
    pub tier: Tier,
    /// Who won it: a public key, or an address. For `down`: `ed25519:` and the key in base64.
    pub claimant: &'a str,
    /// What they have to say about it.
    pub text: &'a str,
    /// When, in seconds since 1970, by the claimant's clock.
    pub time: u64,
    /// For `down`, and for nothing else: the crash record.
    pub record: Option<Vec<u8>>,
}

impl<'a> Claim<'a> {
    /// Reads a claim.
    ///
    /// # Errors
    /// Says what is wrong with its form, and where.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut lines = Lines::begin(Document::Claim, bytes, CLAIM_LEN_MAX)?;
        let body = Body::parse(&mut lines)?;
        Ok(Self { body, seal: lines.seal(bytes)? })
    }

    /// The claim as it is written.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        self.seal.document()
    }
}

impl<'a> Body<'a> {
    fn parse(lines: &mut Lines<'a>) -> Result<Self, Fault> {
        let manifest = lines.field("manifest")?.digest()?;
        let tier = lines.field("tier")?.tier()?;
        let claimant = lines.field("claimant")?.words(CLAIMANT_LEN_MAX)?;
        let text = lines.field("text")?.words(TEXT_LEN_MAX)?;
        let time = lines.field("time")?.time()?;
        let record = if tier == Tier::Down { Some(record(lines)?) } else { None };
        Ok(Self { manifest, tier, claimant, text, time, record })
    }

    /// Where one of its fields stands.
    pub(crate) const fn place(field: Field) -> Place {
        let (line, field) = match field {
            Field::Manifest => (2, "manifest"),
            Field::Claimant => (4, "claimant"),
            Field::Time => (6, "time"),
            Field::Record => (7, "record"),
        };
        Place { document: Document::Claim, line, field }
    }
}

/// Fields that rules are about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field {
    Manifest,
    Claimant,
    Time,
    Record,
}

fn record(lines: &mut Lines<'_>) -> Result<Vec<u8>, Fault> {
    if !lines.is_next("record") {
        return Err(Body::place(Field::Record).wrong(Wrong::RecordMissing));
    }
    lines.field("record")?.base64(CRASH_LEN_MAX)
}

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Document::Claim.head())?;
        writeln!(f, "manifest {}\ntier {}\nclaimant {}\ntext {}\ntime {}", self.manifest, self.tier, self.claimant, self.text, self.time)?;
        self.record.as_deref().map_or(Ok(()), |record| writeln!(f, "record {}", encode_base64(record)))
    }
}
