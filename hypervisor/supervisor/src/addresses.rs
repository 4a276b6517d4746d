//! The addresses inside a cell's two `user` links. They exist in no network but the one between a guest and its tender.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use keys::bundle::{Cidr, Gateway, Link, LinkKind};

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

/// Backends that have a virtual address at most.
pub const BACKENDS_MAX: usize = 4096;

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

/// The virtual address of the backend with this index, below [`BACKENDS_MAX`]: in 100.64.0.0/10, which no public network uses (RFC 6598).
#[must_use]
pub fn virtual_backend(index: usize, port: u16) -> Option<SocketAddr> {
    let offset = u32::try_from(index.checked_add(1)?).ok().filter(|_| index < BACKENDS_MAX)?;
    let base = u32::from(Ipv4Addr::new(100, 64, 0, 0));
    Some(SocketAddr::new(Ipv4Addr::from(base.checked_add(offset)?).into(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_backends_are_distinct_and_bounded() {
        assert_eq!(virtual_backend(0, 80), Some("100.64.0.1:80".parse().unwrap()));
        assert_eq!(virtual_backend(255, 80), Some("100.64.1.0:80".parse().unwrap()));
        assert!(virtual_backend(BACKENDS_MAX - 1, 80).is_some());
        assert_eq!(virtual_backend(BACKENDS_MAX, 80), None);
    }
}
