//! The channel between supervisor and tender: an inherited socket pair, the tender's standard input.
//!
//! The supervisor sends one parcel: lengths, with every descriptor attached, then the order and the bundle. After it, single bytes go both
//! ways. Nothing of it stands in an argument list, in the environment, or on a disk.

use core::mem::MaybeUninit;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use zeroize::Zeroizing;

use crate::limits::{DESCRIPTORS_MAX, ORDER_LEN_MAX};
use crate::order::Order;

/// Supervisor to tender: ask the guest to stop.
const DRAIN: u8 = b'D';
/// Tender to supervisor: the guest serves.
const SERVING: u8 = b'S';

const HEADER_LEN: usize = 8;

/// Why a parcel did not arrive.
#[derive(Debug)]
pub enum ChannelFault {
    /// The descriptor is not a socket, or the other side is gone.
    Io(io::Error),
    /// Lengths, order, bundle or number of descriptors are out of bounds.
    Malformed,
}

impl From<io::Error> for ChannelFault {
    fn from(fault: io::Error) -> Self {
        Self::Io(fault)
    }
}

/// All that a tender gets.
#[derive(Debug)]
pub struct Parcel {
    /// What to run.
    pub order: Order,
    /// The encoded boot bundle; wiped on drop.
    pub bundle: Zeroizing<Vec<u8>>,
    /// The image file.
    pub image: File,
    /// Descriptors of the front link, then of the back link.
    pub descriptors: Vec<OwnedFd>,
}

/// The supervisor's end.
#[derive(Debug)]
pub struct Supervised {
    socket: UnixStream,
}

impl Supervised {
    /// A channel: this end, and the tender's, which becomes its standard input.
    ///
    /// # Errors
    /// What socketpair(2) says.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        Ok((Self { socket: ours }, theirs.into()))
    }

    /// Sends the parcel. `image` and `descriptors` stay open on this side.
    ///
    /// # Errors
    /// [`ChannelFault`].
    pub fn send(
        &mut self,
        order: &Order,
        bundle: &[u8],
        image: BorrowedFd<'_>,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), ChannelFault> {
        let order = postcard::to_stdvec(order).map_err(|_| ChannelFault::Malformed)?;
        if order.len() > ORDER_LEN_MAX || bundle.len() > abi::limits::BUNDLE_LEN_MAX || descriptors.len() > DESCRIPTORS_MAX {
            return Err(ChannelFault::Malformed);
        }
        let mut all = vec![image];
        all.extend_from_slice(descriptors);
        self.send_header(order.len(), bundle.len(), &all)?;
        self.socket.write_all(&order)?;
        self.socket.write_all(bundle)?;
        Ok(())
    }

    fn send_header(&self, order_len: usize, bundle_len: usize, descriptors: &[BorrowedFd<'_>]) -> Result<(), ChannelFault> {
        let [o, b] = [order_len, bundle_len].map(|len| u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
        let header = [o, b].concat();
        let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX + 1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(ChannelFault::Malformed);
        }
        let sent =
            rustix::net::sendmsg(&self.socket, &[IoSlice::new(&header)], &mut control, SendFlags::NOSIGNAL).map_err(io::Error::from)?;
        if sent == HEADER_LEN { Ok(()) } else { Err(ChannelFault::Malformed) }
    }

    /// Asks the guest to stop.
    ///
    /// # Errors
    /// The tender is gone.
    pub fn drain(&mut self) -> io::Result<()> {
        self.socket.write_all(&[DRAIN])
    }

    /// Waits for what the tender says next.
    ///
    /// # Errors
    /// What the socket says.
    pub fn hear(&mut self) -> io::Result<Heard> {
        let mut byte = [0];
        match self.socket.read(&mut byte)? {
            0 => Ok(Heard::Gone),
            _ if byte == [SERVING] => Ok(Heard::Serving),
            _ => Ok(Heard::Noise),
        }
    }
}

impl AsFd for Supervised {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// What a tender tells its supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The guest has started up and serves.
    Serving,
    /// A byte that means nothing.
    Noise,
    /// The tender has closed its end.
    Gone,
}

/// The tender's end.
#[derive(Debug)]
pub struct Tending {
    socket: OwnedFd,
}

/// What a supervisor tells its tender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Nothing new.
    Nothing,
    /// Stop serving.
    Drain,
    /// The supervisor is gone.
    Gone,
}

impl Tending {
    /// Takes the parcel from the inherited end of a channel.
    ///
    /// # Errors
    /// [`ChannelFault`].
    pub fn receive(socket: OwnedFd) -> Result<(Self, Parcel), ChannelFault> {
        let (order_len, bundle_len, mut descriptors) = receive_header(socket.as_fd())?;
        if descriptors.is_empty() || order_len > ORDER_LEN_MAX || bundle_len > abi::limits::BUNDLE_LEN_MAX {
            return Err(ChannelFault::Malformed);
        }
        let mut stream = UnixStream::from(socket);
        let mut order = vec![0; order_len];
        stream.read_exact(&mut order)?;
        let mut bundle = Zeroizing::new(vec![0; bundle_len]);
        stream.read_exact(&mut bundle)?;
        let order: Order = postcard::from_bytes(&order).map_err(|_| ChannelFault::Malformed)?;
        let image = File::from(descriptors.remove(0));
        if descriptors.len() != order.front.descriptors() + order.back.descriptors() {
            return Err(ChannelFault::Malformed);
        }
        Ok((Self { socket: stream.into() }, Parcel { order, bundle, image, descriptors }))
    }

    /// Tells the supervisor that the guest serves. If it cannot be told, it is gone, and [`Tending::hear`] will say so.
    pub fn serving(&self) {
        let _told = rustix::net::send(&self.socket, &[SERVING], SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
    }

    /// What the supervisor has said, without waiting.
    #[must_use]
    pub fn hear(&self) -> Told {
        let mut byte = [0];
        match rustix::net::recv(&self.socket, &mut byte, RecvFlags::DONTWAIT) {
            Ok((0, _)) => Told::Gone,
            Ok(_) if byte == [DRAIN] => Told::Drain,
            Ok(_) | Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Told::Nothing,
            Err(_) => Told::Gone,
        }
    }
}

impl AsFd for Tending {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn receive_header(socket: BorrowedFd<'_>) -> Result<(usize, usize, Vec<OwnedFd>), ChannelFault> {
    let mut header = [0; HEADER_LEN];
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX + 1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut header)], &mut control, RecvFlags::CMSG_CLOEXEC | RecvFlags::WAITALL)
        .map_err(io::Error::from)?;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    if got.bytes != HEADER_LEN {
        return Err(ChannelFault::Malformed);
    }
    let [o0, o1, o2, o3, b0, b1, b2, b3] = header;
    let len = |field| usize::try_from(u32::from_le_bytes(field)).unwrap_or(usize::MAX);
    Ok((len([o0, o1, o2, o3]), len([b0, b1, b2, b3]), descriptors))
}

#[cfg(test)]
mod tests;
