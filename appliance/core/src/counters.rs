//! What the appliance has counted. Numbers that only grow, but for the gauge.

use crate::report::{Budget, End, NoBackend, Timeout};
use crate::wires::Link;

/// All counters: ours and those of both links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections taken on.
    pub accepted: u64,
    /// Gauge: connections that are there now.
    pub connections: u64,
    /// Gauge: those of them whose hello is not whole.
    pub waiting: u64,
    /// Gauge: those of them that shake hands.
    pub handshaking: u64,
    /// Handshakes completed.
    pub handshakes: u64,
    /// Handshakes completed by a ticket.
    pub resumptions: u64,
    /// Plaintext bytes from clients to backends.
    pub bytes_up: u64,
    /// Plaintext bytes from backends to clients.
    pub bytes_down: u64,
    /// Connections turned away or displaced, by budget.
    pub refused: Refusals,
    /// Connections ended by a limit of time, by limit.
    pub timeouts: Timeouts,
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

/// Connections turned away or displaced; see [`Budget`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refusals {
    /// [`Budget::Connections`], and those that found no place.
    pub connections: u64,
    /// [`Budget::ConnectionsPerSource`].
    pub connections_per_source: u64,
    /// [`Budget::NewPerSource`].
    pub new_per_source: u64,
    /// [`Budget::New`].
    pub new: u64,
    /// [`Budget::Waiting`]: who had to make way.
    pub waiting: u64,
    /// [`Budget::Handshakes`]: who had to make way.
    pub handshakes: u64,
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

/// Connections ended by a limit of time; see [`Timeout`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// [`Timeout::FirstByte`].
    pub first_byte: u64,
    /// [`Timeout::Handshake`].
    pub handshake: u64,
    /// [`Timeout::Idle`].
    pub idle: u64,
    /// [`Timeout::HalfClose`].
    pub half_close: u64,
    /// [`Timeout::Lifetime`].
    pub lifetime: u64,
    /// [`Timeout::Linger`].
    pub linger: u64,
    /// [`Timeout::Stall`].
    pub stall: u64,
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
    /// [`End::Timeout`]; see [`Timeouts`].
    pub timeout: u64,
    /// [`End::FrontEndFault`].
    pub front_end_fault: u64,
    /// [`End::Refused`].
    pub refused: u64,
    /// [`End::Displaced`].
    pub displaced: u64,
    /// [`End::Drained`].
    pub drained: u64,
    /// [`End::Released`].
    pub released: u64,
    /// [`End::NotAnswered`].
    pub not_answered: u64,
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

impl Counters {
    /// One connection has ended.
    pub(crate) fn end(&mut self, end: End) {
        self.ended.count(end);
        if let End::Timeout(timeout) = end {
            self.timeouts.count(timeout);
        }
    }
}

impl Refusals {
    pub(crate) fn count(&mut self, budget: Budget) {
        let counter = match budget {
            Budget::Connections => &mut self.connections,
            Budget::ConnectionsPerSource => &mut self.connections_per_source,
            Budget::NewPerSource => &mut self.new_per_source,
            Budget::New => &mut self.new,
            Budget::Waiting => &mut self.waiting,
            Budget::Handshakes => &mut self.handshakes,
            Budget::Drain => &mut self.drain,
        };
        *counter = counter.saturating_add(1);
    }
}

impl Timeouts {
    pub(crate) fn count(&mut self, timeout: Timeout) {
        let counter = match timeout {
            Timeout::FirstByte => &mut self.first_byte,
            Timeout::Handshake => &mut self.handshake,
            Timeout::Idle => &mut self.idle,
            Timeout::HalfClose => &mut self.half_close,
            Timeout::Lifetime => &mut self.lifetime,
            Timeout::Linger => &mut self.linger,
            Timeout::Stall => &mut self.stall,
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
            End::Displaced(_) => &mut self.displaced,
            End::Drained => &mut self.drained,
            End::Released => &mut self.released,
            End::NotAnswered => &mut self.not_answered,
        };
        *counter = counter.saturating_add(1);
    }
}
