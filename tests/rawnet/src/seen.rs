//! A frame that came, taken apart. It is believed only as far as it is consistent: what does not parse stays bytes.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{Mac, checksum, ethertype, ipv4, protocol};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// To whom.
    pub to: Mac,
    /// From whom.
    pub from: Mac,
    /// Type of the frame.
    pub kind: u16,
    /// Bytes of the whole frame.
    pub len: usize,
    /// Behind the end of the packet inside: what fills a short frame up.
    pub padding: Vec<u8>,
    /// The ARP message, if it is one.
    pub arp: Option<Arp>,
    /// The IP packet, if it is one.
    pub packet: Option<Packet>,
}

/// An ARP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arp {
    /// Request or reply.
    pub operation: u16,
    /// Who says so.
    pub sender: (Mac, Ipv4Addr),
    /// To whom.
    pub target: (Mac, Ipv4Addr),
}

/// An IP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Source.
    pub from: IpAddr,
    /// Destination.
    pub to: IpAddr,
    /// What it carries.
    pub protocol: u8,
    /// Hop limit or time to live.
    pub hop_limit: u8,
    /// Identification, of IPv4.
    pub id: Option<u16>,
    /// Whether it may not be cut; always so for IPv6.
    pub whole: bool,
    /// Bytes of the packet, header included.
    pub len: usize,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// A TCP segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tcp {
    /// Whose.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// See [`flag`](crate::flag).
    pub flags: u8,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Window field.
    pub window: u16,
    /// Options, padding included.
    pub options: Vec<u8>,
    /// Data.
    pub payload: Vec<u8>,
    /// What its checksum is.
    pub sum: Sum,
}

/// An ICMP or ICMPv6 message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icmp {
    /// Its type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// Behind the checksum.
    pub rest: Vec<u8>,
    /// What its checksum is.
    pub sum: Sum,
}

/// A checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// It holds.
    Right,
    /// That of the pseudo-header: a device was to finish it, and there is none on a virtual wire.
    Unfinished,
    /// It does not hold.
    Wrong,
}

impl Seen {
    /// Takes a frame apart; `None` if it is too short to be one.
    #[must_use]
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let (to, rest) = frame.split_first_chunk()?;
        let (from, rest) = rest.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let kind = u16::from_be_bytes(*kind);
        let (arp, packet) = match kind {
            ethertype::ARP => (Arp::parse(rest), None),
            ethertype::IPV4 => (None, Packet::parse_v4(rest)),
            ethertype::IPV6 => (None, Packet::parse_v6(rest)),
            _ => (None, None),
        };
        let used = packet.as_ref().map(|packet| packet.len).or(arp.map(|_| 28));
        let padding = used.and_then(|used| rest.get(used..)).unwrap_or_default().to_vec();
        Some(Self { to: *to, from: *from, kind, len: frame.len(), padding, arp, packet })
    }

    /// The TCP segment inside.
    #[must_use]
    pub fn tcp(&self) -> Option<Tcp> {
        self.packet.as_ref().and_then(Packet::tcp)
    }

    /// The ICMP or ICMPv6 message inside.
    #[must_use]
    pub fn icmp(&self) -> Option<Icmp> {
        self.packet.as_ref().and_then(Packet::icmp)
    }
}

impl Arp {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 28] = bytes.first_chunk()?;
        let mac = |at: usize| -> Mac { core::array::from_fn(|i| bytes[at + i]) };
        let address = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
        let operation = u16::from_be_bytes([bytes[6], bytes[7]]);
        Some(Self { operation, sender: (mac(8), address(14)), target: (mac(18), address(24)) })
    }
}

