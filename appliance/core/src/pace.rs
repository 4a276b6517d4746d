//! So many a second, and a second's worth at once: for what is said, not for what is done.

use core::time::Duration;

/// See the module (the generic cell rate algorithm).
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    /// When a whole burst may come again.
    full_at: Duration,
}

const BURST: Duration = Duration::from_secs(1);

impl Pace {
    pub(crate) fn new(per_s: u32) -> Self {
        Self { interval: BURST.checked_div(per_s).unwrap_or(BURST), full_at: Duration::ZERO }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let full_at = self.full_at.max(now).saturating_add(self.interval);
        let granted = full_at <= now.saturating_add(BURST);
        if granted {
            self.full_at = full_at;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_ends_and_the_rate_goes_on() {
        let mut pace = Pace::new(10);
        let burst = |pace: &mut Pace, now| (0..100).filter(|_| pace.take(now)).count();
        assert_eq!(burst(&mut pace, Duration::from_secs(5)), 10);
        assert_eq!(burst(&mut pace, Duration::from_millis(5_299)), 2);
        assert_eq!(burst(&mut pace, Duration::from_secs(60)), 10);
    }
}
