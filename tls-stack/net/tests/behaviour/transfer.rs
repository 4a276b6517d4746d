//! Two stacks, one wire: what goes in at one end comes out at the other, whatever the wire does.

use crate::support::raw::{ACK, FIN, Raw};
use crate::support::{Family, Faults, Party, Wire, config, exchange, pattern};
use net::Event;
use proptest::prelude::*;

fn transfer(mut wire: Wire, family: Family, to_client: usize, to_server: usize, seed: u64) -> Wire {
    let (theirs, ours) = wire.connect(family);
    let (mut server, mut client) = (Party::new(theirs, pattern(to_client, seed)), Party::new(ours, pattern(to_server, seed + 1)));
    exchange(&mut wire, &mut server, &mut client);
    assert!(server.received == client.to_send, "{} bytes of {}", server.received.len(), client.to_send.len());
    assert!(client.received == server.to_send, "{} bytes of {}", client.received.len(), server.to_send.len());
    wire
}

#[test]
fn bytes_arrive_both_ways_over_v4_and_v6() {
    for family in [Family::V4, Family::V6] {
        transfer(Wire::of(family), family, 1_000_000, 300_000, 7);
    }
}

#[test]
fn bytes_arrive_in_super_frames() {
    for family in [Family::V4, Family::V6] {
        let offloaded = |server| net::Config { offload: true, ..config(family, server) };
        let wire = transfer(Wire::new(offloaded(true), offloaded(false)), family, 4_000_000, 4_000_000, 7);
        assert!(wire.frames < 1500, "{} frames", wire.frames);
    }
}

/// With SYN cookies nobody repeats the SYN-ACK or remembers the SYN: the client's own repetitions must do.
#[test]
fn a_client_that_speaks_first_gets_through_a_handshake_that_loses_anything() {
    for seed in 0..60 {
        let mut wire = Wire::seeded(config(Family::V4, true), config(Family::V4, false), seed);
        // The first connection finds the next hop.
        wire.connect(Family::V4);
        wire.faults = Faults { loss: 200, duplicate: 100, reorder: 300 };
        let ours = wire.client.connect(Family::V4.service(), None, wire.now).unwrap();
        let (mut theirs, mut heard) = (None, vec![]);
        while heard.len() < 5000 {
            assert!(wire.step() || !heard.is_empty());
            while let Some(event) = wire.client.poll_event() {
                assert!(!matches!(event, Event::Closed { .. }), "seed {seed}: {event:?}");
                if event == Event::Connected(ours) {
                    wire.client.send(ours, |room| (5000, room[..5000].fill(7))).unwrap();
                }
            }
            while let Some(event) = wire.server.poll_event() {
                if let Event::Accepted { flow, .. } = event {
                    theirs = Some(flow);
                }
            }
            if let Some(flow) = theirs {
                wire.server.recv(flow, |bytes| (bytes.len(), heard.extend_from_slice(bytes))).unwrap();
            }
        }
        assert_eq!(wire.server.counters().resets_sent, 0, "seed {seed}");
    }
}

/// smoltcp's ACKs go back in sequence space after a timeout; with both ends in that state neither heard the other, for ever.
#[test]
fn two_ends_that_have_both_timed_out_hear_each_other() {
    for seed in 170..200 {
        let mut wire = Wire::seeded(config(Family::V4, true), config(Family::V4, false), seed);
        wire.faults = Faults { loss: 15, duplicate: 84, reorder: 18 };
        transfer(wire, Family::V4, 91_836, 75_942, u64::from(seed));
    }
}

/// A shut window that was overtaken by its own opening, and then a loss: smoltcp's retransmission found the window shut and dropped its timer.
#[test]
fn a_retransmission_that_finds_the_window_shut_becomes_a_probe() {
    for seed in 0..60 {
        let of = |server| net::Config { offload: true, ..config(Family::V4, server) };
        let mut wire = Wire::seeded(of(true), of(false), seed);
        wire.faults = Faults { loss: 20, duplicate: 65, reorder: 150 };
        transfer(wire, Family::V4, 80_961, 0, u64::from(seed));
    }
}