impl Packet {
    fn parse_v4(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; 20] = bytes.first_chunk()?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let (header_len, len) = (usize::from(header[0] & 15) * 4, usize::from(word(2)));
        if header[0] >> 4 != 4 || checksum::sum(&[bytes.get(..header_len)?]) != 0xffff {
            return None;
        }
        Some(Self {
            from: Ipv4Addr::new(header[12], header[13], header[14], header[15]).into(),
            to: Ipv4Addr::new(header[16], header[17], header[18], header[19]).into(),
            protocol: header[9],
            hop_limit: header[8],
            id: Some(word(4)),
            whole: word(6) == ipv4::DF,
            len,
            payload: bytes.get(header_len..len)?.to_vec(),
        })
    }

    fn parse_v6(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; 40] = bytes.first_chunk()?;
        let address = |at: usize| Ipv6Addr::from(core::array::from_fn::<u8, 16, _>(|i| header[at + i]));
        let len = 40 + usize::from(u16::from_be_bytes([header[4], header[5]]));
        if header[0] >> 4 != 6 {
            return None;
        }
        Some(Self {
            from: address(8).into(),
            to: address(24).into(),
            protocol: header[6],
            hop_limit: header[7],
            id: None,
            whole: true,
            len,
            payload: bytes.get(40..len)?.to_vec(),
        })
    }

    /// The TCP segment inside.
    #[must_use]
    pub fn tcp(&self) -> Option<Tcp> {
        if self.protocol != protocol::TCP {
            return None;
        }
        let header: &[u8; 20] = self.payload.first_chunk()?;
        let short = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let long = |at: usize| u32::from_be_bytes(core::array::from_fn(|i| header[at + i]));
        let header_len = usize::from(header[12] >> 4) * 4;
        Some(Tcp {
            from: SocketAddr::new(self.from, short(0)),
            to: SocketAddr::new(self.to, short(2)),
            flags: header[13] & 63,
            sequence: long(4),
            ack: long(8),
            window: short(14),
            options: self.payload.get(20..header_len)?.to_vec(),
            payload: self.payload.get(header_len..)?.to_vec(),
            sum: self.judge(short(16), &self.pseudo_header()),
        })
    }

    /// The ICMP or ICMPv6 message inside.
    #[must_use]
    pub fn icmp(&self) -> Option<Icmp> {
        let pseudo = match self.protocol {
            protocol::ICMP => Vec::new(),
            protocol::ICMPV6 => self.pseudo_header(),
            _ => return None,
        };
        let [kind, code, high, low, rest @ ..] = &self.payload[..] else { return None };
        Some(Icmp { kind: *kind, code: *code, rest: rest.to_vec(), sum: self.judge(u16::from_be_bytes([*high, *low]), &pseudo) })
    }

    fn pseudo_header(&self) -> Vec<u8> {
        checksum::pseudo_header(self.from, self.to, self.protocol, self.payload.len())
    }

    fn judge(&self, found: u16, pseudo: &[u8]) -> Sum {
        if checksum::sum(&[pseudo, &self.payload]) == 0xffff {
            Sum::Right
        } else if found == checksum::sum(&[pseudo]) {
            Sum::Unfinished
        } else {
            Sum::Wrong
        }
    }
}

impl Tcp {
    /// The value of an option, behind its kind and length.
    #[must_use]
    pub fn option(&self, wanted: u8) -> Option<&[u8]> {
        let mut rest = &self.options[..];
        loop {
            match rest {
                [1, next @ ..] => rest = next,
                [0, ..] | [] | [_] => return None,
                [kind, len, ..] => {
                    let value = rest.get(2..usize::from(*len))?;
                    if *kind == wanted {
                        return Some(value);
                    }
                    rest = rest.get(usize::from(*len)..)?;
                }
            }
        }
    }

    /// Sequence numbers that it takes.
    #[must_use]
    pub fn span(&self) -> u32 {
        let flags = u32::from(self.flags & crate::flag::SYN != 0) + u32::from(self.flags & crate::flag::FIN != 0);
        u32::try_from(self.payload.len()).unwrap_or(0).wrapping_add(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{End, Path, Segment, flag, option};

    fn path(from: &str, to: &str) -> Path {
        let end = |mac, text: &str, port| End { mac, address: text.parse().expect("a literal"), port };
        Path { from: end([2, 0, 0, 0, 0, 1], from, 4000), to: end([2, 0, 0, 0, 0, 2], to, 443) }
    }

    #[test]
    fn what_is_built_is_seen_in_both_families() {
        for (from, to) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
            let segment = Segment { payload: vec![1, 2, 3], ack: 9, ..Segment::syn(7) };
            let seen = Seen::parse(&path(from, to).tcp(&segment)).expect("a frame");
            let tcp = seen.tcp().expect("a segment");
            assert_eq!((tcp.flags, tcp.sequence, tcp.ack, tcp.sum, tcp.span()), (flag::SYN, 7, 9, Sum::Right, 4));
            assert_eq!(tcp.option(2), Some(&1460_u16.to_be_bytes()[..]));
            assert_eq!((tcp.option(3), tcp.option(8)), (Some(&[7][..]), None));
            assert!(seen.padding.is_empty());
        }
    }

    #[test]
    fn lies_are_seen_as_lies() {
        let wrong = Segment { checksum_off_by: 1, ..Segment::default() };
        let seen = Seen::parse(&path("192.0.2.1", "192.0.2.2").tcp(&wrong)).expect("a frame");
        assert_eq!(seen.tcp().map(|tcp| tcp.sum), Some(Sum::Wrong));
        let endless = Segment { options: vec![option::mss(1)[0], 0, 0, 0], ..Segment::default() };
        let seen = Seen::parse(&path("192.0.2.1", "192.0.2.2").tcp(&endless)).expect("a frame");
        assert_eq!(seen.tcp().and_then(|tcp| tcp.option(8).map(<[u8]>::len)), None);
    }

    #[test]
    fn padding_is_told_from_the_packet() {
        let mut frame = path("192.0.2.1", "192.0.2.2").tcp(&Segment::default());
        frame.resize(60, 0xaa);
        assert_eq!(Seen::parse(&frame).map(|seen| seen.padding), Some(vec![0xaa; 6]));
    }
}
