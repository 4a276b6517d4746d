//! A token bucket: so many a second, and no more than that in one burst.

use core::time::Duration;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    per_s: u32,
    tokens: u32,
    refilled_at: Duration,
}

impl Bucket {
    pub(crate) fn new(per_s: u32, now: Duration) -> Self {
        Self { per_s, tokens: per_s, refilled_at: now }
    }

    /// Takes one token, if there is one.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let earned = now.saturating_sub(self.refilled_at).as_micros().saturating_mul(self.per_s.into()) / 1_000_000;
        if earned > 0 {
            self.tokens = u32::try_from(earned).unwrap_or(u32::MAX).saturating_add(self.tokens).min(self.per_s);
            self.refilled_at = now;
        }
        let taken = self.tokens > 0;
        self.tokens -= u32::from(taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_ends_and_a_second_later_there_is_another() {
        let mut bucket = Bucket::new(3, Duration::ZERO);
        let burst = |bucket: &mut Bucket, now| (0..10).filter(|_| bucket.take(now)).count();
        assert_eq!(burst(&mut bucket, Duration::ZERO), 3);
        assert_eq!(burst(&mut bucket, Duration::from_millis(334)), 1);
        assert_eq!(burst(&mut bucket, Duration::from_secs(60)), 3);
    }
}
