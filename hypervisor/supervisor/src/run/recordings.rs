//! The files of `[record]`: one for the running cell, and those of some cells before it.
//!
//! A fresh cell begins a fresh file: the one that stands there gets the number 1 behind its name, number 1 becomes 2, and the last of those that are kept is written over.
//! So the recording of a crash outlives the cell that follows. What cannot be had costs the recording and never the cell.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::plan::Record;
use crate::run::opening::exit_of;
use crate::run::refuse;
use crate::terminal;

/// See the module.
#[derive(Debug)]
pub(super) struct Recordings {
    record: Record,
}

impl Recordings {
    /// The place for recordings, looked at before anything starts: a box that is to be recorded and cannot be does not start.
    pub(super) fn open(record: Record) -> Result<Self, Exit> {
        let folder = record.file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match fs::metadata(folder) {
            Ok(found) if found.is_dir() => Ok(Self { record }),
            Ok(_) => Err(refuse(Exit::Output, format!("the recording {} cannot be had: its folder is none", record.file.display()))),
            Err(fault) => {
                let why = format!("the recording {} cannot be had: {fault}", record.file.display());
                Err(refuse(exit_of(&fault, Exit::Output), why))
            }
        }
    }

    /// What a tender is told.
    pub(super) fn order(&self) -> tender::order::Record {
        tender::order::Record { recipient: self.record.recipient.to_bytes(), len_max: self.record.max_bytes }
    }

    /// A fresh file for a fresh cell, or none, which is said.
    pub(super) fn fresh(&self) -> Option<OwnedFd> {
        match self.turn().and_then(|()| create(&self.record.file)) {
            Ok(file) => Some(file),
            Err(fault) => {
                terminal::note(format!("warning: this cell is not recorded: {}: {fault}", self.record.file.display()));
                None
            }
        }
    }

    /// Makes room for a file.
    fn turn(&self) -> io::Result<()> {
        let names: Vec<PathBuf> = (0..=self.record.keep).map(|number| numbered(&self.record.file, number)).collect();
        for pair in names.windows(2).rev() {
            if let [from, to] = pair {
                unless_missing(fs::rename(from, to))?;
            }
        }
        unless_missing(fs::remove_file(&self.record.file))
    }
}

fn unless_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn numbered(file: &Path, number: u64) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    if number > 0 {
        name.push(format!(".{number}"));
    }
    name.into()
}

/// Whatever stands at the name is not written to: not a file, and not what a link leads to.
fn create(path: &Path) -> io::Result<OwnedFd> {
    Ok(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use recording::key::Recipient;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn recordings(dir: &Path, keep: u64) -> Recordings {
        let record = Record { file: dir.join("box.rec"), recipient: Recipient::from_bytes([9; 32]), max_bytes: 1 << 30, keep };
        Recordings::open(record).unwrap()
    }

    fn write(file: OwnedFd, text: &str) {
        rustix::io::write(file, text.as_bytes()).unwrap();
    }

    fn names(dir: &Path) -> Vec<(String, String)> {
        let entry = |entry: io::Result<fs::DirEntry>| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        };
        let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(entry).collect();
        names.sort();
        names
    }

    #[test]
    fn the_last_ones_are_kept_in_order_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let recordings = recordings(dir.path(), 2);
        for text in ["a", "b", "c", "d"] {
            write(recordings.fresh().unwrap(), text);
        }
        let expected = [("box.rec", "d"), ("box.rec.1", "c"), ("box.rec.2", "b")].map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(names(dir.path()), expected);
        assert_eq!(fs::metadata(dir.path().join("box.rec")).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn with_none_kept_there_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let recordings = recordings(dir.path(), 0);
        ["a", "b"].into_iter().for_each(|text| write(recordings.fresh().unwrap(), text));
        assert_eq!(names(dir.path()), [("box.rec".to_owned(), "b".to_owned())]);
    }

    #[test]
    fn a_link_is_moved_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("precious"), "kept").unwrap();
        symlink(dir.path().join("precious"), dir.path().join("box.rec")).unwrap();
        write(recordings(dir.path(), 1).fresh().unwrap(), "new");
        assert_eq!(fs::read_to_string(dir.path().join("precious")).unwrap(), "kept");
        assert_eq!(fs::read_to_string(dir.path().join("box.rec")).unwrap(), "new");
    }

    #[test]
    fn no_folder_is_told_at_the_start_and_no_file_costs_no_cell() {
        let dir = tempfile::tempdir().unwrap();
        let missing = Record { file: dir.path().join("no/box.rec"), ..recordings(dir.path(), 1).record };
        assert_eq!(Recordings::open(missing).err(), Some(Exit::Output));
        let recordings = recordings(dir.path(), 1);
        fs::create_dir(dir.path().join("box.rec.1")).unwrap();
        fs::write(dir.path().join("box.rec"), "old").unwrap();
        assert!(recordings.fresh().is_none());
    }
}
