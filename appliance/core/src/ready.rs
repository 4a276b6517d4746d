//! The connections that have something to do, first come first served.
//!
//! A connection stands in the queue at most once, so the queue is never longer than the table of connections.

use alloc::collections::VecDeque;

use crate::table::ConnectionId;

/// Whether a connection stands in the [`Ready`] queue. It lives in the connection; only the queue changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Place {
    #[default]
    Resting,
    Queued,
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    queue: VecDeque<ConnectionId>,
}

impl Ready {
    /// Puts a connection at the end, unless it stands in the queue already.
    pub(crate) fn push(&mut self, id: ConnectionId, place: &mut Place) {
        if *place == Place::Resting {
            *place = Place::Queued;
            self.queue.push_back(id);
        }
    }

    /// Takes the first. The caller sets its place to resting.
    pub(crate) fn pop(&mut self) -> Option<ConnectionId> {
        self.queue.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
