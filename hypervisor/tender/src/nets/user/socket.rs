//! A host socket: non-blocking TCP, and what its calls say in our words.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, sockopt};

/// A connected or connecting TCP socket of the host.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

/// What a read or write on a socket came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// So many bytes; not zero.
    Bytes(usize),
    /// The other side has said its last.
    End,
    /// Nothing for now.
    NotNow,
    /// The connection is broken.
    Broken,
}

impl Socket {
    /// The next client at a listener, and its address.
    ///
    /// # Errors
    /// What accept4(2) says.
    pub(super) fn accept(listener: BorrowedFd<'_>) -> Result<(Self, SocketAddr), Errno> {
        let (socket, peer) = rustix::net::acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
        let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok()).ok_or(Errno::CONNABORTED)?;
        let socket = Self(socket);
        socket.send_at_once();
        Ok((socket, peer))
    }

    /// A socket on its way to `peer`.
    ///
    /// # Errors
    /// What socket(2) and connect(2) say, but `EINPROGRESS`.
    pub(super) fn connect(peer: SocketAddr) -> Result<Self, Errno> {
        let family = if peer.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = Self(rustix::net::socket_with(family, SocketType::STREAM, flags, Some(rustix::net::ipproto::TCP))?);
        socket.send_at_once();
        match rustix::net::connect(&socket.0, &peer) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
            Err(fault) => Err(fault),
        }
    }

    /// Whether a connection attempt that has become writable has succeeded.
    pub(super) fn is_connected(&self) -> bool {
        matches!(sockopt::socket_error(&self.0), Ok(Ok(())))
    }

    /// Reads to the front of `space`, which must not be empty.
    pub(super) fn read(&self, space: &mut [u8]) -> Moved {
        match rustix::net::recv(&self.0, space, RecvFlags::DONTWAIT) {
            Ok((0, _)) => Moved::End,
            Ok((len, _)) => Moved::Bytes(len),
            Err(Errno::AGAIN | Errno::INTR) => Moved::NotNow,
            Err(_) => Moved::Broken,
        }
    }

    /// Writes from the front of `bytes`, which must not be empty.
    pub(super) fn write(&self, bytes: &[u8]) -> Moved {
        match rustix::net::send(&self.0, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(0) | Err(Errno::AGAIN | Errno::INTR | Errno::NOBUFS) => Moved::NotNow,
            Ok(len) => Moved::Bytes(len),
            Err(_) => Moved::Broken,
        }
    }

    /// Says our last. A peer that is gone already does not mind.
    pub(super) fn finish(&self) {
        let _gone = rustix::net::shutdown(&self.0, Shutdown::Write);
    }

    /// Closes with a RST, so that the peer knows that something is missing.
    pub(super) fn reset(self) {
        let _gone = sockopt::set_socket_linger(&self.0, Some(Duration::ZERO));
    }

    /// Without Nagle's delay: whole records come in, and the other end's TCP has its own.
    fn send_at_once(&self) {
        let _kept_slow = sockopt::set_tcp_nodelay(&self.0, true);
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Makes a listener non-blocking, whatever its opener left it as.
///
/// # Errors
/// What fcntl(2) says.
pub(super) fn make_non_blocking(listener: BorrowedFd<'_>) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(listener)?;
    Ok(rustix::fs::fcntl_setfl(listener, flags | rustix::fs::OFlags::NONBLOCK)?)
}
