//! Writing a log: bundles and tiles first, the head last, each file whole or not at all. A writer that is stopped anywhere leaves a log that holds.

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
use crate::store::{Folder, Source};
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
        if read(&folder, names::CHECKPOINT, CHECKPOINT_LEN_MAX)?.is_some() {
            return Err(LogFault::Exists);
        }
        let mut log = Self { folder, signer, tree: Tree::default(), open: Vec::new(), last_time: 0 };
        log.append(first)?;
        Ok(log)
    }

    /// Opens a log and checks that its entries are what its head says.
    ///
    /// # Errors
    /// [`LogFault`].
    pub fn open(folder: Folder, signer: S) -> Result<Self, LogFault> {
        let note = read(&folder, names::CHECKPOINT, CHECKPOINT_LEN_MAX)?;
        let note = note.ok_or_else(|| LogFault::Io(names::CHECKPOINT.into(), io::ErrorKind::NotFound.into()))?;
        let head = Checkpoint::read(&note, signer.key()).map_err(LogFault::Head)?;
        if head.size > ENTRIES_MAX {
            return Err(LogFault::Full);
        }
        let mut log = Self { folder, signer, tree: Tree::default(), open: Vec::new(), last_time: 0 };
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
    /// [`LogFault`]; the log is then as it was, but for files that its head does not speak of.
    pub fn append(&mut self, entry: &Entry<'_>) -> Result<u64, LogFault> {
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
        let root = tree.root(size).ok_or_else(|| damaged(names::CHECKPOINT))?;
        let head = Checkpoint { origin: self.signer.key().name().into(), size, root };
        let signature = self.signer.sign(head.to_string().as_bytes());
        put(names::CHECKPOINT, head.note(self.signer.key(), &signature).as_bytes())
    }

    /// The tree so far.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }
}

fn read(folder: &Folder, name: &str, len_max: usize) -> Result<Option<Vec<u8>>, LogFault> {
    folder.read(name, len_max).map_err(|fault| LogFault::Io(name.into(), fault))
}
