//! What somebody who cannot see a flow may do to it: nothing (RFC 5961, RFC 5927, ATTACKS N3-N5, N11, N13).

use core::time::Duration;

use crate::support::raw::{ACK, FIN, Hand, PSH, RST, Raw, SYN, Seg, head};
use crate::support::{Family, Rng};
use net::{CloseReason, Event};

const BOTH: [Family; 2] = [Family::V4, Family::V6];

#[test]
fn a_reset_counts_only_at_exactly_the_next_byte() {
    for family in BOTH {
        let mut raw = Raw::new(family);
        let mut hand = raw.handshake(50_000, 7);
        for (ahead, challenges) in [(1, 1), (100, 1), (4095, 1), (4096, 0), (131_072, 0), (1 << 30, 0), (u32::MAX, 0)] {
            raw.wait(Duration::from_secs(1));
            let answers = raw.say(&raw.seg(hand.port, RST, hand.seq.wrapping_add(ahead), 0));
            assert_eq!(answers.len(), challenges, "{ahead}");
            assert!(answers.iter().all(|answer| (answer.flags, answer.seq, answer.ack) == (ACK, hand.ack, hand.seq)));
        }
        assert!(raw.works(&mut hand));
        raw.say(&raw.seg(hand.port, RST, hand.seq, 0));
        assert_eq!(raw.events(), [Event::Closed { flow: hand.flow, reason: CloseReason::PeerReset }]);
        assert_eq!(raw.net.counters().flows, 0);
    }
}

#[test]
fn a_hundred_thousand_blind_guesses_do_nothing() {
    let mut raw = Raw::new(Family::V4);
    let mut hand = raw.handshake(50_000, 7);
    let mut rng = Rng(5);
    for i in 0..100_000u32 {
        // Inside the window, off by one at least; the acknowledgement is a guess.
        let seq = hand.seq.wrapping_add(1 + (rng.next() % 100_000) as u32);
        let seg = match i % 4 {
            0 => raw.seg(hand.port, RST, seq, 0),
            1 => raw.seg(hand.port, SYN, hand.seq, 0),
            2 => Seg {
                payload: b"evil".to_vec(),
                ..raw.seg(hand.port, ACK | PSH, hand.seq, hand.ack.wrapping_add(1 + (rng.next() >> 34) as u32))
            },
            _ => raw.seg(hand.port, RST | ACK, seq, hand.ack),
        };
        raw.give(&seg.frame());
        if i % 100 == 0 {
            raw.frames();
        }
    }
    raw.frames();
    assert_eq!(raw.net.readable(hand.flow), 0, "no byte got in");
    assert_eq!(raw.events(), []);
    assert!(raw.net.counters().challenge_acks <= 10, "time has not passed, so there is one burst");
    assert!(raw.works(&mut hand));
}

#[test]
fn challenge_acks_are_limited_flow_by_flow() {
    let mut raw = Raw::new(Family::V4);
    let (a, b) = (raw.handshake(50_000, 7), raw.handshake(50_001, 7));
    let count = |raw: &mut Raw, hand: Hand| (0..1000).map(|_| raw.say(&raw.seg(hand.port, SYN, hand.seq, 0)).len()).sum::<usize>();
    assert_eq!((count(&mut raw, a), count(&mut raw, a), count(&mut raw, b)), (10, 0, 10));
}

#[test]
fn a_syn_for_a_flow_is_challenged() {
    let mut raw = Raw::new(Family::V4);
    let mut hand = raw.handshake(50_000, 7);
    for seq in [hand.seq, hand.seq.wrapping_sub(1), 12345] {
        let answers = raw.say(&raw.seg(hand.port, SYN, seq, 0));
        assert_eq!((answers[0].flags, answers[0].seq, answers[0].ack), (ACK, hand.ack, hand.seq));
    }
    assert!(raw.works(&mut hand));
}

