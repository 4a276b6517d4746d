//! A cell at one moment: every counter and gauge.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::limits::{BACKENDS_MAX, FAILURES_MAX, HANDSHAKE_KINDS_MAX, NAME_LEN_MAX, ROUTES_MAX, STATUS_LEN_MAX};
use crate::link::Link;
use crate::reason::{End, Failure, Limit, named};

/// Changes whenever the shape of [`Status`] does: a guest of another build is not misread.
const FORMAT: u32 = 0x6262_0001;

/// See the module. Counters only grow while a cell lives and start anew with each cell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Since the cell's start, in milliseconds.
    pub uptime_ms: u64,
    /// What the cell is doing.
    pub phase: Phase,
    /// Clients' connections.
    pub connections: Connections,
    /// Completed handshakes, by what they agreed on.
    pub handshakes: Vec<(HandshakeKind, u64)>,
    /// Completed handshakes of kinds beyond the capacity.
    pub handshakes_other: u64,
    /// Handshakes that failed, by reason.
    pub failures: Vec<(Failure, u64)>,
    /// Failed handshakes of reasons beyond the capacity.
    pub failures_other: u64,
    /// Connections turned away, by the limit that was reached.
    pub refused: Vec<(Limit, u64)>,
    /// Connections ended, by how.
    pub ended: Vec<(End, u64)>,
    /// Plaintext from clients to backends, in bytes.
    pub bytes_up: u64,
    /// Plaintext from backends to clients, in bytes.
    pub bytes_down: u64,
    /// The public link.
    pub front: Link,
    /// The private link.
    pub back: Link,
    /// The guest's heap.
    pub memory: Memory,
    /// How the work is spread over turns.
    pub work: Work,
    /// What the log has lost.
    pub log: Log,
    /// The routes and their backends.
    pub routes: Vec<Route>,
    /// Backends that found no place in the list.
    pub backends_omitted: u64,
}

named! {
    /// What a cell is doing.
    #[derive(Default)]
    Phase {
        #[default]
        /// It takes connections on.
        Serving "serving",
        /// It finishes those that run.
        Draining "draining",
        /// Nothing runs any more.
        Drained "drained",
    }
}

/// Clients' connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// Counter: those that were taken on.
    pub accepted: u64,
    /// Gauge: those that are there now.
    pub now: u64,
    /// Gauge: those whose hello is not whole.
    pub waiting: u64,
    /// Gauge: those that shake hands.
    pub handshakes: u64,
}

/// What a completed handshake is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HandshakeKind {
    /// The protocol version's number on the wire.
    pub version: u16,
    /// The cipher suite's number.
    pub suite: u16,
    /// The key exchange group's number; none where a TLS 1.2 session was resumed.
    pub group: Option<u16>,
    /// Whether a ticket took the place of a full handshake.
    pub resumed: bool,
}

/// The guest's heap, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Gauge: allocated now.
    pub used: u64,
    /// The most that was ever allocated.
    pub peak: u64,
    /// What there is.
    pub limit: u64,
}

/// How the work is spread over turns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Turns of connections.
    pub turns: u64,
    /// Steps that left work for the next, because it was more than one step does.
    pub steps_cut_short: u64,
    /// Receive batches that the tender left malformed.
    pub batches_malformed: u64,
}

/// What the log has lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// Records and other reports that found no room in the guest's queue.
    pub lost: u64,
}

/// One route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// Gauge: clients that wait for a backend with room.
    pub queued: u64,
    /// Its backends.
    pub backends: Vec<Backend>,
}

/// One backend of one route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// As the guest knows it.
    pub address: SocketAddr,
    /// Whether it gets connections.
    pub state: BackendState,
    /// Gauge: connections to it now.
    pub active: u64,
    /// Counter: connections that it took.
    pub connections: u64,
    /// Counter: attempts of clients' connections that failed.
    pub failures: u64,
    /// Whether checks are configured.
    pub checked: bool,
    /// Counter: checks that passed.
    pub checks_passed: u64,
    /// Counter: checks that failed.
    pub checks_failed: u64,
}

named! {
    /// Whether a backend gets connections.
    BackendState {
        /// It does.
        Up "up",
        /// Its checks fail.
        Down "down",
        /// It rests after failures in a row.
        Ejected "ejected",
    }
}

/// Why bytes are no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFault {
    /// They are too long, too short, of another build, or not of this shape.
    Format,
    /// There is more of something than there may be, or a name is too long.
    Limit,
}

impl Status {
    /// The bytes that travel. Routes and backends beyond the bounds are left out, and counted.
    #[must_use]
    pub fn encode(mut self) -> Vec<u8> {
        self.keep_within_bounds();
        loop {
            match postcard::to_allocvec(&(FORMAT, &self)) {
                Ok(bytes) if bytes.len() <= STATUS_LEN_MAX => return bytes,
                // Long names: half of the routes, rather than nothing. Without any it fits.
                Ok(_) if !self.routes.is_empty() => self.omit_routes(self.routes.len() / 2),
                _ => return Vec::new(),
            }
        }
    }

    fn keep_within_bounds(&mut self) {
        self.omit_routes(ROUTES_MAX);
        let mut left = BACKENDS_MAX;
        for route in &mut self.routes {
            let omitted = route.backends.len().saturating_sub(left);
            route.backends.truncate(left);
            left = left.saturating_sub(route.backends.len());
            self.backends_omitted = self.backends_omitted.saturating_add(count(omitted));
        }
    }

    fn omit_routes(&mut self, keep: usize) {
        let omitted: usize = self.routes.iter().skip(keep).map(|route| route.backends.len()).sum();
        self.routes.truncate(keep);
        self.backends_omitted = self.backends_omitted.saturating_add(count(omitted));
    }

    /// Reads what [`encode`](Self::encode) has made, and believes none of it.
    ///
    /// # Errors
    /// [`StatusFault`].
    pub fn decode(bytes: &[u8]) -> Result<Self, StatusFault> {
        if bytes.len() > STATUS_LEN_MAX {
            return Err(StatusFault::Format);
        }
        let (format, rest) = postcard::take_from_bytes::<u32>(bytes).map_err(|_| StatusFault::Format)?;
        if format != FORMAT {
            return Err(StatusFault::Format);
        }
        let (status, rest) = postcard::take_from_bytes::<Self>(rest).map_err(|_| StatusFault::Format)?;
        if !rest.is_empty() {
            return Err(StatusFault::Format);
        }
        if status.is_bounded() { Ok(status) } else { Err(StatusFault::Limit) }
    }

    fn is_bounded(&self) -> bool {
        let backends: usize = self.routes.iter().map(|route| route.backends.len()).sum();
        self.handshakes.len() <= HANDSHAKE_KINDS_MAX
            && self.failures.len() <= FAILURES_MAX
            && self.refused.len() <= Limit::ALL.len()
            && self.ended.len() <= End::ALL.len()
            && self.routes.len() <= ROUTES_MAX
            && backends <= BACKENDS_MAX
            && self.routes.iter().all(|route| route.name.len() <= NAME_LEN_MAX)
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
