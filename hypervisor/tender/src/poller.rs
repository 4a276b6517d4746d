//! Readiness of all host descriptors of a cell: one epoll, each descriptor registered once and edge-triggered.

use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::time::Timespec;

use crate::limits::EVENTS_PER_POLL;

/// Whose descriptor is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The owner within the tender: a link's number, or [`CHANNEL`].
    pub owner: u8,
    /// What kind of descriptor, as the owner numbers them.
    pub kind: u8,
    /// Tells a descriptor from an earlier one in the same place.
    pub serial: u16,
    /// The owner's index of it.
    pub index: u32,
}

/// [`Token::owner`] of the channel to the supervisor.
pub const CHANNEL: u8 = 255;

/// Both directions, each change told once.
const ALL_EDGES: EventFlags = EventFlags::IN.union(EventFlags::OUT).union(EventFlags::RDHUP).union(EventFlags::ET);

/// What a descriptor is ready for. Errors count as both: the next read or write tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// A read may bring something.
    pub readable: bool,
    /// A write may take something.
    pub writable: bool,
}

/// The epoll descriptor and a buffer for its events.
pub struct Poller {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Poller {
    /// An epoll that watches nothing yet.
    ///
    /// # Errors
    /// What epoll_create1(2) says.
    pub fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, events: Vec::with_capacity(EVENTS_PER_POLL) })
    }

    /// Watches `source` in both directions until it is closed.
    ///
    /// # Errors
    /// What epoll_ctl(2) says.
    pub fn watch(&self, source: impl AsFd, token: Token) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, source, EventData::new_u64(token.pack()), ALL_EDGES)?)
    }

    /// Watches under another token what is watched already. What it is ready for now is reported anew.
    ///
    /// # Errors
    /// What epoll_ctl(2) says.
    pub fn rename(&self, source: impl AsFd, token: Token) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, source, EventData::new_u64(token.pack()), ALL_EDGES)?)
    }

    /// Waits for events until `timeout` (`ZERO`: not at all), and takes a batch of them.
    ///
    /// # Errors
    /// What epoll_pwait2(2) says; an interruption is an empty batch.
    pub fn poll(&mut self, timeout: Duration) -> io::Result<usize> {
        let timeout = Timespec::try_from(timeout).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.events.clear();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), Some(&timeout)) {
            Ok(count) => Ok(count),
            Err(rustix::io::Errno::INTR) => Ok(0),
            Err(fault) => Err(fault.into()),
        }
    }

    /// The events of the last batch, by number.
    #[must_use]
    pub fn event(&self, index: usize) -> Option<(Token, Readiness)> {
        let event = self.events.get(index)?;
        let flags = event.flags;
        let broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
        let readable = broken || flags.intersects(EventFlags::IN | EventFlags::RDHUP);
        let writable = broken || flags.contains(EventFlags::OUT);
        Some((Token::unpack(event.data.u64()), Readiness { readable, writable }))
    }
}

impl core::fmt::Debug for Poller {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Poller").field("epoll", &self.epoll).field("events", &self.events.len()).finish()
    }
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

impl Token {
    fn pack(self) -> u64 {
        let [i0, i1, i2, i3] = self.index.to_le_bytes();
        let [s0, s1] = self.serial.to_le_bytes();
        u64::from_le_bytes([i0, i1, i2, i3, s0, s1, self.kind, self.owner])
    }

    fn unpack(data: u64) -> Self {
        let [i0, i1, i2, i3, s0, s1, kind, owner] = data.to_le_bytes();
        Self { owner, kind, serial: u16::from_le_bytes([s0, s1]), index: u32::from_le_bytes([i0, i1, i2, i3]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_kernel() {
        let token = Token { owner: 1, kind: 2, serial: 0xfffe, index: 0x89ab_cdef };
        assert_eq!(Token::unpack(token.pack()), token);
    }

    #[test]
    fn an_edge_is_reported_once() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut poller = Poller::new().unwrap();
        let token = Token { owner: 0, kind: 1, serial: 2, index: 3 };
        poller.watch(&ours, token).unwrap();
        assert_eq!(poller.poll(Duration::ZERO).unwrap(), 1);
        assert_eq!(poller.event(0), Some((token, Readiness { readable: false, writable: true })));
        assert_eq!(poller.poll(Duration::ZERO).unwrap(), 0);
        let renamed = Token { index: 4, ..token };
        poller.rename(&ours, renamed).unwrap();
        assert_eq!(poller.poll(Duration::ZERO).unwrap(), 1);
        assert_eq!(poller.event(0), Some((renamed, Readiness { readable: false, writable: true })));
        let token = renamed;
        drop(theirs);
        assert_eq!(poller.poll(Duration::ZERO).unwrap(), 1);
        assert_eq!(poller.event(0), Some((token, Readiness { readable: true, writable: true })));
    }
}
