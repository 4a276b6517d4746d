//! The flows that their user has closed and whose peers have not ended yet, in the order in which they were closed.
//!
//! They are kept so that nothing that was queued is lost, but only as long as nobody needs their room: a newcomer that would find none takes
//! the oldest's. So peers that never end cannot keep others out.

use alloc::collections::VecDeque;

use crate::event::FlowId;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    /// Names given to closed flows; some of them are over already.
    queue: VecDeque<FlowId>,
    /// How many are not.
    alive: usize,
}

/// So many names that mean nothing are kept before they are looked for.
const DEAD_MAX: usize = 1024;

impl Closing {
    /// One more was closed. `is_alive` tells which of the others still are.
    pub(crate) fn push(&mut self, flow: FlowId, is_alive: impl Fn(FlowId) -> bool) {
        self.alive = self.alive.saturating_add(1);
        if self.queue.len() > self.alive.saturating_mul(2).saturating_add(DEAD_MAX) {
            self.queue.retain(|flow| is_alive(*flow));
        }
        self.queue.push_back(flow);
    }

    /// One of them is over.
    pub(crate) fn over(&mut self) {
        self.alive = self.alive.saturating_sub(1);
    }

    /// Whether there is one.
    pub(crate) fn is_empty(&self) -> bool {
        self.alive == 0
    }

    /// The names from the oldest on; some of them may mean nothing any more.
    pub(crate) fn pop(&mut self) -> Option<FlowId> {
        self.queue.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(index: u32) -> FlowId {
        FlowId { index, generation: 0 }
    }

    #[test]
    fn names_of_flows_that_are_over_do_not_pile_up() {
        let mut closing = Closing::default();
        closing.push(flow(0), |_| true);
        for index in 1..100_000 {
            closing.push(flow(index), |flow| flow.index == 0);
            closing.over();
        }
        assert!(closing.queue.len() <= 2 * DEAD_MAX, "{}", closing.queue.len());
        assert_eq!(closing.pop(), Some(flow(0)), "the oldest is still the first");
        assert!(!closing.is_empty());
    }
}
