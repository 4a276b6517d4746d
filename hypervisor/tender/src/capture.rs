//! The public link's frames as pcapng, into a pipe whose other end the supervisor keeps: for a contest's evidence.
//!
//! Nothing here waits: what finds no room is dropped by whole frames, and counted. It is what anybody on the wire could have seen; of what the cell knows beside that there is nothing in it.

use core::time::Duration;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use machine::layout::Part;
use machine::{Cell, Jailed};
use recording::pcap::{self, Way};

use crate::limits::CAPTURE_WAITING_MAX;
use crate::line::{Line, Speaker};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    to: Option<OwnedFd>,
    /// Whole blocks, the first perhaps half gone already.
    waiting: Vec<u8>,
    lost: u64,
    told: u64,
}

impl Capture {
    /// A capture into this pipe, which does not block; none where there is none.
    pub(crate) fn new(to: Option<OwnedFd>) -> Self {
        Self { to, ..Self::default() }
    }

    /// Its descriptor, for the jail.
    pub(crate) fn descriptor(&self) -> Option<RawFd> {
        self.to.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Takes what stands in the front link's window of this way.
    pub(crate) fn take(&mut self, cell: &Cell<Jailed>, way: Way, unix: Duration) {
        if self.to.is_none() {
            return;
        }
        let part = match way {
            Way::ToGuest => Part::Rx(abi::boot::FRONT),
            Way::FromGuest => Part::Tx(abi::boot::FRONT),
        };
        let unix_ns = u64::try_from(unix.as_nanos()).unwrap_or(u64::MAX);
        // A window that is malformed ends the guest elsewhere.
        let frames = queue::frames(cell.window(part)).into_iter().flatten().map_while(Result::ok);
        for frame in frames {
            let block = pcap::frame(abi::boot::FRONT, way, unix_ns, frame.bytes);
            if self.waiting.len().saturating_add(block.len()) > CAPTURE_WAITING_MAX {
                self.lost = self.lost.saturating_add(1);
            } else {
                self.waiting.extend_from_slice(&block);
            }
        }
        self.write();
    }

    fn write(&mut self) {
        let Some(to) = &self.to else { return };
        if self.waiting.is_empty() {
            return;
        }
        // Full is for later, and a pipe that nobody reads any more is the end of it.
        match rustix::io::write(to, &self.waiting) {
            Ok(written) => drop(self.waiting.drain(..written.min(self.waiting.len()))),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(_) => {
                self.to = None;
                self.waiting = Vec::new();
            }
        }
    }

    /// Says what was lost, each time that it has doubled.
    pub(crate) fn tell(&mut self, speaker: &mut Speaker) {
        if self.lost.checked_ilog2() != self.told.checked_ilog2() {
            self.told = self.lost;
            speaker.say(&[Line::tender("warn", "frames were not captured: their reader is too slow").with("count", self.lost)]);
        }
    }
}
