//! A new version of a contest's promise: other rules, prizes or another end, signed with the operator's key. It takes what is published of a contest and no other secret, so it can be made where that key is.

use core::fmt;
use std::path::{Path, PathBuf};

use arbiter::manifest::{Flag, Manifest};
use arbiter::note::VerifierKey;
use arbiter::{Digest, Fault, Tier};
use bounty_log::change::{Change, ChangeFault, Parts, Promise};
use bounty_log::entry::{Entry, EntryFault, Kind};

use crate::ed25519::Ed25519;
use crate::fault::FolderFault;
use crate::files::{self, WriteFault};
use crate::folder::Files;
use crate::limits::AFTER_END_S;
use crate::order::{OrderFault, check_prize, check_rules};
use crate::versions::Versions;

/// What is to be another. What is `None` stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// The rules.
    pub rules: Option<&'a str>,
    /// What there is to be won, in the order of [`Tier::ALL`].
    pub prizes: [Option<&'a str>; Tier::ALL.len()],
    /// The first second behind the contest.
    pub end: Option<u64>,
}

/// A version that was made, and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amended {
    /// What the operator has signed.
    pub change: Change,
    /// Where it lies.
    pub file: PathBuf,
}

/// Why none was made.
#[derive(Debug)]
pub enum AmendFault {
    /// What is published.
    Folder(FolderFault),
    /// It is no PKCS#8 private key in PEM, or not the operator's.
    Key,
    /// A wish is none that a contest could begin with.
    Order(OrderFault),
    /// The new end is later than the box's certificates are good for.
    End {
        /// The latest that may be.
        latest: u64,
    },
    /// It may not follow on what is in force.
    Change(ChangeFault),
    /// The manifest would be none.
    Manifest(Fault),
    /// The log could not take it.
    Entry(EntryFault),
    /// The file.
    Write(WriteFault),
}

impl fmt::Display for AmendFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(fault) => fault.fmt(f),
            Self::Key => f.write_str("key: it is no PKCS#8 private key in PEM, or not the one that signed the manifest"),
            Self::Order(fault) => fault.fmt(f),
            Self::End { latest } => write!(f, "end: the box's certificates are good until second {latest}: hold another ceremony"),
            Self::Change(fault) => fault.fmt(f),
            Self::Manifest(fault) => fault.fmt(f),
            Self::Entry(fault) => fault.fmt(f),
            Self::Write(fault) => fault.fmt(f),
        }
    }
}

impl core::error::Error for AmendFault {}

/// Makes the next version of a contest's promise, signs it, and lays it beside those before.
///
/// # Errors
/// [`AmendFault`]; then nothing was written.
pub fn amend(folder: &Path, key: &[u8], wish: &Wish<'_>, now: u64) -> Result<Amended, AmendFault> {
    let files = Files(folder);
    let operator = files.operator().map_err(AmendFault::Folder)?;
    let key = Ed25519::from_pem(key).filter(|key| key.public() == operator.key()).ok_or(AmendFault::Key)?;
    let versions = Versions::read(&files, &operator).map_err(AmendFault::Folder)?;
    wish.check(versions.first().manifest(&operator).end)?;
    let current = versions.current();
    let old = Promise { version: versions.number(), manifest: current.manifest(&operator) };
    let rules = wish.rules.unwrap_or(current.rules());
    let (document, change) = sign(&Signing { operator: &operator, key: &key, old: &old, rules, now }, wish)?;
    let file = files::write_change(folder, change.version, &document).map_err(AmendFault::Write)?;
    Ok(Amended { change, file })
}

impl Wish<'_> {
    fn check(&self, first_end: u64) -> Result<(), AmendFault> {
        self.rules.map_or(Ok(()), check_rules).map_err(AmendFault::Order)?;
        for (tier, prize) in Tier::ALL.into_iter().zip(self.prizes) {
            prize.map_or(Ok(()), |prize| check_prize(tier, prize)).map_err(AmendFault::Order)?;
        }
        let latest = first_end.saturating_add(AFTER_END_S);
        if self.end.is_some_and(|end| end > latest) { Err(AmendFault::End { latest }) } else { Ok(()) }
    }

    fn manifest<'m>(&'m self, old: &Manifest<'m>, rules: Digest) -> Manifest<'m> {
        let mut prizes = self.prizes.into_iter();
        let flags = old.flags.map(|flag| Flag { prize: prizes.next().flatten().unwrap_or(flag.prize), ..flag });
        Manifest { rules, flags, end: self.end.unwrap_or(old.end), ..old.clone() }
    }
}

/// What a version is signed with.
struct Signing<'a> {
    operator: &'a VerifierKey,
    key: &'a Ed25519,
    old: &'a Promise<'a>,
    rules: &'a str,
    now: u64,
}

impl Signing<'_> {
    fn note(&self, text: &str) -> Vec<u8> {
        format!("{text}\n{}", self.operator.line(&self.key.sign(text.as_bytes()))).into_bytes()
    }
}

fn sign(by: &Signing<'_>, wish: &Wish<'_>) -> Result<(Vec<u8>, Change), AmendFault> {
    let old = &by.old.manifest;
    let to_rules = Digest::of(&[by.rules.as_bytes()]);
    let manifest = wish.manifest(old, to_rules);
    let change = Change {
        version: by.old.version.saturating_add(1),
        time: by.now,
        from: old.digest(),
        to: manifest.digest(),
        from_rules: old.rules,
        to_rules,
    };
    let (change_note, manifest) = (by.note(&change.to_string()), by.note(&manifest.to_string()));
    Manifest::read(&manifest, by.operator).map_err(AmendFault::Manifest)?;
    let document = Parts { change: &change_note, manifest: &manifest, rules: by.rules }.document();
    by.old.follow(&document, by.operator).map_err(AmendFault::Change)?;
    Entry { time: by.now, kind: Kind::Rules, document: &document }.encode().map_err(AmendFault::Entry)?;
    Ok((document, change))
}
