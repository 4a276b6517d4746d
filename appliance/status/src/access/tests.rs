//! Records as the guest makes them, and as an attacker would.

use super::*;
use crate::reason::FailureKind;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

fn record<'a>(name: &'a str, alpn: &'a [u8], client: &'a str) -> Access<'a> {
    Access {
        serial: u64::MAX,
        source: "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535".parse().unwrap(),
        front_end: Some("[2001:db8::2]:65535".parse().unwrap()),
        server_name: Some(name),
        agreed: Some(Agreed {
            version: 0x0304,
            suite: 0x1301,
            group: Some(0x11ec),
            alpn: Some(alpn),
            resumed: true,
            retried: true,
            client: Some(client),
        }),
        route: Some(name),
        backend: Some("[2001:db8::4]:65535".parse().unwrap()),
        passed: true,
        bytes_up: u64::MAX,
        bytes_down: u64::MAX,
        handshake_us: Some(u64::MAX),
        connect_us: Some(u64::MAX),
        time_us: u64::MAX,
        end: End::Drained,
        failure: Some(Failure { kind: FailureKind::Gone, alert: Some(255) }),
    }
}

fn encoded(record: &Access<'_>) -> Vec<u8> {
    record.encode(&mut [0; ACCESS_LEN_MAX]).unwrap().to_vec()
}

#[test]
fn the_longest_record_fits_and_comes_back() {
    let (name, client) = ("n".repeat(NAME_LEN_MAX), "c".repeat(SUBJECT_LEN_MAX));
    let alpn = [b'h'; ALPN_LEN_MAX];
    let record = record(&name, &alpn, &client);
    assert_eq!(Access::decode(&encoded(&record)), Ok(record));
}

#[test]
fn a_text_that_is_too_long_is_refused() {
    let long = |len| -> String { "x".repeat(len) };
    let (name, client, alpn) = (long(NAME_LEN_MAX + 1), long(SUBJECT_LEN_MAX + 1), [b'h'; ALPN_LEN_MAX + 1]);
    for record in [record(&name, b"h2", "c"), record("n", &alpn, "c"), record("n", b"h2", &client)] {
        assert_eq!(Access::decode(&encoded(&record)), Err(AccessFault::Length));
    }
}

#[test]
fn what_is_left_over_or_cut_off_is_refused() {
    let mut bytes = encoded(&record("a", b"h2", "c"));
    assert_eq!(Access::decode(&bytes[..bytes.len() - 1]), Err(AccessFault::Format));
    bytes.push(0);
    assert_eq!(Access::decode(&bytes), Err(AccessFault::Format));
    assert_eq!(Access::decode(&[0; ACCESS_LEN_MAX + 1]), Err(AccessFault::Format));
}

proptest! {
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>(), with: u8) {
        let _any = Access::decode(&bytes);
        let mut near = encoded(&record("name", b"h2", "CN=robot"));
        let at = at.index(near.len());
        near[at] = with;
        let _near = Access::decode(&near);
    }
}
