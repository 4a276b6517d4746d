//! What happened, as typed records: the access log, refusals, limits, counters. No text is made here.
//!
//! Reports wait in a bounded queue until they are fetched. What does not fit is dropped and counted: a flood of events never costs memory,
//! and never holds up a frame.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::net::SocketAddr;
use core::time::Duration;

use crate::counters::Counters;
use crate::gate::Gate;
use crate::limits::{BACKEND_REPORTS_PER_S, REPORTS_MAX};
use crate::pace::Pace;
use crate::router::RouteId;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// A client's connection was taken on.
    Accepted(Accepted),
    /// A client's connection was turned away at the door.
    Refused(Refused),
    /// Clients found a link without a free flow, or without memory for one, since this was last said; they were not answered.
    LinkFull(u64),
    /// So many refusals and early ends were not reported, because they came faster than the limits let them be.
    Suppressed(u64),
    /// A backend did not take a connection; another one may be tried.
    BackendFailed(BackendFailed),
    /// A backend gets connections again, or no more.
    BackendChanged(BackendChanged),
    /// A connection ended.
    Closed(Box<Record>),
    /// Reports were lost since the last one that was fetched.
    Lost(u64),
    /// All counters; made when a drain begins and when it ends.
    Counters(Box<Counters>),
}

/// Distinguishes the connections of one cell in its reports: 1, 2, 3 and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(pub u64);

/// See [`Report::Accepted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Which connection.
    pub serial: Serial,
    /// The listener's address.
    pub local: SocketAddr,
    /// The client's.
    pub peer: SocketAddr,
}

/// See [`Report::Refused`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The client's address.
    pub peer: SocketAddr,
    /// Which budget was used up.
    pub budget: Budget,
}

/// What a client's connection is counted against, cheapest check first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// The cell is being drained.
    Drain,
    /// Connections in all.
    Connections,
    /// Connections of one source.
    ConnectionsPerSource,
    /// New connections of one source within a second.
    NewPerSource,
    /// New connections in all within a second.
    New,
    /// Connections whose hello is not whole. Nobody is refused for it: a newcomer displaces another.
    Waiting,
    /// Handshakes under way. The same.
    Handshakes,
}

/// See [`Report::BackendFailed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackendFailed {
    /// Which connection it was for.
    pub serial: Serial,
    /// The backend.
    pub backend: SocketAddr,
    /// What went wrong.
    pub fault: BackendFault,
}

/// Why a backend did not take a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendFault {
    /// It refused or broke the connection off.
    Refused,
    /// It did not answer in time.
    Silent,
    /// The private link had no flow or no address left for it.
    Exhausted,
}

/// See [`Report::BackendChanged`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackendChanged {
    /// The route whose backend it is.
    pub route: RouteId,
    /// The backend.
    pub backend: SocketAddr,
    /// What has changed.
    pub change: Change,
}

/// What has changed with a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Its checks pass again: it gets connections.
    Up,
    /// Its checks fail, the last one so: it gets no connections.
    Down(CheckFault),
    /// Several attempts in a row failed: it rests.
    Ejected,
    /// It took a connection after it had been ejected.
    Returned,
}

/// Why a check of a backend failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckFault {
    /// It refused the connection.
    Refused,
    /// It did not answer in time.
    Silent,
    /// It ended the connection before it had answered.
    Closed,
    /// Its answer had this HTTP status, which is not among those expected.
    Status(u16),
    /// Its answer was not one of HTTP/1.
    Malformed,
}

/// Why there was no backend for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoBackend {
    /// By their checks all are down.
    Down,
    /// Every attempt that the route allows, or every backend that there is, has failed.
    Failed,
    /// All were full, and so was the line of those who wait.
    QueueFull,
    /// All were full for as long as a client may wait.
    QueueTimeout,
}

/// The access record of one connection; see [`Report::Closed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which connection.
    pub serial: Serial,
    /// The client's address.
    pub peer: SocketAddr,
    /// The front end that spoke for it (PROXY protocol), if one did.
    pub front_end: Option<SocketAddr>,
    /// The name that the client asked for.
    pub server_name: Option<Box<str>>,
    /// What the handshake agreed on; absent if it was not completed.
    pub handshake: Option<Box<tls::Summary>>,
    /// The route and its name, once one was chosen.
    pub route: Option<(RouteId, Rc<str>)>,
    /// The backend, once one took the connection.
    pub backend: Option<SocketAddr>,
    /// TLS passed through: what was agreed on is between client and backend, and bytes are those of the TCP streams.
    pub passed: bool,
    /// Plaintext from the client to the backend, in bytes.
    pub bytes_up: u64,
    /// Plaintext from the backend to the client, in bytes.
    pub bytes_down: u64,
    /// From the accepted flow to the end of the handshake.
    pub handshake_time: Option<Duration>,
    /// From the end of the handshake to the backend's answer.
    pub connect_time: Option<Duration>,
    /// From the accepted flow to the end.
    pub time: Duration,
    /// How it ended.
    pub end: End,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Both sides said that they were done, and were told so.
    Done,
    /// The client broke TLS's rules; it was sent an alert.
    ClientFault(tls::Fault),
    /// No route has the name that the client asked for; it was sent `unrecognized_name`.
    UnknownName,
    /// No route of that name speaks a protocol (ALPN) that the client offers; it was sent `no_application_protocol`.
    UnknownProtocol,
    /// The client went away without a close_notify. The backend sees a reset, not an end (RFC 8446 section 6.1).
    ClientTruncated,
    /// The client's TCP connection was reset or gave up.
    ClientGone,
    /// No backend took the connection. The client sees a truncation: FIN without close_notify.
    NoBackend(NoBackend),
    /// The backend reset the connection or gave up. The client sees a truncation: FIN without close_notify.
    BackendGone,
    /// A limit of time was reached. The client sees a truncation: FIN without close_notify; before the handshake is done, a reset.
    Timeout(Timeout),
    /// A front end did not begin with a sound PROXY header. It sees a reset.
    FrontEndFault(proxy::Fault),
    /// A front end spoke for a client that has used this budget up. It sees a reset.
    Refused(Budget),
    /// Before its handshake was done it made way for another: the budget was used up, and it was the oldest of the source that had most. The
    /// client sees a reset.
    Displaced(Budget),
    /// The drain's limit was reached.
    Drained,
    /// It was let in at a door of the contest, and the prize was sent to it.
    Released,
    /// Whoever knocked was called back, and did not answer.
    NotAnswered,
}

