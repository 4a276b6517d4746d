//! What is kept of sessions and restarts: files in a folder, bounded by number and bytes, the oldest out first.
//!
//! The three kinds have bounds of their own, so that no number of sessions pushes out what led to a restart. Room is made before a file is written, so that the bounds hold at every moment; a file has its
//! name only once it is whole. What stands in the files is the caller's.

use core::fmt;
use std::collections::VecDeque;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use arbiter::Digest;

use crate::limits::{EVIDENCE_FILES_MAX, EVIDENCE_LEN_MAX};

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceKind {
    /// Of the public link: its frames, as pcapng. The same holds for it.
    Capture,
    /// Of sessions: what was spoken. After a power cut the last ones may be short.
    Trace,
    /// What led to a restart. It is on the disk when [`Evidence::keep`] returns.
    Restart,
}

/// How much of a kind is kept at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Files; at most [`EVIDENCE_FILES_MAX`].
    pub files: usize,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// A file that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name in the folder.
    pub name: String,
    /// Of its bytes.
    pub digest: Digest,
}

/// Why something was not kept.
#[derive(Debug)]
pub enum EvidenceFault {
    /// The file or folder.
    Io(PathBuf, io::Error),
    /// It is longer than all of its kind may be together, or than [`EVIDENCE_LEN_MAX`].
    TooLong {
        /// At most, in bytes.
        max: u64,
    },
    /// None of its kind are to be kept.
    NoRoom,
    /// There are more files in the folder than it ever holds.
    TooMany(PathBuf),
    /// The numbers are used up.
    Numbers,
}

impl fmt::Display for EvidenceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, fault) => write!(f, "{}: {fault}", path.display()),
            Self::TooLong { max } => write!(f, "evidence: longer than {max} bytes"),
            Self::NoRoom => f.write_str("evidence: none of this kind is to be kept"),
            Self::TooMany(path) => write!(f, "{}: holds more files than evidence ever does: name a folder for it alone", path.display()),
            Self::Numbers => f.write_str("evidence: a file has the last number that there is: move it away"),
        }
    }
}

impl core::error::Error for EvidenceFault {}

/// See the module.
#[derive(Debug)]
pub struct Evidence {
    dir: PathBuf,
    captures: Pile,
    traces: Pile,
    restarts: Pile,
    next: u64,
}

/// The files of one kind, the oldest in front.
#[derive(Debug)]
struct Pile {
    bounds: Bounds,
    files: VecDeque<Held>,
    bytes: u64,
}

#[derive(Debug)]
struct Held {
    number: u64,
    name: String,
    len: u64,
}

/// What a file is called until it is whole.
const DRAFT: &str = "draft.new";

impl EvidenceKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Trace => "trace",
            Self::Restart => "restart",
        }
    }

    /// The kind and number that a name says; what is called otherwise is not ours.
    fn of(name: &str) -> Option<(Self, u64)> {
        let mut parts = name.split('-');
        let (kind, number, time) = (parts.next()?, parts.next()?, parts.next()?);
        let kind = [Self::Capture, Self::Trace, Self::Restart].into_iter().find(|known| known.word() == kind)?;
        let (number, time): (u64, u64) = (number.parse().ok()?, time.parse().ok()?);
        (parts.next().is_none() && name == self::name(kind, number, time)).then_some((kind, number))
    }
}

fn name(kind: EvidenceKind, number: u64, time: u64) -> String {
    format!("{}-{number:020}-{time}", kind.word())
}

