//! What happened in a ceremony, one line a step, as a text that witnesses can sign. `docs/ceremony.md` has its form.
//!
//! It holds public halves and digests only. It says what was destroyed, and it says that saying so shows nothing.

use core::fmt;

use arbiter::Digest;
use arbiter::digest::from_hex;

use crate::limits::TRANSCRIPT_LEN_MAX;
use crate::order::Order;
use crate::watch::{Step, Stop, Watch};

/// The first line: the domain of what a witness signs. No document of the arbiter begins so.
pub const HEAD: &str = "bountybox-ceremony 1";

/// The line before the last.
pub const CAVEAT: &str = "note this text cannot show that a key was destroyed, or that there is no copy: who was there can";

/// A transcript that is still written, and who watches.
pub(crate) struct Transcript<'w> {
    text: String,
    now: u64,
    watch: &'w mut dyn Watch,
}

impl<'w> Transcript<'w> {
    /// Begins with what was decided before.
    pub(crate) fn begin(order: &Order<'_>, watch: &'w mut dyn Watch) -> Self {
        let Order { name, mode, program, image, tender, source, configuration, now, start, end, .. } = order;
        let (rules, mode) = (Digest::of(&[order.rules.as_bytes()]), mode.word());
        let text = format!(
            "{HEAD}\nname {name}\nmode {mode}\nprogram {} {}\nimage {image}\ntender {tender}\nsource {source}\n\
             configuration {configuration}\nrules {rules}\nstart {start}\nend {end}\n",
            program.version, program.digest
        );
        Self { text, now: *now, watch }
    }

    /// Something is about to happen, if whoever watches lets it.
    pub(crate) fn before(&mut self, step: Step) -> Result<(), Stop> {
        self.watch.before(step)
    }

    /// Adds what has happened.
    pub(crate) fn step(&mut self, what: fmt::Arguments<'_>) {
        let line = format!("step {} {what}", self.now);
        self.watch.told(&line);
        self.text.push_str(&line);
        self.text.push('\n');
    }

    /// Ends it.
    pub(crate) fn end(mut self) -> String {
        self.text.push_str(CAVEAT);
        self.text.push('\n');
        let digest = Digest::of(&[self.text.as_bytes()]);
        self.text.push_str(&format!("digest {digest}\n"));
        self.text
    }
}

/// Why some bytes are no transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TranscriptFault {
    /// It is longer than [`TRANSCRIPT_LEN_MAX`].
    TooLong,
    /// Something stands in it that is neither printable ASCII nor a line feed, or an empty line.
    Text,
    /// It does not begin with [`HEAD`].
    Head,
    /// It does not end with its digest.
    Digest,
}

impl fmt::Display for TranscriptFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {TRANSCRIPT_LEN_MAX} bytes"),
            Self::Text => f.write_str("holds an empty line, or a character other than printable ASCII"),
            Self::Head => write!(f, "begins with something else than {HEAD:?}"),
            Self::Digest => f.write_str("its last line is not the digest of what stands before it"),
        }
    }
}

impl core::error::Error for TranscriptFault {}

/// Whether this is a whole transcript that nobody has altered by accident; whoever alters it on purpose makes its digest anew, and what is signed is no longer what witnesses signed.
///
/// # Errors
/// [`TranscriptFault`].
pub fn check(bytes: &[u8]) -> Result<&str, TranscriptFault> {
    if bytes.len() > TRANSCRIPT_LEN_MAX {
        return Err(TranscriptFault::TooLong);
    }
    let text = core::str::from_utf8(bytes).map_err(|_| TranscriptFault::Text)?;
    let printable = text.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~'));
    if !printable || text.contains("\n\n") || !text.ends_with('\n') {
        return Err(TranscriptFault::Text);
    }
    if text.lines().next() != Some(HEAD) {
        return Err(TranscriptFault::Head);
    }
    let (before, last) = text.trim_end_matches('\n').rsplit_once('\n').ok_or(TranscriptFault::Digest)?;
    let named = last.strip_prefix("digest ").and_then(from_hex).map(Digest);
    let digest = Digest::of(&[before.as_bytes(), b"\n"]);
    if named == Some(digest) { Ok(text) } else { Err(TranscriptFault::Digest) }
}
