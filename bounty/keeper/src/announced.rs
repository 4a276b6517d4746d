//! Who has said that they try to bring the box down, so that a crash record can name them.
//!
//! An announcement costs nothing, so each source has one place, and who comes when all are taken is told to wait: displacing others would let whoever announces last, and from most addresses, take a
//! win that is not theirs. Who waits stands in line: whoever had a place gets another only when there is room for all who wait.

use core::net::IpAddr;

use arbiter::key::Ed25519Key;
use arbiter::limits::CLAIMANT_LEN_MAX;

use crate::limits::{ANNOUNCED_MAX, ANNOUNCED_S, TURN_S, WAITING_MAX};
use crate::refused::Refused;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Announced {
    places: Vec<Announcement>,
    /// Who was refused a place, in the order in which they came.
    line: Vec<Waiting>,
}

#[derive(Debug)]
struct Announcement {
    source: IpAddr,
    claimant: String,
    until: u64,
}

/// Somebody in line. Who does not come when it is their turn loses it: a place is not kept free for nobody.
#[derive(Debug)]
struct Waiting {
    source: IpAddr,
    until: u64,
}

impl Announced {
    pub(crate) fn announce(&mut self, now: u64, claimant: &str, source: IpAddr) -> Result<u64, Refused> {
        if claimant.len() > CLAIMANT_LEN_MAX || Ed25519Key::from_claimant(claimant).is_none() {
            return Err(Refused::Claimant);
        }
        self.forget(now);
        let until = now.saturating_add(ANNOUNCED_S);
        if let Some(known) = self.places.iter_mut().find(|known| known.source == source) {
            // Another key may take the place at any time; more time it gets when nobody waits.
            known.claimant = claimant.into();
            known.until = if self.line.is_empty() { until } else { known.until };
            return Ok(known.until);
        }
        let ahead = self.line.iter().position(|waiting| waiting.source == source).unwrap_or(self.line.len());
        let free = ANNOUNCED_MAX.saturating_sub(self.places.len());
        if ahead >= free {
            let until = self.free_at(ahead.saturating_sub(free)).unwrap_or(until);
            self.wait(source, ahead, until);
            return Err(Refused::Announced { until });
        }
        self.line.retain(|waiting| waiting.source != source);
        self.places.push(Announcement { source, claimant: claimant.into(), until });
        Ok(until)
    }

    /// When there is a place for who has so many before them; of more than there are places the last is told.
    fn free_at(&self, before: usize) -> Option<u64> {
        let mut untils: Vec<u64> = self.places.iter().map(|known| known.until).collect();
        untils.sort_unstable();
        untils.get(before).or(untils.last()).copied()
    }

    fn wait(&mut self, source: IpAddr, at: usize, told: u64) {
        let until = told.saturating_add(TURN_S);
        if let Some(waiting) = self.line.get_mut(at) {
            waiting.until = until;
        } else if self.line.len() < WAITING_MAX {
            self.line.push(Waiting { source, until });
        }
    }

    /// Whom a record names, in ascending order.
    pub(crate) fn named(&mut self, now: u64) -> Vec<String> {
        self.forget(now);
        let mut named: Vec<String> = self.places.iter().map(|known| known.claimant.clone()).collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    /// A record has named them: who is named once is not named for the next crash. Who stands in line keeps their turn.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
    }

    /// Those that are remembered.
    pub(crate) fn len(&mut self, now: u64) -> usize {
        self.forget(now);
        self.places.len()
    }

    fn forget(&mut self, now: u64) {
        self.places.retain(|known| known.until > now);
        self.line.retain(|waiting| waiting.until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, tests 1 and 2.
    const KEYS: [&str; 2] =
        ["ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="];

    fn v4(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn each_source_has_one_place_and_a_full_house_waits() {
        let mut announced = Announced::default();
        for last in 0..16 {
            assert_eq!(announced.announce(1000, KEYS[0], v4(last)).ok(), Some(1900));
        }
        assert_eq!(announced.announce(1001, KEYS[1], v4(3)).ok(), Some(1901), "in its own place");
        assert!(matches!(announced.announce(1001, KEYS[1], v4(16)), Err(Refused::Announced { until: 1900 })));
        assert_eq!(announced.named(1001), KEYS);
        assert_eq!(announced.len(1899), 16);
        assert_eq!(announced.named(1900), [KEYS[1]]);
        assert_eq!(announced.len(1901), 0);
    }

    /// One who holds all places and asks for more of it every second, and one who has never had any.
    #[test]
    fn who_holds_places_gives_way_to_who_was_refused() {
        let mut announced = Announced::default();
        for now in 1000..1450 {
            (0..16).for_each(|last| assert_eq!(announced.announce(now, KEYS[0], v4(last)).ok(), Some(now + 900), "nobody waits"));
        }
        assert!(matches!(announced.announce(1450, KEYS[1], v4(99)), Err(Refused::Announced { until: 2349 })));
        for now in 1451..2349 {
            (0..16).for_each(|last| assert_eq!(announced.announce(now, KEYS[0], v4(last)).ok(), Some(2349), "somebody waits"));
        }
        // All places are free; one of them is kept for who was refused, and who comes back too late for it stands behind them.
        let had = (0..16).filter(|last| announced.announce(2349, KEYS[0], v4(*last)).is_ok()).count();
        assert_eq!(had, 15);
        assert_eq!(announced.announce(2350, KEYS[1], v4(99)).ok(), Some(3250));
        assert_eq!(announced.named(2350), KEYS);
    }

    #[test]
    fn a_place_is_not_kept_for_who_does_not_come() {
        let mut announced = Announced::default();
        (0..16).for_each(|last| assert!(announced.announce(0, KEYS[0], v4(last)).is_ok()));
        assert!(announced.announce(0, KEYS[1], v4(99)).is_err());
        let places = |announced: &mut Announced, now| (0..17).filter(|last| announced.announce(now, KEYS[0], v4(*last)).is_ok()).count();
        assert_eq!(places(&mut announced, ANNOUNCED_S + TURN_S - 1), 15);
        assert_eq!(places(&mut announced, ANNOUNCED_S + TURN_S), 16);
    }

    #[test]
    fn those_in_line_are_bounded_and_told_when_their_turn_is() {
        let mut announced = Announced::default();
        (0..16).for_each(|last| assert!(announced.announce(u64::from(last), KEYS[0], v4(last)).is_ok()));
        let untils: Vec<u64> = (0..1000_u32)
            .map(|other| match announced.announce(20, KEYS[1], IpAddr::from(other.to_be_bytes())) {
                Err(Refused::Announced { until }) => until,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(untils[..17], core::array::from_fn::<u64, 17, _>(|at| 900 + (at as u64).min(15)));
        assert_eq!(announced.line.len(), WAITING_MAX);
    }

    #[test]
    fn only_a_key_is_announced() {
        let mut announced = Announced::default();
        for bad in ["", "me", "ed25519:", "ed25519:AAAA", &"x".repeat(1000)] {
            assert!(matches!(announced.announce(0, bad, v4(1)), Err(Refused::Claimant)), "{bad}");
        }
    }
}
