//! The handshake is done; a backend is being reached. What the client sends meanwhile stays encrypted where it came in.

use core::net::SocketAddr;
use core::time::Duration;

use net::{CloseReason, ConnectFault, FlowId};

use super::client::Client;
use super::draining::Draining;
use super::relaying::Relaying;
use super::waiting::Waiting;
use super::{State, Turn};
use crate::flows::Owner;
use crate::heard::Heard;
use crate::report::{BackendFailed, BackendFault, End, NoBackend, Report};
use crate::upstream::{Denial, Lease, PoolId, Seeker};
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Connecting {
    pub(super) backend: Backend,
    search: Search,
    since: Duration,
}

/// The backend's side of a connection.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) flow: FlowId,
    pub(super) heard: Heard,
    /// The connection's place there; dropped, it is another's.
    pub(super) lease: Lease,
}

/// A client's search for a backend, over several attempts.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) pool: PoolId,
    pub(super) seeker: Seeker,
    failed: u32,
}

impl Search {
    pub(super) fn new(pool: PoolId, client: &Client) -> Self {
        Self { pool, seeker: Seeker::new(client.source()), failed: 0 }
    }

    /// Tries the backends of the pool, beginning with the one whose turn it is.
    pub(super) fn begin(mut self, client: &mut Client, world: &mut World) -> Turn {
        while self.failed < world.pools.attempts(&self.pool) {
            let lease = match world.pools.pick(&self.pool, &mut self.seeker, world.now.mono) {
                Ok(lease) => lease,
                Err(Denial::Full) => return Waiting::begin(self, client, world),
                Err(Denial::Nobody(why)) => return Draining::begin(End::NoBackend(why), client, world),
            };
            match self.dial(lease, client, world) {
                Ok(state) => return Turn::Rest(state),
                Err(search) => self = search,
            }
        }
        Draining::begin(End::NoBackend(NoBackend::Failed), client, world)
    }

    /// Goes on with a place that was waited for.
    pub(super) fn take(self, lease: Lease, client: &mut Client, world: &mut World) -> Turn {
        match self.dial(lease, client, world) {
            Ok(state) => Turn::Rest(state),
            Err(search) => search.begin(client, world),
        }
    }

    fn dial(mut self, lease: Lease, client: &Client, world: &mut World) -> Result<State, Self> {
        match world.back.connect(lease.address, None, world.now.mono) {
            Ok(flow) => {
                world.back_flows.give(flow, Owner::Connection(client.id));
                let backend = Backend { flow, heard: Heard::Nothing, lease };
                Ok(State::Connecting(Connecting { backend, search: self, since: world.now.mono }))
            }
            Err(fault) => {
                self.note(lease.address, fault.into(), client, world);
                Err(self)
            }
        }
    }

    fn note(&mut self, backend: SocketAddr, fault: BackendFault, client: &Client, world: &mut World) {
        self.failed = self.failed.saturating_add(1);
        world.counters.backend_failures = world.counters.backend_failures.saturating_add(1);
        let report = Report::BackendFailed(BackendFailed { serial: client.log.serial(), backend, fault });
        world.reports.push_of_backend(report, world.now.mono);
    }
}

impl Connecting {
    pub(super) fn turn(self, client: &mut Client, world: &mut World) -> Turn {
        client.write(&mut world.front);
        match self.backend.heard {
            Heard::Nothing => Turn::Rest(State::Connecting(self)),
            Heard::Connected | Heard::Finished => {
                world.pools.connected(&self.backend.lease);
                Relaying::begin(self.backend, client, world)
            }
            Heard::Gone(reason) => self.retry(reason.into(), client, world),
        }
    }

    fn retry(mut self, fault: BackendFault, client: &mut Client, world: &mut World) -> Turn {
        self.search.note(self.backend.lease.address, fault, client, world);
        world.pools.failed(self.backend.lease, world.now.mono);
        self.search.begin(client, world)
    }

    pub(super) fn deadline(&self, client: &Client) -> Duration {
        self.since.saturating_add(client.generation.times.connect)
    }

    pub(super) fn expire(self, client: &mut Client, world: &mut World) -> Turn {
        world.back.abort(self.backend.flow);
        self.retry(BackendFault::Silent, client, world)
    }
}

impl From<CloseReason> for BackendFault {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::ConnectTimeout | CloseReason::Unreachable | CloseReason::PeerSilent | CloseReason::PeerStalled => Self::Silent,
            CloseReason::Done | CloseReason::PeerReset | CloseReason::PeerRefused => Self::Refused,
        }
    }
}

impl From<ConnectFault> for BackendFault {
    fn from(_: ConnectFault) -> Self {
        Self::Exhausted
    }
}
