//! ICMP (RFC 792), ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861).

use core::net::{IpAddr, Ipv6Addr};

use crate::{Mac, checksum, protocol};

/// Echo request.
pub const ECHO: u8 = 8;
/// Echo reply.
pub const ECHO_REPLY: u8 = 0;
/// Destination unreachable.
pub const UNREACHABLE: u8 = 3;
/// Source quench (RFC 6633 buried it).
pub const QUENCH: u8 = 4;
/// Redirect.
pub const REDIRECT: u8 = 5;
/// Time exceeded.
pub const TIME_EXCEEDED: u8 = 11;
/// Parameter problem.
pub const PARAMETER: u8 = 12;

/// Of ICMPv6: echo request.
pub const ECHO_V6: u8 = 128;
/// Of ICMPv6: echo reply.
pub const ECHO_REPLY_V6: u8 = 129;
/// Of ICMPv6: destination unreachable.
pub const UNREACHABLE_V6: u8 = 1;
/// Of ICMPv6: packet too big.
pub const TOO_BIG_V6: u8 = 2;
/// Neighbour discovery: router advertisement.
pub const ROUTER_ADVERTISEMENT: u8 = 134;
/// Neighbour discovery: solicitation.
pub const NEIGHBOR_SOLICITATION: u8 = 135;
/// Neighbour discovery: advertisement.
pub const NEIGHBOR_ADVERTISEMENT: u8 = 136;
/// Neighbour discovery: redirect.
pub const REDIRECT_V6: u8 = 137;

/// Flags of an advertisement: an answer to a question.
pub const SOLICITED: u32 = 0x4000_0000;
/// Flags of an advertisement: forget what you knew.
pub const OVERRIDE: u32 = 0x2000_0000;

/// Option of neighbour discovery: the sender's link address.
pub const SOURCE_LINK: u8 = 1;
/// Option of neighbour discovery: the target's link address.
pub const TARGET_LINK: u8 = 2;

/// A message of ICMP for IPv4: the four bytes behind the checksum, and the rest.
#[must_use]
pub fn v4(kind: u8, code: u8, word: u32, rest: &[u8]) -> Vec<u8> {
    with_sum(&[], kind, code, word, rest)
}

/// The same for IPv6, whose checksum covers the addresses.
#[must_use]
pub fn v6(from: Ipv6Addr, to: Ipv6Addr, kind: u8, code: u8, word: u32, rest: &[u8]) -> Vec<u8> {
    let pseudo = checksum::pseudo_header(IpAddr::V6(from), IpAddr::V6(to), protocol::ICMPV6, 8 + rest.len());
    with_sum(&pseudo, kind, code, word, rest)
}

/// What neighbour discovery says behind its first word: a target, and a link address in an option.
#[must_use]
pub fn about(target: Ipv6Addr, option: u8, mac: Mac) -> Vec<u8> {
    [&target.octets()[..], &link_option(option, mac)].concat()
}

/// A link address as an option.
#[must_use]
pub fn link_option(option: u8, mac: Mac) -> Vec<u8> {
    [&[option, 1], &mac[..]].concat()
}

/// The group that a solicitation for `target` goes to, and its link address (RFC 4291 section 2.7.1, RFC 2464 section 7).
#[must_use]
pub fn solicited_node(target: Ipv6Addr) -> (Ipv6Addr, Mac) {
    let [.., a, b, c] = target.octets();
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]));
    (group, [0x33, 0x33, 0xff, a, b, c])
}

fn with_sum(pseudo: &[u8], kind: u8, code: u8, word: u32, rest: &[u8]) -> Vec<u8> {
    let mut message = [&[kind, code, 0, 0], &word.to_be_bytes()[..], rest].concat();
    let sum = !checksum::sum(&[pseudo, &message]);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}
