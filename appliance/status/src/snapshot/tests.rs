//! Statuses as the guest makes them, and as an attacker would.

use super::*;
use alloc::vec;
use proptest::prelude::*;

fn backend() -> Backend {
    let address = "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535".parse().unwrap();
    Backend {
        address,
        state: BackendState::Down,
        active: u64::MAX,
        connections: u64::MAX,
        failures: u64::MAX,
        checked: true,
        checks_passed: u64::MAX,
        checks_failed: u64::MAX,
    }
}

fn full() -> Status {
    let kind = HandshakeKind { version: 0x0304, suite: 0x1301, group: Some(0x11ec), resumed: false };
    Status {
        handshakes: vec![(kind, 3); HANDSHAKE_KINDS_MAX],
        ended: End::ALL.iter().map(|end| (*end, 1)).collect(),
        refused: Limit::ALL.iter().map(|limit| (*limit, 2)).collect(),
        routes: vec![Route { name: "shop".into(), queued: 1, backends: vec![backend(); 2] }; 10],
        ..Status::default()
    }
}

#[test]
fn what_was_sent_is_what_arrives() {
    assert_eq!(Status::decode(&full().encode()), Ok(full()));
}

#[test]
fn the_largest_configuration_fits_and_what_is_left_out_is_counted() {
    let route = Route { name: "n".repeat(NAME_LEN_MAX), queued: u64::MAX, backends: vec![backend(); 64] };
    let status = Status { routes: vec![route; ROUTES_MAX + 1], ..full() };
    let bytes = status.encode();
    assert!(!bytes.is_empty() && bytes.len() <= STATUS_LEN_MAX);
    let seen = Status::decode(&bytes).unwrap();
    let listed: usize = seen.routes.iter().map(|route| route.backends.len()).sum();
    assert_eq!(listed as u64 + seen.backends_omitted, (ROUTES_MAX as u64 + 1) * 64);
    assert!(listed > 0);
}

#[test]
fn more_than_there_may_be_is_refused() {
    let too_many = [
        Status { handshakes: vec![full().handshakes[0]; HANDSHAKE_KINDS_MAX + 1], ..Status::default() },
        Status { ended: vec![(End::Done, 1); End::ALL.len() + 1], ..Status::default() },
        Status { routes: vec![Route { name: "n".repeat(NAME_LEN_MAX + 1), ..Route::default() }], ..Status::default() },
    ];
    for status in too_many {
        assert_eq!(Status::decode(&postcard::to_allocvec(&(FORMAT, status)).unwrap()), Err(StatusFault::Limit));
    }
}

#[test]
fn a_length_that_lies_allocates_nothing_and_is_refused() {
    let mut bytes = postcard::to_allocvec(&(FORMAT, 0_u64, Phase::Serving, Connections::default())).unwrap();
    bytes.extend([0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert_eq!(Status::decode(&bytes), Err(StatusFault::Format));
}

#[test]
fn another_build_and_what_is_left_over_are_refused() {
    let mut bytes = full().encode();
    bytes.push(0);
    assert_eq!(Status::decode(&bytes), Err(StatusFault::Format));
    assert_eq!(Status::decode(&postcard::to_allocvec(&(FORMAT + 1, full())).unwrap()), Err(StatusFault::Format));
    assert_eq!(Status::decode(&[]), Err(StatusFault::Format));
    assert_eq!(Status::decode(&vec![0; STATUS_LEN_MAX + 1]), Err(StatusFault::Format));
}

proptest! {
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>(), with: u8) {
        let behind = postcard::to_allocvec(&FORMAT).unwrap();
        let _any = Status::decode(&[behind, bytes].concat());
        let mut near = full().encode();
        let at = at.index(near.len());
        near[at] = with;
        let _near = Status::decode(&near);
    }
}
