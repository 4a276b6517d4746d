//! The listeners: what each is known as, and which front ends speak for others there.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use keys::bundle::Listener;
use net::Cidr;

/// See the module.
#[derive(Debug)]
pub(crate) struct Doors(Vec<Door>);

#[derive(Debug)]
struct Door {
    address: Option<IpAddr>,
    port: u16,
    known_as: Option<SocketAddr>,
    front_ends: Vec<Cidr>,
}

impl Doors {
    pub(crate) fn new(listeners: &[Listener]) -> Self {
        Self(listeners.iter().map(Door::new).collect())
    }

    /// Whether who connects from here speaks for others, and so must begin with a PROXY header.
    pub(crate) fn speaks_for_others(&self, local: SocketAddr, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.at(local).is_some_and(|door| door.front_ends.iter().any(|network| network.contains(peer)))
    }

    /// The address that a client of this listener has reached, as others know it.
    pub(crate) fn known_as(&self, local: SocketAddr) -> SocketAddr {
        self.at(local).and_then(|door| door.known_as).unwrap_or(local)
    }

    /// Which listener this is, as the bundle numbers them.
    pub(crate) fn number(&self, local: SocketAddr) -> Option<usize> {
        let door = self.at(local)?;
        self.0.iter().position(|other| core::ptr::eq(other, door))
    }

    /// All networks of front ends, of whatever listener.
    pub(crate) fn front_ends(&self) -> Vec<Cidr> {
        self.0.iter().flat_map(|door| door.front_ends.iter().copied()).collect()
    }

    /// The listener of this very address, else that of all addresses.
    fn at(&self, local: SocketAddr) -> Option<&Door> {
        let doors = || self.0.iter().filter(|door| door.port == local.port());
        doors().find(|door| door.address == Some(local.ip())).or_else(|| doors().find(|door| door.address.is_none()))
    }
}

impl Door {
    fn new(listener: &Listener) -> Self {
        let network = |cidr: &keys::bundle::Cidr| Cidr { address: cidr.address, prefix_len: cidr.prefix_len };
        Self {
            address: listener.address,
            port: listener.port,
            known_as: listener.known_as,
            front_ends: listener.proxy_from.iter().map(network).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn listener(address: Option<&str>, known_as: Option<&str>, from: &[(&str, u8)]) -> Listener {
        let cidr = |(address, prefix_len): &(&str, u8)| keys::bundle::Cidr { address: address.parse().unwrap(), prefix_len: *prefix_len };
        Listener {
            address: address.map(|address| address.parse().unwrap()),
            port: 443,
            known_as: known_as.map(|address| address.parse().unwrap()),
            proxy_from: from.iter().map(cidr).collect(),
        }
    }

    fn doors() -> Doors {
        Doors::new(&[listener(None, None, &[("10.0.0.0", 8), ("fd00::", 8)]), listener(Some("192.0.2.2"), Some("203.0.113.1:443"), &[])])
    }

    fn speaks(local: &str, peer: &str) -> bool {
        doors().speaks_for_others(local.parse().unwrap(), peer.parse().unwrap())
    }

    #[test]
    fn only_listed_networks_of_that_listener_speak_for_others() {
        assert!(speaks("192.0.2.3:443", "10.255.0.1"));
        assert!(speaks("192.0.2.3:443", "::ffff:10.0.0.1"));
        assert!(speaks("[2001:db8::2]:443", "fd12::1"));
        assert!(!speaks("192.0.2.3:443", "11.0.0.1"));
        assert!(!speaks("192.0.2.2:443", "10.0.0.1"), "the listener of this very address goes before that of all");
        assert!(!speaks("192.0.2.3:444", "10.0.0.1"), "no listener of ours");
    }

    #[test]
    fn a_listener_is_known_as_it_says_or_as_it_is() {
        let known = |local: &str| doors().known_as(local.parse().unwrap());
        assert_eq!(known("192.0.2.2:443"), "203.0.113.1:443".parse().unwrap());
        assert_eq!(known("192.0.2.3:443"), "192.0.2.3:443".parse().unwrap());
        assert_eq!(doors().front_ends().len(), vec![8, 8].len());
    }
}
