//! A new version of a contest's manifest, and what of a promise may be changed: rules, prizes and end. Never a key, a flag, an address, a program, or the start.
//!
//! The operator signs a note that names the version before and the new one. An entry of the log, and a file `change-N` of a contest's folder, hold that note, the new manifest and the new rules, with an
//! empty line between each two:
//!
//! ```text
//! bountybox-change 1
//! version 2
//! time 1800003600
//! from eacf80..
//! to 9b41c7..
//! from-rules 7d8a52..
//! to-rules 1c02f9..
//!
//! — contest.example/operator ..
//!
//! bountybox-manifest 1
//! ..
//! wallet.prize what lies at the address
//!
//! — contest.example/operator ..
//!
//! Rules of this contest
//! ..
//! ```

use core::fmt;

use arbiter::digest::from_hex;
use arbiter::limits::TIME_MAX;
use arbiter::manifest::Manifest;
use arbiter::note::{Note, VerifierKey};
use arbiter::{Digest, Document, Fault, Wrong};

use crate::limits::VERSIONS_MAX;

/// The first line: the domain of what the operator signs. No other document begins so.
pub const HEAD: &str = "bountybox-change 1";

/// What the operator says of a change. It prints as the note's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The number of the new version. A log begins with version 1.
    pub version: u64,
    /// When the operator signed, in seconds since 1970.
    pub time: u64,
    /// The manifest before.
    pub from: Digest,
    /// The new one.
    pub to: Digest,
    /// The rules before.
    pub from_rules: Digest,
    /// The new ones.
    pub to_rules: Digest,
}

/// A version of a contest's promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise<'a> {
    /// Its number, from 1.
    pub version: u64,
    /// What is promised.
    pub manifest: Manifest<'a>,
}

/// The three parts of a change as they stand there, not yet believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The note that names both versions.
    pub change: &'a [u8],
    /// The new manifest, a note too.
    pub manifest: &'a [u8],
    /// The new rules.
    pub rules: &'a str,
}

/// Why a change is none that may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeFault {
    /// It is not a change, a manifest and rules with an empty line between each two.
    Parts,
    /// Its note is not signed by the operator.
    Note(Wrong),
    /// Its lines are not those of a change.
    Lines,
    /// It is not the next version.
    Version {
        /// That one.
        wanted: u64,
    },
    /// There are as many versions as there may be.
    Versions,
    /// It is a change of another manifest than the one in force.
    From,
    /// It is a change of other rules than those in force.
    FromRules,
    /// The new manifest is none of this operator's.
    Manifest(Fault),
    /// The new manifest is not the one that was signed for.
    To,
    /// The new rules are not those that were signed for, or not those of the new manifest.
    ToRules,
    /// Something is another that must stay: which.
    Kept(&'static str),
    /// Nothing is another.
    Nothing,
    /// It was made before the contest's start.
    Early,
    /// It was made when the contest was over.
    Over,
    /// The new end is not behind it.
    End,
    /// It stands in the log before it was made, or behind an end.
    Entered,
}

impl fmt::Display for ChangeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts => f.write_str("a change, a manifest and rules are wanted, with an empty line between each two"),
            Self::Note(wrong) => write!(f, "the change: {wrong}"),
            Self::Lines => write!(f, "the change: its lines are not those of {HEAD:?}"),
            Self::Version { wanted } => write!(f, "the change: version {wanted} is the next"),
            Self::Versions => write!(f, "the change: there are {VERSIONS_MAX} versions, and that is the most"),
            Self::From => f.write_str("the change: it is of another manifest than the one in force"),
            Self::FromRules => f.write_str("the change: it is of other rules than those in force"),
            Self::Manifest(fault) => fault.fmt(f),
            Self::To => f.write_str("the new manifest is not the one that the change names"),
            Self::ToRules => f.write_str("the new rules are not those that the change and the new manifest name"),
            Self::Kept(what) => write!(f, "the new manifest: {what} may not be changed"),
            Self::Nothing => f.write_str("the new manifest: nothing is changed"),
            Self::Early => f.write_str("the change: it was made before the contest's start"),
            Self::Over => f.write_str("the change: the contest was over when it was made"),
            Self::End => f.write_str("the new manifest: its end is not behind the change"),
            Self::Entered => {
                f.write_str("the change stands in the log before it was made, or behind the end of the old manifest or the new")
            }
        }
    }
}

impl core::error::Error for ChangeFault {}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, time, from, to, from_rules, to_rules } = self;
        writeln!(f, "{HEAD}\nversion {version}\ntime {time}\nfrom {from}\nto {to}\nfrom-rules {from_rules}\nto-rules {to_rules}")
    }
}

impl Change {
    /// Reads a note that this operator signed.
    ///
    /// # Errors
    /// [`ChangeFault::Note`], [`ChangeFault::Lines`].
    pub fn read(note: &[u8], operator: &VerifierKey) -> Result<Self, ChangeFault> {
        // The document's name is only for messages, and these are our own.
        let text = Note::parse(Document::Manifest, note).and_then(|note| note.open(operator).map(<[u8]>::to_vec));
        let text = text.map_err(|fault| ChangeFault::Note(fault.wrong))?;
        core::str::from_utf8(&text).ok().and_then(Self::parse).ok_or(ChangeFault::Lines)
    }