/// Which limit of time was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// From the accepted flow to the first byte.
    FirstByte,
    /// From the accepted flow to the end of the handshake.
    Handshake,
    /// Without a byte in either direction.
    Idle,
    /// The same, when one direction has ended.
    HalfClose,
    /// From the accepted flow on, whatever happens.
    Lifetime,
    /// For the client to take the last bytes.
    Linger,
    /// For the client to take a segment of what waits for it. It sees a reset.
    Stall,
}

impl End {
    /// Whether a limit ended what had hardly begun: such ends may come in floods.
    pub(crate) fn is_refusal(self) -> bool {
        matches!(self, Self::Displaced(_) | Self::Refused(_) | Self::Timeout(Timeout::FirstByte | Timeout::Handshake))
    }
}

/// The reports that wait.
#[derive(Debug)]
pub(crate) struct Reports {
    queue: VecDeque<Report>,
    /// Of what is said of backends.
    pace: Pace,
    held_back: u64,
    gate: Gate,
    /// Since the last one that was fetched.
    lost: u64,
    lost_in_all: u64,
}

impl Reports {
    /// So many refusals a second are reported one by one.
    pub(crate) fn new(refusals_per_s: u32) -> Self {
        Self {
            queue: VecDeque::new(),
            pace: Pace::new(BACKEND_REPORTS_PER_S),
            held_back: 0,
            gate: Gate::new(refusals_per_s),
            lost: 0,
            lost_in_all: 0,
        }
    }

    /// From now on so many refusals a second.
    pub(crate) fn set_rate(&mut self, refusals_per_s: u32) {
        self.gate.set_rate(refusals_per_s);
    }

    /// Says something of a backend, unless that was said too often. A backend that is gone fails every client, and each failure is counted anyway.
    pub(crate) fn push_of_backend(&mut self, report: Report, now: Duration) {
        if self.pace.take(now) {
            self.push(report);
        } else {
            self.held_back = self.held_back.saturating_add(1);
        }
    }

    pub(crate) fn held_back(&self) -> u64 {
        self.held_back
    }

    /// Reports a refusal, or counts it only if there are too many. `report` is made in the first case.
    pub(crate) fn push_refusal(&mut self, now: Duration, report: impl FnOnce() -> Report) {
        if self.gate.passes(now) {
            self.push(report());
        }
    }

    /// Says how many refusals were not reported, once that may be said.
    pub(crate) fn tell_suppressed(&mut self, now: Duration) {
        if let Some(count) = self.gate.tell(now) {
            self.push(Report::Suppressed(count));
        }
    }

    /// The same, when nothing is reported any more after this.
    pub(crate) fn tell_last_suppressed(&mut self) {
        if let Some(count) = self.gate.tell_last() {
            self.push(Report::Suppressed(count));
        }
    }

    pub(crate) fn push(&mut self, report: Report) {
        if self.queue.len() < REPORTS_MAX {
            self.queue.push_back(report);
        } else {
            self.lost = self.lost.saturating_add(1);
            self.lost_in_all = self.lost_in_all.saturating_add(1);
        }
    }

    /// Whether so many wait that whoever would end a connection now should let them be fetched first. What comes in a step unasked for (new
    /// connections, what is said of backends) still has room then.
    pub(crate) fn is_crowded(&self) -> bool {
        self.queue.len() >= REPORTS_MAX / 2
    }

    pub(crate) fn lost_in_all(&self) -> u64 {
        self.lost_in_all
    }

    pub(crate) fn pop(&mut self) -> Option<Report> {
        if let Some(report) = self.queue.pop_front() {
            return Some(report);
        }
        match core::mem::take(&mut self.lost) {
            0 => None,
            lost => Some(Report::Lost(lost)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted_and_said_last() {
        let mut reports = Reports::new(1);
        for lost in 0..=REPORTS_MAX as u64 {
            reports.push(Report::Lost(lost));
        }
        let fetched: alloc::vec::Vec<_> = core::iter::from_fn(|| reports.pop()).collect();
        assert_eq!(fetched.len(), REPORTS_MAX + 1);
        assert_eq!(fetched.first(), Some(&Report::Lost(0)));
        assert_eq!(fetched.last(), Some(&Report::Lost(1)));
        assert_eq!(reports.pop(), None);
    }
}
