//! Who may ask how often: one time stamp for each source (GCRA, the leaky bucket as a clock), in a table of fixed size.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::limits::SOURCES_MAX;

/// So many at once, and then one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once; 0 is taken for 1.
    pub burst: u32,
    /// The time in which one more may come.
    pub every: Duration,
}

/// The time at which all of a budget is there again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Whole(Duration);

impl Whole {
    /// Takes one at this time.
    ///
    /// # Errors
    /// How long to wait.
    fn take(&mut self, rate: Rate, now: Duration) -> Result<(), Duration> {
        let from = self.0.max(now);
        let earliest = from.saturating_sub(rate.every.saturating_mul(rate.burst.saturating_sub(1)));
        if earliest > now {
            return Err(earliest.saturating_sub(now));
        }
        self.0 = from.saturating_add(rate.every);
        Ok(())
    }
}

/// One budget for all, and one for each source.
#[derive(Debug)]
pub struct Rates {
    of_source: Rate,
    in_all: Rate,
    all: Whole,
    sources: HashMap<IpAddr, Whole>,
}

impl Rates {
    /// Budgets that are whole.
    #[must_use]
    pub fn new(of_source: Rate, in_all: Rate) -> Self {
        Self { of_source, in_all, all: Whole::default(), sources: HashMap::new() }
    }

    /// Takes one of the source's. `now` is the time since some moment.
    ///
    /// # Errors
    /// How long to wait.
    pub fn take_of(&mut self, peer: IpAddr, now: Duration) -> Result<(), Duration> {
        if self.sources.len() >= SOURCES_MAX {
            self.sources.retain(|_, whole| whole.0 > now);
        }
        let room = self.sources.len() < SOURCES_MAX;
        match self.sources.entry(source(peer)) {
            Entry::Occupied(mut known) => known.get_mut().take(self.of_source, now),
            Entry::Vacant(new) if room => new.insert(Whole::default()).take(self.of_source, now),
            Entry::Vacant(_) => Err(self.of_source.every),
        }
    }

    /// Takes one of all.
    ///
    /// # Errors
    /// How long to wait.
    pub fn take_of_all(&mut self, now: Duration) -> Result<(), Duration> {
        self.all.take(self.in_all, now)
    }
}

/// Whoever has an address of IPv6 has its 64 lower bits.
#[must_use]
pub fn source(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, every: Duration::from_secs(10) };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn peer(last: u32) -> IpAddr {
        IpAddr::V4(last.into())
    }

    #[test]
    fn a_burst_passes_and_then_one_for_each_interval() {
        let mut rates = Rates::new(RATE, RATE);
        for now in [100, 100, 101] {
            assert_eq!(rates.take_of(peer(1), at(now)), Ok(()));
        }
        assert_eq!(rates.take_of(peer(1), at(101)), Err(at(9)));
        assert_eq!(rates.take_of(peer(1), at(110)), Ok(()));
        assert_eq!(rates.take_of(peer(1), at(110)), Err(at(10)), "what was refused cost nothing, what passed did");
        assert_eq!(rates.take_of(peer(2), at(110)), Ok(()), "another source");
    }

    #[test]
    fn the_budget_of_all_is_its_own() {
        let mut rates = Rates::new(RATE, RATE);
        for _ in 0..3 {
            assert_eq!(rates.take_of_all(at(0)), Ok(()));
        }
        assert_eq!(rates.take_of_all(at(5)), Err(at(5)));
        assert_eq!(rates.take_of(peer(1), at(5)), Ok(()));
    }

    #[test]
    fn addresses_of_one_prefix_are_one_source() {
        let addresses = ["2001:db8::1", "2001:db8::ffff:1", "::ffff:192.0.2.7", "192.0.2.7"].map(|text| source(text.parse().unwrap()));
        assert_eq!(addresses[0], addresses[1]);
        assert_eq!(addresses[2], addresses[3]);
        assert_ne!(addresses[0], source("2001:db8:0:1::1".parse().unwrap()));
    }

    #[test]
    fn the_table_is_bounded_and_those_who_rest_make_room() {
        let mut rates = Rates::new(RATE, RATE);
        let most = u32::try_from(SOURCES_MAX).unwrap();
        for each in 0..most {
            assert_eq!(rates.take_of(peer(each), at(0)), Ok(()));
        }
        assert_eq!(rates.take_of(peer(most), at(1)), Err(RATE.every), "all are busy");
        assert_eq!(rates.take_of(peer(0), at(1)), Ok(()), "who is known goes on");
        assert_eq!(rates.take_of(peer(most), at(10)), Ok(()));
        assert_eq!(rates.sources.len(), 2, "who rested is forgotten");
    }
}
