//! A little chance, so that checks do not come in step. Not a secret, and nothing depends on its being one.

use core::time::Duration;

/// SplitMix64.
#[derive(Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) fn new(seed: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(seed))
    }

    /// Something from nothing up to `most`.
    pub(super) fn up_to(&mut self, most: Duration) -> Duration {
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.next().checked_rem(micros.saturating_add(1)).unwrap_or(0))
    }

    /// `time`, an eighth shorter or longer at most.
    pub(super) fn about(&mut self, time: Duration) -> Duration {
        let eighth = time.checked_div(8).unwrap_or_default();
        let longest = eighth.saturating_mul(2);
        time.saturating_sub(eighth).saturating_add(self.up_to(longest))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spread_within_an_eighth() {
        let mut jitter = Jitter::new([7; 8]);
        let second = Duration::from_secs(1);
        let times: alloc::vec::Vec<_> = (0..1000).map(|_| jitter.about(second)).collect();
        assert!(times.iter().all(|time| (second * 7 / 8..=second * 9 / 8).contains(time)));
        assert!(times.iter().any(|time| *time < second * 15 / 16) && times.iter().any(|time| *time > second * 17 / 16));
        assert_eq!(jitter.about(Duration::ZERO), Duration::ZERO);
    }
}
