//! How flows end: in order, by half, by force, by patience lost.

use core::time::Duration;

use crate::support::raw::{ACK, FIN, RST, Raw, Seg};
use crate::support::{Family, Party, Wire, config, exchange, pattern};
use net::{CloseReason, Event};

#[test]
fn each_half_closes_by_itself() {
    for family in [Family::V4, Family::V6] {
        for client_first in [true, false] {
            let mut wire = Wire::of(family);
            let (theirs, ours) = wire.connect(family);
            if client_first {
                wire.client.shutdown(ours);
            } else {
                wire.server.shutdown(theirs);
            }
            wire.run_until(wire.now + Duration::from_secs(20));
            // The other half still carries data, long after.
            let (mut server, mut client) = (Party::new(theirs, pattern(50_000, 1)), Party::new(ours, pattern(50_000, 2)));
            if client_first {
                client.to_send.clear();
            } else {
                server.to_send.clear();
            }
            exchange(&mut wire, &mut server, &mut client);
            assert!(server.received == client.to_send && client.received == server.to_send);
            wire.run_until(wire.now + Duration::from_secs(40));
            let (server, client) = (wire.server.counters(), wire.client.counters());
            assert_eq!((server.flows, server.time_waits, client.flows, client.time_waits), (0, 0, 0, 0));
            assert_eq!((server.resets_sent, client.resets_sent), (0, 0));
        }
    }
}

#[test]
fn what_a_finished_peer_has_sent_waits_for_a_slow_reader() {
    for family in [Family::V4, Family::V6] {
        let mut wire = Wire::of(family);
        let (theirs, ours) = wire.connect(family);
        // Who finishes first is the one whose TIME-WAIT it is.
        wire.server.shutdown(theirs);
        wire.run_until(wire.now + Duration::from_secs(1));
        let said = pattern(3_000, 9);
        wire.client.send(ours, |room| (said.len(), room[..said.len()].copy_from_slice(&said))).unwrap();
        wire.client.shutdown(ours);
        wire.run_until(wire.now + Duration::from_secs(1));
        // A part of it now, and the rest long after smoltcp would have been done with the connection.
        let mut heard = wire.server.recv(theirs, |bytes| (1_000, bytes[..1_000].to_vec())).unwrap();
        wire.run_until(wire.now + Duration::from_secs(120));
        assert_eq!(wire.server.readable(theirs), 2_000);
        heard.extend(wire.server.recv(theirs, |bytes| (bytes.len(), bytes.to_vec())).unwrap());
        assert!(heard == said);
        wire.run_until(wire.now + Duration::from_secs(40));
        let counters = wire.server.counters();
        assert_eq!((counters.flows, counters.time_waits, counters.resets_sent), (0, 0, 0));
    }
}

#[test]
fn a_send_ring_grows_although_the_peer_has_sent_its_fin() {
    for family in [Family::V4, Family::V6] {
        let mut wire = Wire::of(family);
        let (theirs, ours) = wire.connect(family);
        wire.client.send(ours, |room| (3, room[..3].copy_from_slice(b"ask"))).unwrap();
        wire.client.shutdown(ours);
        wire.run_until(wire.now + Duration::from_secs(1));
        // What the peer sent before its FIN is still unread, and stays so over the move to larger rings.
        wire.server.want_room(theirs, 16_645);
        wire.run_until(wire.now + Duration::from_secs(1));
        assert!(wire.server.writable(theirs) >= 16_645, "room for {}", wire.server.writable(theirs));
        let asked = wire.server.recv(theirs, |bytes| (bytes.len(), bytes.to_vec())).unwrap();
        assert_eq!(asked, b"ask");
        let (mut server, mut client) = (Party::new(theirs, pattern(500_000, 1)), Party::new(ours, Vec::new()));
        exchange(&mut wire, &mut server, &mut client);
        assert!(client.received == server.to_send);
        wire.run_until(wire.now + Duration::from_secs(40));
        assert_eq!((wire.server.counters().flows, wire.client.counters().flows), (0, 0));
        assert_eq!((wire.server.counters().resets_sent, wire.client.counters().resets_sent), (0, 0));
    }
}

