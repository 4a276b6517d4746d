//! The receipt: the log's word that it took a commitment, and when. A note that the log's key signs, and the very bytes of the log's entry.
//!
//! That the entry is in the log, and the log was not rewritten, is for `bountybox log` to check; the arbiter takes the log's signature for the time.

use core::fmt;

use crate::digest::Digest;
use crate::fault::{Document, Fault, Place};
use crate::limits::NOTE_LEN_MAX;
use crate::lines::Lines;
use crate::note::{Note, VerifierKey};

/// A receipt that the log signed. It prints as the note's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The contest.
    pub manifest: Digest,
    /// What was taken.
    pub commitment: Digest,
    /// When, in seconds since 1970, by the log's clock.
    pub time: u64,
}

impl Receipt {
    pub(crate) const MANIFEST: Place = Place { document: Document::Receipt, line: 2, field: "manifest" };
    pub(crate) const COMMITMENT: Place = Place { document: Document::Receipt, line: 3, field: "commitment" };
    pub(crate) const TIME: Place = Place { document: Document::Receipt, line: 4, field: "time" };

    /// Reads a note that this log signed.
    ///
    /// # Errors
    /// Says what is wrong, and where.
    pub fn read(bytes: &[u8], log: &VerifierKey) -> Result<Self, Fault> {
        let text = Note::parse(Document::Receipt, bytes)?.open(log)?;
        let mut lines = Lines::begin(Document::Receipt, text, NOTE_LEN_MAX)?;
        let manifest = lines.field("manifest")?.digest()?;
        let commitment = lines.field("commitment")?.digest()?;
        let time = lines.field("time")?.time()?;
        lines.end()?;
        Ok(Self { manifest, commitment, time })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Document::Receipt.head())?;
        writeln!(f, "manifest {}\ncommitment {}\ntime {}", self.manifest, self.commitment, self.time)
    }
}
