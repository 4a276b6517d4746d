//! The mint's files: made for their owner alone, whole or not at all, written over only when asked.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::vec::Vec;

use super::{MintFault, Minted};

/// What to do with files that stand there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Leave all as it is, and say so.
    Refuse,
    /// Put new ones in their place.
    Replace,
}

impl Minted {
    /// The names of the files, as [`Self::write`] lays them down.
    pub const FILES: [&'static str; 4] = ["ca.pem", "ca.key.pem", "chain.pem", "key.pem"];

    /// Writes `ca.pem`, `ca.key.pem`, `chain.pem` and `key.pem` into a directory, which is made (mode 0700) if it is not there. A file is never
    /// followed through a symbolic link, and never half written: each is made new and moved into place.
    ///
    /// # Errors
    /// [`MintFault::Exists`], before anything is written, and [`MintFault::Write`].
    pub fn write(&self, dir: &Path, overwrite: Overwrite) -> Result<Vec<PathBuf>, MintFault> {
        let texts = [&self.ca_pem, self.ca_key_pem.expose(), &self.chain_pem, self.key_pem.expose()];
        let paths = Self::FILES.map(|name| dir.join(name));
        if let Some(found) = paths.iter().find(|path| overwrite == Overwrite::Refuse && path.symlink_metadata().is_ok()) {
            return Err(MintFault::Exists(found.clone()));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|fault| MintFault::Write(dir.into(), fault.kind()))?;
        for (path, text) in paths.iter().zip(texts) {
            place(path, text, overwrite)?;
        }
        Ok(paths.into())
    }
}

/// A hard link refuses to replace, a rename does not: the race between looking and writing is the kernel's to decide.
fn place(path: &Path, text: &str, overwrite: Overwrite) -> Result<(), MintFault> {
    let draft = path.with_extension("pem.new");
    let result = write_new(&draft, text).and_then(|()| match overwrite {
        Overwrite::Refuse => fs::hard_link(&draft, path).and_then(|()| fs::remove_file(&draft)),
        Overwrite::Replace => fs::rename(&draft, path),
    });
    result.map_err(|fault| {
        // The draft may hold a key, and may be gone already.
        let _gone = fs::remove_file(&draft);
        match fault.kind() {
            ErrorKind::AlreadyExists => MintFault::Exists(path.into()),
            kind => MintFault::Write(path.into(), kind),
        }
    })
}

fn write_new(draft: &Path, text: &str) -> std::io::Result<()> {
    // One left behind by a mint that was killed.
    if draft.symlink_metadata().is_ok() {
        fs::remove_file(draft)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
