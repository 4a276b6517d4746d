//! Who may ask how often: one time stamp for each source (GCRA, the leaky bucket as a clock), in tables of fixed size.
//!
//! Of IPv6 the allotment counts as well: whoever has one has 65,536 sources, and would fill the table with them.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::HashMap;

use crate::limits::{ALLOTMENT_SOURCES, SOURCES_MAX};

/// So many at once, and then one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once; 0 is taken for 1.
    pub burst: u32,
    /// The time in which one more may come.
    pub every: Duration,
}

impl Rate {
    /// So many at most within this time, from a full budget on, for a rate of whole seconds; of a faster one no number is known.
    #[must_use]
    pub const fn within(self, time: Duration) -> u64 {
        let burst = if self.burst == 0 { 1 } else { self.burst as u64 };
        match time.as_secs().checked_div(self.every.as_secs()) {
            Some(more) => burst.saturating_add(more),
            None => u64::MAX,
        }
    }
}

/// Why a source is given nothing, and how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// It has used up its own.
    Source(Duration),
    /// Nothing is known against it: others of its allotment have used up what is theirs, or the tables are full.
    Others(Duration),
}

/// The time at which all of a budget is there again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Whole(Duration);

impl Whole {
    /// Takes one at this time.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn take(&mut self, rate: Rate, now: Duration) -> Result<(), Duration> {
        let from = self.0.max(now);
        let earliest = from.saturating_sub(rate.every.saturating_mul(rate.burst.saturating_sub(1)));
        if earliest > now {
            return Err(earliest.saturating_sub(now));
        }
        self.0 = from.saturating_add(rate.every);
        Ok(())
    }
}

/// One budget for all, and one for each source and each allotment.
#[derive(Debug)]
pub struct Rates {
    of_source: Rate,
    of_allotment: Rate,
    in_all: Rate,
    all: Whole,
    sources: Table,
    allotments: Table,
}

impl Rates {
    /// Budgets that are whole.
    #[must_use]
    pub fn new(of_source: Rate, in_all: Rate) -> Self {
        let of_allotment =
            Rate { burst: of_source.burst.max(1).saturating_mul(ALLOTMENT_SOURCES), every: of_source.every / ALLOTMENT_SOURCES };
        Self { of_source, of_allotment, in_all, all: Whole::default(), sources: Table::default(), allotments: Table::default() }
    }

    /// Takes one of the source's, and of its allotment's if it is of IPv6: both or neither. `now` is the time since some moment.
    ///
    /// # Errors
    /// [`Wait`].
    pub fn take_of(&mut self, peer: IpAddr, now: Duration) -> Result<(), Wait> {
        let (source, allotment) = (source(peer), allotment(peer));
        let full = Wait::Others(self.of_source.every);
        let mut own = self.sources.find(source, now).ok_or(full)?;
        own.take(self.of_source, now).map_err(Wait::Source)?;
        if source.is_ipv6() {
            let mut shared = self.allotments.find(allotment, now).ok_or(full)?;
            shared.take(self.of_allotment, now).map_err(Wait::Others)?;
            self.allotments.known.insert(allotment, shared);
        }
        self.sources.known.insert(source, own);
        Ok(())
    }

    /// Takes one of all.
    ///
    /// # Errors
    /// How long to wait.
    pub fn take_of_all(&mut self, now: Duration) -> Result<(), Duration> {
        self.all.take(self.in_all, now)
    }
}

/// Those of whose budgets something is taken: at most [`SOURCES_MAX`].
#[derive(Debug, Default)]
struct Table {
    known: HashMap<IpAddr, Whole>,
}

impl Table {
    /// What one has, if there is room to write down that something is taken of it. Those who have all of theirs make room.
    fn find(&mut self, one: IpAddr, now: Duration) -> Option<Whole> {
        if self.known.len() >= SOURCES_MAX {
            self.known.retain(|_, whole| whole.0 > now);
        }
        let has_room = self.known.len() < SOURCES_MAX;
        self.known.get(&one).copied().or_else(|| has_room.then(Whole::default))
    }
}

/// Whoever has an address of IPv6 has its 64 lower bits.
#[must_use]
pub fn source(peer: IpAddr) -> IpAddr {
    upper(peer, 64)
}

/// What one customer of a network is given at most: of IPv6 the 80 lower bits, of IPv4 an address.
#[must_use]
pub fn allotment(peer: IpAddr) -> IpAddr {
    upper(peer, 48)
}

/// The upper bits of an address of IPv6; one of IPv4 as it is.
fn upper(peer: IpAddr, bits: u32) -> IpAddr {
    let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & mask).into()),
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
        assert_eq!(rates.take_of(peer(1), at(101)), Err(Wait::Source(at(9))));
        assert_eq!(rates.take_of(peer(1), at(110)), Ok(()));
        assert_eq!(rates.take_of(peer(1), at(110)), Err(Wait::Source(at(10))), "what was refused cost nothing, what passed did");
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
        let wide = ["2001:db8:0:1::1", "2001:db8:0:ffff::1", "2001:db8:1::1", "192.0.2.7"].map(|text| allotment(text.parse().unwrap()));
        assert!(wide[0] == wide[1] && wide[0] != wide[2]);
        assert_eq!(wide[3], addresses[3]);
    }

    #[test]
    fn the_table_is_bounded_and_those_who_rest_make_room() {
        let mut rates = Rates::new(RATE, RATE);
        let most = u32::try_from(SOURCES_MAX).unwrap();
        for each in 0..most {
            assert_eq!(rates.take_of(peer(each), at(0)), Ok(()));
        }
        assert_eq!(rates.take_of(peer(most), at(1)), Err(Wait::Others(RATE.every)), "all are busy");
        assert_eq!(rates.take_of(peer(0), at(1)), Ok(()), "who is known goes on");
        assert_eq!(rates.take_of(peer(most), at(10)), Ok(()));
        assert_eq!(rates.sources.known.len(), 2, "who rested is forgotten");
    }

    #[test]
    fn one_allotment_does_not_fill_the_table() {
        let mut rates = Rates::new(RATE, RATE);
        let network = |number: u16| IpAddr::from([0x2001, 0xdb8, 1, number, 0, 0, 0, 1]);
        let taken = (0..=u16::MAX).filter(|number| rates.take_of(network(*number), at(0)).is_ok()).count();
        assert_eq!(taken, usize::try_from(ALLOTMENT_SOURCES * RATE.burst).unwrap());
        assert_eq!(rates.sources.known.len(), taken, "who was refused has no place");
        assert!(matches!(rates.take_of(network(u16::MAX), at(0)), Err(Wait::Others(wait)) if wait < RATE.every));
        assert_eq!(rates.take_of("2001:db8:2::1".parse().unwrap(), at(0)), Ok(()), "another allotment");
        assert_eq!(rates.take_of(peer(1), at(0)), Ok(()));
    }

    #[test]
    fn a_source_that_is_refused_takes_nothing_of_its_allotment() {
        let mut rates = Rates::new(RATE, RATE);
        let busy: IpAddr = "2001:db8:1:1::1".parse().unwrap();
        let taken = (0..100).filter(|_| rates.take_of(busy, at(0)).is_ok()).count();
        assert_eq!((taken, rates.take_of(busy, at(0))), (3, Err(Wait::Source(RATE.every))));
        assert_eq!(rates.take_of("2001:db8:1:2::1".parse().unwrap(), at(0)), Ok(()), "its neighbour");
    }
}
