//! The addresses inside a cell's two `user` links. They exist in no network but the one between a guest and its tender.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::collections::{BTreeMap, BTreeSet};

use keys::bundle::{Cidr, Gateway, Link, LinkKind};

use crate::config::Endpoint;

/// The guest on the front link.
pub const FRONT_GUEST_V4: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
/// The guest on the front link.
pub const FRONT_GUEST_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 2, 0, 0, 0, 0, 0, 0x15);
/// The tender on the front link.
pub const FRONT_TENDER_V4: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
/// The tender on the front link.
pub const FRONT_TENDER_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 2, 0, 0, 0, 0, 0, 2);
/// The guest on the back link.
pub const BACK_GUEST_V4: Ipv4Addr = Ipv4Addr::new(10, 0, 3, 15);
/// The guest on the back link.
pub const BACK_GUEST_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 3, 0, 0, 0, 0, 0, 0x15);
/// The tender on the back link.
pub const BACK_TENDER_V4: Ipv4Addr = Ipv4Addr::new(10, 0, 3, 2);
/// The tender on the back link.
pub const BACK_TENDER_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 3, 0, 0, 0, 0, 0, 2);

/// Hardware addresses: locally administered, one per end.
pub const FRONT_GUEST_MAC: [u8; 6] = [0x02, 0xbb, 0, 0, 2, 0x15];
/// See [`FRONT_GUEST_MAC`].
pub const FRONT_TENDER_MAC: [u8; 6] = [0x02, 0xbb, 0, 0, 2, 2];
/// See [`FRONT_GUEST_MAC`].
pub const BACK_GUEST_MAC: [u8; 6] = [0x02, 0xbb, 0, 0, 3, 0x15];
/// See [`FRONT_GUEST_MAC`].
pub const BACK_TENDER_MAC: [u8; 6] = [0x02, 0xbb, 0, 0, 3, 2];

/// The MTU of a `user` link where the configuration names none. Segments of up to 64 KiB pass it by offload.
pub const MTU_DEFAULT: u16 = 1500;

/// Backends of one configuration at most.
pub const BACKENDS_MAX: usize = keys::limits::BACKENDS_MAX;

/// Backends that one box meets at most, over all its reloads: so many have a virtual address.
pub const BOOK_MAX: usize = 65_536;

/// The guest's end of a `user` front link.
#[must_use]
pub fn front_link(mtu: u16) -> Link {
    link(FRONT_GUEST_MAC, FRONT_TENDER_MAC, (FRONT_GUEST_V4, FRONT_TENDER_V4), (FRONT_GUEST_V6, FRONT_TENDER_V6), mtu)
}

/// The guest's end of a `user` back link.
#[must_use]
pub fn back_link(mtu: u16) -> Link {
    link(BACK_GUEST_MAC, BACK_TENDER_MAC, (BACK_GUEST_V4, BACK_TENDER_V4), (BACK_GUEST_V6, BACK_TENDER_V6), mtu)
}

fn link(mac: [u8; 6], tender: [u8; 6], v4: (Ipv4Addr, Ipv4Addr), v6: (Ipv6Addr, Ipv6Addr), mtu: u16) -> Link {
    let gateway = |address: IpAddr| Gateway { address, mac: Some(tender) };
    let addresses = vec![Cidr { address: v4.0.into(), prefix_len: 24 }, Cidr { address: v6.0.into(), prefix_len: 64 }];
    Link { kind: LinkKind::User, mac, addresses, gateways: vec![gateway(v4.1.into()), gateway(v6.1.into())], mtu, offload: true }
}

/// The guest's address on the front link for a host listener of this family.
#[must_use]
pub fn front_guest(host: IpAddr) -> IpAddr {
    if host.is_ipv4() { FRONT_GUEST_V4.into() } else { FRONT_GUEST_V6.into() }
}

