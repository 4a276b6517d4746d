//! The folder's files: their names, and how they come to be there, all of them or none.

use core::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use zeroize::Zeroizing;

use crate::door::DoorName;

/// The signed manifest.
pub const MANIFEST: &str = "public/manifest";
/// The key that is trusted to have signed it.
pub const OPERATOR: &str = "public/operator";
/// The rules.
pub const RULES: &str = "public/rules";
/// The transcript.
pub const TRANSCRIPT: &str = "public/ceremony";
/// What there is to know beside the manifest.
pub const CONTEST: &str = "public/contest";
/// The page's chain.
pub const PAGE_CHAIN: &str = "public/page.pem";
/// The page's authority, where it was minted.
pub const PAGE_AUTHORITY: &str = "public/page-authority.pem";
/// The page's key.
pub const PAGE_KEY: &str = "secret/page.pem";
/// The log's key.
pub const LOG_KEY: &str = "secret/log.pem";
/// The operator's key, which is to be taken away.
pub const OPERATOR_KEY: &str = "operator.key";
/// The folder of the log, which the ceremony does not make.
pub const LOG: &str = "log";
/// What the log's keeper locks.
pub const LOG_LOCK: &str = "log.lock";
/// The folder of evidence, which the ceremony does not make either.
pub const EVIDENCE: &str = "evidence";
/// A version of the manifest that is not the first, by its number.
#[must_use]
pub fn change(version: u64) -> String {
    format!("public/change-{version}")
}

/// The folders that there are.
const FOLDERS: [&str; 3] = ["public", "secret", "lab"];

/// The certificate of a door's authority.
#[must_use]
pub fn authority(door: DoorName) -> String {
    format!("public/authority-{door}.pem")
}

/// The certificate that the box shows at a door.
#[must_use]
pub fn certificate(door: DoorName) -> String {
    format!("public/box-{door}.pem")
}

/// The key of the certificate that the box shows at a door.
#[must_use]
pub fn key(door: DoorName) -> String {
    match door {
        DoorName::Server => flag(arbiter::Tier::Key),
        DoorName::CallBack | DoorName::Reverse => format!("secret/box-{door}.pem"),
    }
}

/// The flag of a tier.
#[must_use]
pub fn flag(tier: arbiter::Tier) -> String {
    format!("secret/{tier}.pem")
}

/// A file that is to be.
pub(crate) struct Planned {
    pub(crate) name: String,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
}

impl Planned {
    pub(crate) fn new(name: impl Into<String>, bytes: &(impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { name: name.into(), bytes: Zeroizing::new(bytes.as_ref().to_vec()) }
    }
}

impl fmt::Debug for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Planned({}, ..)", self.name)
    }
}

/// Why nothing was written.
#[derive(Debug)]
pub enum WriteFault {
    /// Something of this name is there already.
    Exists(PathBuf),
    /// A ceremony before this was stopped while it wrote.
    Unfinished(PathBuf),
    /// The file or folder.
    Io(PathBuf, ErrorKind),
}

impl fmt::Display for WriteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(path) => write!(f, "{} stands there already: name another folder", path.display()),
            Self::Unfinished(path) => {
                write!(f, "{} was left behind by a ceremony that was stopped, and holds secrets: remove it", path.display())
            }
            Self::Io(path, kind) => write!(f, "{} cannot be written: {kind}", path.display()),
        }
    }
}

impl core::error::Error for WriteFault {}

/// Writes all files beside where the folder is to be, and moves them there as one.
pub(crate) fn write(dir: &Path, files: &[Planned]) -> Result<(), WriteFault> {
    if dir.symlink_metadata().is_ok() {
        return Err(WriteFault::Exists(dir.into()));
    }
    let (Some(name), parent) = (dir.file_name(), dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    else {
        return Err(WriteFault::Io(dir.into(), ErrorKind::InvalidInput));
    };
    let mut unfinished = name.to_owned();
    unfinished.push(".unfinished");
    let unfinished = parent.join(unfinished);
    folder(&unfinished).map_err(|fault| match fault.kind() {
        ErrorKind::AlreadyExists => WriteFault::Unfinished(unfinished.clone()),
        kind => WriteFault::Io(unfinished.clone(), kind),
    })?;
    let moved = fill(&unfinished, files).and_then(|()| place(&unfinished, dir, parent));
    if moved.is_err() {
        // It was made above, by nobody else.
        let _gone = fs::remove_dir_all(&unfinished);
    }
    moved
}

/// Writes a new version beside those before: whole or not at all, and never over another.
pub(crate) fn write_change(dir: &Path, version: u64, document: &[u8]) -> Result<PathBuf, WriteFault> {
    let path = dir.join(change(version));
    let parent = path.parent().ok_or_else(|| WriteFault::Io(path.clone(), ErrorKind::InvalidInput))?;
    let draft = path.with_extension("new");
    // What a writer left that was stopped is nobody's: its name is no version's.
    let _stale = fs::remove_file(&draft);
    let written = write_new(&draft, document).map_err(|fault| WriteFault::Io(draft.clone(), fault.kind()));
    let placed = written.and_then(|()| place(&draft, &path, parent));
    if placed.is_err() {
        let _gone = fs::remove_file(&draft);
    }
    placed.map(|()| path)
}

fn fill(dir: &Path, files: &[Planned]) -> Result<(), WriteFault> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |fault: io::Error| WriteFault::Io(path, fault.kind())
    };
    for name in FOLDERS.iter().filter(|name| files.iter().any(|file| file.name.starts_with(*name))) {
        let path = dir.join(name);
        folder(&path).map_err(at(&path))?;
    }
    for file in files {
        let path = dir.join(&file.name);
        write_new(&path, &file.bytes).map_err(at(&path))?;
    }
    for name in FOLDERS.iter().map(|name| dir.join(name)).filter(|path| path.is_dir()).chain([dir.to_owned()]) {
        File::open(&name).and_then(|file| file.sync_all()).map_err(at(&name))?;
    }
    Ok(())
}

/// A rename that replaces nothing, not even an empty folder: what stands there is the kernel's to see.
fn place(unfinished: &Path, dir: &Path, parent: &Path) -> Result<(), WriteFault> {
    renameat_with(CWD, unfinished, CWD, dir, RenameFlags::NOREPLACE).map_err(|fault| match io::Error::from(fault).kind() {
        ErrorKind::AlreadyExists => WriteFault::Exists(dir.into()),
        kind => WriteFault::Io(dir.into(), kind),
    })?;
    File::open(parent).and_then(|file| file.sync_all()).map_err(|fault| WriteFault::Io(parent.into(), fault.kind()))
}

fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_leaves_none_of_those_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("contest");
        let good = [Planned::new("public/one", b"1"), Planned::new("secret/two", b"2")];
        let bad = [Planned::new("public/one", b"1"), Planned::new("secret/two", b"2"), Planned::new("secret/no/folder", b"3")];
        let fault = write(&path, &bad).unwrap_err();
        assert!(matches!(&fault, WriteFault::Io(path, ErrorKind::NotFound) if path.ends_with("secret/no/folder")), "{fault}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        write(&path, &good).unwrap();
        assert_eq!(fs::read(path.join("secret/two")).unwrap(), b"2");
    }

    #[test]
    fn the_kernel_refuses_to_replace_what_came_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let (unfinished, path) = (dir.path().join("contest.unfinished"), dir.path().join("contest"));
        folder(&unfinished).unwrap();
        folder(&path).unwrap();
        assert!(matches!(place(&unfinished, &path, dir.path()), Err(WriteFault::Exists(_))));
        assert!(unfinished.exists());
    }
}
