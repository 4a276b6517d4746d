//! The proof of possession: a flag's answer to a nonce. It shows that the secret is where the manifest says, at the time at which somebody asked.
//!
//! `bounty/check-possession` checks the same with a shell and openssl.

use core::fmt;
use core::ops::RangeInclusive;

use crate::digest::{Digest, Hex};
use crate::fault::{Document, Fault, Place, Wrong};
use crate::limits::POSSESSION_LEN_MAX;
use crate::lines::{Lines, Seal};
use crate::manifest::Manifest;
use crate::tier::Tier;

/// A proof whose form is right. It has not been held against anything yet.
#[derive(Debug, Clone)]
pub struct Possession<'a> {
    /// What it says.
    pub body: Body,
    /// The flag's signature of it.
    pub seal: Seal<'a>,
}

/// What a proof says. It prints as the message that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The contest.
    pub manifest: Digest,
    /// Whose flag signs.
    pub tier: Tier,
    /// What was asked with.
    pub nonce: [u8; 32],
    /// When, in seconds since 1970, by the box's clock.
    pub time: u64,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which flag was asked.
    pub tier: Tier,
    /// With what.
    pub nonce: [u8; 32],
    /// From when to when an answer is taken.
    pub times: RangeInclusive<u64>,
}

impl<'a> Possession<'a> {
    /// Reads a proof.
    ///
    /// # Errors
    /// Says what is wrong with its form, and where.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut lines = Lines::begin(Document::Possession, bytes, POSSESSION_LEN_MAX)?;
        let manifest = lines.field("manifest")?.digest()?;
        let tier = lines.field("tier")?.tier()?;
        let nonce = lines.field("nonce")?.hex()?;
        let time = lines.field("time")?.time()?;
        Ok(Self { body: Body { manifest, tier, nonce, time }, seal: lines.seal(bytes)? })
    }

    /// Whether it is the answer to what was asked.
    ///
    /// # Errors
    /// Says what is wrong, and where.
    pub fn answers(&self, asked: &Asked, manifest: &Manifest<'_>) -> Result<(), Fault> {
        let Body { manifest: digest, tier, nonce, time } = &self.body;
        let place = |line, field| Place { document: Document::Possession, line, field };
        if *digest != manifest.digest() {
            return Err(place(2, "manifest").wrong(Wrong::Manifest));
        }
        if *tier != asked.tier {
            return Err(place(3, "tier").wrong(Wrong::OtherTier));
        }
        if *nonce != asked.nonce {
            return Err(place(4, "nonce").wrong(Wrong::Nonce));
        }
        if !asked.times.contains(time) {
            return Err(place(5, "time").wrong(Wrong::Window));
        }
        let key = &manifest.flag(*tier).key;
        key.verify(self.seal.message, &self.seal.bytes).map_err(|wrong| self.seal.place.wrong(wrong))
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Document::Possession.head())?;
        writeln!(f, "manifest {}\ntier {}\nnonce {}\ntime {}", self.manifest, self.tier, Hex(&self.nonce), self.time)
    }
}
