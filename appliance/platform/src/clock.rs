//! The time, as the tender gave it last: for the stamps of the log. It stands still during a turn.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

static NOW_NS: AtomicU64 = AtomicU64::new(0);

/// Notes the time since the cell's start.
pub(crate) fn set(mono_ns: u64) {
    NOW_NS.store(mono_ns, Ordering::Relaxed);
}

/// The time since the cell's start.
pub fn mono() -> Duration {
    Duration::from_nanos(NOW_NS.load(Ordering::Relaxed))
}
