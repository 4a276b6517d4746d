//! The limits of time, as the bundle gives them.

use core::time::Duration;

use keys::bundle::Limits;

/// See [`Limits`] for each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) first_byte: Duration,
    pub(crate) handshake: Duration,
    pub(crate) idle: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) half_close: Duration,
    pub(crate) drain: Duration,
    pub(crate) connect: Duration,
}

impl From<&Limits> for Times {
    fn from(limits: &Limits) -> Self {
        Self {
            first_byte: Duration::from_millis(limits.first_byte_timeout_ms),
            handshake: Duration::from_millis(limits.handshake_timeout_ms),
            idle: Duration::from_millis(limits.idle_timeout_ms),
            lifetime: Duration::from_millis(limits.lifetime_ms),
            half_close: Duration::from_millis(limits.half_close_timeout_ms),
            drain: Duration::from_millis(limits.drain_timeout_ms),
            connect: Duration::from_millis(limits.connect_timeout_ms),
        }
    }
}
