//! A reload: from another bundle to the next generation, or to the reason why there is none.

use alloc::rc::Rc;
use alloc::vec::Vec;

use keys::bundle::{Bundle, Door, Limits, Link, Listener, Memory, Route};

use crate::makings::Makings;
use crate::start::{Draft, StartFault, back_limits, front_limits};
use crate::world::World;

/// Why a bundle was refused. The appliance goes on with the one that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadFault {
    /// The links, the listeners, the memory or the contest are others than at the start.
    ConfigFixed,
    /// The bundle could not be started with, either.
    Config(StartFault),
}

/// What a running cell cannot change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fixed {
    front: Link,
    back: Link,
    listeners: Vec<Listener>,
    memory: Memory,
    contest: Option<([u8; 32], Vec<Door>)>,
}

impl Fixed {
    pub(crate) fn of(bundle: Bundle) -> Self {
        let Bundle { front, back, listeners, memory, contest, .. } = bundle;
        Self { front, back, listeners, memory, contest: contest.map(|contest| (contest.manifest, contest.doors)) }
    }

    fn is_kept_by(&self, bundle: &Bundle) -> bool {
        let links = self.front == bundle.front && self.back == bundle.back && self.listeners == bundle.listeners;
        let contest = self.contest.as_ref().map(|(manifest, doors)| (manifest, doors));
        let same_contest = contest == bundle.contest.as_ref().map(|contest| (&contest.manifest, &contest.doors));
        links && self.memory == bundle.memory && same_contest
    }
}

/// A sound configuration that nobody uses yet.
#[derive(Debug)]
pub(crate) struct Prepared {
    draft: Draft,
    front: net::Limits,
    back: net::Limits,
    limits: Limits,
}

/// Makes all that a reload needs, and changes nothing.
pub(crate) fn prepare(bundle: &Bundle, fixed: &Fixed, makings: &mut Makings) -> Result<Prepared, ReloadFault> {
    if !fixed.is_kept_by(bundle) {
        return Err(ReloadFault::ConfigFixed);
    }
    let (front, back) = (front_limits(bundle), back_limits(bundle));
    front.check().map_err(StartFault::ConfigFront)?;
    back.check().map_err(StartFault::ConfigBack)?;
    Ok(Prepared { draft: makings.prepare(bundle)?, front, back, limits: bundle.limits.clone() })
}

impl From<StartFault> for ReloadFault {
    fn from(fault: StartFault) -> Self {
        Self::Config(fault)
    }
}

impl World {
    /// Goes over to the next generation.
    pub(crate) fn begin(&mut self, next: Prepared, routes: &[Route]) {
        let Prepared { draft, front, back, limits } = next;
        // They were checked, and rings keep their sizes.
        let _checked = (self.front.set_limits(&front), self.back.set_limits(&back));
        self.admission.set_limits(&limits);
        self.reports.set_rate(limits.log_per_s);
        self.pools.adopt(routes, &mut self.back, self.now.mono);
        self.generation = Rc::new(draft.generation(&self.pools));
    }
}
