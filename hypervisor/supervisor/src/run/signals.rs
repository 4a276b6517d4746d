//! Signals, as bytes on sockets: those that ask the supervisor to stop, and the one that asks for a reload.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Signals of one meaning.
#[derive(Debug)]
pub(crate) struct Signals {
    socket: UnixStream,
}

impl Signals {
    /// From now on SIGTERM and Ctrl-C are bytes.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn to_stop() -> io::Result<Self> {
        Self::catch(&[SIGINT, SIGTERM])
    }

    /// From now on SIGHUP is a byte.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn to_reload() -> io::Result<Self> {
        Self::catch(&[SIGHUP])
    }

    fn catch(signals: &[i32]) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        for signal in signals {
            signal_hook::low_level::pipe::register(*signal, theirs.try_clone()?)?;
        }
        Ok(Self { socket: ours })
    }

    /// Whether one came since the last call.
    pub(crate) fn came(&self) -> bool {
        let mut bytes = [0; 16];
        matches!((&self.socket).read(&mut bytes), Ok(count) if count > 0)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
