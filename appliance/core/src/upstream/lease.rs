//! A connection's place at a backend. It counts for as long as it lives: giving it back cannot be forgotten.

use alloc::rc::Rc;
use core::cell::Cell;
use core::net::SocketAddr;

use super::backend::BackendId;

/// See the module.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) backend: BackendId,
    pub(crate) address: SocketAddr,
    load: Load,
}

/// How many leases of one backend live.
#[derive(Debug, Clone, Default)]
pub(super) struct Load(Rc<Cell<u32>>);

impl Load {
    pub(super) fn count(&self) -> u32 {
        self.0.get()
    }

    pub(super) fn lease(&self, backend: BackendId, address: SocketAddr) -> Lease {
        self.0.set(self.count().saturating_add(1));
        Lease { backend, address, load: self.clone() }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.load.0.set(self.load.count().saturating_sub(1));
    }
}
