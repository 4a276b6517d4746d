//! Who has said that they try to bring the box down, so that a crash record can name them.
//!
//! An announcement costs nothing, so each address has one place, and who comes when all are taken is told to wait: displacing others would let whoever announces last, and from most addresses, take a
//! win that is not theirs.

use core::net::{IpAddr, Ipv6Addr};

use arbiter::key::Ed25519Key;
use arbiter::limits::CLAIMANT_LEN_MAX;

use crate::limits::{ANNOUNCED_MAX, ANNOUNCED_S};
use crate::refused::Refused;

/// Who was sending when a cell ended, as far as the box knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending<'a> {
    /// It does not.
    Unknown,
    /// These.
    From(&'a [IpAddr]),
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Announced(Vec<Announcement>);

#[derive(Debug)]
struct Announcement {
    source: IpAddr,
    claimant: String,
    until: u64,
}

impl Announced {
    pub(crate) fn announce(&mut self, now: u64, claimant: &str, peer: IpAddr) -> Result<u64, Refused> {
        if claimant.len() > CLAIMANT_LEN_MAX || Ed25519Key::from_claimant(claimant).is_none() {
            return Err(Refused::Claimant);
        }
        self.forget(now);
        let source = source(peer);
        let until = now.saturating_add(ANNOUNCED_S);
        self.0.retain(|known| known.source != source);
        if self.0.len() >= ANNOUNCED_MAX {
            let until = self.0.iter().map(|known| known.until).min().unwrap_or(until);
            return Err(Refused::Announced { until });
        }
        self.0.push(Announcement { source, claimant: claimant.into(), until });
        Ok(until)
    }

    /// Whom a record names, in ascending order.
    pub(crate) fn named(&mut self, now: u64, sending: Sending<'_>) -> Vec<String> {
        self.forget(now);
        let was_sending = |known: &&Announcement| match sending {
            Sending::Unknown => true,
            Sending::From(peers) => peers.iter().any(|peer| source(*peer) == known.source),
        };
        let mut named: Vec<String> = self.0.iter().filter(was_sending).map(|known| known.claimant.clone()).collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    /// A record has been made: who is named once is not named for the next crash.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Those that are remembered.
    pub(crate) fn len(&mut self, now: u64) -> usize {
        self.forget(now);
        self.0.len()
    }

    fn forget(&mut self, now: u64) {
        self.0.retain(|known| known.until > now);
    }
}

/// What one sender is: an IPv4 address, or an IPv6 network of 64 bits.
fn source(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
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
        assert!(matches!(announced.announce(1001, KEYS[1], v4(16)), Err(Refused::Announced { until: 1900 })));
        assert_eq!(announced.announce(1001, KEYS[1], v4(3)).ok(), Some(1901), "in its own place");
        assert_eq!(announced.named(1001, Sending::Unknown), KEYS);
        assert_eq!(announced.len(1899), 16);
        assert_eq!(announced.named(1900, Sending::Unknown), [KEYS[1]]);
        assert_eq!(announced.len(1901), 0);
    }

    #[test]
    fn who_was_not_sending_is_not_named() {
        let mut announced = Announced::default();
        announced.announce(0, KEYS[0], v4(1)).expect("a key");
        announced.announce(0, KEYS[1], "2001:db8::1".parse().expect("an address")).expect("a key");
        assert_eq!(announced.named(0, Sending::From(&[v4(2)])), [""; 0]);
        assert_eq!(announced.named(0, Sending::From(&["::ffff:192.0.2.1".parse().expect("an address")])), [KEYS[0]]);
        assert_eq!(announced.named(0, Sending::From(&["2001:db8::ffff".parse().expect("an address")])), [KEYS[1]]);
        assert_eq!(announced.named(0, Sending::From(&["2001:db8:0:1::1".parse().expect("an address")])), [""; 0]);
    }

    #[test]
    fn only_a_key_is_announced() {
        let mut announced = Announced::default();
        for bad in ["", "me", "ed25519:", "ed25519:AAAA", &"x".repeat(1000)] {
            assert!(matches!(announced.announce(0, bad, v4(1)), Err(Refused::Claimant)), "{bad}");
        }
    }
}
