//! What one step reads and writes: frames of two links, the time, and when to be called again.
//!
//! The unikernel implements [`Wires`] over the queue windows that it shares with the tender, the simulator over vectors. The appliance
//! never sees a device, a clock or a socket.

use core::time::Duration;

use net::Offload;

/// The time of one step, as the tender or the simulator gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Since the cell's start; never goes back.
    pub mono: Duration,
    /// Since 1970-01-01T00:00:00Z; may jump.
    pub unix: Duration,
}

/// One of the two links of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Towards clients.
    Front,
    /// Towards backends.
    Back,
}

/// A frame's length in bytes, and what is left to do to it; or that there is none.
pub type Filled = Option<(usize, Offload)>;

/// The frames of one step.
pub trait Wires {
    /// The next frame of this step's batch on `link`; `None` once all have been taken.
    fn receive(&mut self, link: Link) -> Option<(&[u8], Offload)>;

    /// Offers space for one frame ([`net::limits::FRAME_LEN_MAX`] bytes) on `link` to `fill`, which says how many bytes of it it used, and what
    /// is left to do to them, or that it has nothing to send. Without room for a frame `fill` is not called.
    fn transmit(&mut self, link: Link, fill: &mut dyn FnMut(&mut [u8]) -> Filled) -> Room;
}

/// Whether a link's transmit queue could take a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// There was room; `fill` was called.
    Left,
    /// There was none; `fill` was not called, and the queue must be handed over first.
    Full,
}

/// When to call the next step, if no frame comes before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// At once: hand over what was queued, and come back without sleeping.
    Flush,
    /// At this time since the cell's start.
    At(Duration),
    /// Not before a frame comes.
    Never,
}

impl Deadline {
    /// The earlier of two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        match (self, other) {
            (Self::Flush, _) | (_, Self::Flush) => Self::Flush,
            (Self::Never, later) | (later, Self::Never) => later,
            (Self::At(a), Self::At(b)) => Self::At(a.min(b)),
        }
    }
}

impl From<Option<Duration>> for Deadline {
    fn from(at: Option<Duration>) -> Self {
        at.map_or(Self::Never, Self::At)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_deadline_wins() {
        let (soon, late) = (Deadline::At(Duration::from_millis(1)), Deadline::At(Duration::from_millis(2)));
        assert_eq!(soon.min(late), soon);
        assert_eq!(late.min(soon), soon);
        assert_eq!(late.min(Deadline::Never), late);
        assert_eq!(Deadline::Never.min(Deadline::Never), Deadline::Never);
        assert_eq!(soon.min(Deadline::Flush), Deadline::Flush);
    }
}
