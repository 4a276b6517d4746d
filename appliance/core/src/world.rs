//! What the turns of all connections share: the two links, the configuration, the time, the books.

use alloc::rc::Rc;

use net::Net;

use crate::admission::Admission;
use crate::counters::Counters;
use crate::doors::Doors;
use crate::flows::Flows;
use crate::generation::Generation;
use crate::report::Reports;
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
    /// Whose flow of the back link is whose.
    pub(crate) back_flows: Flows,
    pub(crate) doors: Doors,
    /// What connections begin with from now on.
    pub(crate) generation: Rc<Generation>,
    pub(crate) pools: Pools,
    pub(crate) admission: Admission,
    pub(crate) counters: Counters,
    pub(crate) tallies: Tallies,
    pub(crate) reports: Reports,
}
