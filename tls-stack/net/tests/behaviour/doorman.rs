//! What the doorman answers, what it passes over in silence, and what it remembers: nothing.

use core::net::IpAddr;
use core::time::Duration;

use crate::support::raw::{ACK, FIN, OPTIONS, RST, Raw, SYN, Seg};
use crate::support::{CLIENT_MAC, Family, Rng, SERVER_MAC, config};
use net::Event;

const BOTH: [Family; 2] = [Family::V4, Family::V6];

#[test]
fn a_syn_ack_repeats_what_the_syn_offers_and_no_more() {
    for family in BOTH {
        let mut raw = Raw::new(family);
        let mss: [u8; 2] = if family == Family::V4 { 1460u16 } else { 1440 }.to_be_bytes();
        let full = raw.syn(50_000, 7);
        assert_eq!(full.options, [2, 4, mss[0], mss[1], 3, 3, 2, 4, 2, 0, 0, 0]);
        let bare = raw.say(&raw.seg(50_001, SYN, 7, 0));
        assert_eq!(bare[0].options, [], "a SYN without options gets none back");
    }
}

#[test]
fn answers_to_unproven_sources_are_never_longer_than_the_question() {
    for family in BOTH {
        let mut raw = Raw::new(family);
        for options in [vec![], vec![2, 4, 5, 180], vec![3, 3, 7, 0], vec![4, 2, 0, 0], OPTIONS.to_vec()] {
            for flags in [SYN, ACK, FIN | ACK, SYN | ACK] {
                let seg = Seg { options: options.clone(), ..raw.seg(50_000, flags, 7, 9) };
                let asked = seg.frame().len().max(60);
                let answers = raw.say(&seg);
                assert!(answers.iter().map(|answer| answer.frame_len).sum::<usize>() <= asked, "{options:?} {flags}");
            }
        }
        raw.wait(Duration::from_secs(120));
        assert_eq!(raw.frames().len(), 0, "a SYN-ACK is never repeated");
    }
}

#[test]
fn a_flood_of_a_hundred_thousand_spoofed_syns_leaves_nothing_behind() {
    let mut raw = Raw::new(Family::V4);
    let mut rng = Rng(1);
    let before = *raw.net.counters();
    for _ in 0..100_000 {
        let from = IpAddr::from([11, rng.next() as u8, rng.next() as u8, 1 + (rng.next() % 250) as u8]);
        let seg = Seg { from, options: OPTIONS.to_vec(), ..raw.seg(1024 + (rng.next() % 60_000) as u16, SYN, rng.next() as u32, 0) };
        assert_eq!(raw.say(&seg).len(), 1);
        assert_eq!(raw.net.deadline(), None, "no timer");
    }
    let after = raw.net.counters();
    assert_eq!((after.flows, after.cookies_sent - before.cookies_sent), (0, 100_000));
    assert_eq!(raw.events(), []);
    let mut hand = raw.handshake(50_000, 1);
    assert!(raw.works(&mut hand), "a legitimate client is served after it");
}

#[test]
fn a_flood_without_transmission_is_bounded_too() {
    let mut raw = Raw::new(Family::V4);
    for i in 0..100_000u32 {
        let from = IpAddr::from((0x0b00_0001 + (i << 4)).to_be_bytes());
        raw.give(&Seg { from, ..raw.seg(50_000, SYN, i, 0) }.frame());
    }
    assert!(raw.frames().len() < 3000);
    assert!(raw.net.counters().replies_suppressed > 90_000);
}

#[test]
fn forged_expired_and_foreign_cookies_make_no_flow() {
    for family in BOTH {
        let mut raw = Raw::new(family);
        let cookie = raw.syn(50_000, 7).seq;
        let mut rng = Rng(3);
        for _ in 0..1000 {
            raw.say(&raw.seg(50_000, ACK, 8, rng.next() as u32));
        }
        raw.say(&raw.seg(50_001, ACK, 8, cookie.wrapping_add(1)));
        raw.say(&raw.seg(50_000, ACK, 8, cookie));
        raw.wait(Duration::from_secs(65));
        raw.say(&raw.seg(50_000, ACK, 8, cookie.wrapping_add(1)));
        assert_eq!((raw.events(), raw.net.counters().flows), (vec![], 0));
        // One guess in 4096 has the tag right, and is dropped without a RST.
        assert_eq!(raw.net.counters().cookies_refused + raw.net.counters().dropped_out_of_window, 1003);
    }
}

