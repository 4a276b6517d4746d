//! What is wrong with a folder: the file, what is wrong with it, and what to do.

use core::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

use arbiter::{Fault, Wrong};
use bounty_log::change::ChangeFault;

use crate::limits::FILE_LEN_MAX;
use crate::transcript::TranscriptFault;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFault {
    /// The file, or the folder itself.
    pub file: PathBuf,
    /// What is wrong with it.
    pub wrong: FolderWrong,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderWrong {
    /// It is not there.
    Missing,
    /// It cannot be read.
    Unreadable(ErrorKind),
    /// It is longer than [`FILE_LEN_MAX`].
    TooLong,
    /// It is no text.
    NoText,
    /// It is no verifier key.
    Operator(Wrong),
    /// It is no manifest that the operator signed.
    Manifest(Fault),
    /// It is no transcript.
    Transcript(TranscriptFault),
    /// A line is not what must stand there.
    Line(&'static str),
    /// It is no version that may follow on the one before.
    Change(ChangeFault),
    /// It is of another contest.
    OtherContest,
    /// It is not the text whose digest the manifest has.
    OtherText,
    /// It holds no private key of the kind that belongs there.
    Key,
    /// Its public half is not what the manifest, or the certificate, has.
    OtherKey,
    /// It holds no certificate, or more than one.
    Certificate,
    /// The manifest does not name it.
    OtherCertificate,
    /// It is no chain, or not that of the key in this file.
    Pair(&'static str),
    /// Others can look into it.
    Open,
}

impl fmt::Display for FolderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.wrong)
    }
}

impl core::error::Error for FolderFault {}

impl fmt::Display for FolderWrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const RESTORE: &str = "put it back from the copy that was made after the ceremony, or hold another";
        match self {
            Self::Missing => write!(f, "is missing: {RESTORE}"),
            Self::Unreadable(kind) => write!(f, "cannot be read: {kind}"),
            Self::TooLong => write!(f, "is longer than {FILE_LEN_MAX} bytes: {RESTORE}"),
            Self::NoText => write!(f, "is no text: {RESTORE}"),
            Self::Operator(wrong) => write!(f, "{wrong}: {RESTORE}"),
            Self::Manifest(fault) => write!(f, "{fault}: {RESTORE}"),
            Self::Transcript(fault) => write!(f, "{fault}: {RESTORE}"),
            Self::Line(wanted) => write!(f, "{wanted:?} is wanted where something else stands: {RESTORE}"),
            Self::Change(fault) => write!(f, "{fault}: remove it if the box never ran with it, or put back what was made"),
            Self::OtherContest => write!(f, "is of another contest than the manifest: {RESTORE}"),
            Self::OtherText => write!(f, "is not the text whose digest the manifest has: {RESTORE}"),
            Self::Key => write!(f, "holds no PKCS#8 private key of its kind in PEM: {RESTORE}"),
            Self::OtherKey => write!(f, "is not the key whose public half the manifest or its certificate has: {RESTORE}"),
            Self::Certificate => write!(f, "holds no PEM certificate, or more than one: {RESTORE}"),
            Self::OtherCertificate => write!(f, "is a certificate that the manifest does not name: {RESTORE}"),
            Self::Pair(key) => write!(f, "is no PEM chain, leaf first, whose key is in {key}: put the two there that belong together"),
            Self::Open => f.write_str("can be read by others, and holds secrets: chmod 700 it, and think about who may have read it"),
        }
    }
}
