//! The filter's table: one frame per row, built by hand.

use super::*;
use crate::limits::{CALL_SILENCE_MAX, CALLER_FRESH, CALLERS_MAX, CALLS_MAX, OFFERS_MAX};
use crate::order::{CallBack, Listener};
use proptest::prelude::*;

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const GUEST4: [u8; 4] = [192, 0, 2, 1];
const PEER4: [u8; 4] = [198, 51, 100, 9];
const GUEST6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const PEER6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
const SYN: u8 = 2;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const RST_ACK: u8 = 0x14;
const NOW: Duration = Duration::from_secs(1000);

fn wire() -> Wire {
    Wire { mac: MAC, addresses: vec![IpAddr::from(GUEST4), IpAddr::from(GUEST6)] }
}

fn front() -> Egress {
    Egress::new(wire(), Link::Front { ports: vec![443], calls: None })
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
    check(&mut front(), &rows);
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
    check(&mut back(), &rows);
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
    check(&mut front(), &rows);
    check(&mut back(), &rows);
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
    check(&mut front(), &rows);
}

#[test]
fn another_link_address_is_refused() {
    let mut frame = v4(GUEST4, 6, 0, &tcp(443, 5000, ACK));
    frame[11] ^= 1;
    assert!(!front().allows(&frame, NOW));
}

#[test]
fn every_cut_of_a_good_frame_is_refused() {
    let frame = v4(GUEST4, 6, 0, &tcp(443, 5000, ACK));
    for len in 0..frame.len() {
        assert!(!front().allows(&frame[..len], NOW), "{len} bytes");
    }
}

proptest! {
    #[test]
    fn nothing_panics(frame in proptest::collection::vec(any::<u8>(), 0..128)) {
        let _ = (front().allows(&frame, NOW), back().allows(&frame, NOW));
        let mut egress = calling();
        egress.hears(&frame, NOW);
        let _ = egress.allows(&frame, NOW);
    }
}

fn check(egress: &mut Egress, rows: &[(Vec<u8>, bool, &str)]) {
    for (frame, allowed, what) in rows {
        assert_eq!(egress.allows(frame, NOW), *allowed, "{what}");
    }
}

const DOOR: u16 = 6000;
const CALL_PORT: u16 = 4433;
/// What the guest chooses for its SYN-ACKs: the acknowledgement of it wraps.
const ISN: u32 = u32::MAX;

fn calling() -> Egress {
    let call_back = CallBack { door: Listener { address: None, port: DOOR }, port: CALL_PORT };
    Egress::new(wire(), Link::Front { ports: vec![443, DOOR], calls: Some(Calls::new(call_back)) })
}

/// A segment over IPv4, from a peer to the guest or back.
fn segment(from: ([u8; 4], u16), to: ([u8; 4], u16), flags: u8, sequence: u32, acknowledgement: u32) -> Vec<u8> {
    let mut segment = tcp(from.1, to.1, flags);
    segment[4..8].copy_from_slice(&sequence.to_be_bytes());
    segment[8..12].copy_from_slice(&acknowledgement.to_be_bytes());
    let mut frame = v4(from.0, 6, 0, &segment);
    frame[30..34].copy_from_slice(&to.0);
    if from.0 != GUEST4 {
        frame[6..12].copy_from_slice(&[4; 6]);
    }
    frame
}

fn peer(number: u16) -> [u8; 4] {
    let [high, low] = number.to_be_bytes();
    [10, 1, high, low]
}

/// The guest's SYN-ACK from a port of its.
fn offer(egress: &mut Egress, to: [u8; 4], port: u16) {
    assert!(egress.allows(&segment((GUEST4, port), (to, 5000), SYN_ACK, ISN, 1), NOW));
}

/// A whole connection to the door.
fn call(egress: &mut Egress, from: [u8; 4], now: Duration) {
    offer(egress, from, DOOR);
    egress.hears(&segment((from, 5000), (GUEST4, DOOR), ACK, 1, 0), now);
}

fn may_open(egress: &mut Egress, to: [u8; 4], port: u16, now: Duration) -> bool {
    egress.allows(&segment((GUEST4, 50_000), (to, port), SYN, 7, 0), now)
}

fn may_go_on(egress: &mut Egress, to: [u8; 4], now: Duration) -> bool {
    egress.allows(&segment((GUEST4, 50_000), (to, CALL_PORT), ACK, 8, 9), now)
}