#[test]
fn close_delivers_what_was_queued_although_the_peer_goes_on_sending() {
    let mut raw = Raw::new(Family::V4);
    let hand = raw.handshake(50_000, 7);
    let unread = Seg { payload: vec![1; 1000], ..raw.seg(hand.port, ACK, hand.seq, hand.ack) };
    raw.say(&unread);
    raw.net.send(hand.flow, |room| (5, room[..5].copy_from_slice(b"alert"))).unwrap();
    raw.net.close(hand.flow, raw.now);
    let answers = raw.answers();
    assert_eq!((answers[0].flags & (FIN | RST), &answers[0].payload[..]), (FIN, &b"alert"[..]), "the alert and a FIN, no RST");
    let mut seq = hand.seq.wrapping_add(1000);
    for _ in 0..20 {
        let more = Seg { payload: vec![2; 1000], ..raw.seg(hand.port, ACK, seq, hand.ack) };
        seq = seq.wrapping_add(1000);
        assert!(raw.say(&more).iter().all(|answer| answer.flags & RST == 0));
    }
    let last = raw.say(&raw.seg(hand.port, FIN | ACK, seq, hand.ack.wrapping_add(6)));
    assert_eq!(last.last().map(|answer| (answer.flags, answer.ack)), Some((ACK, seq.wrapping_add(1))));
    let counters = raw.net.counters();
    assert_eq!((counters.flows, counters.time_waits, counters.resets_sent), (0, 1, 0));
    assert!(!raw.events().iter().any(|event| matches!(event, Event::Closed { .. })), "the user has let go");
}

#[test]
fn the_drain_after_close_is_bounded_in_bytes_and_time() {
    let mut raw = Raw::new(Family::V4);
    let hand = raw.handshake(50_000, 7);
    raw.net.close(hand.flow, raw.now);
    raw.frames();
    let mut seq = hand.seq;
    let mut reset = false;
    for _ in 0..400 {
        let more = Seg { payload: vec![2; 1000], ..raw.seg(hand.port, ACK, seq, hand.ack.wrapping_add(1)) };
        seq = seq.wrapping_add(1000);
        reset |= raw.say(&more).iter().any(|answer| answer.flags & RST != 0);
    }
    assert!(reset && raw.net.counters().flows == 0, "beyond the bound of bytes");

    let hand = raw.handshake(50_001, 7);
    raw.net.close(hand.flow, raw.now);
    raw.wait(Duration::from_secs(11));
    assert_eq!((raw.net.counters().flows, raw.net.deadline()), (0, None), "beyond the bound of time");
}

#[test]
fn a_shut_window_is_probed_and_then_given_up() {
    let mut raw = Raw::new(Family::V4);
    let hand = raw.handshake(50_000, 7);
    let shut = |raw: &Raw, ack: u32| Seg { window: 0, ..raw.seg(hand.port, ACK, hand.seq, ack) };
    raw.say(&shut(&raw, hand.ack));
    raw.net.send(hand.flow, |room| (room.len(), room.fill(1))).unwrap();
    let mut probes = 0;
    let begin = raw.now;
    let closed = loop {
        raw.now = raw.net.deadline().unwrap().max(raw.now);
        raw.net.handle_timeout(raw.now);
        let answers = raw.answers();
        probes += answers.iter().filter(|answer| answer.payload.len() == 1).count();
        raw.say(&shut(&raw, hand.ack));
        if let Some(closed) = raw.events().into_iter().find(|event| matches!(event, Event::Closed { .. })) {
            break closed;
        }
    };
    assert_eq!(closed, Event::Closed { flow: hand.flow, reason: CloseReason::PeerStalled });
    assert!(probes >= 3 && (30..33).contains(&(raw.now - begin).as_secs()), "{probes} probes, {:?}", raw.now - begin);
}

