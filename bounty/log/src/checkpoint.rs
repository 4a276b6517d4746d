//! The head of a log: its name, its size and its root, signed (<https://c2sp.org/tlog-checkpoint>).

use core::fmt;

use arbiter::note::{Note, VerifierKey};
use arbiter::{Digest, Document, Fault, Wrong};
use tlog_tiles::Hash;

/// A head that a log's key has signed. It prints as the text that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, which is its key's.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// RFC 6962's root of them.
    pub root: Digest,
}

impl Checkpoint {
    /// Reads a checkpoint's note, which this key must have signed. Lines behind the third are for others.
    ///
    /// # Errors
    /// Says what is wrong, and where.
    pub fn read(bytes: &[u8], key: &VerifierKey) -> Result<Self, Fault> {
        let text = Note::parse(Document::Checkpoint, bytes)?.open(key)?;
        let form = |line, field| arbiter::fault::Place { document: Document::Checkpoint, line, field }.wrong(Wrong::CheckpointForm);
        let head = tlog_tiles::Checkpoint::from_bytes(text).map_err(|_| form(0, ""))?;
        if head.origin() != key.name() {
            return Err(form(1, "origin"));
        }
        let Hash(root) = *head.hash();
        Ok(Self { origin: head.origin().into(), size: head.size(), root: Digest(root) })
    }

    /// The note, with the signature that the key made of what this prints.
    #[must_use]
    pub fn note(&self, key: &VerifierKey, signature: &[u8; 64]) -> String {
        format!("{self}\n{}", key.line(signature))
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, Hash(self.root.0))
    }
}