#[test]
fn data_with_an_impossible_acknowledgement_is_dropped_and_challenged() {
    let mut raw = Raw::new(Family::V4);
    let mut hand = raw.handshake(50_000, 7);
    let window = 1000 << 7;
    for (ack, passes) in [(hand.ack.wrapping_add(1), false), (hand.ack.wrapping_sub(window + 1), false), (hand.ack ^ 0x8000_0000, false)] {
        let seg = Seg { payload: b"evil".to_vec(), ..raw.seg(hand.port, ACK, hand.seq, ack) };
        let answers = raw.say(&seg);
        assert_eq!((answers.len(), raw.net.readable(hand.flow) > 0), (1, passes));
    }
    assert!(raw.works(&mut hand));
}

#[test]
fn an_acknowledgement_of_data_still_queued_is_no_acknowledgement() {
    let mut raw = Raw::new(Family::V4);
    let hand = raw.handshake(50_000, 7);
    raw.net.send(hand.flow, |room| (room.len().min(1000), ())).unwrap();
    raw.give(&raw.seg(hand.port, ACK, hand.seq, hand.ack.wrapping_add(1000)).frame());
    assert!(!raw.net.flushed(hand.flow), "nothing was sent yet");
}

#[test]
fn more_than_the_window_is_refused_and_does_not_panic() {
    for family in BOTH {
        let mut raw = Raw::new(family);
        let hand = raw.handshake(50_000, 7);
        // The SYN-ACK's window is not scaled; smoltcp alone would scale it up and take in more than its ring holds.
        let mut seq = hand.seq;
        for _ in 0..30 {
            let seg = Seg { payload: vec![1; 9000], ..raw.seg(hand.port, ACK, seq, hand.ack) };
            raw.give(&seg.frame()[..]);
            seq = seq.wrapping_add(9000);
        }
        raw.frames();
        let limit = 128 * 1024;
        assert!(raw.net.readable(hand.flow) <= limit);
        let seg = Seg { payload: vec![1; 1400], ..raw.seg(hand.port, ACK, hand.seq.wrapping_add(limit as u32 - 700), hand.ack) };
        raw.say(&seg);
        assert!(raw.net.readable(hand.flow) <= limit);
    }
}

#[test]
fn all_flag_combinations_in_all_states_get_what_rfc_9293_says() {
    for flags in 0..64u8 {
        // LISTEN: a SYN gets a SYN-ACK, what acknowledges something gets a RST, the rest nothing.
        let mut raw = Raw::new(Family::V4);
        let listen = raw.say(&raw.seg(50_000, flags, 7, 9));
        // CLOSED: a RST, unless it is one.
        let closed = raw.say(&Seg { to_port: 80, ..raw.seg(50_000, flags, 7, 9) });
        let sane = match flags & (SYN | FIN | RST | ACK) {
            SYN => Some("syn"),
            f if f == SYN | ACK || f == ACK || f == FIN | ACK => Some("ack"),
            _ => None,
        };
        let got = |answers: &[crate::support::raw::Answer]| answers.iter().map(|answer| answer.flags).collect::<Vec<_>>();
        assert_eq!(
            got(&listen),
            match sane {
                Some("syn") => vec![SYN | ACK],
                Some(_) => vec![RST],
                None => vec![],
            },
            "LISTEN {flags:06b}"
        );
        assert_eq!(
            got(&closed),
            match sane {
                Some("syn") => vec![RST | ACK],
                Some(_) => vec![RST],
                None => vec![],
            },
            "CLOSED {flags:06b}"
        );
        established(flags);
        time_wait(flags);
    }
}

/// ESTABLISHED, with a sequence number inside the window but not the next: nothing may end or feed the flow.
fn established(flags: u8) {
    let mut raw = Raw::new(Family::V4);
    let mut hand = raw.handshake(50_000, 7);
    let answers = raw.say(&raw.seg(hand.port, flags, hand.seq.wrapping_add(5), hand.ack));
    assert!(answers.iter().all(|answer| answer.flags & (RST | SYN | FIN) == 0), "{flags:06b}: {answers:?}");
    assert!(raw.works(&mut hand), "{flags:06b}");
}

