//! Owned pieces of the guest's memory.

use core::ptr::{self, NonNull};
use core::slice;

use abi::limits::LINKS;

use crate::layout::{Layout, Span};

/// Bytes that the guest may read. The tender changes them in its own turn, when no borrow of them lives.
#[derive(Debug)]
pub struct View {
    base: NonNull<u8>,
    len: usize,
}

impl View {
    /// Becomes the owner of a span.
    ///
    /// # Safety
    /// The span is mapped readable for as long as the view lives, and nothing of the guest writes to it.
    unsafe fn claim(span: Span) -> Self {
        let base = ptr::with_exposed_provenance_mut(span.base());
        // A checked span does not begin at 0.
        Self { base: NonNull::new(base).unwrap_or(NonNull::dangling()), len: span.len() }
    }

    /// The two numbers at its start, little-endian, as they stand there now: somebody may have written them who was never meant to write anything here. `None`
    /// where there is no room for them.
    #[must_use]
    pub fn words(&self) -> Option<[u64; 2]> {
        // SAFETY: `claim` vouched for the mapping, which has at least these bytes and starts a page, so they are aligned; volatile, as whoever writes them does so
        // behind the compiler's back.
        let read = || unsafe { ptr::read_volatile(self.base.as_ptr().cast::<[u64; 2]>()) };
        (self.len >= size_of::<[u64; 2]>()).then(|| read().map(u64::from_le))
    }

    /// What stands in it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `claim` vouched for the mapping; the slice borrows the owner, and the tender's turn needs that borrow back.
        unsafe { slice::from_raw_parts(self.base.as_ptr(), self.len) }
    }
}

/// Bytes that the guest may read and write, and that have one owner on its side.
#[derive(Debug)]
pub struct Window(View);

impl Window {
    /// Becomes the owner of a span.
    ///
    /// # Safety
    /// As [`View::claim`]; the span is writable as well, and nothing else of the guest reaches it.
    unsafe fn claim(span: Span) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { View::claim(span) })
    }

    /// What stands in it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// What stands in it, to be changed.
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: `claim` vouched for the mapping and for sole ownership; the slice borrows the owner exclusively.
        unsafe { slice::from_raw_parts_mut(self.0.base.as_ptr(), self.0.len) }
    }

    /// The window for ever, for the image's statics.
    #[must_use]
    pub fn leak(self) -> &'static mut [u8] {
        // SAFETY: as in `bytes_mut`; the owner is gone, so this is the only way to the bytes from now on.
        unsafe { slice::from_raw_parts_mut(self.0.base.as_ptr(), self.0.len) }
    }
}

/// All windows of a guest.
#[derive(Debug)]
pub struct Windows {
    /// The control page.
    pub control: Window,
    /// The log window.
    pub log: Window,
    /// The seed page.
    pub seed: View,
    /// The bundle.
    pub bundle: View,
    /// Letters from the tender.
    pub inbox: View,
    /// Letters to the tender.
    pub outbox: Window,
    /// Receive and transmit queue of each link.
    pub links: [(View, Window); LINKS],
    /// A contest's, where there is one.
    pub contest: Option<Contest>,
}

/// What a contest has in the guest's memory, at published addresses. The guest only ever reads it.
#[derive(Debug)]
pub struct Contest {
    /// The page with the flag of `read`.
    pub flag: View,
    /// The page with the words of `write`.
    pub words: View,
}

impl Windows {
    /// Becomes the owner of a guest's memory, but for heap and stack.
    ///
    /// # Safety
    /// The layout's spans are mapped as [`abi::boot`] says until the guest ends (seed and bundle: until `sealed`), hold bytes of which
    /// nothing else of the guest knows, and are claimed once.
    #[must_use]
    pub unsafe fn claim(layout: &Layout) -> Self {
        // SAFETY: the caller's promise, and the spans of a checked layout are apart.
        let window = |span| unsafe { Window::claim(span) };
        // SAFETY: as above.
        let view = |span| unsafe { View::claim(span) };
        Self {
            control: window(layout.control),
            log: window(layout.log),
            seed: view(layout.seed),
            bundle: view(layout.bundle),
            inbox: view(layout.inbox),
            outbox: window(layout.outbox),
            links: layout.links.map(|(rx, tx)| (view(rx), window(tx))),
            contest: layout.contest.map(|(flag, word)| Contest { flag: view(flag), words: view(word) }),
        }
    }
}
