//! ARP, neighbour discovery, echo: who is answered, who is believed.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use crate::support::raw::Raw;
use crate::support::{CLIENT_MAC, Family, SERVER_MAC, config};
use net::{CloseReason, Event, Offload};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv4Packet, Icmpv4Repr, Icmpv6Packet, Icmpv6Repr,
    IpProtocol, IpRepr, NdiscNeighborFlags, NdiscRepr, RawHardwareAddress,
};

const EVIL_MAC: [u8; 6] = [2, 0, 0, 0, 0, 66];

fn v4(address: IpAddr) -> Ipv4Addr {
    let IpAddr::V4(address) = address else { panic!() };
    address
}

fn v6(address: IpAddr) -> Ipv6Addr {
    let IpAddr::V6(address) = address else { panic!() };
    address
}

fn ethernet(from: [u8; 6], to: [u8; 6], kind: EthernetProtocol, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 14 + payload.len()];
    let mut head = EthernetFrame::new_unchecked(&mut frame[..]);
    head.set_src_addr(EthernetAddress(from));
    head.set_dst_addr(EthernetAddress(to));
    head.set_ethertype(kind);
    head.payload_mut().copy_from_slice(payload);
    frame
}

fn arp(operation: ArpOperation, mac: [u8; 6], from: Ipv4Addr, to: Ipv4Addr, to_mac: [u8; 6]) -> Vec<u8> {
    let repr = ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr: EthernetAddress(mac),
        source_protocol_addr: from,
        target_hardware_addr: EthernetAddress(to_mac),
        target_protocol_addr: to,
    };
    let mut payload = vec![0; repr.buffer_len()];
    repr.emit(&mut ArpPacket::new_unchecked(&mut payload[..]));
    ethernet(mac, to_mac, EthernetProtocol::Arp, &payload)
}

fn ndisc(mac: [u8; 6], to_mac: [u8; 6], from: Ipv6Addr, to: Ipv6Addr, hop_limit: u8, repr: NdiscRepr) -> Vec<u8> {
    let repr = Icmpv6Repr::Ndisc(repr);
    let ip = IpRepr::new(from.into(), to.into(), IpProtocol::Icmpv6, repr.buffer_len(), hop_limit);
    let mut packet = vec![0; ip.buffer_len()];
    ip.emit(&mut packet[..], &ChecksumCapabilities::default());
    repr.emit(&from, &to, &mut Icmpv6Packet::new_unchecked(&mut packet[40..]), &ChecksumCapabilities::default());
    ethernet(mac, to_mac, EthernetProtocol::Ipv6, &packet)
}

fn solicit(target: Ipv6Addr) -> NdiscRepr<'static> {
    NdiscRepr::NeighborSolicit { target_addr: target, lladdr: Some(RawHardwareAddress::from_bytes(&CLIENT_MAC)) }
}

fn advert(target: Ipv6Addr, mac: [u8; 6], flags: NdiscNeighborFlags) -> NdiscRepr<'static> {
    NdiscRepr::NeighborAdvert { flags, target_addr: target, lladdr: Some(RawHardwareAddress::from_bytes(&mac)) }
}

#[test]
fn arp_requests_for_us_are_answered_and_padded_with_zeros() {
    let mut raw = Raw::new(Family::V4);
    let (us, them) = (v4(Family::V4.server()), v4(Family::V4.client()));
    for (to, answers) in [(us, 1), (Ipv4Addr::new(192, 0, 2, 9), 0)] {
        raw.give(&arp(ArpOperation::Request, CLIENT_MAC, them, to, [0xff; 6]));
        let frames = raw.frames();
        assert_eq!(frames.len(), answers);
        for frame in frames {
            assert_eq!((frame.len(), &frame[42..]), (60, &[0; 18][..]), "no Etherleak");
            let arp = ArpRepr::parse(&ArpPacket::new_checked(&frame[14..]).unwrap()).unwrap();
            let ArpRepr::EthernetIpv4 { operation, source_hardware_addr, source_protocol_addr, .. } = arp else { panic!() };
            assert_eq!((operation, source_hardware_addr.0, source_protocol_addr), (ArpOperation::Reply, SERVER_MAC, us));
        }
    }
    raw.give(&arp(ArpOperation::Request, CLIENT_MAC, us, us, [0xff; 6]));
    raw.give(&arp(ArpOperation::Request, CLIENT_MAC, Ipv4Addr::new(10, 0, 0, 1), us, [0xff; 6]));
    assert_eq!((raw.frames().len(), raw.net.counters().dropped_neighbor), (0, 3));
}

