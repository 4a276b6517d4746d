//! Whose flow it is: from the flows of one link to connections and checks.

use alloc::vec::Vec;

use net::FlowId;

use crate::table::ConnectionId;
use crate::upstream::BackendId;

/// Who has a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Connection(ConnectionId),
    /// A check of this backend.
    Check(BackendId),
}

/// The owners of one link's flows, by the flow's index. An entry of a flow that is gone is harmless: the id beside it tells.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    owners: Vec<Option<(FlowId, Owner)>>,
}

impl Flows {
    /// The flow is this owner's from now on.
    pub(crate) fn give(&mut self, flow: FlowId, owner: Owner) {
        let index = flow.index();
        if index >= self.owners.len() {
            self.owners.resize(index.saturating_add(1), None);
        }
        if let Some(entry) = self.owners.get_mut(index) {
            *entry = Some((flow, owner));
        }
    }

    /// Whose it is.
    pub(crate) fn owner(&self, flow: FlowId) -> Option<Owner> {
        let (known, owner) = self.owners.get(flow.index()).copied()??;
        (known == flow).then_some(owner)
    }
}
