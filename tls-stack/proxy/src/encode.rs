//! Headers to be sent. Each goes out before the first byte of its connection.

use alloc::vec::Vec;
use core::fmt::Write;
use core::net::{Ipv6Addr, SocketAddr};

use crate::Addresses;
use crate::addresses::Pair;
use crate::block::{LOCAL, PROXY, SIGNATURE, TCP4, TCP6};
use crate::checksum::Checksum;
use crate::limits::{FIXED_LEN, LINE_LEN_MAX};
use crate::tlv::{Known, field, kind};

/// Version 1.
#[must_use]
pub fn line(addresses: &Addresses) -> heapless::Vec<u8, LINE_LEN_MAX> {
    let mut line = heapless::String::<LINE_LEN_MAX>::new();
    // It always fits: that is what the length is for.
    let _ = match addresses.pair() {
        Pair::V4 { source, destination } => {
            write!(line, "PROXY TCP4 {} {} {} {}\r\n", source.ip(), destination.ip(), source.port(), destination.port())
        }
        Pair::V6 { source, destination } => {
            let (from, to) = (Hex(*source.ip()), Hex(*destination.ip()));
            write!(line, "PROXY TCP6 {from} {to} {} {}\r\n", source.port(), destination.port())
        }
    };
    line.into_bytes()
}

/// An IPv6 address of nothing but hexadecimal digits, as the grammar wants it: never with an IPv4 address for a tail.
struct Hex(Ipv6Addr);

impl core::fmt::Display for Hex {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0.segments() {
            [0, 0, 0, 0, 0, 0xffff, high, low] => write!(f, "::ffff:{high:x}:{low:x}"),
            _ => self.0.fmt(f),
        }
    }
}

/// Version 2; with what is known of the connection, and then with a checksum too.
#[must_use]
pub fn block(addresses: &Addresses, known: Option<&Known<'_>>) -> Vec<u8> {
    let mut header = match addresses.pair() {
        Pair::V4 { source, destination } => {
            let ips = [source.ip().octets(), destination.ip().octets()];
            [fixed(PROXY, TCP4).as_slice(), ips.as_flattened(), &ports(source.into(), destination.into())].concat()
        }
        Pair::V6 { source, destination } => {
            let ips = [source.ip().octets(), destination.ip().octets()];
            [fixed(PROXY, TCP6).as_slice(), ips.as_flattened(), &ports(source.into(), destination.into())].concat()
        }
    };
    if let Some(known) = known {
        known.write(&mut header);
        field(&mut header, kind::CRC32C, Some(&[0; 4]));
    }
    set_len(&mut header);
    if known.is_some() {
        seal(&mut header);
    }
    header
}

/// Version 2 for a connection of the sender's own, such as a check.
#[must_use]
pub fn local_block() -> [u8; FIXED_LEN] {
    fixed(LOCAL, 0)
}

/// The first 16 bytes, with a length of 0.
fn fixed(command: u8, family: u8) -> [u8; FIXED_LEN] {
    let mut fixed = [0; FIXED_LEN];
    fixed.iter_mut().zip(SIGNATURE.iter().chain(&[command, family])).for_each(|(to, from)| *to = *from);
    fixed
}

fn ports(source: SocketAddr, destination: SocketAddr) -> [u8; 4] {
    let ([a, b], [c, d]) = (source.port().to_be_bytes(), destination.port().to_be_bytes());
    [a, b, c, d]
}

fn set_len(header: &mut [u8]) {
    // It always fits, see `limits`.
    let len = u16::try_from(header.len().saturating_sub(FIXED_LEN)).unwrap_or(u16::MAX);
    if let Some([.., high, low]) = header.first_chunk_mut::<FIXED_LEN>() {
        [*high, *low] = len.to_be_bytes();
    }
}

/// Writes the checksum into the last four bytes, which are zero.
fn seal(header: &mut [u8]) {
    let mut checksum = Checksum::new();
    checksum.update(header);
    if let Some(field) = header.last_chunk_mut::<4>() {
        *field = checksum.finish().to_be_bytes();
    }
}
