//! The backends of one route of one configuration.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use keys::bundle::Upstream;

use super::backend::{Backend, BackendId};
use super::balance::{Candidate, Chooser};
use super::lease::Lease;
use super::line::Line;
use crate::report::NoBackend;
use crate::router::RouteId;

/// Names a pool, and keeps it: a pool goes when its configuration is not the newest and nobody names it any more.
#[derive(Debug, Clone)]
pub(crate) struct PoolId(pub(super) Rc<u32>);

/// A client that looks for a backend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeker {
    source: IpAddr,
    /// Places in the pool of the backends that have failed it, a bit for each.
    tried: u64,
}

/// Why there is no backend for a client now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// Each that could take it is full: it may wait.
    Full,
    /// There is none to wait for.
    Nobody(NoBackend),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) id: PoolId,
    pub(super) route: RouteId,
    pub(super) members: Vec<BackendId>,
    pub(super) rules: Upstream,
    pub(super) line: Line,
    turn: usize,
}

const _: () = assert!(keys::limits::ROUTE_BACKENDS_MAX <= 64, "a bit for each backend that was tried");

impl Seeker {
    pub(crate) fn new(source: IpAddr) -> Self {
        Self { source, tried: 0 }
    }

    fn has_tried(self, index: usize) -> bool {
        self.tried & bit(index) != 0
    }

    /// Whether no backend has failed it yet.
    pub(super) fn is_fresh(self) -> bool {
        self.tried == 0
    }
}

fn bit(index: usize) -> u64 {
    u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index)).unwrap_or(0)
}

impl Pool {
    pub(super) fn new(id: PoolId, route: RouteId, members: Vec<BackendId>, rules: Upstream) -> Self {
        Self { id, route, members, rules, line: Line::default(), turn: 0 }
    }

    /// A place at a backend. The seeker will not be sent there again.
    pub(super) fn pick(&mut self, backends: &BTreeMap<BackendId, Backend>, seeker: &mut Seeker, now: Duration) -> Result<Lease, Denial> {
        let chosen = self.chosen(backends, *seeker, now)?;
        self.turn = chosen.wrapping_add(1);
        seeker.tried |= bit(chosen);
        let id = self.members.get(chosen).copied();
        let lease = id.and_then(|id| Some(backends.get(&id)?.lease(id)));
        lease.ok_or(Denial::Nobody(NoBackend::Down))
    }

    /// The place of the backend whose turn it is. Those that rest are asked when no other is left: ejection never empties a pool.
    fn chosen(&self, backends: &BTreeMap<BackendId, Backend>, seeker: Seeker, now: Duration) -> Result<usize, Denial> {
        let up = self.candidates(backends, seeker).filter(|(_, backend)| backend.health.is_up());
        let rested = up.clone().filter(|(_, backend)| !backend.ejection.rests(now));
        if rested.clone().next().is_some() { self.choose(rested, seeker) } else { self.choose(up, seeker) }
    }

    /// The members that the seeker has not tried, and their places.
    fn candidates<'b>(
        &self,
        backends: &'b BTreeMap<BackendId, Backend>,
        seeker: Seeker,
    ) -> impl Iterator<Item = (usize, &'b Backend)> + Clone + use<'_, 'b> {
        let known = self.members.iter().enumerate().filter_map(|(index, id)| Some((index, backends.get(id)?)));
        known.filter(move |(index, _)| !seeker.has_tried(*index))
    }

    fn choose<'b>(&self, usable: impl Iterator<Item = (usize, &'b Backend)> + Clone, seeker: Seeker) -> Result<usize, Denial> {
        let nobody = if seeker.is_fresh() { NoBackend::Down } else { NoBackend::Failed };
        usable.clone().next().ok_or(Denial::Nobody(nobody))?;
        let most = if self.rules.connections == 0 { u32::MAX } else { self.rules.connections };
        let candidates = usable.map(|(index, backend)| Candidate { index, address: backend.address, active: backend.load.count() });
        let with_room = candidates.filter(|candidate| candidate.active < most);
        let count = self.members.len();
        let turn = self.turn.checked_rem(count).unwrap_or(0);
        Chooser { balance: self.rules.balance, turn, count, source: seeker.source }.choose(with_room).ok_or(Denial::Full)
    }

    /// When the next backend's rest ends.
    pub(super) fn next_return(&self, backends: &BTreeMap<BackendId, Backend>, now: Duration) -> Option<Duration> {
        self.members.iter().filter_map(|id| backends.get(id)?.ejection.ends_at(now)).min()
    }
}