#[test]
fn only_the_solicited_arp_reply_is_believed() {
    let (us, peer) = (v4(Family::V4.client()), v4(Family::V4.server()));
    let mut client = config(Family::V4, false);
    client.mac = CLIENT_MAC;
    let mut raw = Raw::with(Family::V4, client);
    raw.give(&arp(ArpOperation::Reply, EVIL_MAC, peer, us, CLIENT_MAC));
    assert_eq!(raw.net.counters().dropped_neighbor, 1, "unasked");
    raw.net.connect(Family::V4.service(), None, raw.now).unwrap();
    assert_eq!(raw.frames().len(), 1, "the question");
    raw.give(&arp(ArpOperation::Reply, EVIL_MAC, Ipv4Addr::new(192, 0, 2, 9), us, CLIENT_MAC));
    let mut lying = arp(ArpOperation::Reply, EVIL_MAC, peer, us, CLIENT_MAC);
    lying[6..12].copy_from_slice(&SERVER_MAC);
    raw.give(&lying);
    assert_eq!(raw.frames().len(), 0);
    raw.give(&arp(ArpOperation::Reply, SERVER_MAC, peer, us, CLIENT_MAC));
    let syn = raw.frames();
    assert_eq!((syn.len(), &syn[0][..6]), (1, &SERVER_MAC[..]));
    raw.give(&arp(ArpOperation::Reply, EVIL_MAC, peer, us, CLIENT_MAC));
    raw.wait(Duration::from_millis(500));
    raw.net.connect(Family::V4.service(), None, raw.now).unwrap();
    assert_eq!(&raw.frames()[0][..6], &SERVER_MAC, "the later one is not");
}

#[test]
fn a_pinned_gateway_is_never_asked_for_and_never_changes() {
    let mut client = config(Family::V4, false);
    client.addresses[0].prefix_len = 31;
    client.gateways = vec![net::Gateway { address: "192.0.2.3".parse().unwrap(), mac: Some(SERVER_MAC) }];
    let mut raw = Raw::with(Family::V4, client);
    raw.give(&arp(ArpOperation::Reply, EVIL_MAC, Ipv4Addr::new(192, 0, 2, 3), v4(Family::V4.client()), CLIENT_MAC));
    raw.net.connect("198.51.100.1:443".parse().unwrap(), None, raw.now).unwrap();
    let frames = raw.frames();
    assert_eq!((frames.len(), &frames[0][..6]), (1, &SERVER_MAC[..]));
}

#[test]
fn neighbour_solicitations_for_us_are_answered_if_they_come_from_the_link() {
    let (us, them) = (v6(Family::V6.server()), v6(Family::V6.client()));
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 1);
    let group_mac = [0x33, 0x33, 0xff, 0, 0, 1];
    let mut raw = Raw::new(Family::V6);
    for (hop_limit, target, from, answers) in [
        (255, us, them, Some((CLIENT_MAC, them))),
        (255, us, Ipv6Addr::UNSPECIFIED, Some(([0x33, 0x33, 0, 0, 0, 1], Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1)))),
        (254, us, them, None),
        (255, "2001:db8::99".parse().unwrap(), them, None),
        (255, us, us, None),
    ] {
        let mut repr = solicit(target);
        if from.is_unspecified() {
            repr = NdiscRepr::NeighborSolicit { target_addr: target, lladdr: None };
        }
        raw.give(&ndisc(CLIENT_MAC, group_mac, from, group, hop_limit, repr));
        let frames = raw.frames();
        assert_eq!(frames.len(), usize::from(answers.is_some()), "{hop_limit} {target} {from}");
        if let (Some((mac, to)), Some(frame)) = (answers, frames.first()) {
            assert_eq!((&frame[..6], &frame[38..54], frame[21]), (&mac[..], &to.octets()[..], 255));
        }
    }
}

#[test]
fn only_the_solicited_advertisement_is_believed() {
    let (us, peer) = (v6(Family::V6.client()), v6(Family::V6.server()));
    let mut raw = Raw::with(Family::V6, config(Family::V6, false));
    let solicited = NdiscNeighborFlags::SOLICITED | NdiscNeighborFlags::OVERRIDE;
    let say = |raw: &mut Raw, mac, flags, hops| {
        raw.give(&ndisc(mac, CLIENT_MAC, peer, us, hops, advert(peer, mac, flags)));
        raw.frames()
    };
    assert!(say(&mut raw, EVIL_MAC, solicited, 255).is_empty());
    raw.net.connect(Family::V6.service(), None, raw.now).unwrap();
    assert_eq!(raw.frames().len(), 1, "the question");
    assert!(say(&mut raw, EVIL_MAC, NdiscNeighborFlags::OVERRIDE, 255).is_empty(), "not solicited");
    assert!(say(&mut raw, EVIL_MAC, solicited, 64).is_empty(), "from afar");
    let syn = say(&mut raw, SERVER_MAC, solicited, 255);
    assert_eq!((syn.len(), &syn[0][..6]), (1, &SERVER_MAC[..]));
    assert!(say(&mut raw, EVIL_MAC, solicited, 255).is_empty());
    let router = NdiscRepr::RouterAdvert {
        hop_limit: 64,
        flags: smoltcp::wire::NdiscRouterFlags::empty(),
        router_lifetime: smoltcp::time::Duration::from_secs(1800),
        reachable_time: smoltcp::time::Duration::ZERO,
        retrans_time: smoltcp::time::Duration::ZERO,
        lladdr: None,
        mtu: Some(1280),
        prefix_info: None,
    };
    raw.give(&ndisc(EVIL_MAC, CLIENT_MAC, "fe80::66".parse().unwrap(), us, 255, router));
    assert!(raw.net.counters().dropped_neighbor >= 5, "router advertisements are not listened to");
}

