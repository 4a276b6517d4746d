//! All pools and all backends of a cell.
//!
//! A reload makes new pools, and keeps each backend that a route of the same name had at the same address: what is known of it, its checks and its
//! connections go on. The old pools stay for the connections that began with them, and go when the last of those has its backend.

mod adopting;
mod checking;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use keys::bundle;
use net::FlowId;

use super::backend::{Backend, BackendId};
use super::check::Schedule;
use super::lease::Lease;
use super::line::Ticket;
use super::pool::{Denial, Pool, PoolId, Seeker};
use super::view::PoolView;
use crate::report::{BackendChanged, Change, NoBackend};
use crate::table::ConnectionId;

/// See the module.
#[derive(Debug)]
pub(crate) struct Pools {
    backends: BTreeMap<BackendId, Backend>,
    pools: BTreeMap<u32, Pool>,
    /// Of the newest configuration, by route, with the routes' names.
    current: Vec<(String, PoolId)>,
    /// The next number for a pool or a backend.
    next: u32,
    /// When pools of older configurations were last looked at.
    swept_at: Duration,
    /// Pools in whose line somebody waits.
    waited_for: BTreeSet<u32>,
    grants: VecDeque<Grant>,
    schedule: Schedule,
    changes: VecDeque<BackendChanged>,
    /// Flows of checks that tell nothing any more.
    orphans: Vec<FlowId>,
}

/// What the waiting of a connection came to.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) connection: ConnectionId,
    /// As it is after the choice.
    pub(crate) seeker: Seeker,
    pub(crate) outcome: Result<Lease, NoBackend>,
}

impl Pools {
    /// The pools of a cell that starts. `seed` is the checks' chance.
    pub(crate) fn new(routes: &[bundle::Route], seed: [u8; 8], now: Duration) -> Self {
        let mut pools = Self {
            backends: BTreeMap::new(),
            pools: BTreeMap::new(),
            current: Vec::new(),
            next: 0,
            swept_at: now,
            waited_for: BTreeSet::new(),
            grants: VecDeque::new(),
            schedule: Schedule::new(seed, now),
            changes: VecDeque::new(),
            orphans: Vec::new(),
        };
        pools.load(routes, now);
        pools
    }

