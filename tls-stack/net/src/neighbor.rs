//! Link addresses of next hops. Pinned ones never change; others are asked for, and only the answer to a question of ours is believed
//! (ATTACKS N15). What others announce, ask, or answer unasked is not remembered.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::limits::{NEIGHBOR_TRIES, NEIGHBORS, WAITING_PER_NEIGHBOR};
use crate::reply::Mac;

/// How long an answer is good for.
const LIFETIME: Duration = Duration::from_secs(300);
/// How long to wait for an answer before asking again (RFC 4861 section 10, RETRANS_TIMER).
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(crate) struct Neighbors {
    entries: heapless::Vec<Neighbor, NEIGHBORS>,
}

#[derive(Debug)]
struct Neighbor {
    address: IpAddr,
    state: Knowledge,
}

#[derive(Debug)]
enum Knowledge {
    Pinned(Mac),
    Learnt { mac: Mac, until: Duration },
    Asked { again_at: Duration, tries: u8, waiting: Vec<u32> },
}

/// What to do about a next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    Known(Mac),
    /// Send a request now.
    Ask,
    /// A request is under way.
    Wait,
    /// Nobody answers.
    Dead,
    /// Too many wait already.
    Full,
}

impl Neighbors {
    pub(crate) fn new(pinned: impl Iterator<Item = (IpAddr, Mac)>) -> Self {
        let entries = pinned.map(|(address, mac)| Neighbor { address, state: Knowledge::Pinned(mac) }).collect();
        Self { entries }
    }

    /// Looks up a next hop on behalf of slot `index`, which is told by [`Neighbors::answered`].
    pub(crate) fn lookup(&mut self, address: IpAddr, index: u32, now: Duration) -> Lookup {
        let Some(at) = self.entries.iter().position(|entry| entry.address == address) else {
            return self.begin(address, index, now);
        };
        match &mut self.entries[at].state {
            Knowledge::Pinned(mac) => Lookup::Known(*mac),
            Knowledge::Learnt { mac, until } if now < *until => Lookup::Known(*mac),
            Knowledge::Learnt { .. } => {
                self.entries.swap_remove(at);
                self.begin(address, index, now)
            }
            Knowledge::Asked { again_at, tries, waiting } => {
                if !waiting.contains(&index) {
                    if waiting.len() >= WAITING_PER_NEIGHBOR {
                        return Lookup::Full;
                    }
                    waiting.push(index);
                }
                if now < *again_at {
                    return Lookup::Wait;
                }
                if *tries >= NEIGHBOR_TRIES {
                    self.entries.swap_remove(at);
                    return Lookup::Dead;
                }
                *tries += 1;
                *again_at = now.saturating_add(ASK_AGAIN);
                Lookup::Ask
            }
        }
    }

    fn begin(&mut self, address: IpAddr, index: u32, now: Duration) -> Lookup {
        let asked = Knowledge::Asked { again_at: now.saturating_add(ASK_AGAIN), tries: 1, waiting: alloc::vec![index] };
        let entry = Neighbor { address, state: asked };
        if let Err(entry) = self.entries.push(entry) {
            let Some(stale) = self.entries.iter_mut().find(|entry| entry.is_replaceable(now)) else { return Lookup::Full };
            *stale = entry;
        }
        Lookup::Ask
    }

    /// Takes an answer; gives the slots that waited for it, or `None` if nobody had asked.
    pub(crate) fn answered(&mut self, address: IpAddr, mac: Mac, now: Duration) -> Option<Vec<u32>> {
        let entry = self.entries.iter_mut().find(|entry| entry.address == address)?;
        let Knowledge::Asked { waiting, .. } = &mut entry.state else { return None };
        let waiting = core::mem::take(waiting);
        entry.state = Knowledge::Learnt { mac, until: now.saturating_add(LIFETIME) };
        Some(waiting)
    }
}

impl Neighbor {
    fn is_replaceable(&self, now: Duration) -> bool {
        match &self.state {
            Knowledge::Pinned(_) => false,
            Knowledge::Learnt { until, .. } => *until <= now,
            Knowledge::Asked { tries, again_at, .. } => *tries >= NEIGHBOR_TRIES && *again_at <= now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = [2, 0, 0, 0, 0, 9];
    const NOW: Duration = Duration::from_secs(1);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn only_a_solicited_answer_is_believed_and_only_once() {
        let mut neighbors = Neighbors::new(core::iter::empty());
        assert_eq!(neighbors.answered(address(1), MAC, NOW), None);
        assert_eq!(neighbors.lookup(address(1), 7, NOW), Lookup::Ask);
        assert_eq!(neighbors.answered(address(2), MAC, NOW), None);
        assert_eq!(neighbors.answered(address(1), MAC, NOW), Some(alloc::vec![7]));
        assert_eq!(neighbors.answered(address(1), [2; 6], NOW), None);
        assert_eq!(neighbors.lookup(address(1), 8, NOW), Lookup::Known(MAC));
    }

    #[test]
    fn a_pinned_address_never_changes() {
        let mut neighbors = Neighbors::new([(address(1), MAC)].into_iter());
        assert_eq!(neighbors.answered(address(1), [2; 6], NOW), None);
        assert_eq!(neighbors.lookup(address(1), 7, NOW), Lookup::Known(MAC));
    }

    #[test]
    fn silence_ends_after_three_questions() {
        let mut neighbors = Neighbors::new(core::iter::empty());
        let asked: Vec<Lookup> = (0..5).map(|s| neighbors.lookup(address(1), 7, Duration::from_secs(s))).collect();
        assert_eq!(asked, [Lookup::Ask, Lookup::Ask, Lookup::Ask, Lookup::Dead, Lookup::Ask]);
    }

    #[test]
    fn a_flood_of_next_hops_is_bounded_and_passes() {
        let mut neighbors = Neighbors::new(core::iter::empty());
        let asked = (0..200).filter(|&last| neighbors.lookup(address(last), 7, NOW) == Lookup::Ask).count();
        assert_eq!(asked, NEIGHBORS);
        for index in 0..2000 {
            neighbors.lookup(address(1), index, NOW);
        }
        assert_eq!(neighbors.lookup(address(1), 3000, NOW), Lookup::Full);
        assert_eq!(neighbors.answered(address(1), MAC, NOW).map(|waiting| waiting.len()), Some(WAITING_PER_NEIGHBOR));
    }
}
