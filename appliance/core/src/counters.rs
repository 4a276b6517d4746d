//! What the appliance has counted. Numbers that only grow, but for the gauge.

use crate::report::{Budget, End, NoBackend};
use crate::wires::Link;

/// All counters: ours and those of both links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections taken on.
    pub accepted: u64,
    /// Gauge: connections that are there now.
    pub connections: u64,
    /// Handshakes completed.
    pub handshakes: u64,
    /// Handshakes completed by a ticket.
    pub resumptions: u64,
    /// Plaintext bytes from clients to backends.
    pub bytes_up: u64,
    /// Plaintext bytes from backends to clients.
    pub bytes_down: u64,
    /// Connections turned away, by budget.
    pub refused: Refusals,
    /// Attempts at a backend that failed.
    pub backend_failures: u64,
    /// Connections that waited for a backend with room.
    pub backend_waits: u64,
    /// Reports of backends that were held back, because there were too many.
    pub backend_reports_held_back: u64,
    /// Connections ended, by reason.
    pub ended: Ends,
    /// Turns of connections.
    pub turns: u64,
    /// Steps that left work for the next, because it was more than one step does.
    pub steps_cut_short: u64,
    /// Batches that were full while frames waited.
    pub stalls: Stalls,
    /// Reports dropped because nobody fetched them.
    pub reports_lost: u64,
    /// The front link's.
    pub front: net::Counters,
    /// The back link's.
    pub back: net::Counters,
}

/// Connections turned away; see [`Budget`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refusals {
    /// [`Budget::Connections`], and those that found no place.
    pub connections: u64,
    /// [`Budget::Handshakes`].
    pub handshakes: u64,
    /// [`Budget::ConnectionsPerSource`].
    pub connections_per_source: u64,
    /// [`Budget::NewPerSource`].
    pub new_per_source: u64,
    /// [`Budget::Drain`].
    pub drain: u64,
}

/// Batches that were full while frames waited, by link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stalls {
    /// The front link's.
    pub front: u64,
    /// The back link's.
    pub back: u64,
}

/// Connections ended; see [`End`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ends {
    /// [`End::Done`].
    pub done: u64,
    /// [`End::ClientFault`].
    pub client_fault: u64,
    /// [`End::UnknownName`].
    pub unknown_name: u64,
    /// [`End::UnknownProtocol`].
    pub unknown_protocol: u64,
    /// [`End::ClientTruncated`] and [`End::ClientGone`].
    pub client_gone: u64,
    /// [`End::NoBackend`], whatever the reason.
    pub no_backend: u64,
    /// Those of them that found the line full, or waited in it for too long.
    pub queue: u64,
    /// [`End::BackendGone`].
    pub backend_gone: u64,
    /// [`End::Timeout`].
    pub timeout: u64,
    /// [`End::FrontEndFault`].
    pub front_end_fault: u64,
    /// [`End::Refused`].
    pub refused: u64,
    /// [`End::Drained`].
    pub drained: u64,
}

impl Stalls {
    pub(crate) fn count(&mut self, link: Link) {
        let counter = match link {
            Link::Front => &mut self.front,
            Link::Back => &mut self.back,
        };
        *counter = counter.saturating_add(1);
    }
}

impl Refusals {
    pub(crate) fn count(&mut self, budget: Budget) {
        let counter = match budget {
            Budget::Connections => &mut self.connections,
            Budget::Handshakes => &mut self.handshakes,
            Budget::ConnectionsPerSource => &mut self.connections_per_source,
            Budget::NewPerSource => &mut self.new_per_source,
            Budget::Drain => &mut self.drain,
        };
        *counter = counter.saturating_add(1);
    }
}

impl Ends {
    pub(crate) fn count(&mut self, end: End) {
        let queued = matches!(end, End::NoBackend(NoBackend::QueueFull | NoBackend::QueueTimeout));
        self.queue = self.queue.saturating_add(queued.into());
        let counter = match end {
            End::Done => &mut self.done,
            End::ClientFault(_) => &mut self.client_fault,
            End::UnknownName => &mut self.unknown_name,
            End::UnknownProtocol => &mut self.unknown_protocol,
            End::ClientTruncated | End::ClientGone => &mut self.client_gone,
            End::NoBackend(_) => &mut self.no_backend,
            End::BackendGone => &mut self.backend_gone,
            End::Timeout(_) => &mut self.timeout,
            End::FrontEndFault(_) => &mut self.front_end_fault,
            End::Refused(_) => &mut self.refused,
            End::Drained => &mut self.drained,
        };
        *counter = counter.saturating_add(1);
    }
}