#[test]
fn whoever_came_to_the_door_may_be_called_back_there_and_nowhere_else() {
    let mut egress = calling();
    assert!(!may_open(&mut egress, PEER4, CALL_PORT, NOW), "before");
    call(&mut egress, PEER4, NOW);
    assert!(!may_go_on(&mut egress, PEER4, NOW), "what was not opened");
    assert!(may_open(&mut egress, PEER4, CALL_PORT, NOW));
    assert!(may_go_on(&mut egress, PEER4, NOW));
    assert!(!may_open(&mut egress, PEER4, CALL_PORT + 1, NOW), "another port");
    assert!(!may_open(&mut egress, peer(1), CALL_PORT, NOW), "somebody else");
    let from_another_port = segment((GUEST4, 50_001), (PEER4, CALL_PORT), ACK, 8, 9);
    assert!(!egress.allows(&from_another_port, NOW), "a connection that was not opened");
    let as_another = segment((peer(9), 50_000), (PEER4, CALL_PORT), SYN, 7, 0);
    assert!(!egress.allows(&as_another, NOW), "another's address");
    check(
        &mut egress,
        &[(v4(GUEST4, 6, 0, &tcp(443, 5000, ACK)), true, "what it serves"), (v4(GUEST4, 6, 0, &tcp(443, 5000, SYN)), false, "bare SYN")],
    );
}

#[test]
fn a_call_goes_back_within_its_time_only() {
    let mut egress = calling();
    call(&mut egress, PEER4, NOW);
    assert!(may_open(&mut egress, PEER4, CALL_PORT, NOW + CALLER_FRESH));
    assert!(!may_open(&mut egress, PEER4, CALL_PORT, NOW + CALLER_FRESH + Duration::from_millis(1)));
    call(&mut egress, PEER4, NOW + CALLER_FRESH);
    assert!(may_open(&mut egress, PEER4, CALL_PORT, NOW + CALLER_FRESH + CALLER_FRESH), "who comes again is called again");
}

#[test]
fn only_an_acknowledgement_of_the_doors_own_answer_proves_an_address() {
    let at_door = |flags, ack| segment((PEER4, 5000), (GUEST4, DOOR), flags, 1, ack);
    let rows = [
        (at_door(SYN, 0), "a SYN, whoever sent it"),
        (at_door(SYN_ACK, 0), "a SYN-ACK"),
        (at_door(RST_ACK, 0), "a RST"),
        (at_door(0, 0), "without ACK"),
        (at_door(ACK, ISN), "acknowledges less"),
        (at_door(ACK, 1), "acknowledges more"),
        (segment((PEER4, 5001), (GUEST4, DOOR), ACK, 1, 0), "from another port"),
        (segment((PEER4, 5000), (peer(1), DOOR), ACK, 1, 0), "to somebody else"),
        (segment((PEER4, 5000), (GUEST4, 443), ACK, 1, 0), "to another door"),
    ];
    for (frame, what) in rows {
        let mut egress = calling();
        offer(&mut egress, PEER4, DOOR);
        offer(&mut egress, PEER4, 443);
        egress.hears(&frame, NOW);
        assert!(!may_open(&mut egress, PEER4, CALL_PORT, NOW), "{what}");
        egress.hears(&at_door(ACK, 0), NOW);
        assert!(may_open(&mut egress, PEER4, CALL_PORT, NOW), "nor does it spoil the proof: {what}");
    }
    let mut egress = calling();
    egress.hears(&at_door(ACK, 0), NOW);
    assert!(!may_open(&mut egress, PEER4, CALL_PORT, NOW), "what was never sent");
}

#[test]
fn nobody_is_called_back_who_cannot_be_one_peer_on_a_wire() {
    for address in [[255; 4], [224, 0, 0, 1], [127, 0, 0, 1], [0; 4], GUEST4] {
        let mut egress = calling();
        call(&mut egress, address, NOW);
        assert!(!may_open(&mut egress, address, CALL_PORT, NOW), "{address:?}");
    }
}

#[test]
fn callers_over_ipv6_are_called_back_too() {
    let mut egress = calling();
    let with = |mut segment: Vec<u8>, sequence: u32, ack: u32| {
        segment[4..8].copy_from_slice(&sequence.to_be_bytes());
        segment[8..12].copy_from_slice(&ack.to_be_bytes());
        segment
    };
    assert!(egress.allows(&v6(GUEST6, 6, &with(tcp(DOOR, 5000, SYN_ACK), ISN, 1)), NOW));
    let mut answer = v6(PEER6, 6, &with(tcp(5000, DOOR, ACK), 1, 0));
    answer[38..54].copy_from_slice(&GUEST6);
    assert!(!egress.allows(&v6(GUEST6, 6, &tcp(50_000, CALL_PORT, SYN)), NOW));
    egress.hears(&answer, NOW);
    assert!(egress.allows(&v6(GUEST6, 6, &tcp(50_000, CALL_PORT, SYN)), NOW));
}

