//! The files of the repository: those that git tracks or would track.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// A text file: its path from the repository's root, and what it says.
#[derive(Debug, Clone)]
pub struct File {
    /// With forward slashes.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every text file that git tracks or does not ignore. Binary files are left out.
///
/// # Errors
/// When git does not answer or a file cannot be read.
pub fn files() -> io::Result<Vec<File>> {
    let listed = Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root()).output()?;
    if !listed.status.success() {
        return Err(io::Error::other("git ls-files failed"));
    }
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let paths = names.split('\0').filter(|name| !name.is_empty());
    Ok(paths.filter_map(read).collect())
}

fn read(path: &str) -> Option<File> {
    let text = fs::read_to_string(root().join(path)).ok()?;
    Some(File { path: path.to_owned(), text })
}