fn time_wait(flags: u8) {
    let mut raw = Raw::new(Family::V4);
    let hand = linger(&mut raw);
    let answers = raw.say(&raw.seg(hand.port, flags, hand.seq.wrapping_sub(9), hand.ack));
    assert!(answers.iter().all(|answer| answer.flags == ACK), "{flags:06b}: {answers:?}");
    assert_eq!(raw.net.counters().time_waits, 1, "{flags:06b}: TIME-WAIT is not cut short (RFC 1337)");
}

/// A flow that we have ended first, and the peer too.
fn linger(raw: &mut Raw) -> Hand {
    let mut hand = raw.handshake(50_000, 7);
    raw.net.shutdown(hand.flow);
    let fin = raw.answers();
    assert_eq!(fin[0].flags, FIN | ACK);
    hand.ack = hand.ack.wrapping_add(1);
    raw.say(&raw.seg(hand.port, FIN | ACK, hand.seq, hand.ack));
    hand.seq = hand.seq.wrapping_add(1);
    assert_eq!(raw.events(), [Event::Finished(hand.flow), Event::Closed { flow: hand.flow, reason: CloseReason::Done }]);
    assert_eq!((raw.net.counters().flows, raw.net.counters().time_waits), (0, 1));
    hand
}

#[test]
fn time_wait_can_be_begun_anew_by_a_later_syn_only() {
    let mut raw = Raw::new(Family::V4);
    let hand = linger(&mut raw);
    let old = raw.say(&raw.seg(hand.port, SYN, hand.seq.wrapping_sub(1000), 0));
    assert_eq!((old[0].flags, old[0].ack), (ACK, hand.seq));
    let answer = raw.syn(hand.port, hand.seq.wrapping_add(1000));
    assert_eq!(raw.net.counters().time_waits, 1, "a SYN alone changes nothing");
    let (seq, ack) = (hand.seq.wrapping_add(1001), answer.seq.wrapping_add(1));
    raw.say(&raw.seg(hand.port, ACK, seq, ack));
    let Some(Event::Accepted { flow, .. }) = raw.net.poll_event() else { panic!() };
    assert_eq!((raw.net.counters().flows, raw.net.counters().time_waits), (1, 0));
    assert!(raw.works(&mut Hand { flow, port: hand.port, seq, ack }));
}

/// A peer whose numbers follow a clock lags behind what it has sent in bulk, and must not be locked out for as long as TIME-WAIT lasts.
#[test]
fn time_wait_makes_way_for_an_older_syn_whose_sender_answers_the_challenge() {
    let mut raw = Raw::new(Family::V4);
    let hand = linger(&mut raw);
    let reset = |raw: &mut Raw, seq: u32| raw.say(&raw.seg(hand.port, RST, seq, 0));
    assert!(reset(&mut raw, hand.seq).is_empty(), "nobody was challenged");
    assert_eq!(raw.net.counters().time_waits, 1);
    let older = hand.seq.wrapping_sub(1_000_000);
    let challenge = raw.say(&raw.seg(hand.port, SYN, older, 0));
    assert_eq!((challenge[0].flags, challenge[0].ack), (ACK, hand.seq));
    for off in [1, u32::MAX, 1000] {
        reset(&mut raw, hand.seq.wrapping_add(off));
        assert_eq!(raw.net.counters().time_waits, 1, "a guess, {off} off");
    }
    reset(&mut raw, hand.seq);
    assert_eq!(raw.net.counters().time_waits, 0);
    let answer = raw.syn(hand.port, older);
    assert_eq!((answer.flags, answer.ack), (SYN | ACK, older.wrapping_add(1)));
}

#[test]
fn time_wait_ends_by_itself_and_leaves_nothing() {
    let mut raw = Raw::new(Family::V4);
    linger(&mut raw);
    raw.wait(Duration::from_secs(31));
    assert_eq!((raw.net.counters().time_waits, raw.net.deadline()), (0, None));
}

