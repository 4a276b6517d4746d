//! How long to wait before a fresh cell: twice as long after each short life, up to a bound.

use core::time::Duration;

use crate::limits::{RESTART_DELAY_MAX, RESTART_DELAY_MIN, STEADY_AFTER};

/// The delays of one supervisor.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: RESTART_DELAY_MIN }
    }

    /// The delay after a cell that lived so long.
    pub(super) fn after(&mut self, life: Duration) -> Duration {
        if life >= STEADY_AFTER {
            self.next = RESTART_DELAY_MIN;
        }
        let delay = self.next;
        self.next = self.next.saturating_mul(2).min(RESTART_DELAY_MAX);
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lives_wait_longer_and_longer_up_to_the_bound() {
        let mut backoff = Backoff::new();
        let delays: Vec<_> = (0..20).map(|_| backoff.after(Duration::ZERO)).collect();
        assert_eq!(delays[0], RESTART_DELAY_MIN);
        assert!(delays.windows(2).all(|pair| pair[1] == (pair[0] * 2).min(RESTART_DELAY_MAX)));
        assert_eq!(delays[19], RESTART_DELAY_MAX);
    }

    #[test]
    fn a_steady_life_is_forgiven() {
        let mut backoff = Backoff::new();
        backoff.after(Duration::ZERO);
        backoff.after(Duration::ZERO);
        assert_eq!(backoff.after(STEADY_AFTER), RESTART_DELAY_MIN);
        backoff.after(STEADY_AFTER - Duration::from_nanos(1));
        assert!(backoff.after(Duration::ZERO) > RESTART_DELAY_MIN);
    }
}
