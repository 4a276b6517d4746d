//! The commitment: a claim and its write-up before anybody is shown them, and what opens it.
//!
//! The claimant sends the commitment to the log, and gets a [receipt](crate::receipt). Claim, write-up and the opening come later; the salt keeps anybody from trying out write-ups meanwhile.

use core::fmt;

use crate::digest::{Digest, Hex};
use crate::fault::{Document, Fault};
use crate::limits::OPENING_LEN_MAX;
use crate::lines::Lines;

/// What a commitment's hash begins with. No document that is signed begins so.
pub const DOMAIN: &str = "bountybox-commitment 1\n";

/// SHA-256 over [`DOMAIN`], the SHA-256 of the whole claim, the SHA-256 of the write-up, and the salt: 119 bytes.
#[must_use]
pub fn commit(claim: &[u8], write_up: &Digest, salt: &[u8; 32]) -> Digest {
    Digest::of(&[DOMAIN.as_bytes(), &Digest::of(&[claim]).0, &write_up.0, salt])
}

/// What opens a commitment. It prints as its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Of the write-up.
    pub write_up: Digest,
    /// Drawn at random by who committed.
    pub salt: [u8; 32],
}

impl Opening {
    /// Reads an opening.
    ///
    /// # Errors
    /// Says what is wrong with its form, and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let mut lines = Lines::begin(Document::Opening, bytes, OPENING_LEN_MAX)?;
        let write_up = lines.field("write-up")?.digest()?;
        let salt = lines.field("salt")?.hex()?;
        lines.end()?;
        Ok(Self { write_up, salt })
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\nwrite-up {}\nsalt {}", Document::Opening.head(), self.write_up, Hex(&self.salt))
    }
}
