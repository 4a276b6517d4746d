//! The wall clock, as its owner last set it.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// Unix time, shared between whoever knows it (the caller, once a turn) and what needs it (tickets).
///
/// This crate never reads a clock of the machine.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    /// A clock that stands at `unix`.
    pub fn new(unix: Duration) -> Self {
        Self(Arc::new(AtomicU64::new(unix.as_secs())))
    }

    /// Sets the time of every clone of this clock.
    pub fn set(&self, unix: Duration) {
        self.0.store(unix.as_secs(), Ordering::Relaxed);
    }

    /// Seconds since 1970.
    pub fn unix_s(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.unix_s())))
    }
}
