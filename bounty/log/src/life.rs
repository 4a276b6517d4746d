//! What a contest's log must tell beside being whole: that the documents in it are signed by whom they must be, that time goes on, and that no sign of life is missing.

use std::collections::BTreeSet;

use arbiter::commitment::{Opening, commit};
use arbiter::crash::Crash;
use arbiter::manifest::Manifest;
use arbiter::note::VerifierKey;
use arbiter::possession::{Asked, Possession};
use arbiter::receipt::Receipt;
use arbiter::{Claim, Digest, Document, Tier};

use crate::change::Promise;
use crate::check::Report;
use crate::entry::{Entry, Kind};
use crate::limits::{AHEAD_MAX, HEARTBEAT_MAX};
use crate::names;
use crate::reveal::Reveal;
use crate::tree::Tree;

/// Looks at every entry.
pub(crate) fn check(tree: &Tree, log: &VerifierKey, operator: &VerifierKey, report: &mut Report) {
    let entries = core::mem::take(&mut report.entries);
    follow(&entries, tree, (log, operator), report);
    report.entries = entries;
}

fn follow(entries: &[Vec<u8>], tree: &Tree, (log, operator): (&VerifierKey, &VerifierKey), report: &mut Report) {
    let Some(manifest) = promise(entries, log, operator, report) else { return };
    let mut story =
        Story { promise: Promise::first(manifest), keys: (log, operator), time: 0, alive: None, cells: 0, receipts: BTreeSet::new() };
    for (number, bytes) in (0_u64..).zip(entries) {
        let place = || format!("entry {number}");
        match Entry::parse(bytes) {
            Ok(entry) => story.goes_on(&entry, number, tree, report),
            Err(fault) => report.add("entry", place(), fault),
        }
    }
}

/// Looks at the entries' times, as they are told, by another clock. A proof that does not hold is no matter here: it is a finding of its own.
pub(crate) fn until(now: u64, report: &mut Report) {
    let entries = core::mem::take(&mut report.entries);
    let told = || (0_u64..).zip(&entries).filter_map(|(number, bytes)| Some((number, Entry::parse(bytes).ok()?)));
    // Signs of life that were made in advance would cover a silence that is yet to come.
    if let Some((number, entry)) = told().find(|(_, entry)| entry.time > now.saturating_add(AHEAD_MAX)) {
        report.add("ahead", format!("entry {number}"), format_args!("its time is {} s after {now}", entry.time.saturating_sub(now)));
    }
    let alive = told().fold(None, |alive, (_, entry)| match entry.kind {
        Kind::Start | Kind::Heartbeat => Some(entry.time),
        Kind::Stop => None,
        _ => alive,
    });
    if let Some(silence) = alive.map(|alive| now.saturating_sub(alive)).filter(|silence| *silence > HEARTBEAT_MAX) {
        let message = format_args!(
            "there was no sign of life for {silence} s before {now}: the box is silent, or the log has gone on without this copy"
        );
        report.add("silent", names::CHECKPOINT, message);
    }
    report.entries = entries;
}

/// The manifest: nothing that follows means anything without it.
fn promise<'e>(entries: &'e [Vec<u8>], log: &VerifierKey, operator: &VerifierKey, report: &mut Report) -> Option<Manifest<'e>> {
    let first = entries.first().map(|bytes| Entry::parse(bytes));
    let Some(Ok(Entry { kind: Kind::Manifest, document, .. })) = first else {
        report.add("first", "entry 0", "a log begins with its contest's manifest");
        return None;
    };
    match Manifest::read(document, operator) {
        Ok(manifest) if manifest.log == *log => Some(manifest),
        Ok(manifest) => {
            report.add("manifest", "entry 0", format_args!("the manifest names another log's key: {}", manifest.log));
            None
        }
        Err(fault) => {
            report.add("manifest", "entry 0", fault);
            None
        }
    }
}

/// What is known up to an entry.
struct Story<'a> {
    /// The version in force.
    promise: Promise<'a>,
    /// The log's, and the operator's.
    keys: (&'a VerifierKey, &'a VerifierKey),
    time: u64,
    /// The last sign of life, while the box is to serve.
    alive: Option<u64>,
    /// Cells that have ended.
    cells: u64,
    /// The texts of the receipts so far.
    receipts: BTreeSet<Digest>,
}

impl<'a> Story<'a> {
    fn goes_on(&mut self, entry: &Entry<'a>, number: u64, tree: &Tree, report: &mut Report) {
        let place = format!("entry {number}");
        if entry.time < self.time {
            report.add(
                "time",
                place.clone(),
                format_args!("its time is {} s before that of the one before", self.time.saturating_sub(entry.time)),
            );
        }
        if let Some(alive) = self.alive.filter(|alive| entry.time.saturating_sub(*alive) > HEARTBEAT_MAX) {
            report.add(
                "silent",
                place.clone(),
                format_args!("there was no sign of life for {} s before it", entry.time.saturating_sub(alive)),
            );
        }
        let told = match entry.kind {
            Kind::Manifest if number == 0 => Ok(()),
            Kind::Manifest => Err("a log has one manifest".into()),
            Kind::Start | Kind::Stop => empty(entry.document),
            Kind::Heartbeat => self.heartbeat(entry, number, tree).map(|proven| lacking(&proven, &place, report)),
            Kind::Restart => self.restart(entry.document),
            Kind::Commitment => self.commitment(entry),
            Kind::Claim => self.claim(entry.document),
            Kind::Rules => self.changed(entry),
        };
        if let Err(message) = told {
            report.add(entry.kind.name(), place, message);
        }
        self.time = entry.time;
        self.alive = match entry.kind {
            Kind::Start | Kind::Heartbeat => Some(entry.time),
            Kind::Stop => None,
            _ => self.alive.map(|alive| if entry.time.saturating_sub(alive) > HEARTBEAT_MAX { entry.time } else { alive }),
        };
    }

