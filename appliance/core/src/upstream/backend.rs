//! One backend of one route: where it is, how it fares.

use core::net::SocketAddr;
use core::time::Duration;

use keys::bundle::Eject;

use super::check::Check;
use super::ejection::Ejection;
use super::health::Health;
use super::lease::{Lease, Load};
use super::view::{BackendState, BackendView};
use crate::router::RouteId;

/// Names a backend for as long as the cell runs; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BackendId(pub(super) u32);

/// See the module. A reload keeps it, if the route's name and the address stay.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) address: SocketAddr,
    /// The route in the newest configuration that has it.
    pub(super) route: RouteId,
    pub(super) load: Load,
    pub(super) health: Health,
    pub(super) ejection: Ejection,
    /// The rule of the newest configuration that has it.
    pub(super) eject: Eject,
    pub(super) check: Option<Check>,
    pub(super) tally: Tally,
}

/// What has been counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) connections: u64,
    pub(super) failures: u64,
    pub(super) checks_passed: u64,
    pub(super) checks_failed: u64,
}

impl Backend {
    pub(super) fn new(address: SocketAddr, route: RouteId, eject: Eject) -> Self {
        Self {
            address,
            route,
            load: Load::default(),
            health: Health::UNKNOWN,
            ejection: Ejection::default(),
            eject,
            check: None,
            tally: Tally::default(),
        }
    }

    pub(super) fn lease(&self, id: BackendId) -> Lease {
        self.load.lease(id, self.address)
    }

    pub(super) fn state(&self, now: Duration) -> BackendState {
        match self.health.is_up() {
            false => BackendState::Down,
            true if self.ejection.rests(now) => BackendState::Ejected,
            true => BackendState::Up,
        }
    }

    pub(super) fn view(&self, now: Duration) -> BackendView {
        BackendView {
            address: self.address,
            state: self.state(now),
            checked: self.check.is_some(),
            active: self.load.count(),
            connections: self.tally.connections,
            failures: self.tally.failures,
            checks_passed: self.tally.checks_passed,
            checks_failed: self.tally.checks_failed,
        }
    }
}
