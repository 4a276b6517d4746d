//! Every size that both sides rely on, and the relations between them.

/// A page, in bytes.
pub const PAGE_LEN: usize = 4096;

/// The longest frame that a queue carries, in bytes: an Ethernet header and a 64 KiB offloaded segment.
pub const FRAME_LEN_MAX: usize = 14 + 65_535;

/// Frames in one batch at most.
pub const QUEUE_SLOTS: usize = 256;

/// Bytes of frame data in one batch at most. Frames lie packed from the front, so a quiet link touches one page of it.
pub const QUEUE_DATA_LEN: usize = 1 << 20;

/// Each frame starts at a multiple of this, in bytes: a cache line.
pub const FRAME_ALIGN: usize = 64;

/// A queue's window, in bytes.
pub const QUEUE_WINDOW_LEN: usize = crate::queue::DATA_OFFSET.saturating_add(QUEUE_DATA_LEN);

/// The links of a cell: the public one and the private one.
pub const LINKS: usize = 2;

/// Bytes of log that a guest may write in one turn; what does not fit is dropped and counted.
pub const LOG_WINDOW_LEN: usize = 16 * 1024;

/// The seed page: its first [`SEED_LEN`] bytes are the seed, the rest is zero.
pub const SEED_WINDOW_LEN: usize = PAGE_LEN;

/// The boot seed, in bytes.
pub const SEED_LEN: usize = 32;

/// A contest's two windows, a page each.
pub const FLAG_WINDOW_LEN: usize = PAGE_LEN;
/// See [`FLAG_WINDOW_LEN`].
pub const WORD_WINDOW_LEN: usize = PAGE_LEN;

/// The flags of `read` and of `exec`, in bytes each.
pub const FLAG_LEN: usize = 32;

/// The boot bundle (configuration and secrets) at most, in bytes.
pub const BUNDLE_LEN_MAX: usize = 4 << 20;

/// The window of letters to the guest: a bundle at most, and its header. Only what is used of it is ever touched.
pub const INBOX_WINDOW_LEN: usize = BUNDLE_LEN_MAX.saturating_add(PAGE_LEN);

/// The window of letters from the guest.
pub const OUTBOX_WINDOW_LEN: usize = 256 * 1024;

/// The reason in a [`mailbox::REFUSED`](crate::mailbox::REFUSED) letter at most, in bytes.
pub const REASON_LEN_MAX: usize = 1024;

/// The heap at least and at most, in bytes.
pub const HEAP_LEN_MIN: usize = 8 << 20;
/// See [`HEAP_LEN_MIN`].
pub const HEAP_LEN_MAX: usize = 16 << 30;

/// The guest's stack, in bytes.
pub const STACK_LEN: usize = 256 * 1024;

const _: () = assert!(QUEUE_DATA_LEN >= 8 * FRAME_LEN_MAX, "a batch holds several of the longest frames");
const _: () = assert!(QUEUE_WINDOW_LEN.is_multiple_of(PAGE_LEN) && LOG_WINDOW_LEN.is_multiple_of(PAGE_LEN), "windows are whole pages");
const _: () = assert!(INBOX_WINDOW_LEN.is_multiple_of(PAGE_LEN) && OUTBOX_WINDOW_LEN.is_multiple_of(PAGE_LEN), "windows are whole pages");
const _: () = assert!(INBOX_WINDOW_LEN >= BUNDLE_LEN_MAX + crate::mailbox::HEADER_LEN, "the longest bundle is a letter");
const _: () = assert!(REASON_LEN_MAX + crate::mailbox::HEADER_LEN <= OUTBOX_WINDOW_LEN, "a reason is a letter");
const _: () = assert!(SEED_LEN <= SEED_WINDOW_LEN, "the seed fits its page");
const _: () = assert!(FLAG_LEN <= FLAG_WINDOW_LEN && size_of::<u64>() <= WORD_WINDOW_LEN, "flag and word fit their pages");
const _: () = assert!(FLAG_LEN == crate::hypercall::PRIZE_REGISTERS.len() * size_of::<u64>(), "a flag fits the registers");
