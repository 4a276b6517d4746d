//! Writing a log: bundles and tiles first, the head last, each file whole or not at all. A writer that is stopped anywhere leaves a log that holds.
//!
//! What is signed once is never signed otherwise: two heads of one size would be a fork. So a head is on the disk, under a name that nobody reads, before it gets its own, and whoever opens the log next
//! finishes what was begun ([`settle`]); and a log that cannot know whether its head was written appends nothing more.

use core::fmt;
use std::io;

use arbiter::Fault;
use arbiter::note::VerifierKey;
use tlog_tiles::Tile;

use crate::bundle;
use crate::checkpoint::Checkpoint;
use crate::entry::{Entry, EntryFault};
use crate::limits::{CHECKPOINT_LEN_MAX, ENTRIES_MAX, TILE_WIDTH};
use crate::names;
use crate::store::{self, Folder, Source};
use crate::tree::Tree;

/// Whoever holds the log's key.
pub trait Signer {
    /// The public half, with the log's name.
    fn key(&self) -> &VerifierKey;
    /// Signs.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// A log that grows.
#[derive(Debug)]
pub struct Log<S> {
    folder: Folder,
    signer: S,
    tree: Tree,
    /// The entries of the last bundle, if it is not full.
    open: Vec<Vec<u8>>,
    last_time: u64,
    /// A head was signed, and whether it was written is not known.
    is_torn: bool,
}

/// Why a log cannot be opened or written.
#[derive(Debug)]
pub enum LogFault {
    /// A file.
    Io(String, io::Error),
    /// A log stands there already.
    Exists,
    /// The head is not this key's, or is none.
    Head(Fault),
    /// The files are not what the head says.
    Damaged(String),
    /// It is as long as it may get.
    Full,
    /// The entry.
    Entry(EntryFault),
    /// The entry is older than the last one.
    Time {
        /// The last one's.
        last: u64,
    },
    /// A head could not be written, and may stand there all the same.
    Torn,
}

impl fmt::Display for LogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(name, fault) => write!(f, "{name}: {fault}"),
            Self::Exists => write!(f, "a log stands here already"),
            Self::Head(fault) => write!(f, "{fault}"),
            Self::Damaged(name) => write!(f, "{name}: it is not what the checkpoint says; `log verify` tells more"),
            Self::Full => write!(f, "it has {ENTRIES_MAX} entries and takes no more"),
            Self::Entry(fault) => write!(f, "the entry: {fault}"),
            Self::Time { last } => write!(f, "the entry: its time is before that of the last one, {last}"),
            Self::Torn => write!(
                f,
                "a head could not be written, and may be read by others all the same: the log takes no more until it is opened anew"
            ),
        }
    }
}

impl core::error::Error for LogFault {}

impl<S: Signer> Log<S> {
    /// Begins a log with its first entry.
    ///
    /// # Errors
    /// [`LogFault`].
    pub fn begin(folder: Folder, signer: S, first: &Entry<'_>) -> Result<Self, LogFault> {
        settle(&folder, signer.key())?;
        if read(&folder, names::CHECKPOINT, CHECKPOINT_LEN_MAX)?.is_some() {
            return Err(LogFault::Exists);
        }
        let mut log = Self::empty(folder, signer);
        log.append(first)?;
        Ok(log)
    }

    fn empty(folder: Folder, signer: S) -> Self {
        Self { folder, signer, tree: Tree::default(), open: Vec::new(), last_time: 0, is_torn: false }
    }

    /// Opens a log and checks that its entries are what its head says.
    ///
    /// # Errors
    /// [`LogFault`].
    pub fn open(folder: Folder, signer: S) -> Result<Self, LogFault> {
        settle(&folder, signer.key())?;
        let note = read(&folder, names::CHECKPOINT, CHECKPOINT_LEN_MAX)?;
        let note = note.ok_or_else(|| LogFault::Io(names::CHECKPOINT.into(), io::ErrorKind::NotFound.into()))?;
        let head = Checkpoint::read(&note, signer.key()).map_err(LogFault::Head)?;
        if head.size > ENTRIES_MAX {
            return Err(LogFault::Full);
        }
        let mut log = Self::empty(folder, signer);
        for tile in names::bundles(head.size) {
            log.load(&tile)?;
        }
        if log.tree.root(head.size) == Some(head.root) { Ok(log) } else { Err(LogFault::Damaged(names::CHECKPOINT.into())) }
    }

