//! Boundary: what a guest sends on a TAP, and what it is sent there, held against the filter. What the filter lets through, smoltcp reads again.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::{HashMap, HashSet};

use smoltcp::wire::{ArpPacket, EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, Ipv6Packet, TcpPacket};
use tender::egress::{Calls, Egress, Link};
use tender::order::{CallBack, Listener, Wire};

use crate::script::Script;

/// The guest's link address.
pub(crate) const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PORT: u16 = 443;
/// Who comes here is called back.
const DOOR: u16 = 6000;
const CALL_PORT: u16 = 4433;
const FRESH: Duration = Duration::from_secs(10);

fn own() -> [IpAddr; 2] {
    [IpAddr::from([192, 0, 2, 1]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])]
}

fn backends() -> [SocketAddr; 2] {
    [SocketAddr::from(([198, 51, 100, 9], 80)), SocketAddr::from(([0x2001, 0xdb8, 9, 0, 0, 0, 0, 9], 80))]
}

/// The first byte chooses the link and whether a reload came before, or a front with a call-back.
pub fn egress(data: &[u8]) {
    let mut script = Script(data);
    let choice = script.byte();
    let wire = Wire { mac: MAC, addresses: own().to_vec() };
    match choice & 7 {
        4 | 6 => {
            let call_back = CallBack { door: Listener { address: None, port: DOOR }, port: CALL_PORT };
            calls(Egress::new(wire, Link::Front { ports: vec![PORT, DOOR], calls: Some(Calls::new(call_back)) }), script);
        }
        choice if choice & 1 == 0 => {
            let mut egress = Egress::new(wire, Link::Front { ports: vec![PORT], calls: None });
            if egress.allows(script.0, Duration::from_secs(1)) {
                is_ours(script.0, Side::Front(&mut Heard::default(), Duration::from_secs(1)));
            }
        }
        choice => back(Egress::new(wire, Link::Back { backends: backends().to_vec(), retired: vec![] }), choice & 2 == 0, script.0),
    }
}

fn back(mut egress: Egress, keeps: bool, frame: &[u8]) {
    if !keeps {
        egress.reload(&[], Duration::from_secs(1), Duration::ZERO);
        egress.forget_retired(Duration::from_secs(1));
    }
    if egress.allows(frame, Duration::from_secs(1)) {
        is_ours(frame, Side::Back(if keeps { backends().to_vec() } else { Vec::new() }));
    }
}

/// Frames both ways, some time apart.
fn calls(mut egress: Egress, mut script: Script<'_>) {
    let (mut heard, mut now) = (Heard { has_door: true, ..Heard::default() }, Duration::ZERO);
    while !script.is_over() {
        let step = script.byte();
        now += Duration::from_millis(100) * u32::from(step >> 1);
        let frame = script.text();
        if step & 1 == 0 {
            egress.hears(frame, now);
            heard.hears(frame, now);
        } else if egress.allows(frame, now) {
            is_ours(frame, Side::Front(&mut heard, now));
        }
    }
}

/// Which link, and what is known of it.
enum Side<'a> {
    Front(&'a mut Heard, Duration),
    /// Its backends.
    Back(Vec<SocketAddr>),
}

/// What a front has heard, by another reader, and without bounds.
#[derive(Default)]
struct Heard {
    has_door: bool,
    /// The SYN-ACKs of the door: the guest's end, the peer's, and what acknowledges it.
    offers: HashSet<(SocketAddr, SocketAddr, u32)>,
    proven: HashMap<IpAddr, Duration>,
    opened: HashSet<(SocketAddr, SocketAddr)>,
}

impl Heard {
    fn hears(&mut self, frame: &[u8], now: Duration) {
        let Ok(ethernet) = EthernetFrame::new_checked(frame) else { return };
        let payload = ethernet.payload();
        // No lengths are checked: what is proven here may be more than what the filter believes, and must not be less.
        let (source, destination, segment): (IpAddr, IpAddr, _) = match ethernet.ethertype() {
            EthernetProtocol::Ipv4 if payload.len() >= 40 => {
                let packet = Ipv4Packet::new_unchecked(payload);
                (packet.src_addr().into(), packet.dst_addr().into(), &payload[20..])
            }
            EthernetProtocol::Ipv6 if payload.len() >= 60 => {
                let packet = Ipv6Packet::new_unchecked(payload);
                (packet.src_addr().into(), packet.dst_addr().into(), &payload[40..])
            }
            _ => return,
        };
        let tcp = TcpPacket::new_unchecked(segment);
        let ends = (SocketAddr::new(destination, tcp.dst_port()), SocketAddr::new(source, tcp.src_port()));
        let acknowledges = tcp.ack() && !tcp.syn() && !tcp.rst();
        if acknowledges && self.offers.contains(&(ends.0, ends.1, acknowledgement(segment))) {
            self.proven.insert(source, now);
        }
    }

