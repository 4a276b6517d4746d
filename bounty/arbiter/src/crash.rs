//! The crash record: what a box says of a cell that ended and should not have, signed by the flag key of `down`, which its supervisor holds and nobody is to find.

use alloc::vec::Vec;
use core::fmt;

use crate::digest::Digest;
use crate::fault::{Document, Fault, Place, Wrong};
use crate::key::Ed25519Key;
use crate::limits::{CLAIMANT_LEN_MAX, CRASH_CLAIMANTS_MAX, CRASH_LEN_MAX, DETAIL_LEN_MAX};
use crate::lines::{Lines, Seal};

/// A crash record whose form is right. Its signature has not been looked at yet.
#[derive(Debug, Clone)]
pub struct Crash<'a> {
    /// What it says.
    pub body: Body<'a>,
    /// The signature of it.
    pub seal: Seal<'a>,
}

/// What a crash record says. It prints as the message that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body<'a> {
    /// The contest.
    pub manifest: Digest,
    /// Which of the contest's cells it was: the first is 0.
    pub cell: u64,
    /// When it ended, in seconds since 1970, by the box's clock.
    pub time: u64,
    /// How it ended.
    pub ending: Ending,
    /// The same in more words.
    pub detail: &'a str,
    /// Of what was kept of the time before it: a recording or a capture.
    pub evidence: Digest,
    /// Who had announced themselves and was sending when it ended, in ascending order: `ed25519:` and the key in base64. The arbiter takes the box's word for it.
    pub claimants: Vec<&'a str>,
}

/// How a cell ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By a fault of the processor.
    Crash,
    /// It did not come back in time.
    Hung,
    /// It gave up by itself.
    Exit,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Crash, Self::Hung, Self::Exit];

    /// Its name in the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Hung => "hung",
            Self::Exit => "exit",
        }
    }
}

impl<'a> Crash<'a> {
    /// Reads a crash record.
    ///
    /// # Errors
    /// Says what is wrong with its form, and where.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut lines = Lines::begin(Document::Crash, bytes, CRASH_LEN_MAX)?;
        let body = Body::parse(&mut lines)?;
        Ok(Self { body, seal: lines.seal(bytes)? })
    }
}

impl<'a> Body<'a> {
    /// Where the contest stands in it, for who finds it to be another.
    pub(crate) const MANIFEST: Place = Place { document: Document::Crash, line: 2, field: "manifest" };
    /// Where the time stands.
    pub(crate) const TIME: Place = Place { document: Document::Crash, line: 4, field: "time" };

    fn parse(lines: &mut Lines<'a>) -> Result<Self, Fault> {
        let manifest = lines.field("manifest")?.digest()?;
        let cell = lines.field("cell")?.number()?;
        let time = lines.field("time")?.time()?;
        let ending = lines.field("ending")?;
        let ending = Ending::ALL.into_iter().find(|known| known.name() == ending.text).ok_or_else(|| ending.wrong(Wrong::Ending))?;
        let detail = lines.field("detail")?.words(DETAIL_LEN_MAX)?;
        let evidence = lines.field("evidence")?.digest()?;
        Ok(Self { manifest, cell, time, ending, detail, evidence, claimants: claimants(lines)? })
    }
}

fn claimants<'a>(lines: &mut Lines<'a>) -> Result<Vec<&'a str>, Fault> {
    let mut claimants = Vec::new();
    while lines.is_next("claimant") {
        let value = lines.field("claimant")?;
        let claimant = value.words(CLAIMANT_LEN_MAX)?;
        if claimants.len() == CRASH_CLAIMANTS_MAX {
            return Err(value.wrong(Wrong::CrashClaimants));
        }
        if Ed25519Key::from_claimant(claimant).is_none() {
            return Err(value.wrong(Wrong::NotEd25519));
        }
        if claimants.last().is_some_and(|last| *last >= claimant) {
            return Err(value.wrong(Wrong::Ascending));
        }
        claimants.push(claimant);
    }
    Ok(claimants)
}

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Document::Crash.head())?;
        writeln!(f, "manifest {}\ncell {}\ntime {}\nending {}", self.manifest, self.cell, self.time, self.ending.name())?;
        writeln!(f, "detail {}\nevidence {}", self.detail, self.evidence)?;
        self.claimants.iter().try_for_each(|claimant| writeln!(f, "claimant {claimant}"))
    }
}
