//! A packet socket on one interface: whole frames out, whole frames in, the caller's own excepted. It belongs to the network namespace of the thread
//! that opened it, wherever it is used afterwards.

use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Instant;

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt, socket, sockopt,
};

/// The longest frame: a super-frame of 64 KiB and its header.
const FRAME_LEN_MAX: usize = 65_536 + 64;
/// What may wait unread.
const UNREAD_LEN_MAX: usize = 32 << 20;

/// See the module.
#[derive(Debug)]
pub struct Wire {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl Wire {
    /// Opens a socket that sends to and hears from this interface.
    ///
    /// # Errors
    /// When there is no such interface here, or no right to do so.
    pub fn open(interface: &str) -> io::Result<Self> {
        let wire = Self::new(interface, Some(SockProtocol::EthAll))?;
        setsockopt(&wire.socket, sockopt::RcvBufForce, &UNREAD_LEN_MAX)?;
        Ok(wire)
    }

    /// Opens a socket that only sends, and so costs nothing for what comes: for floods.
    ///
    /// # Errors
    /// When there is no such interface here, or no right to do so.
    pub fn mute(interface: &str) -> io::Result<Self> {
        Self::new(interface, None)
    }

    fn new(interface: &str, hears: Option<SockProtocol>) -> io::Result<Self> {
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, hears)?;
        bind(socket.as_raw_fd(), &link(interface)?)?;
        let mut wire = Self { socket, buffer: vec![0; FRAME_LEN_MAX] };
        // Before it was bound it heard every interface.
        while wire.receive(Instant::now())?.is_some() {}
        Ok(wire)
    }

    /// Sends a frame. What the device has no room for is lost, as on any wire; false then.
    ///
    /// # Errors
    /// When the interface is gone or down, or the frame is longer than it takes.
    pub fn send(&self, frame: &[u8]) -> io::Result<bool> {
        match send(self.socket.as_raw_fd(), frame, MsgFlags::empty()) {
            Ok(_) => Ok(true),
            Err(Errno::ENOBUFS | Errno::EAGAIN) => Ok(false),
            Err(fault) => Err(fault.into()),
        }
    }

    /// The next frame that came or comes before `until`.
    ///
    /// # Errors
    /// When the interface is gone.
    pub fn receive(&mut self, until: Instant) -> io::Result<Option<&[u8]>> {
        loop {
            match recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::empty()) {
                Ok(len) => return Ok(self.buffer.get(..len)),
                Err(Errno::EAGAIN) => {}
                Err(fault) => return Err(fault.into()),
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let mut wanted = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            poll(&mut wanted, PollTimeout::try_from(left + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX))?;
        }
    }
}

/// The interface as a packet socket's address.
fn link(interface: &str) -> io::Result<LinkAddr> {
    let ours = getifaddrs()?.filter(|found| found.interface_name == interface);
    let link = ours.filter_map(|found| found.address?.as_link_addr().copied()).next();
    link.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no interface {interface}")))
}

/// The link address of an interface of this thread's namespace.
///
/// # Errors
/// When there is none.
pub fn mac(interface: &str) -> io::Result<crate::Mac> {
    link(interface)?.addr().ok_or_else(|| io::Error::other("no link address"))
}
