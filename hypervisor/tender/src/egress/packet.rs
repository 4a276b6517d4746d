//! A frame, read as far as the filter needs it. Whatever else it is, it is not one of these.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const ETHERTYPE_IPV4: [u8; 2] = [0x08, 0x00];
const ETHERTYPE_ARP: [u8; 2] = [0x08, 0x06];
const ETHERTYPE_IPV6: [u8; 2] = [0x86, 0xdd];
const PROTOCOL_ICMP: u8 = 1;
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_ICMPV6: u8 = 58;
const TCP_SYN: u8 = 0x02;
const TCP_RST: u8 = 0x04;
const TCP_ACK: u8 = 0x10;

/// A frame that might be allowed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) source_mac: [u8; 6],
    pub(crate) body: Body,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Arp { sender_mac: [u8; 6], sender: Ipv4Addr },
    Ip { source: IpAddr, destination: IpAddr, payload: Payload },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Icmp(Icmp),
    Tcp(Tcp),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Icmp {
    EchoReply,
    /// Packet too big, or fragmentation needed.
    TooBig,
    NeighborSolicitation,
    NeighborAdvertisement,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tcp {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) sequence: u32,
    /// Means something only with the flag.
    pub(crate) acknowledgement: u32,
    pub(crate) kind: Kind,
}

/// What a segment is for its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// SYN without ACK, whatever else: it opens a connection.
    Syn,
    Reset,
    SynAck,
    /// Of a connection that is open.
    Ack,
    /// Without SYN, RST or ACK: nobody needs it.
    Bare,
}

impl Packet {
    /// `None` for whatever has no name in this file.
    pub(crate) fn parse(frame: &[u8]) -> Option<Self> {
        let (_destination, rest) = frame.split_first_chunk::<6>()?;
        let (source_mac, rest) = rest.split_first_chunk::<6>()?;
        let (ethertype, rest) = rest.split_first_chunk::<2>()?;
        let body = match *ethertype {
            ETHERTYPE_ARP => arp(rest),
            ETHERTYPE_IPV4 => ipv4(rest),
            ETHERTYPE_IPV6 => ipv6(rest),
            _ => None,
        }?;
        Some(Self { source_mac: *source_mac, body })
    }
}

/// Ethernet and IPv4, request or reply (RFC 826).
fn arp(packet: &[u8]) -> Option<Body> {
    let (head, rest) = packet.split_first_chunk::<8>()?;
    let (sender_mac, rest) = rest.split_first_chunk::<6>()?;
    let (sender, _) = rest.split_first_chunk::<4>()?;
    let known = matches!(head, [0, 1, 0x08, 0x00, 6, 4, 0, 1 | 2]);
    known.then(|| Body::Arp { sender_mac: *sender_mac, sender: Ipv4Addr::from(*sender) })
}

/// Without fragments (RFC 791 section 3.1). Options are refused: the guest has no use for them.
fn ipv4(packet: &[u8]) -> Option<Body> {
    let (head, payload) = packet.split_first_chunk::<20>()?;
    let [version, _, _, _, _, _, fragment_high, fragment_low, _, protocol, _, _, addresses @ ..] = head;
    let whole = fragment_high & 0x3f == 0 && *fragment_low == 0;
    if *version != 0x45 || !whole {
        return None;
    }
    let (source, destination) = addresses.split_first_chunk::<4>()?;
    let destination = Ipv4Addr::from(*destination.first_chunk::<4>()?);
    let payload = match *protocol {
        PROTOCOL_TCP => Payload::Tcp(tcp(payload)?),
        PROTOCOL_ICMP => Payload::Icmp(icmpv4(payload)?),
        _ => return None,
    };
    Some(Body::Ip { source: Ipv4Addr::from(*source).into(), destination: destination.into(), payload })
}

/// Without extension headers (RFC 8200 section 4), so without fragments.
fn ipv6(packet: &[u8]) -> Option<Body> {
    let (head, payload) = packet.split_first_chunk::<40>()?;
    let [version, _, _, _, _, _, protocol, _, addresses @ ..] = head;
    if version >> 4 != 6 {
        return None;
    }
    let (source, destination) = addresses.split_first_chunk::<16>()?;
    let destination = Ipv6Addr::from(*destination.first_chunk::<16>()?);
    let payload = match *protocol {
        PROTOCOL_TCP => Payload::Tcp(tcp(payload)?),
        PROTOCOL_ICMPV6 => Payload::Icmp(icmpv6(payload)?),
        _ => return None,
    };
    Some(Body::Ip { source: Ipv6Addr::from(*source).into(), destination: destination.into(), payload })
}

fn tcp(segment: &[u8]) -> Option<Tcp> {
    let [s0, s1, d0, d1, n0, n1, n2, n3, a0, a1, a2, a3, _, flags, ..] = *segment.first_chunk::<20>()?;
    Some(Tcp {
        source_port: u16::from_be_bytes([s0, s1]),
        destination_port: u16::from_be_bytes([d0, d1]),
        sequence: u32::from_be_bytes([n0, n1, n2, n3]),
        acknowledgement: u32::from_be_bytes([a0, a1, a2, a3]),
        kind: kind(flags),
    })
}

fn kind(flags: u8) -> Kind {
    let has = |flag| flags & flag != 0;
    match (has(TCP_SYN), has(TCP_RST), has(TCP_ACK)) {
        (true, _, false) => Kind::Syn,
        (_, true, _) => Kind::Reset,
        (true, false, true) => Kind::SynAck,
        (false, false, true) => Kind::Ack,
        (false, false, false) => Kind::Bare,
    }
}

fn icmpv4(message: &[u8]) -> Option<Icmp> {
    match message.first_chunk::<8>()? {
        [0, 0, ..] => Some(Icmp::EchoReply),
        [3, 4, ..] => Some(Icmp::TooBig),
        _ => None,
    }
}

fn icmpv6(message: &[u8]) -> Option<Icmp> {
    match message.first_chunk::<8>()? {
        [129, 0, ..] => Some(Icmp::EchoReply),
        [2, 0, ..] => Some(Icmp::TooBig),
        [135, 0, ..] => Some(Icmp::NeighborSolicitation),
        [136, 0, ..] => Some(Icmp::NeighborAdvertisement),
        _ => None,
    }
}
