//! Signals that ask the supervisor to stop, as bytes on a socket.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Ctrl-C, SIGTERM, or the end of the terminal.
#[derive(Debug)]
pub(super) struct Signals {
    socket: UnixStream,
}

impl Signals {
    /// From now on such signals are bytes.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn catch() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, theirs.try_clone()?)?;
        }
        Ok(Self { socket: ours })
    }

    /// Whether one came since the last call.
    pub(super) fn came(&self) -> bool {
        let mut bytes = [0; 16];
        matches!((&self.socket).read(&mut bytes), Ok(count) if count > 0)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
