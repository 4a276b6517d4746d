//! Watched files: whether one of them is another than the one that was read.
//!
//! They are looked at, once a second, by what stat(2) says; notifications would be quicker and are fooled by the ways in which such files are
//! really replaced: a link that is turned (certbot, Kubernetes), a rename from another folder, a network file system. A change counts when
//! it has stood still from one look to the next, so that a certificate and its key, written one after the other, are taken together.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// As they were when they were last read.
    read: Stamps,
    /// As they were at the last look.
    seen: Stamps,
}

type Stamps = BTreeMap<PathBuf, Option<Stamp>>;

/// What tells one content of a file from another; `None` where there is no file.
type Stamp = (u64, u64, u64, i64, i64);

impl Files {
    /// Watches these from now on. Those that were watched already are held against what they were when `before` was taken.
    pub(super) fn watch(&mut self, paths: &[PathBuf], before: &Before) {
        self.read = paths.iter().map(|path| (path.clone(), before.0.get(path).copied().unwrap_or_else(|| stamp(path)))).collect();
        self.seen = self.read.clone();
    }

    /// How the files are now, before they are read.
    pub(super) fn before(&self) -> Before {
        Before(stamps(self.read.keys()))
    }

    /// Whether there is a change that stands still. It is told once, whatever comes of it.
    pub(super) fn have_changed(&mut self) -> bool {
        let now = stamps(self.read.keys());
        let stands_still = now == self.seen;
        self.seen = now;
        if self.seen == self.read || !stands_still {
            return false;
        }
        self.read = self.seen.clone();
        true
    }
}

/// How files were at one time.
#[derive(Debug, Default)]
pub(super) struct Before(Stamps);

fn stamps<'p>(paths: impl Iterator<Item = &'p PathBuf>) -> Stamps {
    paths.map(|path| (path.clone(), stamp(path))).collect()
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn watched(path: &Path) -> Files {
        let mut files = Files::default();
        files.watch(&[path.to_owned()], &Before::default());
        files
    }

    #[test]
    fn a_change_is_told_once_and_only_when_it_stands_still() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chain.pem");
        fs::write(&path, "one").unwrap();
        let mut files = watched(&path);
        assert!(!files.have_changed());
        fs::write(&path, "longer").unwrap();
        assert!(!files.have_changed(), "it may still be written");
        assert!(files.have_changed());
        assert!(!files.have_changed());
    }

    #[test]
    fn another_file_of_the_same_length_under_the_same_name_is_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("key.pem"), dir.path().join("new"));
        fs::write(&path, "one").unwrap();
        let mut files = watched(&path);
        fs::write(&other, "two").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(!files.have_changed());
        assert!(files.have_changed());
    }

    #[test]
    fn a_link_that_is_turned_is_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let [one, two, link, turned] = ["one", "two", "link", "turned"].map(|name| dir.path().join(name));
        fs::write(&one, "one").unwrap();
        fs::write(&two, "two").unwrap();
        std::os::unix::fs::symlink(&one, &link).unwrap();
        let mut files = watched(&link);
        std::os::unix::fs::symlink(&two, &turned).unwrap();
        fs::rename(&turned, &link).unwrap();
        assert!(!files.have_changed());
        assert!(files.have_changed());
    }

    #[test]
    fn a_change_between_reading_and_watching_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chain.pem");
        fs::write(&path, "one").unwrap();
        let mut files = watched(&path);
        let before = files.before();
        fs::write(&path, "changed while it was read").unwrap();
        files.watch(core::slice::from_ref(&path), &before);
        assert!(!files.have_changed());
        assert!(files.have_changed());
    }
}