#[test]
fn a_replayed_cookie_makes_no_second_flow() {
    let mut raw = Raw::new(Family::V4);
    let mut hand = raw.handshake(50_000, 7);
    for _ in 0..100 {
        raw.say(&raw.seg(50_000, ACK, hand.seq, hand.ack));
    }
    assert_eq!((raw.events(), raw.net.counters().flows), (vec![], 1));
    assert!(raw.works(&mut hand));
}

#[test]
fn data_that_overtakes_the_ack_is_no_reason_for_a_reset() {
    let mut raw = Raw::new(Family::V4);
    let cookie = raw.syn(50_000, 7).seq.wrapping_add(1);
    let second = Seg { payload: b"lo".to_vec(), ..raw.seg(50_000, ACK, 11, cookie) };
    assert_eq!(raw.say(&second), []);
    let first = Seg { payload: b"hel".to_vec(), ..raw.seg(50_000, ACK, 8, cookie) };
    raw.say(&first);
    raw.say(&second);
    let Some(Event::Accepted { flow, .. }) = raw.net.poll_event() else { panic!() };
    assert_eq!(raw.net.recv(flow, |bytes| (bytes.len(), bytes.to_vec())).unwrap(), b"hello");
}

#[test]
fn limits_on_flows_hold_for_a_source_and_for_all() {
    let mut limited = config(Family::V4, true);
    (limited.limits.flows, limited.limits.flows_per_source) = (5, 2);
    let mut raw = Raw::with(Family::V4, limited);
    let mut open = 0;
    for (i, from) in [(0u16, 1u8), (1, 1), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (7, 4)] {
        let from = IpAddr::from([198, 51, 100, from]);
        let answers = raw.say(&Seg { from, ..raw.seg(50_000 + i, SYN, 7, 0) });
        let Some(answer) = answers.first() else { continue };
        raw.say(&Seg { from, ..raw.seg(50_000 + i, ACK, 8, answer.seq.wrapping_add(1)) });
        open += raw.events().len();
    }
    let counters = raw.net.counters();
    assert_eq!((open, counters.flows), (5, 5));
    assert_eq!((counters.refused_by_source, counters.refused_by_limit, counters.refused_by_memory), (2, 1, 0));
}

#[test]
fn whoever_never_ends_a_closed_flow_makes_way_for_a_newcomer_and_the_oldest_goes_first() {
    let mut limited = config(Family::V4, true);
    limited.limits.flows = 3;
    let mut raw = Raw::with(Family::V4, limited);
    let hands: Vec<_> = (0..3).map(|n| raw.handshake(50_000 + n, 7)).collect();
    raw.net.close(hands[1].flow, raw.now);
    raw.net.close(hands[0].flow, raw.now);
    raw.answers();
    assert_eq!((raw.net.counters().flows, raw.net.counters().closing), (3, 2));
    raw.syn(51_000, 7);
    assert_eq!(raw.net.counters().closed_early, 0, "a SYN proves nothing");
    let cookie = raw.syn(52_000, 7).seq.wrapping_add(1);
    let told = raw.say(&raw.seg(52_000, ACK, 8, cookie));
    assert_eq!(raw.events().len(), 1, "only the newcomer's: whoever closes a flow hears nothing more of it");
    assert!(matches!(told.as_slice(), [answer] if answer.flags & RST != 0 && answer.ack == hands[1].seq), "{told:?}");
    assert_eq!((raw.net.counters().flows, raw.net.counters().closing, raw.net.counters().closed_early), (3, 1, 1));
    // The one that was closed second lives on, and ends in order.
    let last = raw.seg(hands[0].port, FIN | ACK, hands[0].seq, hands[0].ack.wrapping_add(1));
    raw.say(&last);
    assert_eq!((raw.net.counters().flows, raw.net.counters().closing, raw.net.counters().time_waits), (2, 0, 1));
    raw.handshake(53_000, 7);
    assert_eq!(raw.say(&raw.seg(54_000, SYN, 7, 0)), [], "nobody is left to make way");
    assert_eq!((raw.net.counters().refused_by_limit, raw.net.counters().closed_early), (1, 1));
}

