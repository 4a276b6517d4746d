//! So many a second as a long-run mean, and so long a time's worth at once: the generic cell rate algorithm, whose whole state is one time.

use core::time::Duration;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    interval: Duration,
    burst: Duration,
}

impl Rate {
    /// `burst` is how much of the rate may come at once; at least one always may.
    pub(crate) fn new(per_s: u32, burst: Duration) -> Self {
        let interval = Duration::from_secs(1).checked_div(per_s).unwrap_or(Duration::MAX);
        Self { interval, burst: burst.max(interval) }
    }

    /// One more: when its bucket, which was to be full again at `full_at`, is so now. `None` if the bucket is empty, and nothing is taken.
    pub(crate) fn take(self, full_at: Duration, now: Duration) -> Option<Duration> {
        let full_at = full_at.max(now).saturating_add(self.interval);
        (full_at <= now.saturating_add(self.burst)).then_some(full_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(100);

    /// How many of ten are let in at this time.
    fn let_in(rate: Rate, full_at: &mut Duration, now: Duration) -> usize {
        (0..10).filter(|_| rate.take(*full_at, now).is_some_and(|next| core::mem::replace(full_at, next) <= next)).count()
    }

    #[test]
    fn a_burst_comes_in_and_then_one_at_each_interval() {
        let rate = Rate::new(2, Duration::from_secs(2));
        let mut full_at = Duration::ZERO;
        assert_eq!(let_in(rate, &mut full_at, START), 4);
        assert_eq!(let_in(rate, &mut full_at, START + Duration::from_millis(499)), 0);
        assert_eq!(let_in(rate, &mut full_at, START + Duration::from_millis(500)), 1);
        assert_eq!(let_in(rate, &mut full_at, START + Duration::from_secs(60)), 4, "and never more than that at once");
    }

    #[test]
    fn a_burst_shorter_than_an_interval_still_lets_one_in() {
        let rate = Rate::new(1, Duration::from_millis(10));
        let mut full_at = Duration::ZERO;
        assert_eq!(let_in(rate, &mut full_at, START), 1);
        assert_eq!(let_in(rate, &mut full_at, START + Duration::from_secs(1)), 1);
    }
}
