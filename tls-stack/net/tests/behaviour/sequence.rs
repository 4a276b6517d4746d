//! Sequence numbers: around the end of their space, unpredictable, and the same for the same seed.

use std::collections::HashSet;

use crate::support::raw::{ACK, OPTIONS, PSH, Raw, SYN, Seg};
use crate::support::{Family, Faults, Party, Wire, config, exchange, pattern};

#[test]
fn both_numberings_wrap_in_mid_stream() {
    for family in [Family::V4, Family::V6] {
        let mut raw = Raw::new(family);
        // A cookie shortly before the end, found by asking often (its upper bits depend on the ports); our own number is chosen so.
        let seq = u32::MAX - 100_000;
        let port = (1024..65_000).find(|&port| ask(&mut raw, port, seq) > u32::MAX - 400_000).expect("one in 11,000 is near");
        let mut hand = raw.handshake(port, seq);
        let (first_seq, first_ack) = (hand.seq, hand.ack);
        let (data, mut got) = (pattern(600_000, 1), vec![]);
        let (mut put, mut given, mut read) = (0, 0, vec![]);
        while got.len() < data.len() || given < data.len() {
            put += raw
                .net
                .send(hand.flow, |room| {
                    let len = room.len().min(data.len() - put);
                    room[..len].copy_from_slice(&data[put..put + len]);
                    (len, len)
                })
                .unwrap();
            let payload = data[given..(given + 1400).min(data.len())].to_vec();
            given += payload.len();
            let seg = Seg { payload: payload.clone(), window: 2000, ..raw.seg(hand.port, ACK | PSH, hand.seq, hand.ack) };
            hand.seq = hand.seq.wrapping_add(payload.len() as u32);
            raw.give(&seg.frame());
            for answer in raw.answers() {
                if answer.seq == hand.ack {
                    got.extend_from_slice(&answer.payload);
                    hand.ack = hand.ack.wrapping_add(answer.payload.len() as u32);
                }
            }
            raw.net.recv(hand.flow, |bytes| (bytes.len(), read.extend_from_slice(bytes))).unwrap();
        }
        raw.net.recv(hand.flow, |bytes| (bytes.len(), read.extend_from_slice(bytes))).unwrap();
        assert!(got == data && read == data);
        assert!(hand.seq < first_seq && hand.ack < first_ack, "both have wrapped");
    }
}

fn ask(raw: &mut Raw, port: u16, seq: u32) -> u32 {
    let syn = Seg { options: OPTIONS.to_vec(), ..raw.seg(port, SYN, seq, 0) };
    raw.say(&syn)[0].seq
}

#[test]
fn first_numbers_of_two_seeds_share_nothing_and_do_not_repeat() {
    let numbers = |seed: u8| {
        let mut raw = Raw::seeded(Family::V4, config(Family::V4, true), seed);
        (1..5000u16).map(|port| raw.say(&raw.seg(port, SYN, 7, 0))[0].seq).collect::<Vec<_>>()
    };
    let (a, b) = (numbers(1), numbers(2));
    assert!(a.iter().zip(&b).all(|(a, b)| a != b));
    let steps: HashSet<u32> = a.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    assert!(steps.len() > 4990, "no constant step to extrapolate");
    let mean = a.iter().map(|number| f64::from(*number)).sum::<f64>() / a.len() as f64 / f64::from(u32::MAX);
    assert!((0.48..0.52).contains(&mean), "{mean}");
}

#[test]
fn ports_and_numbers_of_our_own_connections_depend_on_the_seed() {
    let dialled = |seed: u8| {
        let mut pinned = config(Family::V4, false);
        pinned.addresses[0].prefix_len = 32;
        pinned.gateways = vec![net::Gateway { address: Family::V4.server(), mac: Some(crate::support::SERVER_MAC) }];
        let mut raw = Raw::seeded(Family::V4, pinned, seed);
        raw.net.connect(Family::V4.service(), None, raw.now).unwrap();
        raw.frames()
            .iter()
            .map(|frame| (u16::from_be_bytes([frame[34], frame[35]]), u32::from_be_bytes([frame[38], frame[39], frame[40], frame[41]])))
            .next()
            .unwrap()
    };
    let all: HashSet<(u16, u32)> = (0..100).map(dialled).collect();
    let ports: HashSet<u16> = all.iter().map(|(port, _)| *port).collect();
    assert!(all.len() == 100 && ports.len() > 95 && ports.iter().all(|port| *port >= 49_152));
}

#[test]
fn the_same_seed_and_inputs_give_the_same_bytes() {
    let run = |seed: u8| {
        let mut wire = Wire::seeded(config(Family::V6, true), config(Family::V6, false), seed);
        wire.faults = Faults { loss: 20, duplicate: 20, reorder: 50 };
        let (theirs, ours) = wire.connect(Family::V6);
        let (mut server, mut client) = (Party::new(theirs, pattern(100_000, 1)), Party::new(ours, pattern(100_000, 2)));
        exchange(&mut wire, &mut server, &mut client);
        (wire.trace, wire.frames, wire.now)
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}