    fn load(&mut self, tile: &Tile) -> Result<(), LogFault> {
        let name = names::of(tile);
        let damaged = || LogFault::Damaged(name.clone());
        let bytes = read(&self.folder, &name, bundle::LEN_MAX)?.ok_or_else(damaged)?;
        let count = usize::try_from(tile.width()).unwrap_or(TILE_WIDTH);
        let entries = bundle::decode(&bytes, count).ok_or_else(damaged)?;
        for entry in &entries {
            self.tree.append(entry);
            self.last_time = Entry::parse(entry).map_err(|_| damaged())?.time;
        }
        if count < TILE_WIDTH {
            self.open = entries.into_iter().map(<[u8]>::to_vec).collect();
        }
        Ok(())
    }

    /// Adds an entry. Its number is what the log's size was.
    ///
    /// # Errors
    /// [`LogFault`]. If its head could not be written ([`LogFault::Io`] of the checkpoint), whether the entry is in the log is not known before it is opened anew, and until then each further one is
    /// [`LogFault::Torn`]. After any other fault the log is as it was, but for files that its head does not speak of.
    pub fn append(&mut self, entry: &Entry<'_>) -> Result<u64, LogFault> {
        if self.is_torn {
            return Err(LogFault::Torn);
        }
        let number = self.tree.size();
        if number >= ENTRIES_MAX {
            return Err(LogFault::Full);
        }
        if entry.time < self.last_time {
            return Err(LogFault::Time { last: self.last_time });
        }
        let bytes = entry.encode().map_err(LogFault::Entry)?;
        let (mut tree, mut open) = (self.tree.clone(), self.open.clone());
        tree.append(&bytes);
        open.push(bytes);
        self.write(&tree, &open)?;
        self.publish(&tree)?;
        if open.len() >= TILE_WIDTH {
            open.clear();
        }
        (self.tree, self.open, self.last_time) = (tree, open, entry.time);
        Ok(number)
    }

    fn write(&self, tree: &Tree, open: &[Vec<u8>]) -> Result<(), LogFault> {
        let (before, size) = (self.tree.size(), tree.size());
        let put = |name: &str, bytes: &[u8]| self.folder.write(name, bytes).map_err(|fault| LogFault::Io(name.into(), fault));
        let damaged = |name: &str| LogFault::Damaged(name.into());
        for tile in names::grown(before, size) {
            let name = names::of(&tile);
            put(&name, &tree.tile(&tile).ok_or_else(|| damaged(&name))?)?;
            if tile.level() == 0 {
                let mut entries = tile;
                entries.set_is_data();
                let name = names::of(&entries);
                put(&name, &bundle::encode(open).ok_or_else(|| damaged(&name))?)?;
            }
        }
        Ok(())
    }

    /// Signs the head, and shows it. From the signature on until it is known to be on the disk, another head of this size would be a fork.
    fn publish(&mut self, tree: &Tree) -> Result<(), LogFault> {
        let (name, size) = (names::CHECKPOINT, tree.size());
        let root = tree.root(size).ok_or_else(|| LogFault::Damaged(name.into()))?;
        let head = Checkpoint { origin: self.signer.key().name().into(), size, root };
        self.is_torn = true;
        let signature = self.signer.sign(head.to_string().as_bytes());
        let note = head.note(self.signer.key(), &signature);
        self.folder.write_ahead(name, note.as_bytes()).map_err(|fault| LogFault::Io(name.into(), fault))?;
        self.is_torn = false;
        Ok(())
    }

    /// The tree so far.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }
}

/// Finishes what a writer began that was cut off: a head that is signed and whole, and longer than the one that is shown, takes its place. Somebody may have read it before the power went. For whoever
/// alone writes the log, before it is read.
///
/// # Errors
/// [`LogFault`]; then nothing may be appended.
pub fn settle(folder: &Folder, key: &VerifierKey) -> Result<(), LogFault> {
    let name = names::CHECKPOINT;
    let Some(staged) = read(folder, &store::staged(name), CHECKPOINT_LEN_MAX)? else { return Ok(()) };
    // Cut off before it was whole, so before it was shown.
    let Ok(staged) = Checkpoint::read(&staged, key) else { return Ok(()) };
    let shown = read(folder, name, CHECKPOINT_LEN_MAX)?;
    let shown = shown.map(|note| Checkpoint::read(&note, key).map_err(LogFault::Head)).transpose()?;
    if shown.is_some_and(|shown| shown.size >= staged.size) {
        return Ok(());
    }
    folder.publish(name).map_err(|fault| LogFault::Io(name.into(), fault))
}

fn read(folder: &Folder, name: &str, len_max: usize) -> Result<Option<Vec<u8>>, LogFault> {
    folder.read(name, len_max).map_err(|fault| LogFault::Io(name.into(), fault))
}
