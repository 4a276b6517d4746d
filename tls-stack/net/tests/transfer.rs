//! Two stacks, one wire: what goes in at one end comes out at the other, whatever the wire does.

mod support;

use proptest::prelude::*;
use support::{Family, Faults, Party, Wire, config, exchange, pattern};

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
