//! A received IP packet whose header holds: lengths agree, no fragment, no options, checksum right.
//!
//! Fragments are dropped (TCP never needs them, ATTACKS N9), and so are IPv4 options and IPv6 extension headers, which no TCP peer of ours
//! sends and which RFC 7126 and RFC 9288 advise to filter.

use core::net::IpAddr;

use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet};

use crate::checksum;

/// Why a received frame was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reject {
    NotOurs,
    Malformed,
    Checksum,
    Fragment,
    Source,
    Neighbor,
    Icmp,
}

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: IpProtocol,
    pub(crate) hop_limit: u8,
    /// The whole packet, link-level padding cut off.
    pub(crate) bytes: &'a [u8],
    /// What the packet carries.
    pub(crate) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    pub(crate) fn parse_v4(bytes: &'a [u8]) -> Result<Self, Reject> {
        let packet = Ipv4Packet::new_checked(bytes).map_err(|_| Reject::Malformed)?;
        if packet.version() != 4 || packet.header_len() != 20 {
            return Err(Reject::Malformed);
        }
        if packet.more_frags() || packet.frag_offset() != 0 {
            return Err(Reject::Fragment);
        }
        if checksum::sum(&bytes[..20]) != 0xffff {
            return Err(Reject::Checksum);
        }
        Ok(Self {
            source: packet.src_addr().into(),
            destination: packet.dst_addr().into(),
            protocol: packet.next_header(),
            hop_limit: packet.hop_limit(),
            bytes: &bytes[..usize::from(packet.total_len())],
            payload: packet.payload(),
        })
    }

    pub(crate) fn parse_v6(bytes: &'a [u8]) -> Result<Self, Reject> {
        let packet = Ipv6Packet::new_checked(bytes).map_err(|_| Reject::Malformed)?;
        match packet.next_header() {
            _ if packet.version() != 6 => return Err(Reject::Malformed),
            IpProtocol::Ipv6Frag => return Err(Reject::Fragment),
            IpProtocol::HopByHop | IpProtocol::Ipv6Route | IpProtocol::Ipv6Opts => return Err(Reject::Malformed),
            _ => {}
        }
        Ok(Self {
            source: packet.src_addr().into(),
            destination: packet.dst_addr().into(),
            protocol: packet.next_header(),
            hop_limit: packet.hop_limit(),
            bytes: &bytes[..packet.total_len()],
            payload: packet.payload(),
        })
    }

    /// Whether the checksum of the TCP segment or ICMPv6 message inside holds.
    pub(crate) fn payload_checksum_holds(&self) -> bool {
        let pseudo = checksum::pseudo_header(self.source, self.destination, self.protocol.into(), self.payload.len());
        checksum::add(pseudo, checksum::sum(self.payload)) == 0xffff
    }
}
