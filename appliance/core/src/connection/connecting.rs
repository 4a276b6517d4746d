//! The handshake is done; a backend is being reached. What the client sends meanwhile stays encrypted where it came in.

use core::net::SocketAddr;
use core::time::Duration;

use net::{CloseReason, ConnectFault, FlowId};

use super::client::Client;
use super::draining::Draining;
use super::relaying::Relaying;
use super::{State, Turn};
use crate::heard::Heard;
use crate::limits::CONNECT_TRIES_MAX;
use crate::report::{BackendFailed, BackendFault, End, Report};
use crate::router::RouteId;
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Connecting {
    pub(super) backend: Backend,
    attempt: Attempt,
    since: Duration,
}

/// The backend's side of a connection.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) flow: FlowId,
    pub(super) heard: Heard,
    pub(super) address: SocketAddr,
}

/// Which attempt at which route this is.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    route: RouteId,
    failed: usize,
}

impl Connecting {
    /// Tries the route's backends, beginning with the one whose turn it is.
    pub(super) fn begin(route: RouteId, client: &mut Client, world: &mut World) -> Turn {
        Self::attempt(Attempt { route, failed: 0 }, client, world)
    }

    fn attempt(mut attempt: Attempt, client: &mut Client, world: &mut World) -> Turn {
        loop {
            let Some(address) = attempt.next_backend(world) else {
                return Draining::begin(End::NoBackend, client, world);
            };
            match world.back.connect(address, None, world.now.mono) {
                Ok(flow) => {
                    world.back_flows.give(flow, client.id);
                    let backend = Backend { flow, heard: Heard::Nothing, address };
                    return Turn::Rest(State::Connecting(Self { backend, attempt, since: world.now.mono }));
                }
                Err(fault) => attempt.fail(address, fault.into(), client, world),
            }
        }
    }

    pub(super) fn turn(self, client: &mut Client, world: &mut World) -> Turn {
        client.write(&mut world.front);
        match self.backend.heard {
            Heard::Nothing => Turn::Rest(State::Connecting(self)),
            Heard::Connected | Heard::Finished => Relaying::begin(self.backend, client, world),
            Heard::Gone(reason) => self.retry(reason.into(), client, world),
        }
    }

    fn retry(mut self, fault: BackendFault, client: &mut Client, world: &mut World) -> Turn {
        self.attempt.fail(self.backend.address, fault, client, world);
        Self::attempt(self.attempt, client, world)
    }

    pub(super) fn deadline(&self, world: &World) -> Duration {
        self.since.saturating_add(world.times.connect)
    }

    pub(super) fn expire(self, client: &mut Client, world: &mut World) -> Turn {
        world.back.abort(self.backend.flow);
        self.retry(BackendFault::Silent, client, world)
    }
}

impl Attempt {
    /// The backend to try, unless enough of them have failed. A route with one backend is tried once.
    fn next_backend(&self, world: &mut World) -> Option<SocketAddr> {
        let backends = world.routes.backends(self.route)?;
        let left = self.failed < CONNECT_TRIES_MAX.min(backends.len());
        if left { backends.next() } else { None }
    }

    fn fail(&mut self, backend: SocketAddr, fault: BackendFault, client: &Client, world: &mut World) {
        self.failed = self.failed.saturating_add(1);
        world.counters.backend_failures = world.counters.backend_failures.saturating_add(1);
        world.reports.push(Report::BackendFailed(BackendFailed { serial: client.log.serial(), backend, fault }));
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