#[test]
fn a_next_hop_that_does_not_answer_ends_the_attempt() {
    let mut raw = Raw::with(Family::V6, config(Family::V6, false));
    let flow = raw.net.connect(Family::V6.service(), None, raw.now).unwrap();
    raw.frames();
    raw.wait(Duration::from_secs(5));
    assert_eq!(raw.events(), [Event::Closed { flow, reason: CloseReason::Unreachable }]);
}

fn echo_v4(to: Ipv4Addr, data: &[u8]) -> Vec<u8> {
    let repr = Icmpv4Repr::EchoRequest { ident: 7, seq_no: 9, data };
    let from = v4(Family::V4.client());
    let ip = IpRepr::new(from.into(), to.into(), IpProtocol::Icmp, repr.buffer_len(), 64);
    let mut packet = vec![0; ip.buffer_len()];
    ip.emit(&mut packet[..], &ChecksumCapabilities::default());
    repr.emit(&mut Icmpv4Packet::new_unchecked(&mut packet[20..]), &ChecksumCapabilities::default());
    ethernet(CLIENT_MAC, SERVER_MAC, EthernetProtocol::Ipv4, &packet)
}

fn echo_v6(data: &[u8]) -> Vec<u8> {
    let repr = Icmpv6Repr::EchoRequest { ident: 7, seq_no: 9, data };
    let (from, to) = (v6(Family::V6.client()), v6(Family::V6.server()));
    let ip = IpRepr::new(from.into(), to.into(), IpProtocol::Icmpv6, repr.buffer_len(), 64);
    let mut packet = vec![0; ip.buffer_len()];
    ip.emit(&mut packet[..], &ChecksumCapabilities::default());
    repr.emit(&from, &to, &mut Icmpv6Packet::new_unchecked(&mut packet[40..]), &ChecksumCapabilities::default());
    ethernet(CLIENT_MAC, SERVER_MAC, EthernetProtocol::Ipv6, &packet)
}

#[test]
fn echoes_come_back_whole_in_both_families() {
    let data: Vec<u8> = (0..=255).collect();
    let mut raw = Raw::new(Family::V4);
    raw.give(&echo_v4(v4(Family::V4.server()), &data));
    let frames = raw.frames();
    let icmp = Icmpv4Packet::new_checked(&frames[0][34..]).unwrap();
    let reply = Icmpv4Repr::parse(&icmp, &ChecksumCapabilities::default()).unwrap();
    assert_eq!(reply, Icmpv4Repr::EchoReply { ident: 7, seq_no: 9, data: &data });

    let mut raw = Raw::new(Family::V6);
    raw.give(&echo_v6(&data));
    let frames = raw.frames();
    let icmp = Icmpv6Packet::new_checked(&frames[0][54..]).unwrap();
    let (from, to) = (v6(Family::V6.server()), v6(Family::V6.client()));
    let reply = Icmpv6Repr::parse(&from, &to, &icmp, &ChecksumCapabilities::default()).unwrap();
    assert_eq!(reply, Icmpv6Repr::EchoReply { ident: 7, seq_no: 9, data: &data });
}

#[test]
fn echo_is_limited_in_rate_and_silent_for_groups() {
    let mut raw = Raw::new(Family::V4);
    for _ in 0..10_000 {
        raw.give(&echo_v4(v4(Family::V4.server()), b"flood"));
    }
    assert_eq!(raw.frames().len(), 200);
    raw.wait(Duration::from_secs(1));
    for to in [Ipv4Addr::new(192, 0, 2, 255), Ipv4Addr::BROADCAST, Ipv4Addr::new(224, 0, 0, 1)] {
        let mut frame = echo_v4(to, b"smurf");
        raw.give(&frame);
        frame[..6].copy_from_slice(&[0xff; 6]);
        raw.give(&frame);
    }
    let mut frame = echo_v4(v4(Family::V4.server()), b"smurf");
    frame[..6].copy_from_slice(&[0xff; 6]);
    raw.net.receive(&frame, Offload::default(), raw.now);
    assert_eq!(raw.frames().len(), 0);
}
