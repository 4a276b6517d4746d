//! How often something happened within the last hour, up to a bound.

use std::collections::VecDeque;

use crate::limits::HOUR_S;

/// See the module. Times never go back.
#[derive(Debug)]
pub(crate) struct Hourly {
    max: usize,
    times: VecDeque<u64>,
}

impl Hourly {
    pub(crate) const fn new(max: usize) -> Self {
        Self { max, times: VecDeque::new() }
    }

    /// Counts one. What is too old, or one too many, is forgotten.
    pub(crate) fn count(&mut self, now: u64) {
        self.forget(now);
        if self.times.len() >= self.max {
            self.times.pop_front();
        }
        self.times.push_back(now);
    }

    /// When there is room again, if there is none now.
    pub(crate) fn full_until(&mut self, now: u64) -> Option<u64> {
        self.forget(now);
        let oldest = self.times.front().filter(|_| self.times.len() >= self.max)?;
        Some(oldest.saturating_add(HOUR_S))
    }

    fn forget(&mut self, now: u64) {
        while self.times.front().is_some_and(|time| now.saturating_sub(*time) >= HOUR_S) {
            self.times.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_has_room_for_so_many() {
        let mut hourly = Hourly::new(2);
        assert_eq!(hourly.full_until(100), None);
        hourly.count(100);
        hourly.count(200);
        assert_eq!(hourly.full_until(200), Some(3700));
        assert_eq!(hourly.full_until(3699), Some(3700));
        assert_eq!(hourly.full_until(3700), None);
        hourly.count(3700);
        assert_eq!(hourly.full_until(3700), Some(3800));
    }

    #[test]
    fn what_was_too_much_once_takes_no_memory() {
        let mut hourly = Hourly::new(2);
        (0..1000).for_each(|_| hourly.count(5));
        assert_eq!(hourly.times.len(), 2);
    }
}
