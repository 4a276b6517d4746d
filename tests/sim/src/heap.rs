//! The cell's heap: what the appliance asks of the allocator while it runs, counted, and which of its requests is refused.
//!
//! Only what is asked for counts. What the guest's allocator rounds up and leaves between is [`keys::limits::HEAP_ROUNDING_SHARE`]'s.
//!
//! In the guest a request that is refused ends everything at once: no unwinding, and no frame of the turn is handed over. So nobody outside can tell how far
//! the turn had come, and here it is run to its end before it is thrown away.

use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use allocation_counter::{measure, opt_out};

/// See the module.
#[derive(Debug, Default)]
pub struct Heap {
    used: u64,
    peak: u64,
    /// How many requests are still granted, if there is an end to it.
    left: Option<u64>,
    refused: bool,
}

impl Heap {
    /// Bytes that are held.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used
    }

    /// The most that ever were.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.peak
    }

    /// Grants so many requests more, and refuses the next.
    pub fn refuse_after(&mut self, count: u64) {
        self.left = Some(count);
    }

    /// Grants whatever is asked for.
    pub fn refuse_nothing(&mut self) {
        self.left = None;
    }

    /// Whether a request was refused.
    #[must_use]
    pub fn has_refused(&self) -> bool {
        self.refused
    }

    /// Runs what is the cell's.
    pub(crate) fn during<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let mut ran = None;
        // A panic passes through when the counter's books are closed.
        let counted = measure(|| ran = Some(catch_unwind(AssertUnwindSafe(run))));
        self.peak = self.peak.max(self.used.saturating_add(counted.bytes_max));
        self.used = self.used.saturating_add_signed(counted.bytes_current);
        if let Some(left) = self.left {
            self.refused |= counted.count_total > left;
            self.left = Some(left.saturating_sub(counted.count_total));
        }
        ran.expect("invariant: it was run").unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Bytes that `gone` held.
    #[must_use]
    pub fn given_back<T>(gone: T) -> u64 {
        measure(|| drop(gone)).bytes_current.unsigned_abs()
    }
}

/// Within [`Heap::during`], runs what is not the cell's.
pub(crate) fn outside(run: impl FnOnce()) {
    opt_out(run);
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::hint::black_box;

    #[test]
    fn what_is_kept_what_was_needed_on_the_way_and_what_is_not_the_cells_are_told_apart() {
        let mut heap = Heap::default();
        let kept = heap.during(|| {
            black_box(vec![1_u8; 5000]);
            outside(|| drop(black_box(vec![1_u8; 70_000])));
            vec![1_u8; 300]
        });
        assert_eq!((heap.used(), heap.peak()), (300, 5000));
        heap.during(|| drop(kept));
        assert_eq!((heap.used(), heap.peak()), (0, 5000));
        assert_eq!(Heap::given_back(vec![1_u8; 77]), 77);
    }

    #[test]
    fn so_many_are_granted_and_the_next_is_refused() {
        let boxes = |heap: &mut Heap, count: u8| heap.during(|| (0..count).for_each(|n| drop(black_box(Box::new(n)))));
        let mut heap = Heap::default();
        boxes(&mut heap, 9);
        heap.refuse_after(5);
        boxes(&mut heap, 2);
        boxes(&mut heap, 3);
        assert!(!heap.has_refused());
        boxes(&mut heap, 0);
        assert!(!heap.has_refused());
        boxes(&mut heap, 1);
        assert!(heap.has_refused());
    }

    #[test]
    fn a_panic_passes_through_and_leaves_the_books_in_order() {
        let mut heap = Heap::default();
        for _ in 0..200 {
            let panicked = catch_unwind(AssertUnwindSafe(|| heap.during(|| assert!(black_box(false)))));
            assert!(panicked.is_err());
        }
        let _kept = heap.during(|| vec![1_u8; 10]);
        assert!(heap.used() >= 10);
    }
}
