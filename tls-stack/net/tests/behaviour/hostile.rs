//! A peer that has completed its handshake and then says whatever it likes: nothing panics, every bound holds, and time ends it.

use core::time::Duration;

use net::{Config, Event};
use proptest::prelude::*;

use crate::support::raw::{ACK, PSH, Raw, Seg};
use crate::support::{Family, Rng, config};

const RING_MAX: usize = 128 * 1024;

#[test]
fn out_of_order_bombs_take_no_memory_and_pass() {
    let mut raw = Raw::new(Family::V4);
    let hand = raw.handshake(50_000, 7);
    for i in 0..4000u32 {
        let seg = Seg { payload: vec![1], ..raw.seg(hand.port, ACK, hand.seq.wrapping_add(2 + 2 * (i % 2000)), hand.ack) };
        raw.give(&seg.frame());
        raw.frames();
    }
    assert_eq!(raw.net.readable(hand.flow), 0);
    raw.give(&Seg { payload: b"in order".to_vec(), ..raw.seg(hand.port, ACK, hand.seq, hand.ack) }.frame());
    assert!((8..20).contains(&raw.net.readable(hand.flow)), "and at most eight gaps were remembered");
}

#[test]
fn sack_junk_and_urgent_data_are_ignored() {
    let mut raw = Raw::new(Family::V4);
    let mut hand = raw.handshake(50_000, 7);
    raw.net.send(hand.flow, |room| (2000, room[..2000].fill(1))).unwrap();
    raw.frames();
    for block in [[0xff; 8], [0; 8], [0, 0, 0, 9, 0, 0, 0, 1]] {
        let mut options = vec![1, 1, 5, 10];
        options.extend_from_slice(&block);
        raw.give(&Seg { options, ..raw.seg(hand.port, ACK | 32, hand.seq, hand.ack) }.frame());
    }
    hand.ack = hand.ack.wrapping_add(2000);
    assert!(raw.works(&mut hand));
}

#[derive(Clone, Debug)]
enum Move {
    Segment { flags: u8, seq: i64, ack: i64, window: u16, len: usize, scale: u8 },
    Read(usize),
    Write(usize),
    Wait(u64),
    Shutdown,
}

fn moves() -> impl Strategy<Value = Move> {
    let near = prop_oneof![8 => -3000..3000i64, 2 => -140_000..140_000i64, 1 => any::<i64>()];
    let near_ack = prop_oneof![6 => -10..3000i64, 2 => -140_000..140_000i64, 1 => any::<i64>()];
    let flags = prop_oneof![10 => Just(ACK), 4 => Just(ACK | PSH), 2 => Just(ACK | 1), 2 => any::<u8>()];
    prop_oneof![
        12 => (flags, near, near_ack, any::<u16>(), 0..9000usize, 0..4u8)
            .prop_map(|(flags, seq, ack, window, len, scale)| Move::Segment { flags, seq, ack, window, len, scale }),
        3 => (0..20_000usize).prop_map(Move::Read),
        3 => (0..20_000usize).prop_map(Move::Write),
        2 => (0..20_000u64).prop_map(Move::Wait),
        1 => Just(Move::Shutdown),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_peer_that_says_anything_breaks_nothing(moves in proptest::collection::vec(moves(), 1..80), v6 in any::<bool>(), offload in any::<bool>(), port in 1u16..) {
        let family = if v6 { Family::V6 } else { Family::V4 };
        let mut raw = Raw::with(family, Config { offload, ..config(family, true) });
        let mut hand = raw.handshake(port, u32::MAX - 5000);
        let mut alive = true;
        for step in moves {
            match step {
                Move::Segment { flags, seq, ack, window, len, scale } => {
                    let at = |base: u32, offset: i64| base.wrapping_add(offset.cast_unsigned() as u32);
                    let seg = Seg { window: window >> (4 * scale), payload: vec![9; len], ..raw.seg(port, flags, at(hand.seq, seq), at(hand.ack, ack)) };
                    let frame = seg.frame();
                    raw.give(&frame);
                }
                Move::Read(len) => {
                    if let Ok(got) = raw.net.recv(hand.flow, |bytes| (bytes.len().min(len), bytes.len().min(len))) {
                        hand.seq = hand.seq.wrapping_add(got as u32);
                    }
                }
                Move::Write(len) => {
                    let _ = raw.net.send(hand.flow, |room| (room.len().min(len), ()));
                }
                Move::Wait(ms) => raw.wait(Duration::from_millis(ms)),
                Move::Shutdown => raw.net.shutdown(hand.flow),
            }
            let mut buf = vec![0; net::limits::FRAME_LEN_MAX];
            while let Some((len, note)) = raw.net.poll_transmit(&mut buf, raw.now) {
                prop_assert!(note.gso_type != 0 || len <= 1514, "{len} {note:?}");
            }
            prop_assert!(raw.net.readable(hand.flow) <= RING_MAX && raw.net.writable(hand.flow) <= RING_MAX);
            alive &= !raw.events().iter().any(|event| matches!(event, Event::Closed { .. }));
            prop_assert_eq!(alive, raw.net.counters().flows == 1 , "the user hears of the end");
        }
        raw.net.close(hand.flow, raw.now);
        raw.wait(Duration::from_secs(120));
        prop_assert_eq!((raw.net.counters().flows, raw.net.counters().time_waits, raw.net.deadline()), (0, 0, None));
    }
}

#[test]
fn many_flows_come_and_go_and_every_slot_is_used_again() {
    let mut raw = Raw::new(Family::V4);
    let mut rng = Rng(3);
    let mut highest = 0;
    let mut open = vec![];
    for i in 0..3000u16 {
        let hand = raw.handshake(1024 + i, u32::from(i) * 77);
        highest = highest.max(hand.flow.index());
        open.push(hand);
        if open.len() > 20 {
            let hand = open.swap_remove(rng.below(20) as usize);
            match rng.below(3) {
                0 => raw.net.abort(hand.flow),
                1 => raw.give(&raw.seg(hand.port, 4, hand.seq, 0).frame()),
                _ => raw.net.close(hand.flow, raw.now),
            }
            raw.frames();
            raw.wait(Duration::from_secs(1));
            raw.events();
        }
    }
    assert!(highest < 60, "{highest}");
}