#[test]
fn land_martians_and_broadcast_sources_are_dropped() {
    for (family, sources) in [
        (Family::V4, vec!["192.0.2.1", "127.0.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "192.0.2.255", "240.0.0.1"]),
        (Family::V6, vec!["2001:db8::1", "::", "::1", "ff02::1", "::ffff:192.0.2.9"]),
    ] {
        let mut raw = Raw::new(family);
        for source in &sources {
            let seg = Seg { from: source.parse().unwrap(), port: 443, options: OPTIONS.to_vec(), ..raw.seg(443, SYN, 7, 0) };
            assert_eq!(raw.say(&seg), [], "{source}");
        }
        assert_eq!(raw.net.counters().dropped_source, sources.len() as u64);
        raw.handshake(50_000, 7);
    }
}

#[test]
fn frames_to_groups_to_others_and_from_ourselves_are_dropped() {
    let mut raw = Raw::new(Family::V4);
    let frame = Seg { options: OPTIONS.to_vec(), ..raw.seg(50_000, SYN, 7, 0) }.frame();
    for (at, mac) in [(0, [0xff; 6]), (0, [1, 0, 0x5e, 0, 0, 1]), (0, CLIENT_MAC), (6, SERVER_MAC), (6, [0xff; 6]), (6, [0; 6])] {
        let mut frame = frame.clone();
        frame[at..at + 6].copy_from_slice(&mac);
        raw.give(&frame);
    }
    let elsewhere = Seg { to: "192.0.2.77".parse().unwrap(), ..raw.seg(50_000, SYN, 7, 0) };
    assert_eq!(raw.say(&elsewhere), []);
    assert_eq!(raw.frames().len(), 0);
}

#[test]
fn fragments_are_dropped() {
    let mut raw = Raw::new(Family::V4);
    for bits in [0x2000u16, 0x0001, 0x2001, 0x1fff] {
        let mut frame = raw.seg(50_000, SYN, 7, 0).frame();
        frame[20..22].copy_from_slice(&bits.to_be_bytes());
        raw.give(&frame);
    }
    let mut raw6 = Raw::new(Family::V6);
    let mut frame = raw6.seg(50_000, SYN, 7, 0).frame();
    frame[20] = 44;
    raw6.give(&frame);
    assert_eq!((raw.net.counters().dropped_fragment, raw6.net.counters().dropped_fragment), (4, 1));
    assert_eq!(raw.frames().len() + raw6.frames().len(), 0);
}

#[test]
fn one_wrong_bit_anywhere_in_the_packet_is_noticed() {
    for family in BOTH {
        let mut raw = Raw::new(family);
        let frame = Seg { options: OPTIONS.to_vec(), ..raw.seg(50_000, SYN, 7, 0) }.frame();
        // IPv6 has no checksum over traffic class, flow label and hop limit.
        let unprotected = |at: usize| family == Family::V6 && ((14..18).contains(&at) || at == 21);
        for at in (14..frame.len()).filter(|&at| !unprotected(at)) {
            for bit in 0..8 {
                let mut frame = frame.clone();
                frame[at] ^= 1 << bit;
                raw.give(&frame);
                assert_eq!(raw.frames().len(), 0, "byte {at} bit {bit}");
            }
        }
    }
}

#[test]
fn every_truncation_and_a_million_random_bytes_are_survived() {
    for family in BOTH {
        let mut raw = Raw::new(family);
        let frame = Seg { options: OPTIONS.to_vec(), payload: vec![1; 100], ..raw.seg(50_000, SYN, 7, 0) }.frame();
        for len in 0..frame.len() {
            raw.give(&frame[..len]);
        }
        assert_eq!(raw.frames().len(), 0);
        let mut rng = Rng(11);
        for _ in 0..20_000 {
            let mut frame = frame.clone();
            for _ in 0..rng.below(8) {
                let at = rng.below(frame.len() as u64) as usize;
                frame[at] = rng.next() as u8;
            }
            frame.truncate(rng.below(200) as usize);
            let offload =
                net::Offload { flags: rng.next() as u8, gso_type: rng.next() as u8, hdr_len: rng.next() as u16, ..Default::default() };
            raw.net.receive(&frame, offload, raw.now);
            raw.frames();
        }
    }
}

#[test]
fn lying_offload_notes_do_not_replace_a_checksum_unless_offloads_are_on() {
    let vouched = net::Offload { flags: net::offload::NEEDS_CSUM, csum_start: 9999, csum_offset: 9999, ..Default::default() };
    for (offload, answers) in [(false, 0), (true, 1)] {
        let mut raw = Raw::with(Family::V4, net::Config { offload, ..config(Family::V4, true) });
        let mut frame = raw.seg(50_000, SYN, 7, 0).frame();
        frame[14 + 20 + 16] ^= 0xff;
        raw.net.receive(&frame, vouched, raw.now);
        assert_eq!(raw.frames().len(), answers);
    }
}

#[test]
fn broken_options_are_dropped_and_odd_ones_clamped() {
    let mut raw = Raw::new(Family::V4);
    for options in [vec![2, 0, 0, 0], vec![2, 1, 0, 0], vec![2, 40, 0, 0], vec![3, 2, 1, 1], vec![254, 0, 254, 0], vec![8, 200, 0, 0]] {
        assert_eq!(raw.say(&Seg { options: options.clone(), ..raw.seg(50_000, SYN, 7, 0) }), [], "{options:?}");
    }
    let mut port = 50_000;
    for options in [vec![2, 4, 0, 0], vec![2, 4, 0, 1], vec![3, 3, 15, 0], vec![3, 3, 255, 0], vec![1; 40], vec![2, 4, 255, 255]] {
        port += 1;
        let answers = raw.say(&Seg { options: options.clone(), ..raw.seg(port, SYN, 7, 0) });
        let ack = answers[0].seq.wrapping_add(1);
        raw.say(&raw.seg(port, ACK, 8, ack));
        let Some(Event::Accepted { flow, .. }) = raw.net.poll_event() else { panic!("{options:?}") };
        raw.net.send(flow, |room| (room.len().min(3000), ())).unwrap();
        let sent = raw.answers();
        let longest = sent.iter().map(|answer| answer.payload.len()).max().unwrap();
        assert!((536..=1460).contains(&longest), "{options:?}: {longest}");
    }
}

#[test]
fn closed_ports_answer_with_a_reset_within_a_rate_and_udp_with_nothing() {
    let mut raw = Raw::new(Family::V4);
    let answers = raw.say(&Seg { to_port: 80, ..raw.seg(50_000, SYN, 7, 0) });
    assert_eq!((answers[0].flags, answers[0].seq, answers[0].ack), (RST | ACK, 0, 8));
    let answers = raw.say(&Seg { to_port: 80, ..raw.seg(50_000, ACK, 7, 99) });
    assert_eq!((answers[0].flags, answers[0].seq), (RST, 99));
    let resets: usize = (0..10_000).map(|_| raw.say(&Seg { to_port: 80, ..raw.seg(50_000, SYN, 7, 0) }).len()).sum();
    assert!(resets <= 200, "{resets}");
    let mut udp = raw.seg(50_000, 0, 0, 0).frame();
    udp[23] = 17;
    let sum: u32 = (0..10).filter(|i| *i != 5).map(|i| u32::from(u16::from_be_bytes([udp[14 + 2 * i], udp[15 + 2 * i]]))).sum();
    udp[24..26].copy_from_slice(&(!u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap()).to_be_bytes());
    raw.give(&udp);
    assert_eq!((raw.frames().len(), raw.net.counters().dropped_not_ours), (0, 1));
}

#[test]
fn after_stop_accepting_listeners_are_closed_and_flows_live_on() {
    let mut raw = Raw::new(Family::V4);
    let mut hand = raw.handshake(50_000, 7);
    raw.net.stop_accepting();
    assert_eq!(raw.say(&raw.seg(50_001, SYN, 7, 0))[0].flags, RST | ACK);
    assert!(raw.works(&mut hand));
}
