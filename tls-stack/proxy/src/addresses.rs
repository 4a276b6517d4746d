//! The two ends of a connection, as a header names them.

use core::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// A client's address and the one that it reached, of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Addresses(Pair);

/// Illegal pairs (one of each family) cannot be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Pair {
    V4 { source: SocketAddrV4, destination: SocketAddrV4 },
    V6 { source: SocketAddrV6, destination: SocketAddrV6 },
}

impl Addresses {
    /// An IPv4 address in IPv6's clothes counts as what it is. Where the families differ, both become IPv6, as version 2 has no other way.
    #[must_use]
    pub fn new(source: SocketAddr, destination: SocketAddr) -> Self {
        let (source_ip, destination_ip) = (source.ip().to_canonical(), destination.ip().to_canonical());
        Self(match (source_ip, destination_ip) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                Pair::V4 { source: SocketAddrV4::new(from, source.port()), destination: SocketAddrV4::new(to, destination.port()) }
            }
            (from, to) => Pair::V6 { source: v6(from, source.port()), destination: v6(to, destination.port()) },
        })
    }

    /// The client.
    #[must_use]
    pub fn source(&self) -> SocketAddr {
        match self.0 {
            Pair::V4 { source, .. } => source.into(),
            Pair::V6 { source, .. } => canonical(source),
        }
    }

    /// What it reached.
    #[must_use]
    pub fn destination(&self) -> SocketAddr {
        match self.0 {
            Pair::V4 { destination, .. } => destination.into(),
            Pair::V6 { destination, .. } => canonical(destination),
        }
    }

    pub(crate) fn pair(self) -> Pair {
        self.0
    }
}

/// Whatever the address says besides (a flow, a scope) means nothing to others.
fn v6(address: IpAddr, port: u16) -> SocketAddrV6 {
    let address: Ipv6Addr = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    SocketAddrV6::new(address, port, 0, 0)
}

fn canonical(address: SocketAddrV6) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(source: &str, destination: &str) -> Addresses {
        Addresses::new(source.parse().unwrap(), destination.parse().unwrap())
    }

    #[test]
    fn a_mapped_address_is_the_v4_one() {
        assert_eq!(addresses("[::ffff:192.0.2.7]:1", "198.51.100.1:443"), addresses("192.0.2.7:1", "198.51.100.1:443"));
    }

    #[test]
    fn unlike_families_become_ipv6_and_read_as_they_were() {
        let mixed = addresses("192.0.2.7:1", "[2001:db8::1]:443");
        assert!(matches!(mixed.pair(), Pair::V6 { .. }));
        assert_eq!(mixed.source(), "192.0.2.7:1".parse().unwrap());
        assert_eq!(mixed.destination(), "[2001:db8::1]:443".parse().unwrap());
    }

    #[test]
    fn a_scope_is_nobody_elses_business() {
        let scoped = SocketAddrV6::new("fe80::1".parse().unwrap(), 7, 3, 9);
        assert_eq!(Addresses::new(scoped.into(), scoped.into()).source(), "[fe80::1]:7".parse().unwrap());
    }
}
