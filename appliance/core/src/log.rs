//! What is gathered for a connection's access record while it lives.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::net::SocketAddr;
use core::time::Duration;

use crate::report::{Accepted, End, Record, Serial};
use crate::router::RouteId;

/// See the module.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) accepted: Accepted,
    /// Who spoke for the client, if anybody did.
    pub(crate) front_end: Option<SocketAddr>,
    pub(crate) route: Option<(RouteId, Rc<str>)>,
    /// What was agreed on, and how long it took.
    pub(crate) handshake: Option<(Box<tls::Summary>, Duration)>,
    /// Which one took the connection, and when, from the accepted flow on.
    pub(crate) backend: Option<(SocketAddr, Duration)>,
    /// TLS passed through, and no handshake was ours.
    pub(crate) passed: bool,
    pub(crate) bytes_up: u64,
    pub(crate) bytes_down: u64,
}

impl Log {
    pub(crate) fn new(accepted: Accepted) -> Self {
        Self { accepted, front_end: None, route: None, handshake: None, backend: None, passed: false, bytes_up: 0, bytes_down: 0 }
    }

    pub(crate) fn serial(&self) -> Serial {
        self.accepted.serial
    }

    /// Nobody needs the client's certificate whole once a backend has been told of it; a connection is too small to keep it.
    pub(crate) fn forget_client_der(&mut self) {
        if let Some((summary, _)) = &mut self.handshake {
            summary.forget_client_der();
        }
    }

    /// A backend has taken the connection.
    pub(crate) fn note_backend(&mut self, address: SocketAddr, after: Duration) {
        self.backend = Some((address, after));
    }

    /// The record of a client that asked for this name, after `time` in all.
    pub(crate) fn close(self, server_name: Option<Box<str>>, end: End, time: Duration) -> Record {
        let (handshake, handshake_time) = self.handshake.unzip();
        let (backend, backend_time) = self.backend.unzip();
        Record {
            serial: self.accepted.serial,
            peer: self.accepted.peer,
            front_end: self.front_end,
            server_name,
            handshake,
            route: self.route,
            backend,
            passed: self.passed,
            bytes_up: self.bytes_up,
            bytes_down: self.bytes_down,
            handshake_time,
            connect_time: backend_time.zip(handshake_time).map(|(at, since)| at.saturating_sub(since)),
            time,
            end,
        }
    }
}
