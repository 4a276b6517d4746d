//! The control page: what `wait` passes besides frames.
//!
//! The guest writes `deadline_ns` before it calls `wait`; the tender writes the rest before it lets the guest go on. All times count
//! nanoseconds from the cell's start on the tender's monotonic clock, but `unix_ns`.

/// The control page.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Control {
    /// When to come back at the latest: [`FLUSH`] at once, [`NEVER`] only for a frame.
    pub deadline_ns: u64,
    /// The time now.
    pub now_ns: u64,
    /// The time now since 1970-01-01 00:00 UTC, without leap seconds.
    pub unix_ns: u64,
    /// What the operator asks of the guest: [`RUN`] or [`DRAIN`].
    pub request: u32,
    /// Zero.
    pub reserved: u32,
}

/// `deadline_ns`: take the frames, bring new ones, and come back without sleeping.
pub const FLUSH: u64 = 0;
/// `deadline_ns`: sleep until a frame comes.
pub const NEVER: u64 = u64::MAX;

/// `request`: serve.
pub const RUN: u32 = 0;
/// `request`: accept nothing new, finish what runs, then exit with [`DONE`](crate::hypercall::exit::DONE).
pub const DRAIN: u32 = 1;

/// Where the fields lie, from the page's start in bytes.
pub mod offset {
    use super::Control;
    use core::mem::offset_of;
    /// Of [`Control::deadline_ns`].
    pub const DEADLINE_NS: usize = offset_of!(Control, deadline_ns);
    /// Of [`Control::now_ns`].
    pub const NOW_NS: usize = offset_of!(Control, now_ns);
    /// Of [`Control::unix_ns`].
    pub const UNIX_NS: usize = offset_of!(Control, unix_ns);
    /// Of [`Control::request`].
    pub const REQUEST: usize = offset_of!(Control, request);
}

const _: () = assert!(size_of::<Control>() == 32, "no padding");
