//! Counters by key, in a place of fixed size: whatever peers send, there are never more keys than the capacity.

use heapless::LinearMap;

/// See the module. `N` keys at most; what comes with a key beyond them is counted in [`Tally::other`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally<K: Eq, const N: usize> {
    counts: LinearMap<K, u64, N>,
    other: u64,
}

impl<K: Eq, const N: usize> Default for Tally<K, N> {
    fn default() -> Self {
        Self { counts: LinearMap::new(), other: 0 }
    }
}

impl<K: Eq + Copy, const N: usize> Tally<K, N> {
    /// Counts one more of `key`.
    pub fn count(&mut self, key: K) {
        if let Some(count) = self.counts.get_mut(&key) {
            *count = count.saturating_add(1);
        } else if self.counts.insert(key, 1).is_err() {
            self.other = self.other.saturating_add(1);
        }
    }

    /// The keys met so far with their counts, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (K, u64)> + '_ {
        self.counts.iter().map(|(key, count)| (*key, *count))
    }

    /// What came with keys that found no place.
    #[must_use]
    pub fn other(&self) -> u64 {
        self.other
    }

    /// How often `key` was counted.
    #[must_use]
    pub fn get(&self, key: K) -> u64 {
        self.counts.get(&key).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_capacity_holds_whatever_comes() {
        let mut tally: Tally<u16, 4> = Tally::default();
        for key in 0..1000 {
            tally.count(key);
            tally.count(3);
        }
        assert_eq!(tally.iter().count(), 4);
        assert_eq!(tally.get(3), 1001);
        assert_eq!(tally.iter().map(|(_, count)| count).sum::<u64>() + tally.other(), 2000, "nothing is lost");
    }
}