    /// The operator has changed what is promised: from here on the new version is what others must name.
    fn changed(&mut self, entry: &Entry<'a>) -> Result<(), String> {
        let followed = self.promise.follow_at(entry.document, self.keys.1, entry.time);
        (self.promise, _) = followed.map_err(|fault| fault.to_string())?;
        Ok(())
    }

    /// It can be read, and what it was committed to stands in the log before it.
    fn claim(&self, document: &[u8]) -> Result<(), String> {
        let reveal = Reveal::of(document);
        let claim = Claim::parse(reveal.claim).map_err(|fault| fault.to_string())?;
        let Some((receipt, opening)) = reveal.commitment else { return Ok(()) };
        let receipt = Receipt::read(receipt, self.keys.0).map_err(|fault| fault.to_string())?;
        let opening = Opening::parse(opening).map_err(|fault| fault.to_string())?;
        if receipt.manifest != claim.body.manifest {
            return Err("its receipt names another manifest than the claim".into());
        }
        if receipt.commitment != commit(reveal.claim, &opening.write_up, &opening.salt) {
            return Err("its receipt is of another commitment than its opening makes".into());
        }
        if self.receipts.contains(&of(&receipt)) { Ok(()) } else { Err("there is no commitment with its receipt before it".into()) }
    }

    /// Proofs of the log's root before it, each flag once. Says whose.
    fn heartbeat(&self, entry: &Entry<'_>, number: u64, tree: &Tree) -> Result<Vec<Tier>, String> {
        let nonce = tree.root(number).ok_or("it is not in the log")?.0;
        let mut seen: Vec<Tier> = Vec::new();
        for proof in proofs(entry.document) {
            let possession = Possession::parse(proof).map_err(|fault| fault.to_string())?;
            let tier = possession.body.tier;
            if seen.contains(&tier) {
                return Err(format!("two proofs of {}", tier.name()));
            }
            seen.push(tier);
            let asked = Asked { tier, nonce, times: self.time..=entry.time };
            possession.answers(&asked, &self.promise.manifest).map_err(|fault| fault.to_string())?;
        }
        if seen.is_empty() { Err("it has no proof of possession".into()) } else { Ok(seen) }
    }

    /// The tender's word for the next of its cells that ended.
    fn restart(&mut self, document: &[u8]) -> Result<(), String> {
        let crash = Crash::parse(document).map_err(|fault| fault.to_string())?;
        if crash.body.manifest != self.promise.manifest.digest() {
            return Err("its crash record is of another contest".into());
        }
        let key = &self.promise.manifest.flag(Tier::Down).key;
        key.verify(crash.seal.message, &crash.seal.bytes).map_err(|wrong| wrong.to_string())?;
        let wanted = core::mem::replace(&mut self.cells, crash.body.cell.saturating_add(1));
        if crash.body.cell >= wanted { Ok(()) } else { Err(format!("cell {} has ended before", crash.body.cell)) }
    }

    fn commitment(&mut self, entry: &Entry<'_>) -> Result<(), String> {
        let receipt = Receipt::read(entry.document, self.keys.0).map_err(|fault| fault.to_string())?;
        if receipt.manifest != self.promise.manifest.digest() {
            return Err("its receipt is of another contest".into());
        }
        self.receipts.insert(of(&receipt));
        if receipt.time == entry.time { Ok(()) } else { Err("its receipt has another time than the entry".into()) }
    }
}

/// A box that is as it was promised proves all of its flags, or while a cell is brought back none. Fewer are a sign of life, but of the others it shows nothing.
fn lacking(proven: &[Tier], place: &str, report: &mut Report) {
    let missing: Vec<String> = Tier::ALL.iter().filter(|tier| !proven.contains(tier)).map(|tier| format!("`{tier}`")).collect();
    if !missing.is_empty() {
        report.add("incomplete", place, format_args!("it has no proof of {}", missing.join(", ")));
    }
}

/// What a receipt says, whoever else has signed it.
fn of(receipt: &Receipt) -> Digest {
    Digest::of(&[receipt.to_string().as_bytes()])
}

fn empty(document: &[u8]) -> Result<(), String> {
    if document.is_empty() { Ok(()) } else { Err("it has a document where there is none to have".into()) }
}

/// The proofs in a heartbeat, one behind the other: each begins with the first line of one.
pub fn proofs(document: &[u8]) -> impl Iterator<Item = &[u8]> {
    let head = format!("{}\n", Document::Possession.head());
    let mut rest = document;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let next =
            rest.windows(head.len()).skip(1).position(|window| window == head.as_bytes()).map_or(rest.len(), |at| at.saturating_add(1));
        let (proof, behind) = rest.split_at(next);
        rest = behind;
        Some(proof)
    })
}
