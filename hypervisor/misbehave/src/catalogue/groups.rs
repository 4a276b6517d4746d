//! Key shares (RFC 8446 sections 4.2.8 and 7.4).

use crate::greeting::Greeting;
use crate::misbehaviour::Misbehaviour;
use crate::v13::{HONEST, Script};
use crate::wire::registry::alert::{DECODE_ERROR, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, MISSING_EXTENSION};
use crate::wire::registry::{extension, group};

const fn agreed(
    name: &'static str,
    wrong: &'static str,
    rfc: &'static str,
    alerts: &'static [u8],
    of: u16,
    greet: fn(&mut Greeting<'_>),
) -> Misbehaviour {
    Misbehaviour::tls13(name, wrong, rfc, alerts, Script { group: Some(of), greet, ..HONEST })
}

const SHAPE: &[u8] = &[ILLEGAL_PARAMETER, DECODE_ERROR];

pub(super) const ALL: &[Misbehaviour] = &[
    agreed(
        "group-not-offered",
        "a share of a group that was not offered (0xfe00)",
        "RFC 8446 4.2.8",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE],
        group::X25519,
        |it| {
            it.hello.share(0xfe00, &[9; 32]);
        },
    ),
    agreed(
        "share-left-out",
        "no key share",
        "RFC 8446 4.2.8",
        &[MISSING_EXTENSION, ILLEGAL_PARAMETER, HANDSHAKE_FAILURE],
        group::X25519,
        |it| {
            it.hello.remove(extension::KEY_SHARE);
        },
    ),
    agreed(
        "share-of-zeros",
        "an X25519 share of zeros: the secret would be zeros",
        "RFC 8446 7.4.2",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE],
        group::X25519,
        |it| {
            it.hello.share(group::X25519, &[0; 32]);
            it.shared = vec![0; 32];
        },
    ),
    agreed(
        "share-of-small-order",
        "an X25519 share of order 8: the secret would be zeros",
        "RFC 8446 7.4.2",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE],
        group::X25519,
        |it| {
            it.hello.share(group::X25519, &SMALL_ORDER);
            it.shared = vec![0; 32];
        },
    ),
    agreed("share-short", "an X25519 share of 31 bytes", "RFC 8446 4.2.8.2", SHAPE, group::X25519, |it| {
        it.hello.share(group::X25519, &[9; 31]);
    }),
    agreed("share-long", "an X25519 share of 33 bytes", "RFC 8446 4.2.8.2", SHAPE, group::X25519, |it| {
        it.hello.share(group::X25519, &[9; 33]);
    }),
    agreed("share-empty", "a share of no length", "RFC 8446 4.2.8", SHAPE, group::X25519, |it| it.hello.share(group::X25519, &[])),
    agreed("point-off-curve", "a P-256 share that is no point of the curve", "RFC 8446 4.2.8.2", SHAPE, group::SECP256R1, |it| {
        it.hello.share(group::SECP256R1, &[&[4][..], &[1; 64]].concat());
    }),
    agreed("point-at-infinity", "a P-256 share that is the point at infinity", "RFC 8446 4.2.8.2", SHAPE, group::SECP256R1, |it| {
        it.hello.share(group::SECP256R1, &[0]);
    }),
    agreed("point-compressed", "a P-256 share as a compressed point", "RFC 8446 4.2.8.2", SHAPE, group::SECP256R1, |it| {
        it.hello.share(group::SECP256R1, &COMPRESSED);
    }),
];

/// The generator of P-256, compressed: a point of the curve.
const COMPRESSED: [u8; 33] = [
    0x03, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
    0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
];

/// One of the points of order 8 of Curve25519.
const SMALL_ORDER: [u8; 32] = [
    0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
    0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
];
