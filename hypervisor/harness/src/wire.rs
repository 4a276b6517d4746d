//! The client's side of a link: Ethernet, IPv4 and TCP headers round what an input says. RFC 791, RFC 9293.
//!
//! Checksums of TCP are left to the link's offload, as a TAP does, so that a fuzzer need not guess them.

use core::net::Ipv4Addr;

use abi::queue::FLAG_DATA_VALID;
use queue::Offload;

/// What a frame carries that the host has checked already.
pub const CHECKED: Offload = Offload { flags: FLAG_DATA_VALID, gso_type: 0, hdr_len: 0, gso_size: 0, csum_start: 0, csum_offset: 0 };

/// FIN, SYN, RST, PSH, ACK.
pub mod flag {
    #![expect(missing_docs, reason = "the names are the RFC's")]
    pub const SYN: u8 = 2;
    pub const PSH: u8 = 8;
    pub const ACK: u8 = 16;
}

/// The two ends of the front link, and of the client's connection over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The guest's link address.
    pub guest_mac: [u8; 6],
    /// The link address of the gateway, behind which clients are.
    pub gateway_mac: [u8; 6],
    /// The guest's address and the port that it listens on.
    pub guest: (Ipv4Addr, u16),
    /// The client's.
    pub client: (Ipv4Addr, u16),
}

const ETHERNET_LEN: usize = 14;
const IPV4_LEN: usize = 20;
const TCP_LEN: usize = 20;
/// What the client offers; nobody scales.
const WINDOW: u16 = 65_535;

impl Ends {
    /// `packet` in a frame to the guest; the type is what its first half-byte says.
    #[must_use]
    pub fn frame(&self, packet: &[u8]) -> Vec<u8> {
        let kind: [u8; 2] = if packet.first().is_some_and(|byte| byte >> 4 == 6) { [0x86, 0xdd] } else { [8, 0] };
        [&self.guest_mac[..], &self.gateway_mac, &kind, packet].concat()
    }

    /// A segment of the client's, in a frame.
    #[must_use]
    pub fn segment(&self, sequence: u32, acknowledged: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
        let len = u16::try_from(IPV4_LEN.saturating_add(TCP_LEN).saturating_add(payload.len())).unwrap_or(u16::MAX);
        let mut packet = vec![0x45, 0];
        packet.extend(len.to_be_bytes());
        // No identification, DF; 64 hops, TCP, a checksum that is still to come.
        packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        packet.extend(self.client.0.octets());
        packet.extend(self.guest.0.octets());
        let sum = checksum(&packet).to_be_bytes();
        for (at, byte) in (10..).zip(sum) {
            if let Some(place) = packet.get_mut(at) {
                *place = byte;
            }
        }
        packet.extend(self.client.1.to_be_bytes());
        packet.extend(self.guest.1.to_be_bytes());
        packet.extend(sequence.to_be_bytes());
        packet.extend(acknowledged.to_be_bytes());
        packet.extend([0x50, flags]);
        packet.extend(WINDOW.to_be_bytes());
        packet.extend([0; 4]);
        packet.extend(payload);
        self.frame(&packet)
    }

    /// The sequence number of the SYN-ACK in `frame`, if it is one for the client.
    #[must_use]
    pub fn syn_ack(&self, frame: &[u8]) -> Option<u32> {
        let packet = frame.get(ETHERNET_LEN..)?;
        let header_len = usize::from(packet.first()? & 0xf).saturating_mul(4);
        let tcp = packet.get(header_len..)?;
        let is_tcp = packet.first()? >> 4 == 4 && *packet.get(9)? == 6;
        let to_client = packet.get(16..20)? == self.client.0.octets() && tcp.get(2..4)? == self.client.1.to_be_bytes();
        let is_syn_ack = *tcp.get(13)? == flag::SYN | flag::ACK;
        (is_tcp && to_client && is_syn_ack).then(|| tcp.get(4..)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes)))?
    }
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)])));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff).saturating_add(sum >> 16);
    !u16::try_from((folded & 0xffff).saturating_add(folded >> 16)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: Ends = Ends {
        guest_mac: [2, 0, 0, 0, 0, 1],
        gateway_mac: [2, 0, 0, 0, 0, 2],
        guest: (Ipv4Addr::new(10, 0, 2, 15), 443),
        client: (Ipv4Addr::new(10, 0, 2, 2), 50_000),
    };

    #[test]
    fn a_header_sums_to_nothing() {
        let frame = ENDS.segment(1, 2, flag::ACK, b"hello");
        assert_eq!(checksum(&frame[ETHERNET_LEN..ETHERNET_LEN + IPV4_LEN]), 0);
        assert_eq!(frame.len(), ETHERNET_LEN + IPV4_LEN + TCP_LEN + 5);
    }

    #[test]
    fn only_a_syn_ack_for_the_client_is_one() {
        let mirrored = Ends { guest: ENDS.client, client: ENDS.guest, ..ENDS };
        let answer = mirrored.segment(0x0102_0304, 8, flag::SYN | flag::ACK, &[]);
        assert_eq!(ENDS.syn_ack(&answer), Some(0x0102_0304));
        assert_eq!(ENDS.syn_ack(&mirrored.segment(1, 8, flag::ACK, &[])), None);
        assert_eq!(ENDS.syn_ack(&ENDS.segment(1, 8, flag::SYN | flag::ACK, &[])), None);
        assert_eq!(ENDS.syn_ack(&answer[..30]), None);
    }
}
