//! Where a log's files are.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Somewhere a log can be read from.
pub trait Source {
    /// The file of this name; `None` if there is none.
    ///
    /// # Errors
    /// It is there and cannot be read, or is longer than `len_max`.
    fn read(&self, name: &str, len_max: usize) -> io::Result<Option<Vec<u8>>>;
}

/// A folder of the file system.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder of this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, whole or not at all, and so that it is there after a power cut.
    ///
    /// # Errors
    /// What the system says. The file may then be the old one or the new one.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let place = Place::of(&self.0, name)?;
        place.stage(bytes)?;
        place.publish()
    }

    /// Writes a file as [`Self::write`] does, but shows it to nobody before a power cut can no longer lose it: until then it stands under [`staged`].
    ///
    /// # Errors
    /// What the system says. The file may then be the old one or the new one, and the new one may be left under the other name.
    pub fn write_ahead(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        Place::of(&self.0, name)?.stage(bytes)?;
        self.publish(name)
    }

    /// Shows a file that was staged. It and its other name are brought to the disk before.
    ///
    /// # Errors
    /// As [`Self::write_ahead`].
    pub fn publish(&self, name: &str) -> io::Result<()> {
        let place = Place::of(&self.0, name)?;
        File::open(&place.staged)?.sync_all()?;
        place.parent.sync_all()?;
        place.publish()
    }
}

/// Under which name a file is written before it gets its own.
#[must_use]
pub fn staged(name: &str) -> String {
    format!("{name}.new")
}

/// Where a file is to be.
struct Place {
    path: PathBuf,
    staged: PathBuf,
    /// Opened before anything is written: no descriptor may be wanting when the file has its name and the name is not on the disk yet.
    parent: File,
}

impl Place {
    fn of(folder: &Path, name: &str) -> io::Result<Self> {
        let path = folder.join(name);
        let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        make(parent)?;
        Ok(Self { parent: File::open(parent)?, staged: folder.join(staged(name)), path })
    }

    fn stage(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(&self.staged)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn publish(&self) -> io::Result<()> {
        fs::rename(&self.staged, &self.path)?;
        self.parent.sync_all()
    }
}

/// Makes a folder and those above it. Each is brought to the disk, or what is put into it could be lost with it.
fn make(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make(above)?;
    fs::create_dir(folder)?;
    File::open(above)?.sync_all()
}

impl Source for Folder {
    fn read(&self, name: &str, len_max: usize) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.0.join(name)) {
            Ok(file) => file,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let mut bytes = Vec::new();
        file.take(u64::try_from(len_max).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() > len_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(Some(bytes)) }
    }
}