/// A probe went beyond the shut window, and the peer has not taken it: it takes a RST only where it stands (RFC 5961 section 3.2).
#[test]
fn a_peer_with_a_shut_window_takes_the_reset() {
    let mut raw = Raw::new(Family::V4);
    let hand = raw.handshake(50_000, 7);
    let shut = Seg { window: 0, ..raw.seg(hand.port, ACK, hand.seq, hand.ack) };
    raw.say(&shut);
    raw.net.send(hand.flow, |room| (room.len(), room.fill(1))).unwrap();
    let (mut probed, mut reset) = (false, None);
    while reset.is_none() {
        raw.now = raw.net.deadline().unwrap().max(raw.now);
        raw.net.handle_timeout(raw.now);
        let answers = [raw.answers(), raw.say(&shut)].concat();
        probed |= answers.iter().any(|answer| answer.payload.len() == 1);
        reset = answers.into_iter().find(|answer| answer.flags & RST != 0);
    }
    assert_eq!((probed, reset.map(|reset| reset.seq)), (true, Some(hand.ack)));
}

#[test]
fn a_window_that_opens_by_single_bytes_does_not_hold_a_flow_for_ever() {
    let mut raw = Raw::new(Family::V4);
    let mut hand = raw.handshake(50_000, 7);
    raw.say(&Seg { window: 0, ..raw.seg(hand.port, ACK, hand.seq, hand.ack) });
    raw.net.send(hand.flow, |room| (room.len(), room.fill(1))).unwrap();
    let begin = raw.now;
    while raw.net.counters().flows > 0 && raw.now - begin < Duration::from_secs(62) {
        raw.now = raw.net.deadline().unwrap().max(raw.now);
        raw.net.handle_timeout(raw.now);
        let taken: usize = raw.answers().iter().map(|answer| answer.payload.len()).sum();
        hand.ack = hand.ack.wrapping_add(taken as u32);
        raw.say(&Seg { window: 0, ..raw.seg(hand.port, ACK, hand.seq, hand.ack) });
    }
    assert_eq!(raw.net.counters().flows, 0, "held for {:?}", raw.now - begin);
}

#[test]
fn a_peer_that_falls_silent_is_given_up() {
    let mut raw = Raw::new(Family::V4);
    let hand = raw.handshake(50_000, 7);
    raw.net.send(hand.flow, |room| (100, room[..100].fill(1))).unwrap();
    let mut resent = 0;
    let begin = raw.now;
    raw.frames();
    while raw.net.counters().flows > 0 {
        raw.now = raw.net.deadline().unwrap().max(raw.now);
        raw.net.handle_timeout(raw.now);
        resent += raw.answers().iter().filter(|answer| answer.payload.len() == 100).count();
    }
    assert_eq!(raw.events().last(), Some(&Event::Closed { flow: hand.flow, reason: CloseReason::PeerSilent }));
    assert!((3..10).contains(&resent) && (60..62).contains(&(raw.now - begin).as_secs()), "{resent} in {:?}", raw.now - begin);
}

#[test]
fn keep_alive_finds_a_dead_peer_and_spares_a_living_one() {
    let mut kept = config(Family::V4, true);
    kept.limits.keepalive = Some(Duration::from_secs(20));
    let mut raw = Raw::with(Family::V4, kept);
    let hand = raw.handshake(50_000, 7);
    for _ in 0..10 {
        raw.wait(Duration::from_secs(25));
        raw.say(&raw.seg(hand.port, ACK, hand.seq, hand.ack));
    }
    assert_eq!(raw.net.counters().flows, 1);
    raw.wait(Duration::from_secs(41));
    assert_eq!(raw.events(), [Event::Closed { flow: hand.flow, reason: CloseReason::PeerSilent }]);
}

#[test]
fn an_idle_flow_lives_for_ever_and_sets_no_timer() {
    let mut raw = Raw::new(Family::V4);
    let mut hand = raw.handshake(50_000, 7);
    raw.wait(Duration::from_secs(100_000));
    assert_eq!(raw.net.deadline(), None);
    assert!(raw.works(&mut hand));
}

#[test]
fn abort_resets_at_once() {
    let mut raw = Raw::new(Family::V4);
    let hand = raw.handshake(50_000, 7);
    raw.net.abort(hand.flow);
    let answers = raw.answers();
    assert_eq!((answers[0].flags, answers[0].seq, answers[0].ack), (RST | ACK, hand.ack, hand.seq));
    assert_eq!((raw.net.counters().flows, raw.events()), (0, vec![]));
    assert!(raw.net.recv(hand.flow, |_| (0, ())).is_err());
}

