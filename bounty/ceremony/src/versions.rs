//! The versions of a contest's promise: the first, which the ceremony made and witnesses signed, and those that the operator made of it since, each in a file of its own.
//!
//! Nothing of the first is ever written over. A file `public/change-N` holds what the log's entry holds ([`bounty_log::change`]); which of them counts is decided by reading them in order.

use arbiter::Digest;
use arbiter::manifest::Manifest;
use arbiter::note::VerifierKey;
use bounty_log::change::{Change, Parts, Promise};

use crate::fault::{FolderFault, FolderWrong};
use crate::files;
use crate::folder::Files;
use crate::limits::VERSIONS_MAX;

/// One of them.
#[derive(Debug)]
pub struct Version {
    pub(crate) note: Vec<u8>,
    pub(crate) rules: String,
    pub(crate) digest: Digest,
    pub(crate) made: Option<Made>,
}

/// How a version came to be that is not the first.
#[derive(Debug)]
pub struct Made {
    /// What the operator says of it.
    pub change: Change,
    /// The whole document, as the log takes it.
    pub document: Vec<u8>,
}

impl Version {
    /// The signed manifest.
    #[must_use]
    pub fn note(&self) -> &[u8] {
        &self.note
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &str {
        &self.rules
    }

    /// What names it in other documents.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// How it came to be, if it is not the first.
    #[must_use]
    pub const fn made(&self) -> Option<&Made> {
        self.made.as_ref()
    }

    /// What it says.
    pub(crate) fn manifest(&self, operator: &VerifierKey) -> Manifest<'_> {
        Manifest::read(&self.note, operator).expect("invariant: it was read before it became a version")
    }
}

/// All of them, in order.
#[derive(Debug)]
pub(crate) struct Versions {
    first: Version,
    later: Vec<Version>,
}

impl Versions {
    /// Reads what was published, and holds each version against the one before.
    pub(crate) fn read(files: &Files<'_>, operator: &VerifierKey) -> Result<Self, FolderFault> {
        let note = files.read(files::MANIFEST)?;
        let manifest = Manifest::read(&note, operator).map_err(|fault| files.fault(files::MANIFEST, FolderWrong::Manifest(fault)))?;
        let (digest, rules_digest) = (manifest.digest(), manifest.rules);
        let rules = files.text(files::RULES)?;
        files.require(files::RULES, Digest::of(&[rules.as_bytes()]) == rules_digest, FolderWrong::OtherText)?;
        let mut versions = Self { first: Version { note, rules, digest, made: None }, later: Vec::new() };
        for number in 2..=VERSIONS_MAX {
            let name = files::change(number);
            if !files.has(&name) {
                // One that stands behind a gap is not to be overlooked.
                let behind = files.has(&files::change(number.saturating_add(1)));
                return if behind { Err(files.fault(&name, FolderWrong::Missing)) } else { Ok(versions) };
            }
            let next = versions.next(number, files.read(&name)?, operator).map_err(|wrong| files.fault(&name, wrong))?;
            versions.later.push(next);
        }
        Ok(versions)
    }

    fn next(&self, number: u64, document: Vec<u8>, operator: &VerifierKey) -> Result<Version, FolderWrong> {
        let promise = Promise { version: number.saturating_sub(1), manifest: self.current().manifest(operator) };
        let (next, change) = promise.follow(&document, operator).map_err(FolderWrong::Change)?;
        let (digest, parts) = (next.manifest.digest(), Parts::of(&document).map_err(FolderWrong::Change)?);
        let (note, rules) = (parts.manifest.to_vec(), parts.rules.to_owned());
        Ok(Version { note, rules, digest, made: Some(Made { change, document }) })
    }

    /// What the ceremony made.
    pub(crate) const fn first(&self) -> &Version {
        &self.first
    }

    /// The one in force.
    pub(crate) fn current(&self) -> &Version {
        self.later.last().unwrap_or(&self.first)
    }

    /// All of them, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Version> {
        core::iter::once(&self.first).chain(&self.later)
    }

    /// The number of the one in force.
    pub(crate) fn number(&self) -> u64 {
        u64::try_from(self.later.len()).unwrap_or(u64::MAX).saturating_add(1)
    }
}
