//! A new configuration takes over what is known of the backends that stay.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use keys::bundle;
use net::Net;

use super::Pools;
use crate::limits::SWEEP_INTERVAL;
use crate::router::RouteId;
use crate::upstream::backend::{Backend, BackendId};
use crate::upstream::check::Check;
use crate::upstream::health::Health;
use crate::upstream::pool::{Pool, PoolId};

/// What the configuration before had, by route and address. The same address may stand in a route more than once.
type Known = BTreeMap<(String, SocketAddr), Vec<BackendId>>;

impl Pools {
    /// From now on routes lead to these backends. A connection that has a [`PoolId`] of an older configuration keeps to that.
    pub(crate) fn adopt(&mut self, routes: &[bundle::Route], net: &mut Net, now: Duration) {
        self.load(routes, now);
        self.sweep(net, now);
    }

    pub(super) fn load(&mut self, routes: &[bundle::Route], now: Duration) {
        let mut known = self.known();
        self.current.clear();
        for (route, index) in routes.iter().zip(0..) {
            let id = RouteId(index);
            let mut members = Vec::with_capacity(route.backends.len());
            for address in &route.backends {
                let stays = known.get_mut(&(route.name.clone(), *address)).and_then(Vec::pop);
                members.push(self.take_in(stays, *address, id, route, now));
            }
            let pool = PoolId(Rc::new(self.number()));
            self.pools.insert(*pool.0, Pool::new(pool.clone(), id, members, route.upstream.clone()));
            self.current.push((route.name.clone(), pool));
        }
    }

    fn known(&self) -> Known {
        let mut known = Known::new();
        for (name, pool) in &self.current {
            let members = self.pools.get(&*pool.0).map_or(&[][..], |pool| &pool.members);
            for id in members.iter().rev() {
                let Some(backend) = self.backends.get(id) else { continue };
                known.entry((name.clone(), backend.address)).or_default().push(*id);
            }
        }
        known
    }

    fn number(&mut self) -> u32 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        number
    }

    /// The backend that stays, or a new one, under the rules of now.
    fn take_in(&mut self, stays: Option<BackendId>, address: SocketAddr, id: RouteId, route: &bundle::Route, now: Duration) -> BackendId {
        let backend_id = stays.unwrap_or_else(|| BackendId(self.number()));
        let eject = route.upstream.eject;
        let backend = self.backends.entry(backend_id).or_insert_with(|| Backend::new(address, id, eject));
        backend.route = id;
        backend.eject = eject;
        let stands = match (&backend.check, &route.upstream.check) {
            (Some(check), Some(rule)) => check.is(rule, route.proxy),
            (None, None) => true,
            _ => false,
        };
        if !stands {
            let check = route.upstream.check.as_ref().map(|rule| Check::new(rule, route.proxy));
            self.change_check(backend_id, check, now);
        }
        backend_id
    }

    /// By the new rule from now on. A check under way by the old one tells nothing any more.
    fn change_check(&mut self, id: BackendId, new: Option<Check>, now: Duration) {
        let Some(backend) = self.backends.get_mut(&id) else { return };
        if let Some(mut check) = backend.check.take() {
            self.orphans.extend(self.schedule.ended(&mut check).map(|probe| probe.flow));
            self.schedule.disarm(&mut check);
        }
        match new {
            None => backend.health = Health::UNKNOWN,
            Some(mut check) => {
                self.schedule.arm_first(id, &mut check, now);
                backend.check = Some(check);
            }
        }
    }

    /// Forgets pools of older configurations that nobody names any more, and the backends that were only theirs. Now and then.
    pub(super) fn sweep_sometimes(&mut self, net: &mut Net, now: Duration) {
        if self.pools.len() > self.current.len() && now >= self.swept_at.saturating_add(SWEEP_INTERVAL) {
            self.sweep(net, now);
        }
    }

    fn sweep(&mut self, net: &mut Net, now: Duration) {
        self.swept_at = now;
        self.pools.retain(|_, pool| Rc::strong_count(&pool.id.0) > 1);
        let used: BTreeSet<_> = self.pools.values().flat_map(|pool| pool.members.iter().copied()).collect();
        let unused: Vec<_> = self.backends.keys().copied().filter(|id| !used.contains(id)).collect();
        for id in unused {
            self.change_check(id, None, now);
            self.backends.remove(&id);
        }
        for flow in self.orphans.drain(..) {
            net.abort(flow);
        }
    }
}
