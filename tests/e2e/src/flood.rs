//! SYNs from sources that do not exist, through a raw socket, into the test's own namespace.

use core::net::{Ipv4Addr, SocketAddrV4};
use std::io;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// Sends `count` SYNs to `target`, each from another source of 11.0.0.0/8 and another port. Returns how many left.
///
/// # Errors
/// When the raw socket cannot be opened.
pub fn syns(target: SocketAddrV4, count: u32) -> io::Result<u32> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(255)))?;
    socket.set_header_included_v4(true)?;
    let to = SockAddr::from(target);
    let mut sent = 0;
    for n in 0..count {
        let source = Ipv4Addr::from(0x0b00_0000 | (n.wrapping_mul(0x9e37_79b1) >> 8));
        if socket.send_to(&syn(source, target, n), &to).is_ok() {
            sent += 1;
        }
    }
    Ok(sent)
}

/// An IPv4 packet with a TCP SYN (RFC 791 section 3.1, RFC 9293 section 3.1).
fn syn(source: Ipv4Addr, target: SocketAddrV4, n: u32) -> [u8; 44] {
    let mut packet = [0; 44];
    let source_port = 1024 + u16::try_from(n % 60_000).unwrap_or(0);
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&44_u16.to_be_bytes());
    packet[6] = 0x40;
    packet[8] = 64;
    packet[9] = 6;
    packet[12..16].copy_from_slice(&source.octets());
    packet[16..20].copy_from_slice(&target.ip().octets());
    packet[20..22].copy_from_slice(&source_port.to_be_bytes());
    packet[22..24].copy_from_slice(&target.port().to_be_bytes());
    packet[24..28].copy_from_slice(&n.wrapping_mul(0x85eb_ca6b).to_be_bytes());
    packet[32] = 0x60;
    packet[33] = 0x02;
    packet[34..36].copy_from_slice(&64_240_u16.to_be_bytes());
    packet[40..44].copy_from_slice(&[2, 4, 0x05, 0xb4]);
    let sum = checksum(&packet);
    packet[36..38].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// The TCP checksum with its pseudo-header; the kernel fills in the one of IPv4.
fn checksum(packet: &[u8; 44]) -> u16 {
    let pseudo = [0, 6, 0, 24];
    let words = packet[12..20].chunks(2).chain(pseudo.chunks(2)).chain(packet[20..].chunks(2));
    let mut sum: u32 = words.map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_would_accept_the_checksum() {
        let packet = syn(Ipv4Addr::new(11, 1, 2, 3), SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 2), 8443), 7);
        assert_eq!(checksum(&packet), 0);
    }
}