    /// What a guest says here.
    fn judge(&mut self, ends: (SocketAddr, SocketAddr), segment: &[u8], now: Duration) {
        let tcp = TcpPacket::new_unchecked(segment);
        let (guest, peer) = ends;
        if tcp.syn() && !tcp.ack() {
            let fresh = self.proven.get(&peer.ip()).is_some_and(|at| now - *at <= FRESH);
            assert!(fresh && peer.port() == CALL_PORT, "the front opens nothing but to its callers");
            self.opened.insert(ends);
        } else if guest.port() == PORT || guest.port() == DOOR && self.has_door {
            if guest.port() == DOOR && tcp.syn() {
                self.offers.insert((guest, peer, sequence(segment).wrapping_add(1)));
            }
        } else {
            assert!(self.opened.contains(&ends), "nor does it go on with what it did not open");
        }
    }
}

fn sequence(segment: &[u8]) -> u32 {
    u32::from_be_bytes(segment[4..8].try_into().expect("four bytes"))
}

fn acknowledgement(segment: &[u8]) -> u32 {
    u32::from_be_bytes(segment[8..12].try_into().expect("four bytes"))
}

/// The filter's promise, by another reader.
fn is_ours(frame: &[u8], side: Side<'_>) {
    let ethernet = EthernetFrame::new_checked(frame).expect("an Ethernet frame");
    assert_eq!(ethernet.src_addr().0, MAC);
    let payload = ethernet.payload();
    match ethernet.ethertype() {
        EthernetProtocol::Arp => {
            let packet = ArpPacket::new_unchecked(payload);
            let sender: [u8; 4] = packet.source_protocol_addr().try_into().expect("an address of IPv4");
            assert_eq!(packet.source_hardware_addr(), MAC);
            assert!(sender == [0; 4] || own().contains(&IpAddr::from(sender)));
        }
        EthernetProtocol::Ipv4 => {
            let packet = Ipv4Packet::new_unchecked(payload);
            assert!(packet.header_len() == 20 && !packet.more_frags() && packet.frag_offset() == 0);
            let ends = (packet.src_addr().into(), packet.dst_addr().into());
            speaks(packet.next_header(), ends, &payload[20..], side);
        }
        EthernetProtocol::Ipv6 => {
            let packet = Ipv6Packet::new_unchecked(payload);
            let ends = (packet.src_addr().into(), packet.dst_addr().into());
            speaks(packet.next_header(), ends, &payload[40..], side);
        }
        other => panics(&format!("{other} was let through")),
    }
}

fn speaks(protocol: IpProtocol, ends: (IpAddr, IpAddr), payload: &[u8], side: Side<'_>) {
    let source = ends.0;
    let link_local = matches!(source, IpAddr::V6(address) if address.is_unicast_link_local());
    match protocol {
        IpProtocol::Tcp => {
            let tcp = TcpPacket::new_unchecked(payload);
            let ends = (SocketAddr::new(source, tcp.src_port()), SocketAddr::new(ends.1, tcp.dst_port()));
            assert!(own().contains(&source) || link_local, "another's address");
            match side {
                Side::Front(heard, now) => heard.judge(ends, payload, now),
                Side::Back(backends) => assert!(backends.contains(&ends.1), "{} is no backend", ends.1),
            }
        }
        IpProtocol::Icmp | IpProtocol::Icmpv6 => assert!(own().contains(&source) || link_local || source.is_unspecified()),
        other => panics(&format!("{other} was let through")),
    }
}

#[expect(clippy::panic, reason = "what a target finds is a panic")]
fn panics(what: &str) {
    panic!("{what}");
}
