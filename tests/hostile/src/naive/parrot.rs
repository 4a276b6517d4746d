//! Answers everything that looks remotely like a packet, several times, with numbers that count up and padding that is not zero.

use core::net::IpAddr;
use core::time::Duration;
use std::time::Instant;

use e2e::Outcome;
use rawnet::{End, Path, Seen, Segment, arp, ethernet, ethertype, flag, icmp, ipv4, ipv6, protocol};

use super::segment::{ADDRESS_V4, ADDRESS_V6, MAC, OnWire};

/// Answers to one packet.
const COPIES: usize = 4;
const FRAME_LEN_MIN: usize = 60;

/// What it has said so far.
struct Parrot {
    sequence: u32,
    id: u16,
}

/// A packet, as much as it cares.
struct Heard {
    path: Path,
    protocol: u8,
    payload: Vec<u8>,
}

pub(super) fn start() -> Outcome<OnWire> {
    let mut parrot = Parrot { sequence: 1, id: 1 };
    OnWire::start(move |wire| {
        let answers = match wire.receive(Instant::now() + Duration::from_millis(5)) {
            Ok(Some(frame)) => parrot.answer(frame),
            _ => return,
        };
        for mut answer in answers {
            if answer.len() < FRAME_LEN_MIN {
                answer.resize(FRAME_LEN_MIN, 0xaa);
            }
            let _ = wire.send(&answer);
        }
    })
}

impl Parrot {
    fn answer(&mut self, frame: &[u8]) -> Vec<Vec<u8>> {
        let Some(seen) = Seen::parse(frame).filter(|seen| seen.from != MAC) else { return Vec::new() };
        if let Some(arp) = seen.arp {
            let answer = arp::message(arp::REPLY, (MAC, ADDRESS_V4), (seen.from, arp.sender.1));
            let answer = ethernet(seen.from, MAC, ethertype::ARP, &answer);
            return if arp.target.1 == ADDRESS_V4 && arp.operation == arp::REQUEST { vec![answer] } else { vec![answer; COPIES] };
        }
        let heard = frame.get(14..).and_then(|packet| hear(packet, seen.kind, seen.from));
        heard.map(|heard| self.reply(&heard)).unwrap_or_default()
    }

    fn reply(&mut self, heard: &Heard) -> Vec<Vec<u8>> {
        self.sequence = self.sequence.wrapping_add(64_000);
        let payload = match (heard.protocol, &heard.payload[..]) {
            (protocol::TCP, [a, b, c, d, e, f, g, h, _, _, _, _, _, flags, ..]) => {
                let path =
                    Path { from: heard.path.from.at(u16::from_be_bytes([*c, *d])), to: heard.path.to.at(u16::from_be_bytes([*a, *b])) };
                let flags = if flags & flag::SYN == 0 { flag::RST } else { flag::SYN | flag::ACK };
                let ack = u32::from_be_bytes([*e, *f, *g, *h]).wrapping_add(1);
                Segment { flags, ack, sequence: self.sequence, ..Segment::syn(0) }.bytes(path.from.socket(), path.to.socket())
            }
            _ => heard.payload.clone(),
        };
        (0..COPIES).map(|_| self.packet(&heard.path, heard.protocol, &payload)).collect()
    }

    fn packet(&mut self, path: &Path, protocol: u8, payload: &[u8]) -> Vec<u8> {
        self.id = self.id.wrapping_add(1);
        match (path.from.address, path.to.address) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let header = ipv4::Header { id: self.id, fragment: 0, ..ipv4::Header::new(from, to, protocol) };
                path.frame(ethertype::IPV4, &header.packet(payload))
            }
            _ => path.ip(protocol, payload),
        }
    }
}

/// Finds addresses and payload, and asks for nothing more.
fn hear(packet: &[u8], kind: u16, from: rawnet::Mac) -> Option<Heard> {
    let end = |mac, address: IpAddr| End { mac, address, port: 0 };
    if kind == ethertype::IPV4 {
        let header: &[u8; 20] = packet.first_chunk()?;
        let [.., protocol, _, _, a, b, c, d, _, _, _, _] = *header;
        let len = (usize::from(header[0] & 15) * 4).max(20);
        let path = Path { from: end(MAC, ADDRESS_V4.into()), to: end(from, [a, b, c, d].into()) };
        return Some(Heard { path, protocol, payload: packet.get(len..).unwrap_or_default().to_vec() });
    }
    let header: &[u8; 40] = packet.first_chunk()?;
    let source = core::array::from_fn::<u8, 16, _>(|i| header[8 + i]);
    let path = Path { from: end(MAC, ADDRESS_V6.into()), to: end(from, source.into()) };
    let (mut next, mut rest) = (header[6], packet.get(40..)?);
    while let (
        ipv6::HOP_BY_HOP | ipv6::ROUTING | ipv6::DESTINATION | ipv6::FRAGMENT | ipv6::AUTHENTICATION | ipv6::MOBILITY,
        [kind, len, ..],
    ) = (next, rest)
    {
        let len = if next == ipv6::FRAGMENT { 8 } else { (usize::from(*len) + 1) * 8 };
        (next, rest) = (*kind, rest.get(len..).unwrap_or_default());
    }
    // A solicitation is answered as it should be, or nobody would come so far.
    if next == protocol::ICMPV6 && rest.first() == Some(&icmp::NEIGHBOR_SOLICITATION) {
        let about = [&ADDRESS_V6.octets()[..], &icmp::link_option(icmp::TARGET_LINK, MAC)].concat();
        let advert = icmp::v6(ADDRESS_V6, source.into(), icmp::NEIGHBOR_ADVERTISEMENT, 0, icmp::SOLICITED | icmp::OVERRIDE, &about);
        return Some(Heard { path, protocol: next, payload: advert });
    }
    Some(Heard { path, protocol: next, payload: rest.to_vec() })
}