/// Three duplicate ACKs while only the FIN was outstanding: smoltcp dropped its timer and the FIN never went out again.
#[test]
fn a_lost_fin_is_sent_again_whatever_acks_come() {
    let mut raw = Raw::new(Family::V4);
    let hand = raw.handshake(50_000, 7);
    raw.net.shutdown(hand.flow);
    assert_eq!(raw.answers().len(), 1, "the FIN, which is lost");
    for _ in 0..5 {
        raw.say(&raw.seg(hand.port, ACK, hand.seq, hand.ack));
    }
    raw.now += core::time::Duration::from_secs(2);
    raw.net.handle_timeout(raw.now);
    assert_eq!(raw.answers()[0].flags, FIN | ACK);
}

/// A flow starts with small rings. It moves to large ones in mid-stream, although neither end reads before it could write.
#[test]
fn an_echo_that_reads_only_what_it_can_write_back_does_not_lock() {
    for family in [Family::V4, Family::V6] {
        let mut wire = Wire::of(family);
        let (theirs, ours) = wire.connect(family);
        let data = pattern(2_000_000, 3);
        let (mut sent, mut back) = (0, vec![]);
        let mut carry: Vec<u8> = vec![];
        while back.len() < data.len() {
            sent += wire
                .client
                .send(ours, |room| {
                    let len = room.len().min(data.len() - sent);
                    room[..len].copy_from_slice(&data[sent..sent + len]);
                    (len, len)
                })
                .unwrap();
            if carry.is_empty() {
                wire.server
                    .recv(theirs, |bytes| (bytes.len().min(3000), carry.extend_from_slice(&bytes[..bytes.len().min(3000)])))
                    .unwrap();
            }
            let written = wire
                .server
                .send(theirs, |room| {
                    let len = room.len().min(carry.len());
                    room[..len].copy_from_slice(&carry[..len]);
                    (len, len)
                })
                .unwrap();
            carry.drain(..written);
            wire.client.recv(ours, |bytes| (bytes.len(), back.extend_from_slice(bytes))).unwrap();
            while wire.server.poll_event().is_some() || wire.client.poll_event().is_some() {}
            assert!(wire.step());
        }
        assert!(back == data);
        wire.run_until(wire.now + core::time::Duration::from_secs(1));
        assert_eq!(wire.client.writable(ours), 128 * 1024, "the ring has grown");
    }
}

#[test]
fn an_idle_flow_gives_its_large_send_ring_back_and_still_works() {
    let mut wire = Wire::of(Family::V4);
    let (theirs, ours) = wire.connect(Family::V4);
    let drain = |wire: &mut Wire| {
        let mut got = 0;
        while let Ok(len @ 1..) = wire.client.recv(ours, |bytes| (bytes.len(), bytes.len())) {
            got += len;
        }
        got
    };
    for _ in 0..3 {
        let (mut sent, mut got) = (0, 0);
        while got < 500_000 {
            sent += wire.server.send(theirs, |room| (room.len().min(500_000 - sent), room.len().min(500_000 - sent))).unwrap();
            wire.step();
            got += drain(&mut wire);
        }
        wire.run_until(wire.now + core::time::Duration::from_secs(1));
        assert_eq!(wire.server.writable(theirs), 128 * 1024);
        wire.run_until(wire.now + core::time::Duration::from_secs(10));
        assert_eq!(wire.server.writable(theirs), 2 * 1024);
        // A request brings back the room for an answer, before there is one.
        wire.client.send(ours, |room| (1, room[..1].fill(1))).unwrap();
        wire.run_until(wire.now + core::time::Duration::from_millis(1));
        assert_eq!(wire.server.recv(theirs, |bytes| (bytes.len(), bytes.len())), Ok(1));
        assert_eq!(wire.server.writable(theirs), 8 * 1024);
        wire.run_until(wire.now + core::time::Duration::from_secs(10));
        assert_eq!((wire.server.deadline(), wire.client.deadline()), (None, None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn bytes_arrive_over_a_bad_wire(
        seed in any::<u8>(),
        v6 in any::<bool>(),
        offload in any::<bool>(),
        loss in 0..50u64,
        duplicate in 0..100u64,
        reorder in 0..200u64,
        to_client in 0..200_000usize,
        to_server in 0..200_000usize,
    ) {
        let family = if v6 { Family::V6 } else { Family::V4 };
        let of = |server| net::Config { offload, ..config(family, server) };
        let mut wire = Wire::seeded(of(true), of(false), seed);
        wire.faults = Faults { loss, duplicate, reorder };
        transfer(wire, family, to_client, to_server, u64::from(seed));
    }
}