    /// The pools of the newest configuration, by route.
    pub(crate) fn newest(&self) -> impl Iterator<Item = PoolId> + '_ {
        self.current.iter().map(|(_, pool)| pool.clone())
    }

    /// A place at a backend, where one can be had at once and nobody waits who could have it.
    pub(crate) fn pick(&mut self, pool: &PoolId, seeker: &mut Seeker, now: Duration) -> Result<Lease, Denial> {
        self.serve_line(*pool.0, now);
        let pool = self.pools.get_mut(&*pool.0).ok_or(Denial::Nobody(NoBackend::Down))?;
        pool.pick(&self.backends, seeker, now)
    }

    /// A place in the line, if there is room in it. What becomes of it is told by [`Pools::granted`].
    pub(crate) fn wait(&mut self, pool: &PoolId, connection: ConnectionId, seeker: Seeker) -> Result<Ticket, NoBackend> {
        let key = *pool.0;
        let pool = self.pools.get_mut(&key).ok_or(NoBackend::Down)?;
        if pool.line.len() >= usize::try_from(pool.rules.queue).unwrap_or(usize::MAX) {
            return Err(NoBackend::QueueFull);
        }
        self.waited_for.insert(key);
        Ok(pool.line.join(connection, seeker))
    }

    /// How long a client of this pool may wait.
    pub(crate) fn patience(&self, pool: &PoolId) -> Duration {
        self.pools.get(&*pool.0).map_or(Duration::ZERO, |pool| Duration::from_millis(pool.rules.queue_timeout_ms))
    }

    /// How many attempts a client of this pool may have in all.
    pub(crate) fn attempts(&self, pool: &PoolId) -> u32 {
        self.pools.get(&*pool.0).map_or(0, |pool| pool.rules.retries.saturating_add(1))
    }

    /// The client waits no more.
    pub(crate) fn leave(&mut self, pool: &PoolId, ticket: Ticket) {
        let key = *pool.0;
        if let Some(pool) = self.pools.get_mut(&key) {
            pool.line.leave(ticket);
            if pool.line.is_empty() {
                self.waited_for.remove(&key);
            }
        }
    }

    /// Lets those go on who need not wait any more.
    pub(crate) fn serve(&mut self, now: Duration) {
        let mut next = self.waited_for.first().copied();
        while let Some(key) = next {
            self.serve_line(key, now);
            next = key.checked_add(1).and_then(|after| self.waited_for.range(after..).next().copied());
        }
    }

    /// Somebody who need not wait any more.
    pub(crate) fn granted(&mut self) -> Option<Grant> {
        self.grants.pop_front()
    }

    fn serve_line(&mut self, key: u32, now: Duration) {
        let Some(pool) = self.pools.get_mut(&key).filter(|pool| !pool.line.is_empty()) else { return };
        let mut at = Ticket::FIRST;
        while let Some((ticket, seeker)) = pool.line.from(at) {
            let mut seeker = seeker;
            let fresh = seeker.is_fresh();
            at = ticket.following();
            let outcome = match pool.pick(&self.backends, &mut seeker, now) {
                // Who has tried nothing and finds no room proves that there is none.
                Err(Denial::Full) if fresh => break,
                Err(Denial::Full) => continue,
                Err(Denial::Nobody(why)) => Err(why),
                Ok(lease) => Ok(lease),
            };
            let connection = pool.line.leave(ticket);
            self.grants.extend(connection.map(|connection| Grant { connection, seeker, outcome }));
        }
        if pool.line.is_empty() {
            self.waited_for.remove(&key);
        }
    }

    /// The backend took a connection.
    pub(crate) fn connected(&mut self, lease: &Lease) {
        let Some(backend) = self.backends.get_mut(&lease.backend) else { return };
        backend.tally.connections = backend.tally.connections.saturating_add(1);
        if backend.ejection.succeeded() {
            self.change(lease.backend, Change::Returned);
        }
    }

    /// The backend did not take a connection.
    pub(crate) fn failed(&mut self, lease: Lease, now: Duration) {
        let id = lease.backend;
        drop(lease);
        let Some(backend) = self.backends.get_mut(&id) else { return };
        backend.tally.failures = backend.tally.failures.saturating_add(1);
        if backend.ejection.failed(&backend.eject, now) {
            self.change(id, Change::Ejected);
        }
    }

    fn change(&mut self, id: BackendId, change: Change) {
        let Some(backend) = self.backends.get(&id) else { return };
        self.changes.push_back(BackendChanged { route: backend.route, backend: backend.address, change });
    }

    /// Something that has changed with a backend.
    pub(crate) fn changed(&mut self) -> Option<BackendChanged> {
        self.changes.pop_front()
    }

    /// When there may be something to do: a check, or a backend's return for those who wait.
    pub(crate) fn deadline(&self, now: Duration) -> Option<Duration> {
        let waited_for = self.waited_for.iter().filter_map(|key| self.pools.get(key));
        let returns = waited_for.filter_map(|pool| pool.next_return(&self.backends, now));
        returns.chain(self.schedule.deadline()).min()
    }

    /// What can be seen of the newest configuration's backends.
    pub(crate) fn view(&self, now: Duration) -> impl Iterator<Item = PoolView> + '_ {
        let pools = self.current.iter().filter_map(|(_, pool)| self.pools.get(&*pool.0));
        pools.map(move |pool| PoolView {
            route: pool.route,
            queued: u64::try_from(pool.line.len()).unwrap_or(u64::MAX),
            backends: pool.members.iter().filter_map(|id| Some(self.backends.get(id)?.view(now))).collect(),
        })
    }
}

#[cfg(test)]
impl Pools {
    /// Backends and pools that are remembered.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.backends.len(), self.pools.len())
    }
}
