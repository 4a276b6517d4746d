//! The bytes that all rings of one `Net` may take: what its flows are charged, and who may still have more.
//!
//! A flow is charged what it holds, but never less than what it may always move to: its first receive ring and the assured send ring. So
//! whoever was let in can go on, whatever the others hold. Growth beyond that ends at half of the budget; the rest is for newcomers,
//! who are turned away only when not even their least fits.

use crate::config::Limits;

/// The sizes of a flow's rings, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rings {
    pub(crate) rx: usize,
    pub(crate) tx: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Budget {
    /// What all flows may be charged together.
    bytes: usize,
    /// What growth may take this to.
    growth_end: usize,
    /// What every flow is charged at least.
    least: Rings,
    charged: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        let least = Rings { rx: limits.first_rx_ring, tx: limits.assured_tx_ring };
        Self { bytes: limits.ring_bytes, growth_end: limits.ring_bytes / 2, least, charged: 0 }
    }

    /// Makes it smaller or larger. What is charged stays charged.
    pub(crate) fn resize(&mut self, bytes: usize) {
        self.bytes = bytes;
        self.growth_end = bytes / 2;
    }

    /// What all flows are charged now.
    pub(crate) fn charged(&self) -> usize {
        self.charged
    }

    /// Whether one flow more would still be within the budget.
    pub(crate) fn has_room(&self) -> bool {
        self.charged.saturating_add(self.charge(self.least)) <= self.bytes
    }

    /// Whether idle flows should give back early what they hold.
    pub(crate) fn is_pressed(&self) -> bool {
        self.charged > self.growth_end / 2
    }

    /// Whether a flow may move from these rings to those. Giving back is always allowed, and so is the least.
    pub(crate) fn allows(&self, from: Rings, to: Rings) -> bool {
        let (old, new) = (self.charge(from), self.charge(to));
        new <= old || self.charged.saturating_sub(old).saturating_add(new) <= self.growth_end
    }

    /// A flow begins, with rings no larger than the least.
    pub(crate) fn enter(&mut self) {
        self.charged = self.charged.saturating_add(self.charge(self.least));
    }

    /// A flow has moved.
    pub(crate) fn exchange(&mut self, from: Rings, to: Rings) {
        self.charged = self.charged.saturating_sub(self.charge(from)).saturating_add(self.charge(to));
    }

    /// A flow with these rings ends.
    pub(crate) fn leave(&mut self, rings: Rings) {
        self.charged = self.charged.saturating_sub(self.charge(rings));
    }

    /// A flow that has no rings yet ends.
    pub(crate) fn leave_unopened(&mut self) {
        self.leave(self.least);
    }

    fn charge(&self, rings: Rings) -> usize {
        rings.rx.max(self.least.rx).saturating_add(rings.tx.max(self.least.tx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Rings = Rings { rx: 4096, tx: 8192 };
    const LARGE: Rings = Rings { rx: 40_960, tx: 40_960 };

    fn budget(ring_bytes: usize) -> Budget {
        Budget::new(&Limits { ring_bytes, first_rx_ring: LEAST.rx, assured_tx_ring: LEAST.tx, ..Limits::default() })
    }

    #[test]
    fn newcomers_fill_it_to_the_last_byte_and_no_further() {
        let mut budget = budget(3 * 12_288);
        for _ in 0..3 {
            assert!(budget.has_room());
            budget.enter();
        }
        assert!(!budget.has_room());
        assert_eq!(budget.charged(), 3 * 12_288);
        budget.leave_unopened();
        assert!(budget.has_room());
    }

    #[test]
    fn growth_ends_at_half() {
        let mut budget = budget(200_000);
        budget.enter();
        budget.enter();
        assert!(budget.allows(LEAST, LARGE));
        budget.exchange(LEAST, LARGE);
        assert!(budget.charged() < 100_000 && !budget.allows(LEAST, LARGE));
        assert!(budget.has_room(), "the other half is for newcomers");
        budget.leave(LARGE);
        assert!(budget.allows(LEAST, LARGE));
    }

    #[test]
    fn what_was_assured_is_never_refused() {
        let mut budget = budget(12_288);
        budget.enter();
        assert!(!budget.has_room() && budget.is_pressed());
        let idle = Rings { rx: 2048, tx: 2048 };
        budget.exchange(LEAST, idle);
        assert_eq!(budget.charged(), 12_288, "an idle flow keeps its claim");
        assert!(budget.allows(idle, LEAST));
        assert!(!budget.allows(idle, Rings { tx: LEAST.tx + 1, ..LEAST }));
    }
}
