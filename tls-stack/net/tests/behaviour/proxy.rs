//! What the tender does with its own `Net`: it speaks for addresses that are not its own, and listens on addresses that do not exist.

use core::net::{IpAddr, SocketAddr};

use net::{CloseReason, Config, ConnectFault, Event, FlowId, Gateway, Listen, Net, Trust};

use crate::support::raw::{ACK, RST, Raw, SYN, Seg, parse};
use crate::support::{CLIENT_MAC, Family, Party, SERVER_MAC, Wire, config, exchange, pattern};

fn private(server: bool, gateway: &str) -> Config {
    let mac = if server { CLIENT_MAC } else { SERVER_MAC };
    let gateways = vec![Gateway { address: gateway.parse().unwrap(), mac: Some(mac) }];
    Config { trust: Trust::Private, gateways, ..config(Family::V4, server) }
}

#[test]
fn a_private_wire_may_speak_for_the_real_client() {
    let mut wire = Wire::new(private(true, "192.0.2.2"), private(false, "192.0.2.1"));
    let client: SocketAddr = "203.0.113.9:41000".parse().unwrap();
    let ours = wire.client.connect(Family::V4.service(), Some(client), wire.now).unwrap();
    while wire.step() {}
    let Some(Event::Accepted { peer, local, .. }) = wire.server.poll_event() else { panic!() };
    assert_eq!((peer, local), (client, Family::V4.service()));
    assert_eq!(wire.client.poll_event(), Some(Event::Connected(ours)));
    assert_eq!(wire.client.connect(Family::V4.service(), Some(client), wire.now), Err(ConnectFault::InUse));
}

#[test]
fn a_public_wire_may_not() {
    let mut net = Net::new(config(Family::V4, false), [1; 32], core::time::Duration::ZERO).unwrap();
    let foreign = Some("203.0.113.9:41000".parse().unwrap());
    assert_eq!(net.connect(Family::V4.service(), foreign, core::time::Duration::ZERO), Err(ConnectFault::ForeignSource));
    assert_eq!(net.connect("[2001:db8::1]:1".parse().unwrap(), None, core::time::Duration::ZERO), Err(ConnectFault::Unroutable));
    assert_eq!(net.connect("198.51.100.1:1".parse().unwrap(), None, core::time::Duration::ZERO), Err(ConnectFault::Unroutable));
}

/// A guest on its public side, over the user net: its gateway is pinned, and peers are anywhere, this host's own loopback included.
#[test]
fn a_guest_calls_back_any_unicast_peer_over_a_private_wire() {
    let peers = [
        (Family::V4, ["127.0.0.1:4433", "127.255.0.9:4433", "203.0.113.9:4433", "10.0.0.7:4433", "192.0.2.77:4433"]),
        (Family::V6, ["[::1]:4433", "[fe80::7]:4433", "[2001:db8:9::1]:4433", "[fd00::1]:4433", "[2001:db8::77]:4433"]),
    ];
    for (family, peers) in peers {
        let pinned = |address: IpAddr, mac| vec![Gateway { address, mac: Some(mac) }];
        let peers = peers.map(|peer| peer.parse::<SocketAddr>().unwrap());
        // The far end listens where the peers are, and the near end has nobody else on its link.
        let mut far = Config { trust: Trust::Private, gateways: pinned(family.client(), CLIENT_MAC), ..config(family, true) };
        far.listen = peers.iter().map(|peer| Listen { address: Some(peer.ip()), port: peer.port() }).collect();
        let mut near = Config { trust: Trust::Private, gateways: pinned(family.server(), SERVER_MAC), ..config(family, false) };
        near.addresses[0].prefix_len = if family == Family::V4 { 32 } else { 128 };
        let mut wire = Wire::new(far, near);
        for peer in peers {
            let ours = wire.client.connect(peer, None, wire.now).unwrap();
            let theirs = accepted(&mut wire, ours);
            talk(&mut wire, theirs, ours);
        }
    }
}

#[test]
fn a_public_wire_calls_back_on_its_link_and_through_a_gateway_that_it_must_ask_for() {
    for (family, off_link) in [(Family::V4, "198.51.100.9:443"), (Family::V6, "[2001:db8:9::9]:443")] {
        let off_link: SocketAddr = off_link.parse().unwrap();
        let near = || Config { gateways: vec![Gateway { address: family.server(), mac: None }], ..config(family, false) };
        // On the link: the peer itself is asked for its link address.
        let mut wire = Wire::new(config(family, true), near());
        let (theirs, ours) = wire.connect(family);
        talk(&mut wire, theirs, ours);
        // Off the link: a host behind the gateway, which routes for it.
        let mut far = Config { trust: Trust::Private, ..config(family, true) };
        far.listen = vec![Listen { address: Some(off_link.ip()), port: off_link.port() }];
        let mut wire = Wire::new(far, near());
        let ours = wire.client.connect(off_link, None, wire.now).unwrap();
        let theirs = accepted(&mut wire, ours);
        talk(&mut wire, theirs, ours);
        let mut lost = Net::new(config(family, false), [1; 32], wire.now).unwrap();
        assert_eq!(lost.connect(off_link, None, wire.now), Err(ConnectFault::Unroutable), "nobody routes");
    }
}

