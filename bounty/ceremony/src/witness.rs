//! A witness's word: the transcript as a signed note. `docs/ceremony.md` says how to give it with openssl and a shell.

use core::fmt;

use arbiter::note::{Note, VerifierKey};
use arbiter::{Document, Wrong};

use crate::transcript;

/// How a witness gives it: a script for a folder with the transcript in the file `ceremony`. It takes a shell and openssl 3.
pub const SCRIPT: &str = include_str!("../../witness");

/// Why a note is not this witness's word for this transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WitnessFault {
    /// In this line, or as a whole (0), it is no note that the witness has signed.
    Note(u32, Wrong),
    /// What is signed is no transcript.
    Transcript(transcript::TranscriptFault),
    /// What is signed is the transcript of another ceremony.
    Other,
}

impl fmt::Display for WitnessFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(0, wrong) => write!(f, "note: {wrong}"),
            Self::Note(line, wrong) => write!(f, "note: line {line}: {wrong}"),
            Self::Transcript(fault) => write!(f, "transcript: {fault}"),
            Self::Other => f.write_str("transcript: it is of another ceremony than this"),
        }
    }
}

impl core::error::Error for WitnessFault {}

/// Whether this note is the witness's word for that transcript.
///
/// # Errors
/// [`WitnessFault`].
pub fn check(note: &[u8], transcript: &[u8], witness: &VerifierKey) -> Result<(), WitnessFault> {
    // The document's name is only for messages, and these are our own.
    let opened = Note::parse(Document::Checkpoint, note).and_then(|note| note.open(witness).map(<[u8]>::to_vec));
    let text = opened.map_err(|fault| WitnessFault::Note(fault.place.line, fault.wrong))?;
    transcript::check(&text).map_err(WitnessFault::Transcript)?;
    if text == transcript { Ok(()) } else { Err(WitnessFault::Other) }
}
