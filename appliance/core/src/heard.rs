//! What the other end of a flow has let us know so far. It only ever grows.

use net::CloseReason;

use crate::report::{End, Timeout};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Nothing: a connection that we opened is not answered yet.
    Nothing,
    /// The flow stands.
    Connected,
    /// Its FIN: after what is readable nothing more will come.
    Finished,
    /// The flow is no more; what was unread is lost.
    Gone(CloseReason),
}

impl Heard {
    /// Takes note of something new; what is less than what was heard before changes nothing.
    pub(crate) fn note(&mut self, new: Self) {
        if new.rank() > self.rank() {
            *self = new;
        }
    }

    pub(crate) fn is_finished(self) -> bool {
        matches!(self, Self::Finished | Self::Gone(_))
    }

    /// Its FIN came, whatever has happened since.
    pub(crate) fn is_finished_in_order(self) -> bool {
        matches!(self, Self::Finished | Self::Gone(CloseReason::Done))
    }

    /// The flow ended otherwise than by both FINs.
    pub(crate) fn is_broken(self) -> bool {
        self.is_finished() && !self.is_finished_in_order()
    }

    /// What a broken client's flow means for its connection.
    pub(crate) fn loss(self) -> End {
        match self {
            Self::Gone(CloseReason::PeerStalled) => End::Timeout(Timeout::Stall),
            _ => End::ClientGone,
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Connected => 1,
            Self::Finished => 2,
            Self::Gone(_) => 3,
        }
    }
}
