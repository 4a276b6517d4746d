//! What a cell does with its memory: so much for itself, so much for each handshake and connection, and the rest for the rings of its flows.
//!
//! Both ends reckon with this page: the supervisor refuses limits that do not fit the heap, the guest gives its two network stacks the
//! budgets that are written here. A test holds the figures against what the guest really takes.

use serde::{Deserialize, Serialize};

use super::Limits;
use crate::limits::{
    BACK_RINGS_LEN, CELL_LEN, CONNECTION_LEN_MAX, CONNECTIONS_CLOSING, FRONT_RINGS_LEN, HANDSHAKE_LEN_MAX, HANDSHAKES_SHARE,
    HEAP_LEN_DEFAULT, HEAP_ROUNDING_SHARE,
};

/// Bytes of the guest's heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Memory(pub u64);

/// The default of `[machine] heap_mib`.
impl Default for Memory {
    fn default() -> Self {
        Self(HEAP_LEN_DEFAULT)
    }
}

impl Memory {
    /// Connections at once where the configuration says nothing, if the memory holds them.
    pub const CONNECTIONS_DEFAULT: u32 = 16_384;
    /// Handshakes at once where the configuration says nothing, if the memory holds them.
    pub const HANDSHAKES_DEFAULT: u32 = 1_024;

    /// Whether the cell can keep these limits with all its peers at their worst, and every connection go on.
    #[must_use]
    pub fn holds(self, limits: &Limits) -> bool {
        limits.handshakes <= self.handshakes_max() && limits.connections <= self.connections_max(limits.handshakes)
    }

    /// The most handshakes at once.
    #[must_use]
    pub fn handshakes_max(self) -> u32 {
        narrow(self.usable() / HANDSHAKES_SHARE / HANDSHAKE_LEN_MAX)
    }

    /// The most connections at once beside so many handshakes.
    #[must_use]
    pub fn connections_max(self, handshakes: u32) -> u32 {
        let left = self.usable().saturating_sub(u64::from(handshakes).saturating_mul(HANDSHAKE_LEN_MAX));
        narrow((left / (CONNECTION_LEN_MAX + FRONT_RINGS_LEN + BACK_RINGS_LEN)).saturating_sub(CONNECTIONS_CLOSING))
    }

    /// The defaults, or the most that the memory holds.
    #[must_use]
    pub fn fit(self, limits: Limits) -> Limits {
        let handshakes = limits.handshakes.min(self.handshakes_max());
        Limits { handshakes, connections: limits.connections.min(self.connections_max(handshakes)), ..limits }
    }

    /// Bytes for the rings of the front link's flows and of the back link's: what the rest leaves.
    #[must_use]
    pub fn rings(self, limits: &Limits) -> (u64, u64) {
        let handshakes = u64::from(limits.handshakes).saturating_mul(HANDSHAKE_LEN_MAX);
        let connections = u64::from(limits.connections).saturating_add(CONNECTIONS_CLOSING).saturating_mul(CONNECTION_LEN_MAX);
        let rings = self.usable().saturating_sub(handshakes).saturating_sub(connections);
        let front = rings / (FRONT_RINGS_LEN + BACK_RINGS_LEN) * FRONT_RINGS_LEN;
        (front, rings.saturating_sub(front))
    }

    /// What is left for peers.
    fn usable(self) -> u64 {
        self.0.saturating_sub(self.0 / HEAP_ROUNDING_SHARE).saturating_sub(CELL_LEN)
    }
}

fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_default_limits_fit_the_default_memory() {
        assert!(Memory::default().holds(&Limits::default()));
        assert!(!Memory(512 * MIB).holds(&Limits::default()));
    }

    #[test]
    fn one_connection_more_than_the_most_does_not_fit() {
        let memory = Memory(64 * MIB);
        let most = memory.fit(Limits::default());
        assert!(memory.holds(&most));
        assert!((500..1000).contains(&most.connections), "{}", most.connections);
        assert!(!memory.holds(&Limits { connections: most.connections + 1, ..most.clone() }));
        assert!(!memory.holds(&Limits { handshakes: memory.handshakes_max() + 1, connections: 1, ..most }));
    }

    #[test]
    fn the_smallest_heap_serves_some() {
        let most = Memory(crate::limits::HEAP_LEN_MIN).fit(Limits::default());
        assert!(most.connections >= 16 && most.handshakes >= 8, "{most:?}");
    }

    #[test]
    fn the_parts_are_no_more_than_the_whole_and_the_rings_hold_every_connection() {
        for mib in [8, 64, 512, 1024, 16_384] {
            let memory = Memory(mib * MIB);
            let limits = memory.fit(Limits { connections: u32::MAX, ..Limits::default() });
            let (front, back) = memory.rings(&limits);
            let rest = u64::from(limits.connections) * CONNECTION_LEN_MAX + u64::from(limits.handshakes) * HANDSHAKE_LEN_MAX + CELL_LEN;
            assert!(front + back + rest <= memory.0, "{mib} MiB");
            assert!(front >= u64::from(limits.connections) * FRONT_RINGS_LEN && back >= u64::from(limits.connections) * BACK_RINGS_LEN);
        }
    }

    #[test]
    fn no_memory_holds_nothing() {
        assert_eq!(Memory(0).fit(Limits::default()).connections, 0);
        assert_eq!(Memory(0).rings(&Limits::default()), (0, 0));
    }
}
