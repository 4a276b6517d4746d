//! The filter's table: one frame per row, built by hand.

use super::*;
use proptest::prelude::*;

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const GUEST4: [u8; 4] = [192, 0, 2, 1];
const PEER4: [u8; 4] = [198, 51, 100, 9];
const GUEST6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const PEER6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
const SYN: u8 = 2;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;

fn wire() -> Wire {
    Wire { mac: MAC, addresses: vec![IpAddr::from(GUEST4), IpAddr::from(GUEST6)] }
}

fn front() -> Egress {
    Egress::new(wire(), Link::Front { ports: vec![443] })
}

fn back() -> Egress {
    let backends = vec![SocketAddr::new(IpAddr::from(PEER4), 80), SocketAddr::new(IpAddr::from(PEER6), 80)];
    Egress::new(wire(), Link::Back { backends, retired: Vec::new() })
}

fn ethernet(source: [u8; 6], ethertype: u16, body: &[u8]) -> Vec<u8> {
    [&[0xff; 6][..], &source, &ethertype.to_be_bytes(), body].concat()
}

fn v4(source: [u8; 4], protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let mut head = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    head[6..8].copy_from_slice(&fragment.to_be_bytes());
    head[12..16].copy_from_slice(&source);
    head[16..].copy_from_slice(&PEER4);
    ethernet(MAC, 0x0800, &[&head[..], payload].concat())
}

fn v6(source: [u8; 16], next: u8, payload: &[u8]) -> Vec<u8> {
    let head = [0x60, 0, 0, 0, 0, 0, next, 64];
    ethernet(MAC, 0x86dd, &[&head[..], &source, &PEER6, payload].concat())
}

fn tcp(from: u16, to: u16, flags: u8) -> Vec<u8> {
    let mut segment = vec![0; 20];
    segment[..2].copy_from_slice(&from.to_be_bytes());
    segment[2..4].copy_from_slice(&to.to_be_bytes());
    segment[13] = flags;
    segment
}

fn icmp(kind: u8, code: u8) -> Vec<u8> {
    vec![kind, code, 0, 0, 0, 0, 0, 0]
}

fn arp(sender_mac: [u8; 6], sender: [u8; 4], operation: u8) -> Vec<u8> {
    ethernet(MAC, 0x0806, &[&[0, 1, 8, 0, 6, 4, 0, operation][..], &sender_mac, &sender, &[0; 10]].concat())
}

#[test]
fn the_front_answers_and_opens_nothing() {
    let rows = [
        (v4(GUEST4, 6, 0, &tcp(443, 5000, SYN_ACK)), true, "answer to a SYN"),
        (v4(GUEST4, 6, 0x4000, &tcp(443, 5000, ACK)), true, "data, with DF"),
        (v6(GUEST6, 6, &tcp(443, 5000, ACK)), true, "data over IPv6"),
        (v4(GUEST4, 6, 0, &tcp(443, 5000, SYN)), false, "bare SYN"),
        (v6(GUEST6, 6, &tcp(443, 5000, SYN)), false, "bare SYN over IPv6"),
        (v4(GUEST4, 6, 0, &tcp(80, 5000, ACK)), false, "a port that does not listen"),
        (v4(PEER4, 6, 0, &tcp(443, 5000, ACK)), false, "somebody else's address"),
        (v4(GUEST4, 6, 0x2000, &tcp(443, 5000, ACK)), false, "first fragment"),
        (v4(GUEST4, 6, 1, &tcp(443, 5000, ACK)), false, "later fragment"),
        (v4(GUEST4, 17, 0, &tcp(443, 5000, ACK)), false, "UDP"),
        (v6(GUEST6, 44, &tcp(443, 5000, ACK)), false, "IPv6 fragment header"),
        (v6(GUEST6, 0, &tcp(443, 5000, ACK)), false, "IPv6 hop-by-hop options"),
    ];
    check(&front(), &rows);
}

#[test]
fn the_back_reaches_its_backends_only() {
    let rows = [
        (v4(GUEST4, 6, 0, &tcp(5000, 80, SYN)), true, "SYN to a backend"),
        (v6(GUEST6, 6, &tcp(5000, 80, ACK)), true, "data to a backend over IPv6"),
        (v4(GUEST4, 6, 0, &tcp(5000, 81, SYN)), false, "the backend's other port"),
        (v4(PEER4, 6, 0, &tcp(5000, 80, SYN)), false, "somebody else's address"),
        (v4(GUEST4, 1, 0, &icmp(0, 0)), false, "echo reply"),
    ];
    check(&back(), &rows);
}

#[test]
fn neighbours_are_asked_and_answered_under_our_own_name() {
    let rows = [
        (arp(MAC, GUEST4, 1), true, "request"),
        (arp(MAC, GUEST4, 2), true, "reply"),
        (arp(MAC, [0; 4], 1), true, "probe"),
        (arp(MAC, GUEST4, 3), false, "reverse ARP"),
        (arp(MAC, PEER4, 2), false, "somebody else's address"),
        (arp([2; 6], GUEST4, 2), false, "somebody else's link address"),
        (v6(GUEST6, 58, &icmp(135, 0)), true, "solicitation"),
        (v6([0; 16], 58, &icmp(135, 0)), true, "duplicate address detection"),
        (v6(GUEST6, 58, &icmp(136, 0)), true, "advertisement"),
        (v6([0; 16], 58, &icmp(136, 0)), false, "advertisement without a source"),
        (v6(GUEST6, 58, &icmp(134, 0)), false, "router advertisement"),
    ];
    check(&front(), &rows);
    check(&back(), &rows);
}

#[test]
fn icmp_is_for_echo_replies_and_path_mtu() {
    let rows = [
        (v4(GUEST4, 1, 0, &icmp(0, 0)), true, "echo reply"),
        (v4(GUEST4, 1, 0, &icmp(3, 4)), true, "fragmentation needed"),
        (v6(GUEST6, 58, &icmp(129, 0)), true, "echo reply"),
        (v6(GUEST6, 58, &icmp(2, 0)), true, "packet too big"),
        (v4(GUEST4, 1, 0, &icmp(8, 0)), false, "echo request"),
        (v4(GUEST4, 1, 0, &icmp(3, 3)), false, "port unreachable"),
        (v4(GUEST4, 1, 0, &icmp(5, 1)), false, "redirect"),
        (v6(GUEST6, 58, &icmp(128, 0)), false, "echo request"),
    ];
    check(&front(), &rows);
}

#[test]
fn another_link_address_is_refused() {
    let mut frame = v4(GUEST4, 6, 0, &tcp(443, 5000, ACK));
    frame[11] ^= 1;
    assert!(!front().allows(&frame));
}

#[test]
fn every_cut_of_a_good_frame_is_refused() {
    let frame = v4(GUEST4, 6, 0, &tcp(443, 5000, ACK));
    for len in 0..frame.len() {
        assert!(!front().allows(&frame[..len]), "{len} bytes");
    }
}

proptest! {
    #[test]
    fn nothing_panics(frame in proptest::collection::vec(any::<u8>(), 0..128)) {
        let _ = (front().allows(&frame), back().allows(&frame));
    }
}

fn check(egress: &Egress, rows: &[(Vec<u8>, bool, &str)]) {
    for (frame, allowed, what) in rows {
        assert_eq!(egress.allows(frame), *allowed, "{what}");
    }
}
