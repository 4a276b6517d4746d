//! What can be seen of the backends from outside.

use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::router::RouteId;

/// The backends of one route at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolView {
    /// The route.
    pub route: RouteId,
    /// Gauge: clients that wait for a backend with room.
    pub queued: u64,
    /// In the order of the configuration.
    pub backends: Vec<BackendView>,
}

/// One backend of one route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackendView {
    /// As the guest knows it.
    pub address: SocketAddr,
    /// Whether it gets connections.
    pub state: BackendState,
    /// Whether checks are configured.
    pub checked: bool,
    /// Gauge: connections that it has, those being opened included.
    pub active: u32,
    /// Counter: connections that it took.
    pub connections: u64,
    /// Counter: attempts of clients' connections that failed.
    pub failures: u64,
    /// Counter: checks that passed.
    pub checks_passed: u64,
    /// Counter: checks that failed.
    pub checks_failed: u64,
}

/// Whether a backend gets connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendState {
    /// It does.
    Up,
    /// Its checks fail: it gets none.
    Down,
    /// It rests after failures in a row: it gets some only if no other backend is left.
    Ejected,
}
