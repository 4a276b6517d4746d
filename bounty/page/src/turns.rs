//! Turns to have a claim looked at, for those of whom nothing is known because others have used up all room to know it.
//!
//! Each allotment has a place by its hash, so that there is one for everybody: whoever uses up turns uses up those of few others, and whose they are is not his to choose. All places together
//! bound how much is looked at.

use core::hash::BuildHasher;
use core::net::IpAddr;
use core::time::Duration;
use std::hash::RandomState;

use crate::limits::TURNS_MAX;
use crate::rates::{Rate, Whole, allotment};

/// See the module.
#[derive(Debug)]
pub struct Turns {
    of_place: Rate,
    places: [Whole; TURNS_MAX],
    /// A secret, drawn anew: nobody knows who shares a place.
    hash: RandomState,
}

impl Turns {
    /// Each place has this.
    #[must_use]
    pub fn new(of_place: Rate) -> Self {
        Self { of_place, places: [Whole::default(); TURNS_MAX], hash: RandomState::new() }
    }

    /// Takes a turn. `now` is the time since some moment.
    ///
    /// # Errors
    /// How long to wait.
    pub fn take(&mut self, peer: IpAddr, now: Duration) -> Result<(), Duration> {
        let places = u64::try_from(self.places.len()).unwrap_or(u64::MAX);
        let at = usize::try_from(self.hash.hash_one(allotment(peer)) % places).unwrap_or(0);
        self.places.get_mut(at).map_or(Err(self.of_place.every), |place| place.take(self.of_place, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 2, every: Duration::from_secs(1) };

    #[test]
    fn there_are_so_many_in_all_and_who_uses_them_up_leaves_those_of_others() {
        let mut turns = Turns::new(RATE);
        let network = |number: u16| IpAddr::from([0x2001, 0xdb8, 1, number, 0, 0, 0, 1]);
        let taken = (0..1000).filter(|number| turns.take(network(*number), Duration::ZERO).is_ok()).count();
        assert_eq!(taken, 2, "an allotment has one place");
        let others = (0..1000_u32).filter(|number| turns.take(IpAddr::V4((*number).into()), Duration::ZERO).is_ok()).count();
        assert!((TURNS_MAX..=2 * TURNS_MAX - 2).contains(&others), "{others}");
        assert_eq!(turns.take(network(0), Duration::from_secs(2)), Ok(()), "later there are more");
    }
}
