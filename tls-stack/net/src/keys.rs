//! The secrets of one `Net`, all drawn from its seed, and the keyed functions made of them. Nobody who lacks the seed can predict a
//! sequence number (RFC 6528), a port (RFC 6056), a cookie (RFC 4987), or which flows share a bucket of the table.

use core::hash::Hasher;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use siphasher::sip::{SipHasher13, SipHasher24};

/// Both ends of a flow, ours first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) local: SocketAddr,
    pub(crate) peer: SocketAddr,
}

/// See the module.
pub(crate) struct Keys {
    table: (u64, u64),
    cookie: (u64, u64),
    sequence: (u64, u64),
    port: (u64, u64),
}

impl core::fmt::Debug for Keys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Keys(..)")
    }
}

impl Keys {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        Self { table: derive(seed, 1), cookie: derive(seed, 2), sequence: derive(seed, 3), port: derive(seed, 4) }
    }

    /// Where a flow lies in the table.
    pub(crate) fn table_hash(&self, ends: &Ends) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.table.0, self.table.1);
        hasher.write(&ends.to_bytes());
        hasher.finish()
    }

    /// Where a source lies in the table of sources.
    pub(crate) fn source_hash(&self, source: u128) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.table.0, self.table.1);
        hasher.write(&source.to_be_bytes());
        hasher.finish()
    }

    /// The first sequence number of a connection that we begin: `M + F(ends)`, M a clock of 4 µs (RFC 6528 section 3).
    pub(crate) fn initial_sequence(&self, ends: &Ends, now: Duration) -> u32 {
        let clock = low_half(u64::try_from(now.as_micros() / 4).unwrap_or(u64::MAX));
        clock.wrapping_add(low_half(mac(self.sequence, &[&ends.to_bytes()])))
    }

    /// Where the search for a free port towards this peer begins (RFC 6056, algorithm 3).
    pub(crate) fn port_offset(&self, ends: &Ends) -> u32 {
        low_half(mac(self.port, &[&ends.to_bytes()]))
    }

    /// The keyed function behind SYN cookies; `domain` keeps its uses apart.
    pub(crate) fn cookie_mac(&self, domain: u8, ends: &Ends, rest: &[u8]) -> u32 {
        low_half(mac(self.cookie, &[&[domain], &ends.to_bytes(), rest]))
    }
}

impl Ends {
    fn to_bytes(self) -> [u8; 36] {
        let mut bytes = [0; 36];
        bytes[..16].copy_from_slice(&address_bytes(self.local.ip()));
        bytes[16..32].copy_from_slice(&address_bytes(self.peer.ip()));
        bytes[32..34].copy_from_slice(&self.local.port().to_be_bytes());
        bytes[34..].copy_from_slice(&self.peer.port().to_be_bytes());
        bytes
    }
}

/// What the limit per source counts by: an IPv4 address, an IPv6 /64.
pub(crate) fn source_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64,
    }
}

fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn mac(key: (u64, u64), parts: &[&[u8]]) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(key.0, key.1);
    for part in parts {
        hasher.write(part);
    }
    hasher.finish()
}

/// One key of 128 bits: each half of the seed, as a key of SipHash-2-4, applied to the label.
fn derive(seed: &[u8; 32], label: u8) -> (u64, u64) {
    let word = |at: usize| u64::from_le_bytes(core::array::from_fn(|i| seed[at + i]));
    (mac((word(0), word(8)), &[&[label]]), mac((word(16), word(24)), &[&[label]]))
}

fn low_half(word: u64) -> u32 {
    u32::try_from(word & 0xffff_ffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(port: u16) -> Ends {
        Ends { local: "192.0.2.1:443".parse().unwrap(), peer: SocketAddr::new("198.51.100.7".parse().unwrap(), port) }
    }

    #[test]
    fn two_seeds_share_nothing() {
        let (a, b) = (Keys::new(&[1; 32]), Keys::new(&[2; 32]));
        for port in 1..1000 {
            assert_ne!(a.initial_sequence(&ends(port), Duration::ZERO), b.initial_sequence(&ends(port), Duration::ZERO));
            assert_ne!(a.table_hash(&ends(port)), b.table_hash(&ends(port)));
            assert_ne!(a.port_offset(&ends(port)), b.port_offset(&ends(port)));
            assert_ne!(a.cookie_mac(1, &ends(port), &[]), b.cookie_mac(1, &ends(port), &[]));
        }
    }

    #[test]
    fn either_half_of_the_seed_changes_every_key() {
        let mut seed = [7; 32];
        let before = Keys::new(&seed);
        seed[31] ^= 1;
        let after = Keys::new(&seed);
        assert_ne!(before.cookie, after.cookie);
        assert_ne!(before.port, after.port);
    }

    #[test]
    fn sequence_numbers_of_one_pair_follow_the_clock_of_4_us() {
        let keys = Keys::new(&[3; 32]);
        let first = keys.initial_sequence(&ends(9), Duration::ZERO);
        let second = keys.initial_sequence(&ends(9), Duration::from_micros(4000));
        assert_eq!(second.wrapping_sub(first), 1000);
    }

    #[test]
    fn one_v6_network_is_one_source() {
        let source = |text: &str| source_of(text.parse().unwrap());
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:2"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }
}
