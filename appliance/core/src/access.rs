//! A connection's record in the words of [`status`].

use core::time::Duration;

use status::limits::NAME_LEN_MAX;
use status::{Access, Agreed};

use crate::report::{End, NoBackend, Record, Timeout};
use crate::tallies::{failure, number};

impl Record {
    /// The record as it travels to the host.
    #[must_use]
    pub fn access(&self) -> Access<'_> {
        Access {
            serial: self.serial.0,
            source: self.peer,
            front_end: self.front_end,
            server_name: self.server_name.as_deref().map(bounded),
            agreed: self.handshake.as_deref().map(agreed),
            route: self.route.as_ref().map(|(_, name)| bounded(name)),
            backend: self.backend,
            passed: self.passed,
            bytes_up: self.bytes_up,
            bytes_down: self.bytes_down,
            handshake_us: self.handshake_time.map(micros),
            connect_us: self.connect_time.map(micros),
            time_us: micros(self.time),
            end: self.end.into(),
            failure: failure(self.end),
        }
    }
}

fn agreed(summary: &tls::Summary) -> Agreed<'_> {
    Agreed {
        version: number(summary.version),
        suite: summary.suite,
        group: summary.group,
        alpn: summary.alpn.as_deref(),
        resumed: summary.resumed,
        retried: summary.retried,
        client: summary.client.as_ref().map(|client| client.subject.as_str()),
    }
}

impl From<End> for status::End {
    fn from(end: End) -> Self {
        match end {
            End::Done => Self::Done,
            End::ClientFault(_) => Self::ClientFault,
            End::UnknownName => Self::UnknownName,
            End::UnknownProtocol => Self::UnknownProtocol,
            End::ClientTruncated => Self::ClientTruncated,
            End::ClientGone => Self::ClientGone,
            End::NoBackend(NoBackend::Failed) => Self::NoBackend,
            End::NoBackend(NoBackend::Down) => Self::BackendsDown,
            End::NoBackend(NoBackend::QueueFull) => Self::QueueFull,
            End::NoBackend(NoBackend::QueueTimeout) => Self::QueueTimeout,
            End::BackendGone => Self::BackendGone,
            End::Timeout(Timeout::FirstByte) => Self::FirstByteTimeout,
            End::Timeout(Timeout::Handshake) => Self::HandshakeTimeout,
            End::Timeout(Timeout::Idle) => Self::IdleTimeout,
            End::Timeout(Timeout::HalfClose) => Self::HalfCloseTimeout,
            End::Timeout(Timeout::Lifetime) => Self::LifetimeTimeout,
            End::Timeout(Timeout::Linger) => Self::LingerTimeout,
            End::Timeout(Timeout::Stall) => Self::StallTimeout,
            End::Displaced(_) => Self::Displaced,
            End::FrontEndFault(_) => Self::FrontEndFault,
            End::Refused(_) => Self::Refused,
            End::Drained => Self::Drained,
            End::Released => Self::Released,
            End::NotAnswered => Self::NotAnswered,
        }
    }
}

const _: () = assert!(tls::limits::SUBJECT_LEN_MAX <= status::limits::SUBJECT_LEN_MAX, "no subject is too long for a record");

/// Names are bounded where they come from; a longer one is cut rather than lost.
fn bounded(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_LEN_MAX)).unwrap_or_default()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
