//! What two runs are compared by: every frame in one direction of a link, and its time, as one hash over all bytes.
//!
//! Of one seed it is the same in every run, on every machine, as long as the certificates are Ed25519: then nothing is drawn from anywhere but the seed.
//! (P-256 signatures are ring's, with a nonce of its own.)

use core::time::Duration;

use twox_hash::XxHash3_64;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// Frames seen.
    pub frames: u64,
    /// Over times, lengths and all bytes.
    pub hash: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Self { frames: 0, hash: SEED }
    }
}

impl Trace {
    pub(crate) fn note(&mut self, now: Duration, frame: &[u8]) {
        self.frames += 1;
        let time = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        self.hash = digest(mix(mix(self.hash, time), frame.len() as u64), frame);
    }
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// Every byte counts, and so does its place. Against accidents, not against enemies.
pub(crate) fn digest(hash: u64, bytes: &[u8]) -> u64 {
    mix(hash, XxHash3_64::oneshot(bytes))
}

pub(crate) fn mix(hash: u64, word: u64) -> u64 {
    let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bit_of_a_frame_its_length_and_its_time_change_the_hash() {
        let trace = |ms, frame: &[u8]| {
            let mut trace = Trace::default();
            trace.note(Duration::from_millis(ms), frame);
            trace.hash
        };
        let frame = [7_u8; 125];
        for bit in 0..frame.len() * 8 {
            let mut other = frame;
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(trace(1, &frame), trace(1, &other), "{bit}");
        }
        assert_ne!(trace(1, &frame), trace(1, &frame[..124]));
        assert_ne!(trace(1, &frame), trace(2, &frame));
    }

    #[test]
    fn the_place_of_a_word_counts() {
        let hash = |place: usize| {
            let mut frame = [7_u8; 125];
            frame[place] = 8;
            digest(SEED, &frame)
        };
        let hashes: std::collections::BTreeSet<u64> = (0..125).map(hash).collect();
        assert_eq!(hashes.len(), 125);
    }
}
