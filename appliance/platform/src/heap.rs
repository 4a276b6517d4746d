//! The heap: `talc` over one region, and a mark above which nobody has ever written.
//!
//! The region is zero at the start, and its pages cost time and memory once they are touched. So whoever asks for zeroed memory gets it
//! without a byte being written above the mark.

use core::alloc::Layout;
use core::ptr::{self, NonNull};

use talc::DefaultBinning;
use talc::base::binning::Binning;
use talc::base::{CHUNK_UNIT, Talc};
use talc::source::Manual;

/// How far beyond an allocation's end `talc` writes at most: its tag and rounding, and the head of the gap behind it.
const GAP_LEN: usize = 3 * CHUNK_UNIT;

/// What is freed and not longer than this is wiped: keys and secrets lie in small pieces (a session's, a message's), and not everybody who owned one
/// wiped it. Rings and buffers are longer; wiping those would touch pages that nobody has used.
const WIPED_LEN_MAX: usize = 8 * 1024;

/// What `talc` keeps at the start of a heap: a list a bin.
const LISTS_LEN: usize = DefaultBinning::BIN_COUNT as usize * size_of::<usize>();

/// How much of a heap is allocated, in bytes; what the allocator itself takes is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Now.
    pub used: usize,
    /// The most there ever was.
    pub peak: usize,
    /// The region's length.
    pub limit: usize,
}

impl Usage {
    fn change(&mut self, less: usize, more: usize) {
        self.used = self.used.saturating_sub(less).saturating_add(more);
        self.peak = self.peak.max(self.used);
    }
}

/// A heap over one region.
#[derive(Debug)]
pub struct Heap {
    talc: Talc<Manual, DefaultBinning>,
    usage: Usage,
    /// The mark: from here to the region's last word, every byte is as it was given, zero.
    fresh: usize,
    refused: bool,
}

impl Heap {
    /// A heap without memory, which refuses everything.
    #[must_use]
    pub const fn new() -> Self {
        Self { talc: Talc::new(Manual), usage: Usage { used: 0, peak: 0, limit: 0 }, fresh: 0, refused: false }
    }

    /// Gives the heap its region.
    ///
    /// # Safety
    /// The region is writable, zero, and from now on the heap's alone; the heap had none before.
    pub unsafe fn claim(&mut self, base: *mut u8, len: usize) {
        self.fresh = base.addr().saturating_add(LISTS_LEN).saturating_add(GAP_LEN);
        self.usage.limit = len;
        // SAFETY: the caller's promise.
        let _ = unsafe { self.talc.claim(base, len) };
    }

    /// How much of it is allocated.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Whether an allocation was ever refused.
    #[must_use]
    pub fn has_refused(&self) -> bool {
        self.refused
    }

    /// The first address that nobody has ever written to.
    #[must_use]
    pub fn fresh(&self) -> usize {
        self.fresh
    }

    /// See [`core::alloc::GlobalAlloc::alloc`].
    ///
    /// # Safety
    /// The layout's size is not 0.
    pub unsafe fn allocate(&mut self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let place = unsafe { self.talc.allocate(layout) };
        let place = place.map_or(ptr::null_mut(), NonNull::as_ptr);
        if !place.is_null() {
            self.usage.change(0, layout.size());
        }
        self.note(place, layout.size())
    }

    /// See [`core::alloc::GlobalAlloc::alloc_zeroed`].
    ///
    /// # Safety
    /// The layout's size is not 0.
    pub unsafe fn allocate_zeroed(&mut self, layout: Layout) -> *mut u8 {
        let fresh = self.fresh;
        // SAFETY: the caller's promise.
        let place = unsafe { self.allocate(layout) };
        if !place.is_null() {
            let used_len = fresh.saturating_sub(place.addr()).min(layout.size());
            // SAFETY: at most the allocation's own length.
            unsafe { place.write_bytes(0, used_len) };
        }
        place
    }

    /// See [`core::alloc::GlobalAlloc::dealloc`].
    ///
    /// # Safety
    /// The place was allocated here with this layout, and not freed since.
    pub unsafe fn deallocate(&mut self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise: it is all still theirs.
        unsafe { wipe(place, layout.size(), 0) };
        // SAFETY: the caller's promise.
        unsafe { self.talc.deallocate(place, layout) };
        self.usage.change(layout.size(), 0);
    }