    /// There is one way to write it.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let head = lines.next()?;
        let mut value = |key: &str| lines.next()?.strip_prefix(key)?.strip_prefix(' ');
        let (version, time) = (value("version")?.parse().ok()?, value("time")?.parse().ok()?);
        let mut digest = |key| value(key).and_then(from_hex).map(Digest);
        let [from, to, from_rules, to_rules] = [digest("from")?, digest("to")?, digest("from-rules")?, digest("to-rules")?];
        let change = Self { version, time, from, to, from_rules, to_rules };
        (head == HEAD && time <= TIME_MAX && change.to_string() == text).then_some(change)
    }

    /// Whether it may be entered into the log at a time, when it leads from the one manifest to the other.
    fn may_stand_at(&self, time: u64, old: &Manifest<'_>, new: &Manifest<'_>) -> Result<(), ChangeFault> {
        let holds = time >= self.time && time < old.end && time < new.end;
        if holds { Ok(()) } else { Err(ChangeFault::Entered) }
    }
}

impl<'a> Parts<'a> {
    /// Takes a change apart. Rules may hold anything; what stands before them holds no empty line but those that it must.
    ///
    /// # Errors
    /// [`ChangeFault::Parts`].
    pub fn of(document: &'a [u8]) -> Result<Self, ChangeFault> {
        let (change, rest) = note(document)?;
        let (manifest, rules) = note(rest)?;
        let rules = core::str::from_utf8(rules).ok().filter(|rules| !rules.is_empty()).ok_or(ChangeFault::Parts)?;
        Ok(Self { change, manifest, rules })
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        [self.change, b"\n", self.manifest, b"\n", self.rules.as_bytes()].concat()
    }
}

/// A note: text, an empty line, lines of signatures; and what stands behind the empty line that follows.
fn note(bytes: &[u8]) -> Result<(&[u8], &[u8]), ChangeFault> {
    let empty = |from: usize| Some(bytes.get(from..)?.windows(2).position(|pair| pair == b"\n\n")?.saturating_add(from));
    let end = empty(0).and_then(|text| empty(text.saturating_add(2))).ok_or(ChangeFault::Parts)?;
    let (note, rest) = bytes.split_at_checked(end.saturating_add(1)).ok_or(ChangeFault::Parts)?;
    Ok((note, rest.get(1..).unwrap_or_default()))
}

impl<'a> Promise<'a> {
    /// What a log begins with.
    #[must_use]
    pub const fn first(manifest: Manifest<'a>) -> Self {
        Self { version: 1, manifest }
    }

    /// The version that this document makes of it, and what it says of that.
    ///
    /// # Errors
    /// [`ChangeFault`].
    pub fn follow<'b>(&self, document: &'b [u8], operator: &VerifierKey) -> Result<(Promise<'b>, Change), ChangeFault> {
        let parts = Parts::of(document)?;
        let change = Change::read(parts.change, operator)?;
        let wanted = self.version.saturating_add(1);
        require(wanted <= VERSIONS_MAX, ChangeFault::Versions)?;
        require(change.version == wanted, ChangeFault::Version { wanted })?;
        require(change.from == self.manifest.digest(), ChangeFault::From)?;
        require(change.from_rules == self.manifest.rules, ChangeFault::FromRules)?;
        let manifest = Manifest::read(parts.manifest, operator).map_err(ChangeFault::Manifest)?;
        require(change.to == manifest.digest(), ChangeFault::To)?;
        let rules = Digest::of(&[parts.rules.as_bytes()]);
        require(change.to_rules == rules && manifest.rules == rules, ChangeFault::ToRules)?;
        self.keeps(&manifest)?;
        require(change.to != change.from, ChangeFault::Nothing)?;
        require(change.time >= self.manifest.start, ChangeFault::Early)?;
        require(change.time < self.manifest.end, ChangeFault::Over)?;
        require(change.time < manifest.end, ChangeFault::End)?;
        Ok((Promise { version: wanted, manifest }, change))
    }

    /// The same, for a document that the log took at a time.
    ///
    /// # Errors
    /// [`ChangeFault`].
    pub fn follow_at<'b>(&self, document: &'b [u8], operator: &VerifierKey, time: u64) -> Result<(Promise<'b>, Change), ChangeFault> {
        let (next, change) = self.follow(document, operator)?;
        change.may_stand_at(time, &self.manifest, &next.manifest)?;
        Ok((next, change))
    }

    /// Whether all is as it was that must stay.
    fn keeps(&self, new: &Manifest<'_>) -> Result<(), ChangeFault> {
        let old = &self.manifest;
        let flags = || old.flags.iter().zip(&new.flags);
        let kept = [
            ("the name", old.name == new.name),
            ("the image", old.image == new.image),
            ("the tender", old.tender == new.tender),
            ("the source", old.source == new.source),
            ("the configuration", old.configuration == new.configuration),
            ("a certificate", old.certificates == new.certificates),
            ("the log's key", old.log == new.log),
            ("the start", old.start == new.start),
            ("a flag", flags().all(|(old, new)| old.key == new.key)),
            ("what is published of a flag", flags().all(|(old, new)| old.published == new.published)),
        ];
        kept.into_iter().find(|(_, same)| !same).map_or(Ok(()), |(what, _)| Err(ChangeFault::Kept(what)))
    }
}

fn require(holds: bool, fault: ChangeFault) -> Result<(), ChangeFault> {
    if holds { Ok(()) } else { Err(fault) }
}
