//! What a heap promises, over regions of the host's own allocator.

use super::*;
use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

/// A region of its own, aligned like a heap.
struct Region(Vec<[u64; 512]>);

impl Region {
    fn new(pages: usize) -> Self {
        Self(vec![[0; 512]; pages])
    }

    fn base(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }

    fn len(&self) -> usize {
        self.0.len() * 4096
    }

    /// A heap over it.
    fn heap(&mut self) -> Heap {
        let mut heap = Heap::new();
        let (base, len) = (self.base(), self.len());
        // SAFETY: the region is zero and used through the heap alone, but for `is_fresh_zero`, which reads what the heap has never lent.
        unsafe { heap.claim(base, len) };
        heap
    }

    /// Whether all from the mark on is still zero, but for the word at the end where `talc` notes the size of the last gap.
    fn is_fresh_zero(&mut self, heap: &Heap) -> bool {
        let (base, end) = (self.base(), self.len() - 64);
        let from = heap.fresh() - base.addr();
        // SAFETY: inside the region, and lent to nobody.
        (from..end).all(|at| unsafe { base.wrapping_add(at).read_volatile() } == 0)
    }
}

fn layout(len: usize, align: usize) -> Layout {
    Layout::from_size_align(len, align).unwrap()
}

/// A small generator, for operations that look random and are the same each time.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

#[test]
fn above_the_mark_every_byte_is_zero_whatever_happens_below() {
    let mut region = Region::new(64);
    let mut heap = region.heap();
    let mut live: VecDeque<(*mut u8, Layout)> = VecDeque::new();
    let mut state = 7;
    for round in 0..4000 {
        let wanted = layout(1 + next(&mut state) % 3000, 1 << (next(&mut state) % 9));
        let choice = next(&mut state) % 4;
        if choice < 2 && live.len() < 60 {
            // SAFETY: the size is not 0.
            let place = unsafe { heap.allocate(wanted) };
            if !place.is_null() {
                // SAFETY: inside the allocation.
                unsafe { place.write_bytes(0xaa, wanted.size()) };
                live.push_back((place, wanted));
            }
        } else if let Some((place, old)) = live.pop_front() {
            if choice == 2 {
                // SAFETY: it is live.
                unsafe { heap.deallocate(place, old) };
            } else {
                // SAFETY: it is live, and the new length is not 0.
                let moved = unsafe { heap.reallocate(place, old, wanted.size()) };
                live.push_back(if moved.is_null() { (place, old) } else { (moved, layout(wanted.size(), old.align())) });
            }
        }
        if round % 16 == 0 {
            assert!(region.is_fresh_zero(&heap), "after {round} operations");
        }
    }
    assert!(live.len() > 5 && region.is_fresh_zero(&heap));
}

#[test]
fn zeroed_memory_is_zero_even_where_others_have_written() {
    let mut region = Region::new(16);
    let mut heap = region.heap();
    for len in [40, 3000, 17, 20_000] {
        // SAFETY: the size is not 0.
        let dirty = unsafe { heap.allocate(layout(len, 8)) };
        // SAFETY: inside the allocation.
        unsafe { dirty.write_bytes(0xff, len) };
        // SAFETY: it is live.
        unsafe { heap.deallocate(dirty, layout(len, 8)) };
        // SAFETY: the size is not 0.
        let zeroed = unsafe { heap.allocate_zeroed(layout(len + 100, 8)) };
        // SAFETY: inside the allocation.
        assert!((0..len + 100).all(|at| unsafe { zeroed.wrapping_add(at).read() } == 0), "{len} bytes");
    }
}

#[test]
fn short_pieces_are_wiped_when_they_are_freed_moved_or_cut() {
    const SECRET: u8 = 0xa5;
    for len in [48, 3000, WIPED_LEN_MAX] {
        let mut region = Region::new(16);
        let mut heap = region.heap();
        let secret = |heap: &mut Heap| {
            // SAFETY: the size is not 0.
            let place = unsafe { heap.allocate(layout(len, 8)) };
            // SAFETY: inside the allocation.
            unsafe { place.write_bytes(SECRET, len) };
            place
        };
        let (freed, cut, moved) = (secret(&mut heap), secret(&mut heap), secret(&mut heap));
        // SAFETY: the size is not 0.
        let _in_the_way = unsafe { heap.allocate(layout(16, 8)) };
        // SAFETY: it is live.
        unsafe { heap.deallocate(freed, layout(len, 8)) };
        // SAFETY: it is live, and the new length is not 0.
        unsafe { heap.reallocate(cut, layout(len, 8), 16) };
        // SAFETY: as before.
        let moved_to = unsafe { heap.reallocate(moved, layout(len, 8), len + 4096) };
        assert!(!moved_to.is_null() && moved_to != moved, "there is something in its way");
        // SAFETY: inside the region.
        let left = (0..region.len()).filter(|at| unsafe { region.base().wrapping_add(*at).read_volatile() } == SECRET).count();
        assert_eq!(left, 16 + len, "what was kept of one, and the moved one, of {len} bytes each");
    }
}

#[test]
fn zeroed_memory_above_the_mark_is_not_written() {
    let mut region = Region::new(16);
    let mut heap = region.heap();
    let probe = heap.fresh() + 2000 - region.base().addr();
    // A byte that is not zero shows that nobody has zeroed it by hand.
    // SAFETY: inside the region, and lent to nobody yet.
    unsafe { region.base().wrapping_add(probe).write(0x77) };
    // SAFETY: the size is not 0.
    let place = unsafe { heap.allocate_zeroed(layout(8000, 8)) };
    let inside = region.base().addr() + probe - place.addr();
    assert!(inside < 8000);
    // SAFETY: inside the allocation.
    assert_eq!(unsafe { place.wrapping_add(inside).read() }, 0x77);
}

#[test]
fn what_does_not_fit_is_refused_and_said() {
    let mut region = Region::new(4);
    let mut heap = region.heap();
    assert!(!heap.has_refused());
    // SAFETY: the size is not 0.
    assert!(unsafe { heap.allocate(layout(4 * 4096, 8)) }.is_null());
    assert!(heap.has_refused());
    // SAFETY: the size is not 0.
    assert!(!unsafe { heap.allocate(layout(1000, 8)) }.is_null(), "a smaller one still fits");
}

#[test]
fn a_heap_without_memory_refuses() {
    // SAFETY: the size is not 0.
    assert!(unsafe { Heap::new().allocate(layout(1, 1)) }.is_null());
}

#[test]
fn usage_counts_what_is_lent_and_remembers_the_most() {
    let mut region = Region::new(64);
    let mut heap = region.heap();
    assert_eq!((heap.usage().used, heap.usage().limit), (0, 64 * 4096));
    // SAFETY: the length is not 0.
    let place = unsafe { heap.allocate(layout(1000, 8)) };
    // SAFETY: it was allocated with this layout, and the new length is not 0.
    let place = unsafe { heap.reallocate(place, layout(1000, 8), 3000) };
    assert_eq!(heap.usage().used, 3000);
    // SAFETY: it has this layout by now.
    unsafe { heap.deallocate(place, layout(3000, 8)) };
    assert_eq!(heap.usage().used, 0);
    assert!((3000..=4000).contains(&heap.usage().peak), "{:?}", heap.usage());
    // SAFETY: the length is not 0.
    assert!(unsafe { heap.allocate(layout(1 << 20, 8)) }.is_null());
    assert_eq!(heap.usage().used, 0, "what is refused is not counted");
}