    /// See [`core::alloc::GlobalAlloc::realloc`].
    ///
    /// # Safety
    /// The place was allocated here with this layout, and not freed since; the new length is not 0 and makes a valid layout.
    pub unsafe fn reallocate(&mut self, place: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        // SAFETY: the caller's promise; what lies beyond the new length is given up, wherever the rest will be.
        unsafe { wipe(place, layout.size(), len) };
        // SAFETY: the caller's promise.
        if unsafe { self.talc.try_realloc_in_place(place, layout, len) } {
            self.usage.change(layout.size(), len);
            return self.note(place, len);
        }
        let Ok(wanted) = Layout::from_size_align(len, layout.align()) else { return ptr::null_mut() };
        // SAFETY: the length is not 0.
        let moved = unsafe { self.allocate(wanted) };
        if !moved.is_null() {
            // SAFETY: both are allocations, apart from each other, and at least this long.
            unsafe { ptr::copy_nonoverlapping(place, moved, layout.size().min(len)) };
            // SAFETY: the caller's promise; its bytes have moved.
            unsafe { self.deallocate(place, layout) };
        }
        moved
    }

    fn note(&mut self, place: *mut u8, len: usize) -> *mut u8 {
        if place.is_null() {
            self.refused = true;
        } else {
            self.fresh = self.fresh.max(place.addr().saturating_add(len).saturating_add(GAP_LEN));
        }
        place
    }
}

impl Default for Heap {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(guest)]
pub use global::usage;

/// The image's global allocator.
#[cfg(guest)]
pub(crate) mod global {
    use core::alloc::{GlobalAlloc, Layout};
    use core::ptr;

    use super::Heap;
    use crate::layout::Span;
    use crate::sole::Sole;

    static HEAP: Sole<Heap> = Sole::new(Heap::new());

    /// Gives the allocator its memory.
    ///
    /// # Safety
    /// As [`Heap::claim`].
    pub(crate) unsafe fn install(span: Span) {
        let base = ptr::with_exposed_provenance_mut(span.base());
        // SAFETY: the caller's promise.
        HEAP.with(|heap| unsafe { heap.claim(base, span.len()) });
    }

    /// Whether an allocation was ever refused.
    pub(crate) fn has_refused() -> bool {
        HEAP.with(|heap| heap.has_refused()).unwrap_or(false)
    }

    /// How much is allocated.
    #[must_use]
    pub fn usage() -> super::Usage {
        HEAP.with(|heap| heap.usage()).unwrap_or(super::Usage { used: 0, peak: 0, limit: 0 })
    }

    struct Global;

    #[global_allocator]
    static GLOBAL: Global = Global;

    // SAFETY: `talc` is an allocator, and the layouts are passed on unchanged. The heap is never lent twice: nothing allocates inside it.
    unsafe impl GlobalAlloc for Global {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller's promise.
            HEAP.with(|heap| unsafe { heap.allocate(layout) }).unwrap_or(ptr::null_mut())
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller's promise.
            HEAP.with(|heap| unsafe { heap.allocate_zeroed(layout) }).unwrap_or(ptr::null_mut())
        }

        unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
            // SAFETY: the caller's promise.
            let _ = HEAP.with(|heap| unsafe { heap.deallocate(place, layout) });
        }

        unsafe fn realloc(&self, place: *mut u8, layout: Layout, len: usize) -> *mut u8 {
            // SAFETY: the caller's promise.
            HEAP.with(|heap| unsafe { heap.reallocate(place, layout, len) }).unwrap_or(ptr::null_mut())
        }
    }
}

#[cfg(test)]
mod tests;

/// Zeroes what a short allocation has from `kept` on.
///
/// # Safety
/// An allocation of this length.
unsafe fn wipe(place: *mut u8, len: usize, kept: usize) {
    if len <= WIPED_LEN_MAX && kept < len {
        // SAFETY: inside the allocation.
        unsafe { place.wrapping_add(kept).write_bytes(0, len - kept) };
        // So that no optimiser finds that nobody reads them any more.
        core::hint::black_box(place);
    }
}