/// The virtual address of the backend that the file calls `name`: in 100.64.0.0/10, which no public network uses (RFC 6598). `taken` are those of other
/// backends; none is given where there are [`BOOK_MAX`] already.
///
/// It follows from the name, not from the place in the file: when a file is read again, or by another box, a backend keeps its address, and so its
/// clients (by `source-hash`) and what is known of it. Where two names lead to one address, the second takes the next that is free.
#[must_use]
pub fn virtual_backend(name: &str, port: u16, taken: &BTreeSet<IpAddr>) -> Option<SocketAddr> {
    if taken.len() >= BOOK_MAX {
        return None;
    }
    let hash = name.bytes().fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
    // The network's first and last address stay free.
    let hosts = (1_u32 << 22).saturating_sub(2);
    let first = u32::try_from((hash ^ hash >> 32).checked_rem(hosts.into())?).ok()?;
    let base = u32::from(Ipv4Addr::new(100, 64, 0, 1));
    let candidates = (0..hosts).map(|step| IpAddr::from(Ipv4Addr::from(base.wrapping_add(first.wrapping_add(step) % hosts))));
    candidates.into_iter().find(|address| !taken.contains(address)).map(|address| SocketAddr::new(address, port))
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Which backend has which virtual address, for as long as the supervisor lives. An address is never given to another backend: a connection
/// that began before a reload still means the one that it knew by it.
#[derive(Debug, Default)]
pub struct Book {
    known: BTreeMap<Endpoint, SocketAddr>,
    taken: BTreeSet<IpAddr>,
}

impl Book {
    /// The address of this backend; `None` when there are none left.
    pub fn address(&mut self, endpoint: &Endpoint) -> Option<SocketAddr> {
        if let Some(known) = self.known.get(endpoint) {
            return Some(*known);
        }
        let address = virtual_backend(&format!("{}:{}", endpoint.target, endpoint.port), endpoint.port, &self.taken)?;
        self.known.insert(endpoint.clone(), address);
        self.taken.insert(address.ip());
        Some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn give(names: &[String]) -> Vec<SocketAddr> {
        let mut taken = BTreeSet::new();
        let mut address = |name: &String| {
            let address = virtual_backend(name, 80, &taken).unwrap();
            taken.insert(address.ip());
            address
        };
        names.iter().map(&mut address).collect()
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("app-{n}:80")).collect()
    }

    #[test]
    fn a_backend_keeps_its_address_and_nobody_else_gets_it() {
        let endpoint = |name: &str| Endpoint { target: crate::plan::Target::Name(name.into()), port: 80 };
        let mut book = Book::default();
        let first = book.address(&endpoint("a")).unwrap();
        let second = book.address(&endpoint("b")).unwrap();
        assert_ne!(first, second);
        assert_eq!(book.address(&endpoint("a")), Some(first));
    }

    #[test]
    fn a_backend_keeps_its_virtual_address_wherever_it_stands_in_the_file() {
        let forwards = names(20);
        let backwards: Vec<String> = forwards.iter().rev().cloned().collect();
        let mut given = give(&backwards);
        given.reverse();
        assert_eq!(give(&forwards), given);
    }

    #[test]
    fn virtual_backends_are_distinct_and_bounded() {
        let given = give(&names(BOOK_MAX));
        let distinct: BTreeSet<IpAddr> = given.iter().map(SocketAddr::ip).collect();
        assert_eq!(distinct.len(), BOOK_MAX);
        let shared = |ip: &IpAddr| matches!(ip, IpAddr::V4(v4) if v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64);
        assert!(distinct.iter().all(shared));
        assert_eq!(virtual_backend("one more:80", 80, &distinct), None);
    }

    #[test]
    fn a_name_that_leads_to_anothers_address_takes_the_next() {
        let first = virtual_backend("app:80", 80, &BTreeSet::new()).unwrap().ip();
        let second = virtual_backend("app:80", 80, &BTreeSet::from([first])).unwrap().ip();
        let number = |ip| if let IpAddr::V4(v4) = ip { u32::from(v4) } else { 0 };
        assert_eq!(number(second), number(first) + 1);
    }
}
