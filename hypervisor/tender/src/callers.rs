//! Callers: who has lately completed a connection to the door of a call-back, and so may be called back.
//!
//! Both kinds of net keep them; what counts as completed is theirs to say. It never holds more than [`CALLERS_MAX`], nor anybody for longer than
//! [`CALLER_FRESH`].

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::VecDeque;

use crate::limits::{CALLER_FRESH, CALLERS_MAX};

/// See the module. Oldest first, no two of one address.
#[derive(Debug, Default)]
pub(crate) struct Callers {
    known: VecDeque<Caller>,
}

#[derive(Debug)]
struct Caller {
    address: IpAddr,
    peer: SocketAddr,
    at: Duration,
}

impl Callers {
    /// Remembers the far end of a connection from now on. Who has called before begins anew.
    pub(crate) fn remember(&mut self, peer: SocketAddr, now: Duration) {
        let address = peer.ip().to_canonical();
        self.known.retain(|known| known.address != address && known.is_fresh(now));
        if self.known.len() >= CALLERS_MAX {
            self.known.pop_front();
        }
        self.known.push_back(Caller { address, peer, at: now });
    }

    /// The far end, as it was remembered, of the last connection from this address, if that was lately.
    pub(crate) fn find(&self, address: IpAddr, now: Duration) -> Option<SocketAddr> {
        let found = self.known.iter().find(|known| known.address == address && known.is_fresh(now))?;
        Some(found.peer)
    }
}

impl Caller {
    fn is_fresh(&self, now: Duration) -> bool {
        now.saturating_sub(self.at) <= CALLER_FRESH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn peer(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 40_000))
    }

    #[test]
    fn a_caller_is_forgotten_after_its_time_and_a_second_call_begins_anew() {
        let mut callers = Callers::default();
        callers.remember(peer(1), NOW);
        assert_eq!(callers.find(peer(1).ip(), NOW + CALLER_FRESH), Some(peer(1)));
        assert_eq!(callers.find(peer(2).ip(), NOW), None);
        assert_eq!(callers.find(peer(1).ip(), NOW + CALLER_FRESH + Duration::from_millis(1)), None);
        callers.remember(peer(1), NOW + CALLER_FRESH);
        assert_eq!(callers.find(peer(1).ip(), NOW + CALLER_FRESH * 2), Some(peer(1)));
        assert_eq!(callers.known.len(), 1);
    }

    #[test]
    fn there_are_so_many_and_the_oldest_makes_way() {
        let mut callers = Callers::default();
        let one_too_many = u8::try_from(CALLERS_MAX).unwrap();
        (0..=one_too_many).for_each(|last| callers.remember(peer(last), NOW));
        assert_eq!(callers.known.len(), CALLERS_MAX);
        assert_eq!(callers.find(peer(0).ip(), NOW), None);
        assert!((1..=one_too_many).all(|last| callers.find(peer(last).ip(), NOW).is_some()));
    }

    #[test]
    fn a_caller_in_the_clothes_of_ipv6_is_found_under_its_own_name() {
        let mut callers = Callers::default();
        let dressed: SocketAddr = "[::ffff:192.0.2.1]:40000".parse().unwrap();
        callers.remember(dressed, NOW);
        assert_eq!(callers.find(peer(1).ip(), NOW), Some(dressed));
    }
}
