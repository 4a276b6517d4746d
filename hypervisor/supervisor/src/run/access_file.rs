//! The access log's file: what tenders write into a pipe, appended to a file on a thread of its own.
//!
//! A disk that is slow, full or gone costs records and is counted; it never costs a client anything, as the pipe does not block its writer.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

use crate::limits::ACCESS_PIPE_LEN;

/// What the file has taken.
#[derive(Debug, Default)]
pub struct Written {
    /// Bytes.
    pub bytes: AtomicU64,
    /// Writes and openings that failed.
    pub errors: AtomicU64,
}

/// The file, and the thread that writes it.
#[derive(Debug)]
pub(crate) struct AccessFile {
    written: Arc<Written>,
    reopen: Arc<AtomicBool>,
    writer: JoinHandle<()>,
}

impl AccessFile {
    /// Opens the file, and a pipe to it: the second value is its end for tenders, and does not block. When all copies of it are closed, the file
    /// is complete.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, OwnedFd)> {
        let file = append_to(path)?;
        let (reader, pipe) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(pipe.as_fd(), true)?;
        // A host that allows less gives what it gives by default.
        let _smaller = fcntl_setpipe_size(&pipe, ACCESS_PIPE_LEN);
        let (written, reopen) = (Arc::<Written>::default(), Arc::<AtomicBool>::default());
        let mut log = Log { path: path.into(), file, torn: false, written: Arc::clone(&written), reopen: Arc::clone(&reopen) };
        let writer = thread::Builder::new().name("access-log".into()).spawn(move || log.follow(reader.into()))?;
        Ok((Self { written, reopen, writer }, pipe))
    }

    /// What the file has taken so far.
    pub(crate) fn written(&self) -> Arc<Written> {
        Arc::clone(&self.written)
    }

    /// What comes from now on goes to the file that has the name then: for whoever rotates logs.
    pub(crate) fn reopen(&self) {
        self.reopen.store(true, Ordering::SeqCst);
    }

    /// Waits for the last lines; to be called when nobody has the pipe any more.
    pub(crate) fn finish(self) {
        // A writer that panicked has nothing more to write.
        let _gone = self.writer.join();
    }
}

struct Log {
    path: PathBuf,
    file: File,
    /// Whether the last write ended within a line.
    torn: bool,
    written: Arc<Written>,
    reopen: Arc<AtomicBool>,
}

impl Log {
    fn follow(&mut self, mut pipe: File) {
        let mut chunk = vec![0; ACCESS_PIPE_LEN];
        loop {
            match pipe.read(&mut chunk) {
                Ok(0) => return,
                Ok(len) => self.append(chunk.get(..len).unwrap_or_default()),
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.reopen.swap(false, Ordering::SeqCst) {
            match append_to(&self.path) {
                Ok(file) => (self.file, self.torn) = (file, false),
                // The old one is better than none.
                Err(_) => self.count_error(),
            }
        }
        let mended = !self.torn || self.file.write_all(b"\n").is_ok();
        if mended && self.file.write_all(bytes).is_ok() {
            self.torn = false;
            self.written.bytes.fetch_add(u64::try_from(bytes.len()).unwrap_or(0), Ordering::Relaxed);
        } else {
            self.torn = true;
            self.count_error();
        }
    }

    fn count_error(&self) {
        self.written.errors.fetch_add(1, Ordering::Relaxed);
    }
}

/// Who visits is nobody's business but the owner's.
fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use std::fs;
    use std::time::Instant;

    fn wait_for(what: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !what() {
            assert!(Instant::now() < end, "never");
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn lines_are_appended_and_a_rotated_file_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, old) = (dir.path().join("access.log"), dir.path().join("access.log.1"));
        fs::write(&path, "before\n").unwrap();
        let (log, pipe) = AccessFile::open(&path).unwrap();
        rustix::io::write(&pipe, b"one\n").unwrap();
        wait_for(|| log.written().bytes.load(Ordering::Relaxed) == 4);
        fs::rename(&path, &old).unwrap();
        log.reopen();
        rustix::io::write(&pipe, b"two\n").unwrap();
        drop(pipe);
        log.finish();
        assert_eq!((fs::read(&old).unwrap(), fs::read(&path).unwrap()), (b"before\none\n".to_vec(), b"two\n".to_vec()));
    }

    #[test]
    fn a_full_disk_is_counted_and_nothing_waits() {
        let (log, pipe) = AccessFile::open("/dev/full".as_ref()).unwrap();
        rustix::io::write(&pipe, b"one\n").unwrap();
        wait_for(|| log.written().errors.load(Ordering::Relaxed) == 1);
        rustix::io::write(&pipe, b"two\n").unwrap();
        wait_for(|| log.written().errors.load(Ordering::Relaxed) == 2);
        assert_eq!(log.written().bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_file_that_cannot_be_opened_anew_leaves_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logs").join("access.log");
        fs::create_dir(path.parent().unwrap()).unwrap();
        let (log, pipe) = AccessFile::open(&path).unwrap();
        fs::rename(path.parent().unwrap(), dir.path().join("elsewhere")).unwrap();
        log.reopen();
        rustix::io::write(&pipe, b"one\n").unwrap();
        let written = log.written();
        drop(pipe);
        log.finish();
        assert_eq!(written.errors.load(Ordering::Relaxed), 1);
        assert_eq!(fs::read(dir.path().join("elsewhere/access.log")).unwrap(), b"one\n");
    }
}