#[test]
fn icmp_errors_do_not_touch_an_established_flow() {
    let mut raw = Raw::new(Family::V4);
    let mut hand = raw.handshake(50_000, 7);
    for (kind, code) in [(3u8, 0u8), (3, 1), (3, 2), (3, 3), (3, 4), (3, 13), (4, 0), (5, 1), (11, 0), (12, 0)] {
        for mtu in [0u16, 68, 552, 1500] {
            for seq in [hand.ack, hand.ack.wrapping_sub(1), 0] {
                raw.give(&icmp_error(&raw, hand, kind, code, mtu, seq));
            }
        }
    }
    assert_eq!((raw.frames().len(), raw.net.counters().dropped_icmp), (0, 120));
    assert!(raw.works(&mut hand));
}

#[test]
fn a_smaller_path_is_believed_only_if_it_quotes_what_is_in_flight_and_within_limits() {
    let offloaded = net::Config { offload: true, ..crate::support::config(Family::V4, true) };
    let mut raw = Raw::with(Family::V4, offloaded);
    let hand = raw.handshake(50_000, 7);
    raw.net.send(hand.flow, |room| (3000, room.fill(1))).unwrap();
    raw.frames();
    raw.give(&icmp_error(&raw, hand, 3, 4, 1000, hand.ack.wrapping_add(5000)));
    assert_eq!(raw.net.counters().dropped_icmp, 1);
    raw.give(&icmp_error(&raw, hand, 3, 4, 68, hand.ack));
    assert_eq!(raw.net.counters().dropped_icmp, 1);
    let mut buf = vec![0; net::limits::FRAME_LEN_MAX];
    raw.now += Duration::from_secs(2);
    raw.net.handle_timeout(raw.now);
    let (_, offload) = raw.net.poll_transmit(&mut buf, raw.now).unwrap();
    assert_eq!(offload.gso_size, 536, "clamped, not 28");
}

fn icmp_error(raw: &Raw, hand: Hand, kind: u8, code: u8, mtu: u16, seq: u32) -> Vec<u8> {
    let quoted =
        Seg { from: raw.family.server(), to: raw.family.client(), port: 443, to_port: hand.port, ..raw.seg(0, ACK, seq, 0) }.frame();
    let mut message = vec![kind, code, 0, 0, 0, 0];
    message.extend_from_slice(&mtu.to_be_bytes());
    message.extend_from_slice(&quoted[14..42]);
    let words = |bytes: &[u8]| bytes.chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum::<u32>();
    let sum = words(&message);
    let sum = (sum & 0xffff) + (sum >> 16);
    message[2..4].copy_from_slice(&(!u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap()).to_be_bytes());
    let router = "198.51.100.254".parse::<core::net::Ipv4Addr>().unwrap();
    let core::net::IpAddr::V4(server) = raw.family.server() else { panic!() };
    let ip = smoltcp::wire::IpRepr::new(router.into(), server.into(), smoltcp::wire::IpProtocol::Icmp, message.len(), 64);
    let mut frame = vec![0; 34 + message.len()];
    head(&mut frame, true);
    ip.emit(&mut frame[14..], &smoltcp::phy::ChecksumCapabilities::default());
    frame[34..].copy_from_slice(&message);
    frame
}

#[test]
fn data_behind_the_peers_fin_is_not_taken() {
    for family in BOTH {
        let mut raw = Raw::new(family);
        let hand = raw.handshake(50_000, 7);
        raw.say(&Seg { payload: b"all".to_vec(), ..raw.seg(hand.port, ACK | FIN, hand.seq, hand.ack) });
        let behind = hand.seq.wrapping_add(4);
        let answers = raw.say(&Seg { payload: b"more".to_vec(), ..raw.seg(hand.port, ACK | PSH, behind, hand.ack) });
        assert!(answers.iter().all(|answer| answer.ack == behind), "{answers:?}");
        assert_eq!(raw.net.readable(hand.flow), 3);
        let again = raw.say(&raw.seg(hand.port, ACK | FIN, behind, hand.ack));
        assert!(again.iter().all(|answer| answer.ack == behind), "a second FIN behind the first: {again:?}");
    }
}
