//! Garbage at every stage: no panic, no unbounded memory, and one fault at most.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use crate::limits::{HANDSHAKE_INPUT_LEN_MAX, HELLO_LEN_MAX};
use crate::testing::{Client, Pair, Server};
use crate::{Alert, Event, Fault, Session, Version};

/// Takes a client's bytes up to `stage` flights into the connection.
fn at_stage(stage: usize, version: Version) -> Pair {
    let mut pair = Pair::new(&Server::default().config(), &Client::of(version).config());
    for _ in 0..stage {
        let bytes = pair.client_bytes();
        pair.deliver(&bytes);
        let back = pair.session_bytes();
        pair.client_reads(&back);
    }
    pair
}

fn faults(pair: &Pair) -> usize {
    pair.events.iter().filter(|event| matches!(event, Event::Fault(_))).count()
}

fn record() -> impl Strategy<Value = Vec<u8>> {
    (18_u8..26, prop::collection::vec(any::<u8>(), 0..80))
        .prop_map(|(kind, body)| [&[kind, 3, 3, 0, u8::try_from(body.len()).unwrap()][..], &body].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn garbage_never_panics(stage in 0_usize..4, tls13: bool, bytes in prop::collection::vec(any::<u8>(), 0..600), segment in 1_usize..80) {
        let mut pair = at_stage(stage, if tls13 { Version::Tls13 } else { Version::Tls12 });
        pair.segment_len = segment;
        pair.deliver(&bytes);
        pair.session.finish();
        pair.deliver(&bytes);
        prop_assert!(faults(&pair) <= 1);
        prop_assert!(pair.session.is_over() || pair.session.wants_transmit());
    }

    #[test]
    fn well_framed_garbage_never_panics(stage in 0_usize..4, tls13: bool, records in prop::collection::vec(record(), 0..40)) {
        let mut pair = at_stage(stage, if tls13 { Version::Tls13 } else { Version::Tls12 });
        pair.deliver(&records.concat());
        prop_assert!(faults(&pair) <= 1);
    }

    #[test]
    fn a_bit_turned_in_any_flight_never_panics(stage in 0_usize..3, tls13: bool, at: prop::sample::Index, bit in 0..8) {
        let mut pair = at_stage(stage, if tls13 { Version::Tls13 } else { Version::Tls12 });
        let mut bytes = pair.client_bytes();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
        }
        pair.deliver(&bytes);
        prop_assert!(faults(&pair) <= 1);
    }

    #[test]
    fn any_hello_body_never_panics(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let len = u32::try_from(body.len()).unwrap().to_be_bytes();
        let _ = crate::Hello::parse(&[&[1], &len[1..], &body[..]].concat());
        let _ = crate::Hello::parse(&body);
    }
}

/// T4: after the hello, records that never complete a message.
#[test]
fn handshake_input_is_bounded() {
    for version in [Version::Tls12, Version::Tls13] {
        let mut pair = at_stage(1, version);
        // The start of a huge ClientKeyExchange, then a byte a record.
        pair.deliver(&[22, 3, 3, 0, 4, 16, 0, 0xff, 0xff]);
        for _ in 0..HANDSHAKE_INPUT_LEN_MAX {
            pair.deliver(&[22, 3, 3, 0, 1, 0]);
        }
        assert!(matches!(pair.fault(), Some(Fault::Peer(_))), "{version:?} {:?}", pair.events);
    }
}

/// T5: middlebox records without end.
#[test]
fn change_cipher_specs_are_bounded() {
    let mut pair = at_stage(1, Version::Tls13);
    for _ in 0..10 {
        pair.deliver(&[20, 3, 3, 0, 1, 1]);
    }
    assert!(matches!(pair.fault(), Some(Fault::Peer(_))), "{:?}", pair.events);
}

/// T2: records without content, within the handshake.
#[test]
fn empty_handshake_records_are_refused() {
    for version in [Version::Tls12, Version::Tls13] {
        let mut pair = at_stage(1, version);
        for _ in 0..40 {
            pair.deliver(&[22, 3, 3, 0, 0]);
        }
        assert!(matches!(pair.fault(), Some(Fault::Peer(_))), "{version:?} {:?}", pair.events);
    }
}

#[test]
fn a_header_alone_claims_no_memory() {
    let mut pair = at_stage(3, Version::Tls13);
    assert!(pair.session.is_established());
    pair.deliver(&[23, 3, 3, 0x41, 0]);
    assert!(pair.session.buffered() < 64, "{}", pair.session.buffered());
    let mut session = Session::new();
    session.receive(&mut [22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc], &mut vec![]);
    assert!(session.buffered() < HELLO_LEN_MAX / 100);
}

/// Found by `a_bit_turned_in_any_flight_never_panics`: rustls remembers how far it has read of the handshake's input, so the input must keep
/// its length when rustls is asked for its alert after an error that came without one.
#[test]
fn a_record_of_another_kind_within_a_message_gets_an_alert_and_no_panic() {
    for (version, said) in [(Version::Tls12, Alert::UNEXPECTED_MESSAGE), (Version::Tls13, Alert::BAD_RECORD_MAC)] {
        let mut pair = at_stage(1, version);
        pair.deliver(&[22, 3, 3, 0, 5, 16, 0, 0, 33, 32]);
        pair.deliver(&[20, 3, 3, 0, 1, 1]);
        assert_eq!(pair.fault(), Some(Fault::Peer(said)));
        assert!(pair.session.wants_transmit(), "{version:?}");
    }
}