#[test]
fn names_of_flows_that_are_gone_name_nothing() {
    let mut raw = Raw::new(Family::V4);
    let first = raw.handshake(50_000, 7);
    raw.net.abort(first.flow);
    raw.frames();
    let mut second = raw.handshake(50_001, 7);
    assert_eq!(first.flow.index(), second.flow.index(), "the slot is used again");
    raw.net.abort(first.flow);
    raw.net.close(first.flow, raw.now);
    raw.net.shutdown(first.flow);
    assert!(raw.works(&mut second));
}

#[test]
fn a_refused_connection_says_so() {
    let mut wire = Wire::of(Family::V4);
    let nowhere = core::net::SocketAddr::new(Family::V4.server(), 81);
    let flow = wire.client.connect(nowhere, None, wire.now).unwrap();
    wire.run_until(wire.now + Duration::from_secs(1));
    assert_eq!(wire.client.poll_event(), Some(Event::Closed { flow, reason: CloseReason::PeerRefused }));
    assert_eq!(wire.client.counters().flows, 0);
}

#[test]
fn a_connection_to_nobody_times_out() {
    let mut wire = Wire::of(Family::V4);
    let flow = wire.client.connect("192.0.2.99:1".parse().unwrap(), None, wire.now).unwrap();
    wire.run_until(wire.now + Duration::from_secs(11));
    assert_eq!(wire.client.poll_event(), Some(Event::Closed { flow, reason: CloseReason::Unreachable }));
    wire.faults.loss = 1000;
    let mut pinned = config(Family::V4, false);
    pinned.gateways = vec![net::Gateway { address: Family::V4.server(), mac: Some(crate::support::SERVER_MAC) }];
    let mut wire = Wire::new(config(Family::V4, true), pinned);
    wire.faults.loss = 1000;
    let flow = wire.client.connect(Family::V4.service(), None, wire.now).unwrap();
    wire.run_until(wire.now + Duration::from_secs(11));
    assert_eq!(wire.client.poll_event(), Some(Event::Closed { flow, reason: CloseReason::ConnectTimeout }));
}

#[test]
fn closing_both_ends_at_once_ends_in_order() {
    let mut wire = Wire::of(Family::V4);
    let (theirs, ours) = wire.connect(Family::V4);
    wire.server.close(theirs, wire.now);
    wire.client.close(ours, wire.now);
    wire.run_until(wire.now + Duration::from_secs(40));
    let (server, client) = (wire.server.counters(), wire.client.counters());
    assert_eq!((server.flows, client.flows, server.resets_sent, client.resets_sent), (0, 0, 0, 0));
}

/// Its first sequence numbers follow a clock of 4 us, which bulk outruns: its SYN looks old to a server that lingers.
#[test]
fn a_client_comes_back_at_once_between_the_same_ends_after_bulk() {
    for family in [Family::V4, Family::V6] {
        let mut wire = Wire::of(family);
        let local = Some((family.client(), 50_000).into());
        for round in 0..3 {
            let began = wire.now;
            let (theirs, ours) = wire.connect_from(family, local);
            assert!(wire.now - began < Duration::from_millis(10), "{family:?}, round {round}: it took {:?}", wire.now - began);
            let (mut server, mut client) = (Party::new(theirs, Vec::new()), Party::new(ours, pattern(500_000, round)));
            // The server is the first to end.
            wire.server.shutdown(theirs);
            wire.run_until(wire.now + Duration::from_millis(1));
            // No longer than it takes: what lingers is not to have gone by itself.
            while server.received.len() < client.to_send.len() || !client.shut {
                server.turn(&mut wire.server);
                client.turn(&mut wire.client);
                assert!(wire.step());
                assert!(
                    wire.now - began < Duration::from_secs(2),
                    "{family:?}, round {round}: {} of {} after {:?}",
                    server.received.len(),
                    client.sent,
                    wire.now - began
                );
            }
            wire.run_until(wire.now + Duration::from_millis(1));
            while wire.client.poll_event().is_some() {}
            assert!(server.received == client.to_send);
            assert_eq!((wire.server.counters().time_waits, wire.client.counters().time_waits), (1, 0));
        }
    }
}