impl Evidence {
    /// Opens a folder, which is made (mode 0700) if it is not there. What it holds too much of goes, the oldest first; what is not called like evidence is left alone.
    ///
    /// # Errors
    /// [`EvidenceFault`].
    pub fn open(dir: &Path, captures: Bounds, traces: Bounds, restarts: Bounds) -> Result<Self, EvidenceFault> {
        let io = |fault| EvidenceFault::Io(dir.into(), fault);
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io)?;
        remove(&dir.join(DRAFT))?;
        let pile = |bounds| Pile { bounds, files: VecDeque::new(), bytes: 0 };
        let mut evidence = Self { dir: dir.into(), captures: pile(captures), traces: pile(traces), restarts: pile(restarts), next: 0 };
        let mut found = evidence.found()?;
        found.sort_unstable_by_key(|(_, held)| held.number);
        if let Some((_, last)) = found.last() {
            evidence.next = last.number.checked_add(1).ok_or(EvidenceFault::Numbers)?;
        }
        for (kind, held) in found {
            evidence.pile(kind).hold(held);
        }
        evidence.captures.make_room(dir, 0, 0)?;
        evidence.traces.make_room(dir, 0, 0)?;
        evidence.restarts.make_room(dir, 0, 0)?;
        Ok(evidence)
    }

    fn found(&self) -> Result<Vec<(EvidenceKind, Held)>, EvidenceFault> {
        let io = |fault| EvidenceFault::Io(self.dir.clone(), fault);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(io)? {
            let entry = entry.map_err(io)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Some((kind, number)) = EvidenceKind::of(&name) else { continue };
            if found.len() >= 3 * EVIDENCE_FILES_MAX {
                return Err(EvidenceFault::TooMany(self.dir.clone()));
            }
            let len = entry.metadata().map_err(io)?.len();
            found.push((kind, Held { number, name, len }));
        }
        Ok(found)
    }

    const fn pile(&mut self, kind: EvidenceKind) -> &mut Pile {
        match kind {
            EvidenceKind::Capture => &mut self.captures,
            EvidenceKind::Trace => &mut self.traces,
            EvidenceKind::Restart => &mut self.restarts,
        }
    }

    /// Keeps bytes, and lets the oldest of their kind go where there is no room.
    ///
    /// # Errors
    /// [`EvidenceFault`]; the bytes are then not kept.
    pub fn keep(&mut self, kind: EvidenceKind, now: u64, bytes: &[u8]) -> Result<Kept, EvidenceFault> {
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let number = self.next;
        let after = number.checked_add(1).ok_or(EvidenceFault::Numbers)?;
        let dir = self.dir.clone();
        let pile = self.pile(kind);
        pile.fits(len)?;
        pile.make_room(&dir, 1, len)?;
        let name = name(kind, number, now);
        let (draft, path) = (dir.join(DRAFT), dir.join(&name));
        let written = write(&draft, bytes, kind).and_then(|()| fs::rename(&draft, &path)).and_then(|()| settle(&dir, kind));
        if let Err(fault) = written {
            // Whichever of the two is there.
            remove(&draft)?;
            remove(&path)?;
            return Err(EvidenceFault::Io(path, fault));
        }
        pile.hold(Held { number, name: name.clone(), len });
        self.next = after;
        Ok(Kept { name, digest: Digest::of(&[bytes]) })
    }

    /// The names of what is kept of a kind, the oldest first.
    pub fn names(&mut self, kind: EvidenceKind) -> impl Iterator<Item = &str> {
        self.pile(kind).files.iter().map(|held| held.name.as_str())
    }
}

impl Pile {
    fn files_max(&self) -> usize {
        self.bounds.files.min(EVIDENCE_FILES_MAX)
    }

    fn fits(&self, len: u64) -> Result<(), EvidenceFault> {
        let max = self.bounds.bytes.min(EVIDENCE_LEN_MAX);
        if self.files_max() == 0 {
            return Err(EvidenceFault::NoRoom);
        }
        if len > max { Err(EvidenceFault::TooLong { max }) } else { Ok(()) }
    }

    fn hold(&mut self, held: Held) {
        self.bytes = self.bytes.saturating_add(held.len);
        self.files.push_back(held);
    }

    fn make_room(&mut self, dir: &Path, files: usize, len: u64) -> Result<(), EvidenceFault> {
        while self.files.len().saturating_add(files) > self.files_max() || self.bytes.saturating_add(len) > self.bounds.bytes {
            let Some(oldest) = self.files.front() else { return Ok(()) };
            remove(&dir.join(&oldest.name))?;
            self.bytes = self.bytes.saturating_sub(oldest.len);
            self.files.pop_front();
        }
        Ok(())
    }
}

fn write(draft: &Path, bytes: &[u8], kind: EvidenceKind) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(bytes)?;
    if kind == EvidenceKind::Restart { file.sync_all() } else { Ok(()) }
}

fn settle(dir: &Path, kind: EvidenceKind) -> io::Result<()> {
    if kind == EvidenceKind::Restart { fs::File::open(dir)?.sync_all() } else { Ok(()) }
}

fn remove(path: &Path) -> Result<(), EvidenceFault> {
    match fs::remove_file(path) {
        Err(fault) if fault.kind() != ErrorKind::NotFound => Err(EvidenceFault::Io(path.into(), fault)),
        _ => Ok(()),
    }
}
