//! The clients of one pool that wait for a backend with room, first come first served.

use alloc::collections::BTreeMap;

use super::pool::Seeker;
use crate::table::ConnectionId;

/// A place in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: BTreeMap<Ticket, (ConnectionId, Seeker)>,
    next: u64,
}

impl Line {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn join(&mut self, connection: ConnectionId, seeker: Seeker) -> Ticket {
        let ticket = Ticket(self.next);
        self.next = self.next.wrapping_add(1);
        self.waiting.insert(ticket, (connection, seeker));
        ticket
    }

    pub(super) fn leave(&mut self, ticket: Ticket) -> Option<ConnectionId> {
        Some(self.waiting.remove(&ticket)?.0)
    }

    /// Who stands at or behind `ticket`, and the ticket.
    pub(super) fn from(&self, ticket: Ticket) -> Option<(Ticket, Seeker)> {
        self.waiting.range(ticket..).next().map(|(ticket, (_, seeker))| (*ticket, *seeker))
    }
}

impl Ticket {
    pub(super) const FIRST: Self = Self(0);

    pub(super) fn following(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
