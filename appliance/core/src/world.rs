//! What the turns of all connections share: the two links, the configuration, the time, the books.

use alloc::rc::Rc;
use core::net::SocketAddr;

use net::Net;

use crate::admission::Admission;
use crate::counters::Counters;
use crate::doors::Doors;
use crate::flows::Flows;
use crate::generation::Generation;
use crate::lobby::{Entrance, Lobby};
use crate::report::{Budget, Refused, Report, Reports};
use crate::tallies::Tallies;
use crate::upstream::Pools;
use crate::wires::Now;

/// See the module.
#[derive(Debug)]
pub(crate) struct World {
    /// The time of the step.
    pub(crate) now: Now,
    pub(crate) front: Net,
    pub(crate) back: Net,
    /// Whose flow of the front link is whose.
    pub(crate) front_flows: Flows,
    /// Whose flow of the back link is whose.
    pub(crate) back_flows: Flows,
    pub(crate) doors: Doors,
    /// What is behind the doors of a contest, in a box that has one.
    pub(crate) lobby: Option<Rc<Lobby>>,
    /// What connections begin with from now on.
    pub(crate) generation: Rc<Generation>,
    pub(crate) pools: Pools,
    pub(crate) admission: Admission,
    pub(crate) counters: Counters,
    pub(crate) tallies: Tallies,
    pub(crate) reports: Reports,
    /// Of those that found the front link full, how many are reported.
    pub(crate) link_full_told: u64,
}

impl World {
    /// The door of the contest that this is, if it is one.
    pub(crate) fn entrance(&self, local: SocketAddr) -> Option<Rc<Entrance>> {
        self.lobby.as_ref()?.entrance(self.doors.number(local)?)
    }

    /// Books a client that was turned away.
    pub(crate) fn refuse(&mut self, peer: SocketAddr, budget: Budget) {
        self.counters.refused.count(budget);
        self.reports.push_refusal(self.now.mono, || Report::Refused(Refused { peer, budget }));
    }

    /// Reports the refusals that were not reported when they happened, if it is time.
    pub(crate) fn tell_refusals(&mut self) {
        let counters = self.front.counters();
        let full = counters.refused_by_limit.saturating_add(counters.refused_by_source);
        if full > self.link_full_told {
            let told = core::mem::replace(&mut self.link_full_told, full);
            self.reports.push_refusal(self.now.mono, || Report::LinkFull(full.saturating_sub(told)));
        }
        self.reports.tell_suppressed(self.now.mono);
    }
}
