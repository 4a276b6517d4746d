//! An order that is good, and a folder of it.

use std::path::PathBuf;

use arbiter::wallet::Network;
use arbiter::{Digest, Tier};
use ceremony::{Folder, Minted, Mode, Order, Page, Ports, Program, mint};
use tempfile::TempDir;

/// When the tests mint.
pub(crate) const NOW: u64 = 1_799_900_000;
/// When their contest begins.
pub(crate) const START: u64 = 1_800_000_000;
/// When it ends.
pub(crate) const END: u64 = 1_831_536_000;

/// What the page is called.
pub(crate) fn names() -> Vec<String> {
    vec!["Bounty.example.test".into(), "127.0.0.1".into()]
}

/// An order.
pub(crate) fn order(names: &[String], mode: Mode) -> Order<'_> {
    let digest = |label: &str| Digest::of(&[label.as_bytes()]);
    Order {
        name: "Test contest",
        names,
        page: Page::Minted,
        ports: Ports { server: 4433, call_back: 4434, dials: 4435, reverse: 4436 },
        start: START,
        end: END,
        prizes: ["honour"; Tier::ALL.len()],
        rules: "Break it.\n",
        image: digest("image"),
        tender: digest("tender"),
        source: "0123456789abcdef0123456789abcdef01234567",
        configuration: digest("configuration"),
        program: Program { version: "0.1.0", digest: digest("program") },
        network: Network::Regtest,
        mode,
        now: NOW,
    }
}

/// A contest in memory.
pub(crate) fn minted(mode: Mode) -> Minted {
    mint(&order(&names(), mode)).expect("a good order")
}

/// A contest on a disk.
pub(crate) struct Written {
    /// It goes when this goes.
    _dir: TempDir,
    pub(crate) path: PathBuf,
}

/// Mints and writes.
pub(crate) fn written(mode: Mode) -> Written {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("contest");
    minted(mode).write(&path).expect("written");
    Written { _dir: dir, path }
}

impl Written {
    /// Reads it.
    pub(crate) fn open(&self) -> Folder {
        Folder::open(&self.path).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// Every file with its bytes, sorted.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
                if entry.is_dir() {
                    folders.push(entry);
                } else {
                    let name = entry.strip_prefix(&self.path).expect("inside").to_str().expect("text").to_owned();
                    files.push((name, std::fs::read(&entry).expect("a file")));
                }
            }
        }
        files.sort();
        files
    }
}
