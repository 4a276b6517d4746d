//! ARP (RFC 826).

use core::net::Ipv4Addr;

use crate::{BROADCAST, Mac, ethernet, ethertype};

/// Who has it?
pub const REQUEST: u16 = 1;
/// I have.
pub const REPLY: u16 = 2;

/// The 28 bytes of a message.
#[must_use]
pub fn message(operation: u16, sender: (Mac, Ipv4Addr), target: (Mac, Ipv4Addr)) -> Vec<u8> {
    let head = [0, 1, 8, 0, 6, 4];
    [&head[..], &operation.to_be_bytes(), &sender.0, &sender.1.octets(), &target.0, &target.1.octets()].concat()
}

/// A frame that asks for `wanted`.
#[must_use]
pub fn request(sender: (Mac, Ipv4Addr), wanted: Ipv4Addr) -> Vec<u8> {
    ethernet(BROADCAST, sender.0, ethertype::ARP, &message(REQUEST, sender, ([0; 6], wanted)))
}
