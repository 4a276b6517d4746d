//! IPv4 headers (RFC 791), honest unless told otherwise.

use core::net::Ipv4Addr;

use crate::checksum;

/// Don't fragment.
pub const DF: u16 = 0x4000;
/// More fragments.
pub const MF: u16 = 0x2000;

/// A header. What stands in an `Option` is what the packet says; `None` is the truth.
#[derive(Debug, Clone)]
pub struct Header {
    /// Source.
    pub from: Ipv4Addr,
    /// Destination.
    pub to: Ipv4Addr,
    /// What it carries.
    pub protocol: u8,
    /// Type of service.
    pub tos: u8,
    /// Identification.
    pub id: u16,
    /// Flags, and the offset in units of 8 bytes.
    pub fragment: u16,
    /// Time to live.
    pub ttl: u8,
    /// Options, in whole words if the packet is to be honest.
    pub options: Vec<u8>,
    /// Version and header length in words.
    pub version_ihl: Option<u8>,
    /// Total length.
    pub len: Option<u16>,
    /// Added to the right checksum.
    pub checksum_off_by: u16,
}

impl Header {
    /// As everybody sends it.
    #[must_use]
    pub fn new(from: Ipv4Addr, to: Ipv4Addr, protocol: u8) -> Self {
        Self {
            from,
            to,
            protocol,
            tos: 0,
            id: 0,
            fragment: DF,
            ttl: 64,
            options: Vec::new(),
            version_ihl: None,
            len: None,
            checksum_off_by: 0,
        }
    }

    /// The header and its payload.
    #[must_use]
    pub fn packet(&self, payload: &[u8]) -> Vec<u8> {
        let header_len = 20 + self.options.len();
        let words = u8::try_from(header_len.div_ceil(4)).unwrap_or(15).min(15);
        let len = self.len.unwrap_or_else(|| u16::try_from(header_len + payload.len()).unwrap_or(u16::MAX));
        let mut packet = vec![self.version_ihl.unwrap_or(0x40 | words), self.tos];
        for field in [len, self.id, self.fragment, u16::from_be_bytes([self.ttl, self.protocol]), 0] {
            packet.extend_from_slice(&field.to_be_bytes());
        }
        packet.extend_from_slice(&self.from.octets());
        packet.extend_from_slice(&self.to.octets());
        packet.extend_from_slice(&self.options);
        let sum = (!checksum::sum(&[&packet])).wrapping_add(self.checksum_off_by);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend_from_slice(payload);
        packet
    }

    /// The packet in pieces of `size` payload bytes, a multiple of 8.
    #[must_use]
    pub fn fragments(&self, payload: &[u8], size: usize) -> Vec<Vec<u8>> {
        let last = payload.len().div_ceil(size.max(8)).saturating_sub(1);
        let piece = |(n, bytes): (usize, &[u8])| {
            let offset = u16::try_from(n * size / 8).unwrap_or(0);
            Self { fragment: offset | if n == last { 0 } else { MF }, ..self.clone() }.packet(bytes)
        };
        payload.chunks(size.max(8)).enumerate().map(piece).collect()
    }
}
