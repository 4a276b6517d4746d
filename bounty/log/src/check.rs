//! Checking a log as somebody who trusts two keys and what he has seen before, and nothing that stands in its files.
//!
//! All of it is read: every entry is hashed anew, so a tile that lies is found even where the head is sound. What a log cannot show of itself is that it was another one once; that takes
//! an earlier head, which anybody may have kept: a log that has shrunk, or has another past, is found by it. Nor does it show that it goes on: that takes the time ([`check_at`]).

use core::fmt;

use arbiter::note::VerifierKey;
use arbiter::{Digest, Fault};

use crate::bundle;
use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::life;
use crate::limits::{CHECKPOINT_LEN_MAX, ENTRIES_MAX, FINDINGS_MAX, TILE_WIDTH};
use crate::names;
use crate::store::Source;
use crate::tree::Tree;

/// Whom and what the checker trusts.
#[derive(Debug, Clone)]
pub struct Trust<'a> {
    /// The log's key.
    pub log: &'a VerifierKey,
    /// The operator's, who signs the manifest; the entries' documents are not looked at without it.
    pub operator: Option<&'a VerifierKey>,
    /// Heads that were seen before, each with what it is called.
    pub earlier: Vec<(String, Vec<u8>)>,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The head, if it is one.
    pub head: Option<Checkpoint>,
    /// The entries as they stand there.
    pub entries: Vec<Vec<u8>>,
    /// What is wrong; nothing if the log holds.
    pub findings: Vec<Finding>,
    /// How much is: more than [`FINDINGS_MAX`] are not told one by one.
    pub count: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A word for it, which never changes its meaning.
    pub code: &'static str,
    /// The file, or the entry by its number.
    pub place: String,
    /// In words.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.place, self.message, self.code)
    }
}

impl Report {
    pub(crate) fn add(&mut self, code: &'static str, place: impl Into<String>, message: impl fmt::Display) {
        self.count = self.count.saturating_add(1);
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { code, place: place.into(), message: message.to_string() });
        }
    }

    /// Whether the log holds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.count == 0
    }

    /// The last entry's time, if all that the head speaks of was read, and that is an entry.
    #[must_use]
    pub fn last_time(&self) -> Option<u64> {
        self.entries.last().filter(|_| self.is_whole()).and_then(|bytes| Entry::parse(bytes).ok()).map(|entry| entry.time)
    }

    fn is_whole(&self) -> bool {
        self.head.as_ref().is_some_and(|head| u64::try_from(self.entries.len()) == Ok(head.size))
    }
}

/// Reads and checks all of a log that was as it is at `now`, in seconds since 1970. One that was to go on and did not is `silent`: nothing else shows a log that is served as it once was.
pub fn check_at(source: &impl Source, trust: &Trust<'_>, now: u64) -> Report {
    let mut report = check(source, trust);
    if report.is_whole() {
        life::until(now, &mut report);
    }
    report
}

/// Reads and checks all of a log, for whoever does not ask whether it goes on.
pub fn check(source: &impl Source, trust: &Trust<'_>) -> Report {
    let mut report = Report::default();
    let Some(head) = head(source, trust.log, &mut report) else { return report };
    report.head = Some(head.clone());
    if head.size > ENTRIES_MAX {
        report.add("size", names::CHECKPOINT, format_args!("it speaks of {} entries, and {ENTRIES_MAX} are the most", head.size));
        return report;
    }
    if !entries(source, head.size, &mut report) {
        return report;
    }
    let tree = Tree::of(&report.entries);
    if tree.root(head.size) != Some(head.root) {
        report.add("root", names::CHECKPOINT, "its root is not that of the entries: one was altered, removed, added or moved");
    }
    tiles(source, &tree, &mut report);
    earlier(trust, &tree, &head, &mut report);
    if let Some(operator) = trust.operator {
        life::check(&tree, trust.log, operator, &mut report);
    }
    report
}

fn head(source: &impl Source, key: &VerifierKey, report: &mut Report) -> Option<Checkpoint> {
    let bytes = match source.read(names::CHECKPOINT, CHECKPOINT_LEN_MAX) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            report.add("missing", names::CHECKPOINT, "there is no such file");
            return None;
        }
        Err(fault) => {
            report.add("unreadable", names::CHECKPOINT, fault);
            return None;
        }
    };
    match Checkpoint::read(&bytes, key) {
        Ok(head) => Some(head),
        Err(fault) => {
            report.add("checkpoint", place(names::CHECKPOINT, &fault), fault.wrong);
            None
        }
    }
}

fn place(file: &str, fault: &Fault) -> String {
    if fault.place.line > 0 { format!("{file}:{}", fault.place.line) } else { file.into() }
}

/// Reads the entries. Returns whether all are there.
fn entries(source: &impl Source, size: u64, report: &mut Report) -> bool {
    for tile in names::bundles(size) {
        let name = names::of(&tile);
        let bytes = match source.read(&name, bundle::LEN_MAX) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                report.add("missing", name, "there is no such file");
                return false;
            }
            Err(fault) => {
                report.add("unreadable", name, fault);
                return false;
            }
        };
        let count = usize::try_from(tile.width()).unwrap_or(TILE_WIDTH);
        let Some(entries) = bundle::decode(&bytes, count) else {
            report.add("bundle", name, format_args!("it does not hold {count} entries and nothing else"));
            return false;
        };
        report.entries.extend(entries.into_iter().map(<[u8]>::to_vec));
    }
    true
}

fn tiles(source: &impl Source, tree: &Tree, report: &mut Report) {
    for tile in names::hashes(tree.size()) {
        let name = names::of(&tile);
        let wanted = tree.tile(&tile).unwrap_or_default();
        match source.read(&name, wanted.len()) {
            Ok(Some(bytes)) if bytes == wanted => {}
            Ok(Some(_)) => report.add("tile", name, "its hashes are not those of the entries"),
            Ok(None) => report.add("missing", name, "there is no such file"),
            Err(fault) => report.add("unreadable", name, fault),
        }
    }
}

/// Whether the log was once what it was seen to be.
fn earlier(trust: &Trust<'_>, tree: &Tree, head: &Checkpoint, report: &mut Report) {
    for (name, bytes) in &trust.earlier {
        let seen = match Checkpoint::read(bytes, trust.log) {
            Ok(seen) => seen,
            Err(fault) => {
                report.add("earlier", place(name, &fault), fault.wrong);
                continue;
            }
        };
        let was: Option<Digest> = tree.root(seen.size);
        if seen.size > head.size {
            report.add("rolled-back", name, format_args!("the log had {} entries then, and has {} now", seen.size, head.size));
        } else if was != Some(seen.root) {
            report.add("forked", name, format_args!("the log's first {} entries were others then: its past was rewritten", seen.size));
        }
    }
}
