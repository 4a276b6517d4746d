//! Who one peer is, as far as limits are concerned: an IPv4 address or an IPv6 /64, because a /64 is what one subscriber has.

use core::net::{IpAddr, Ipv6Addr};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source(IpAddr);

impl Source {
    pub(crate) fn of(peer: IpAddr) -> Self {
        Self(source_of(peer))
    }
}

/// The same as an address: for a /64 its prefix.
pub(crate) fn source_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str) -> Source {
        Source::of(peer.parse().unwrap())
    }

    #[test]
    fn a_64_is_one_source_and_its_neighbour_another() {
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    }

    #[test]
    fn a_mapped_address_is_the_v4_one_and_each_v4_address_its_own() {
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