/// Waits for both ends of a connection that was begun.
fn accepted(wire: &mut Wire, ours: FlowId) -> FlowId {
    let (mut theirs, mut connected) = (None, false);
    for _ in 0..10_000 {
        while let Some(event) = wire.server.poll_event() {
            if let Event::Accepted { flow, .. } = event {
                theirs = Some(flow);
            }
        }
        while let Some(event) = wire.client.poll_event() {
            connected |= event == Event::Connected(ours);
        }
        match theirs {
            Some(theirs) if connected => return theirs,
            _ => assert!(wire.step(), "nothing left to wait for"),
        }
    }
    panic!("no connection");
}

/// Bytes both ways, and both ends.
fn talk(wire: &mut Wire, theirs: FlowId, ours: FlowId) {
    let mut far = Party::new(theirs, pattern(5000, 1));
    let mut near = Party::new(ours, pattern(7000, 2));
    exchange(wire, &mut far, &mut near);
    assert!(far.received == near.to_send && near.received == far.to_send);
}

#[test]
fn virtual_addresses_are_served_and_nothing_beside_them() {
    let service: SocketAddr = "100.64.0.7:8080".parse().unwrap();
    let mut server = private(true, "192.0.2.2");
    server.listen = vec![Listen { address: Some(service.ip()), port: service.port() }];
    let mut wire = Wire::new(server, private(false, "192.0.2.1"));
    let ours = wire.client.connect(service, None, wire.now).unwrap();
    let other = wire.client.connect("100.64.0.8:8080".parse().unwrap(), None, wire.now).unwrap();
    while wire.step() {}
    let Some(Event::Accepted { local, .. }) = wire.server.poll_event() else { panic!() };
    assert_eq!((local, wire.server.poll_event()), (service, None));
    assert_eq!(wire.client.poll_event(), Some(Event::Connected(ours)));
    assert_eq!(wire.client.poll_event(), Some(Event::Closed { flow: other, reason: CloseReason::ConnectTimeout }));
}

#[test]
fn a_syn_that_its_user_refuses_is_answered_as_by_a_closed_port_and_nothing_else_is() {
    for family in [Family::V4, Family::V6] {
        let mut raw = Raw::new(family);
        let refuse = |raw: &mut Raw, port, flags, seq| {
            raw.net.refuse(&raw.seg(port, flags, seq, 5).frame(), net::Offload::default());
            raw.answers()
        };
        // More than the bucket of unasked-for RSTs has room for: each SYN has its answer.
        for port in 1000..1500 {
            let answers = refuse(&mut raw, port, SYN, 700);
            assert_eq!((answers[0].flags, answers[0].ack, answers.len()), (RST | ACK, 701, 1));
        }
        for flags in [ACK, SYN | ACK, RST] {
            assert_eq!(refuse(&mut raw, 50_000, flags, 700), []);
        }
        let mut hand = raw.handshake(50_001, 7);
        assert_eq!(refuse(&mut raw, 50_001, SYN, 7), [], "a flow that stands is not refused");
        assert!(raw.works(&mut hand));
        raw.net.refuse(b"no frame at all", net::Offload::default());
        assert_eq!(raw.frames().len(), 0);
    }
}

/// A peer by hand for a connection that we begin.
fn dialled() -> (Raw, u16, u32) {
    let mut pinned = config(Family::V4, true);
    pinned.gateways = vec![Gateway { address: Family::V4.client(), mac: Some(CLIENT_MAC) }];
    let mut raw = Raw::with(Family::V4, pinned);
    raw.net.connect(SocketAddr::new(Family::V4.client(), 443), None, raw.now).unwrap();
    let frames = raw.frames();
    let syn = parse(&frames[0]).unwrap();
    assert_eq!(syn.flags, SYN);
    (raw, u16::from_be_bytes([frames[0][34], frames[0][35]]), syn.seq)
}

#[test]
fn two_syns_that_cross_make_one_connection() {
    let (mut raw, port, ours) = dialled();
    let to_us = |raw: &Raw, flags, seq, ack| Seg { to_port: port, ..raw.seg(443, flags, seq, ack) };
    let answers = raw.say(&to_us(&raw, SYN, 700, 0));
    assert_eq!((answers[0].flags, answers[0].seq, answers[0].ack), (SYN | ACK, ours, 701));
    raw.say(&to_us(&raw, ACK, 701, ours.wrapping_add(1)));
    assert!(matches!(raw.events()[..], [Event::Connected(_)]));
}

#[test]
fn what_does_not_answer_our_syn_does_not_end_the_attempt() {
    let (mut raw, port, ours) = dialled();
    let to_us = |raw: &Raw, flags, seq, ack| Seg { to_port: port, ..raw.seg(443, flags, seq, ack) };
    for (flags, ack, answer) in [
        (RST | ACK, ours, None),
        (RST, 0, None),
        (ACK, ours, Some(RST)),
        (SYN | ACK, ours.wrapping_add(2), Some(RST)),
        (ACK, ours.wrapping_add(1), None),
    ] {
        let answers = raw.say(&to_us(&raw, flags, 700, ack));
        assert_eq!(answers.first().map(|answer| answer.flags), answer, "{flags:05b}");
    }
    assert_eq!(raw.events(), []);
    let answers = raw.say(&to_us(&raw, SYN | ACK, 700, ours.wrapping_add(1)));
    assert_eq!((answers[0].flags, answers[0].seq, answers[0].ack), (ACK, ours.wrapping_add(1), 701));
    assert!(matches!(raw.events()[..], [Event::Connected(_)]));
    let again = raw.say(&to_us(&raw, SYN | ACK, 700, ours.wrapping_add(1)));
    assert_eq!((again[0].flags, again[0].ack), (ACK, 701), "our ACK was lost: it is said again");
}
