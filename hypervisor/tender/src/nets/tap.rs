//! The TAP: the link ends in an interface of the host's kernel, and hostile bytes reach the guest as they come.
//!
//! One system call per frame, but a frame may be a super-frame of 64 KiB: checksums and segmentation are left to the kernel by a
//! virtio-net header. Frames are read straight into the guest's queue. A frame that the kernel does not take is dropped and counted.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use machine::host::VNET_HEADER_LEN;
use queue::{Batch, Frame, Offload};
use rustix::io::Errno;

use crate::egress::Egress;
use crate::limits::TAP_READS_PER_TURN;
use crate::nets::{Dropped, Net, Progress};
use crate::order::Backend;
use crate::poller::{Poller, Readiness, Token};

/// One link over a TAP.
#[derive(Debug)]
pub struct Tap {
    tap: OwnedFd,
    egress: Egress,
    readable: bool,
    dropped: Dropped,
}

/// Opens the TAP `name`, with the header and the offloads that [`Tap`] speaks. The supervisor does this; a tender gets the descriptor.
///
/// # Errors
/// What the kernel says: no such right, no `/dev/net/tun`, an interface that another process holds.
pub fn open(name: &str) -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let tun = rustix::fs::open("/dev/net/tun", OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    machine::host::tap_attach(tun.as_fd(), name)?;
    Ok(tun)
}

/// Prepares a TAP that somebody else has opened (with IFF_NO_PI and IFF_VNET_HDR) to be used as one from [`open`].
///
/// # Errors
/// It is no TAP.
pub fn adopt(tap: BorrowedFd<'_>) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(tap)?;
    rustix::fs::fcntl_setfl(tap, flags | rustix::fs::OFlags::NONBLOCK)?;
    machine::host::tap_offload(tap)
}

impl Tap {
    /// A net over an open TAP.
    #[must_use]
    pub fn new(tap: OwnedFd, egress: Egress) -> Self {
        Self { tap, egress, readable: true, dropped: Dropped::default() }
    }

    /// Watches the TAP as the link number `link`; to be called once.
    ///
    /// # Errors
    /// What epoll_ctl(2) says.
    pub fn watch(&self, poller: &Poller, link: u8) -> io::Result<()> {
        poller.watch(&self.tap, Token { owner: link, kind: 0, serial: 0, index: 0 })
    }

    fn read(&mut self, space: &mut [u8], now: Duration) -> Option<(usize, Offload)> {
        let mut header = [0; VNET_HEADER_LEN];
        let result = rustix::io::readv(&self.tap, &mut [IoSliceMut::new(&mut header), IoSliceMut::new(space)]);
        match result {
            Ok(len) => {
                let len = len.checked_sub(VNET_HEADER_LEN).filter(|len| *len > 0)?;
                self.egress.hears(space.get(..len)?, now);
                Some((len, decode(header)))
            }
            Err(Errno::INTR) => None,
            Err(_) => {
                self.readable = false;
                None
            }
        }
    }
}

impl Net for Tap {
    fn transmit(&mut self, frame: Frame<'_>, now: Duration) {
        if !self.egress.allows(frame.bytes, now) {
            self.dropped.filtered = self.dropped.filtered.saturating_add(1);
            return;
        }
        let header = encode(frame.offload);
        // EAGAIN, EIO (interface down), EINVAL, ENOBUFS ..: the frame is lost, as frames may be. TCP will see to it.
        if rustix::io::writev(&self.tap, &[IoSlice::new(&header), IoSlice::new(frame.bytes)]).is_err() {
            self.dropped.host = self.dropped.host.saturating_add(1);
        }
    }

    fn ready(&mut self, _token: Token, readiness: Readiness) {
        self.readable |= readiness.readable;
    }

    fn turn(&mut self, _poller: &Poller, now: Duration) -> Progress {
        self.egress.forget_retired(now);
        Progress::Idle
    }

    fn reload(&mut self, backends: &[Backend], linger: Duration, now: Duration) {
        let guests: Vec<_> = backends.iter().map(|backend| backend.guest).collect();
        self.egress.reload(&guests, linger, now);
    }

    fn receive(&mut self, batch: &mut Batch<'_>, now: Duration) {
        for _ in 0..TAP_READS_PER_TURN {
            if !self.readable || batch.room() < abi::limits::FRAME_LEN_MAX {
                break;
            }
            let filled = batch.fill(abi::limits::FRAME_LEN_MAX, |space| self.read(space, now));
            if filled.is_err() {
                break;
            }
        }
    }

    fn deadline(&self) -> Option<Duration> {
        None
    }

    fn drain(&mut self) {}

    /// On a wire backends have their own addresses.
    fn real(&self, guest: SocketAddr) -> Option<SocketAddr> {
        Some(guest)
    }

    fn dropped(&self) -> Dropped {
        self.dropped
    }
}

/// `virtio_net_hdr`: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset; little-endian, as the host is.
fn encode(offload: Offload) -> [u8; VNET_HEADER_LEN] {
    let [h0, h1] = offload.hdr_len.to_le_bytes();
    let [g0, g1] = offload.gso_size.to_le_bytes();
    let [s0, s1] = offload.csum_start.to_le_bytes();
    let [o0, o1] = offload.csum_offset.to_le_bytes();
    [offload.flags & abi::queue::FLAG_NEEDS_CSUM, offload.gso_type, h0, h1, g0, g1, s0, s1, o0, o1]
}

fn decode(header: [u8; VNET_HEADER_LEN]) -> Offload {
    let [flags, gso_type, h0, h1, g0, g1, s0, s1, o0, o1] = header;
    let word = |low, high| u16::from_le_bytes([low, high]);
    Offload { flags, gso_type, hdr_len: word(h0, h1), gso_size: word(g0, g1), csum_start: word(s0, s1), csum_offset: word(o0, o1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_comes_back_as_it_went() {
        let offload = Offload { flags: 1, gso_type: 4, hdr_len: 0x102, gso_size: 0x304, csum_start: 0x506, csum_offset: 0x708 };
        assert_eq!(decode(encode(offload)), offload);
    }

    #[test]
    fn the_guest_cannot_vouch_for_checksums_towards_the_kernel() {
        let claimed = Offload { flags: abi::queue::FLAG_DATA_VALID, ..Offload::default() };
        assert_eq!(decode(encode(claimed)).flags, 0);
    }
}