#[test]
fn the_oldest_caller_makes_way() {
    let mut egress = calling();
    let count = u16::try_from(CALLERS_MAX).unwrap();
    (0..=count).for_each(|number| call(&mut egress, peer(number), NOW));
    let open: Vec<bool> = (0..=count).map(|number| may_open(&mut egress, peer(number), CALL_PORT, NOW)).collect();
    assert!(!open[0] && open[1..].iter().all(|open| *open));
}

#[test]
fn a_flood_of_syns_keeps_a_bounded_number_of_answers() {
    let mut egress = calling();
    let flood = |egress: &mut Egress, port, count| (0..count).for_each(|number| offer(egress, peer(u16::try_from(number).unwrap()), port));
    offer(&mut egress, PEER4, DOOR);
    flood(&mut egress, DOOR, OFFERS_MAX - 1);
    flood(&mut egress, DOOR, OFFERS_MAX - 1);
    flood(&mut egress, 443, OFFERS_MAX);
    egress.hears(&segment((PEER4, 5000), (GUEST4, DOOR), ACK, 1, 0), NOW);
    assert!(may_open(&mut egress, PEER4, CALL_PORT, NOW), "the last one that there is room for");
    let mut egress = calling();
    offer(&mut egress, PEER4, DOOR);
    flood(&mut egress, DOOR, OFFERS_MAX);
    egress.hears(&segment((PEER4, 5000), (GUEST4, DOOR), ACK, 1, 0), NOW);
    assert!(!may_open(&mut egress, PEER4, CALL_PORT, NOW), "one too many");
}

#[test]
fn a_call_lives_while_its_peer_speaks() {
    let mut egress = calling();
    call(&mut egress, PEER4, NOW);
    assert!(may_open(&mut egress, PEER4, CALL_PORT, NOW));
    let heard = |flags| segment((PEER4, CALL_PORT), (GUEST4, 50_000), flags, 9, 8);
    let later = NOW + CALL_SILENCE_MAX;
    assert!(may_go_on(&mut egress, PEER4, later), "the guest's own word prolongs nothing");
    egress.hears(&heard(RST_ACK), later);
    assert!(!may_go_on(&mut egress, PEER4, later + Duration::from_millis(1)), "nor does a RST");
    egress.hears(&heard(ACK), later);
    assert!(may_go_on(&mut egress, PEER4, later + CALL_SILENCE_MAX));
    let over = later + CALL_SILENCE_MAX + Duration::from_millis(1);
    assert!(!may_go_on(&mut egress, PEER4, over));
    egress.hears(&heard(ACK), over);
    assert!(!may_go_on(&mut egress, PEER4, over), "nothing brings it back");
    call(&mut egress, PEER4, over);
    assert!(may_open(&mut egress, PEER4, CALL_PORT, over) && may_go_on(&mut egress, PEER4, over), "but a new one");
}

#[test]
fn calls_are_bounded_and_the_most_silent_makes_way() {
    let mut egress = calling();
    call(&mut egress, PEER4, NOW);
    let from = |number: usize| u16::try_from(10_000 + number).unwrap();
    let say =
        |egress: &mut Egress, number, flags, now| egress.allows(&segment((GUEST4, from(number)), (PEER4, CALL_PORT), flags, 7, 0), now);
    let second = Duration::from_secs(1);
    (0..CALLS_MAX).for_each(|number| assert!(say(&mut egress, number, SYN, if number == 1 { NOW } else { NOW + second })));
    egress.hears(&segment((PEER4, CALL_PORT), (GUEST4, from(1)), ACK, 9, 8), NOW + second * 3);
    egress.hears(&segment((PEER4, CALL_PORT), (GUEST4, from(0)), ACK, 9, 8), NOW + second * 2);
    (2..CALLS_MAX).for_each(|number| egress.hears(&segment((PEER4, CALL_PORT), (GUEST4, from(number)), ACK, 9, 8), NOW + second * 4));
    assert!(say(&mut egress, CALLS_MAX, SYN, NOW + second * 5));
    assert!(!say(&mut egress, 0, ACK, NOW + second * 5), "was silent for longest");
    assert!((1..=CALLS_MAX).all(|number| say(&mut egress, number, ACK, NOW + second * 5)));
}

#[test]
fn without_a_call_back_nobody_is_called_and_a_back_link_listens_to_nobody() {
    let mut egress = Egress::new(wire(), Link::Front { ports: vec![443, DOOR], calls: None });
    call(&mut egress, PEER4, NOW);
    assert!(!may_open(&mut egress, PEER4, CALL_PORT, NOW));
    let mut egress = back();
    egress.hears(&segment((peer(1), 5000), (GUEST4, DOOR), ACK, 1, 0), NOW);
    assert!(!may_open(&mut egress, peer(1), CALL_PORT, NOW));
}
