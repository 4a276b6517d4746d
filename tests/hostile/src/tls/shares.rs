//! Key shares that do not fit (T8), and HelloRetryRequest played with.

use e2e::{Outcome, ensure};

use super::alert::{DECODE_ERROR, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, PROTOCOL_VERSION, UNEXPECTED_MESSAGE};
use super::bytes::{numbers, vec8, vec16};
use super::flight::{Flight, ServerHello};
use super::hello::{GROUP_X25519, Hello, SECP256R1, X25519MLKEM768, extension, share};
use super::peer::{ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE, Peer, record};
use super::v13::{Handshake, folded};
use crate::attack::{Attack, Layer};
use crate::naive::Naive;
use crate::target::Target;

const P256_LEN: usize = 65;
const ML_KEM_LEN: usize = 1184;
const X25519_LEN: usize = 32;

/// Name, what it does, the group, its share.
type Row = (&'static str, &'static str, u16, fn() -> Vec<u8>);

/// RFC 8446 sections 4.2.8.2 and 7.4, RFC 7748 section 6.1, RFC 9794 for the hybrid: all of them are illegal.
const WRONG: &[Row] = &[
    ("x25519_share_of_31_bytes_is_illegal", "an X25519 share one byte short", GROUP_X25519, || vec![9; 31]),
    ("x25519_share_of_33_bytes_is_illegal", "an X25519 share one byte long", GROUP_X25519, || vec![9; 33]),
    ("x25519_share_of_zeros_is_illegal", "X25519 with the point 0", GROUP_X25519, || vec![0; 32]),
    ("x25519_share_of_order_1_is_illegal", "X25519 with the point 1", GROUP_X25519, || [&[1][..], &[0; 31]].concat()),
    ("x25519_share_of_order_8_is_illegal", "X25519 with a point of order 8", GROUP_X25519, || {
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c,
            0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ]
        .to_vec()
    }),
    ("x25519_share_of_p_is_illegal", "X25519 with p, which is 0", GROUP_X25519, || [&[0xed][..], &[0xff; 30], &[0x7f]].concat()),
    ("p256_share_off_the_curve_is_illegal", "a P-256 point that is on no curve", SECP256R1, || [&[4][..], &[7; P256_LEN - 1]].concat()),
    ("p256_share_of_zeros_is_illegal", "the P-256 point (0, 0)", SECP256R1, || [&[4][..], &[0; P256_LEN - 1]].concat()),
    ("p256_share_at_infinity_is_illegal", "the P-256 point at infinity", SECP256R1, || vec![0]),
    ("p256_share_compressed_is_illegal", "a compressed P-256 point (RFC 8446 section 4.2.8.2)", SECP256R1, || {
        [&[2][..], &[7; 32]].concat()
    }),
    ("p256_share_beyond_the_field_is_illegal", "a P-256 point with coordinates above p", SECP256R1, || {
        [&[4][..], &[0xff; P256_LEN - 1]].concat()
    }),
    ("hybrid_share_short_by_1_is_illegal", "an X25519MLKEM768 share one byte short", X25519MLKEM768, || {
        vec![1; ML_KEM_LEN + X25519_LEN - 1]
    }),
    ("hybrid_share_long_by_1_is_illegal", "an X25519MLKEM768 share one byte long", X25519MLKEM768, || vec![1; ML_KEM_LEN + X25519_LEN + 1]),
    ("hybrid_share_without_x25519_is_illegal", "ML-KEM's part of a share alone", X25519MLKEM768, || vec![1; ML_KEM_LEN]),
    ("hybrid_share_without_ml_kem_is_illegal", "X25519's part of a share alone", X25519MLKEM768, || vec![9; X25519_LEN]),
    (
        "hybrid_share_with_coefficients_beyond_q_is_illegal",
        "an ML-KEM key whose coefficients are not reduced (FIPS 203 section 7.2)",
        X25519MLKEM768,
        || [&[0xff; ML_KEM_LEN][..], &[9; X25519_LEN]].concat(),
    ),
    ("hybrid_share_with_x25519_of_zeros_is_illegal", "a hybrid share whose X25519 part is 0", X25519MLKEM768, || {
        [&[0; ML_KEM_LEN][..], &[0; X25519_LEN]].concat()
    }),
];

pub(super) fn attacks() -> Vec<Attack> {
    let wrong = WRONG.iter().map(|(name, does, group, wrong)| {
        told(name, does, &[ILLEGAL_PARAMETER], |hello| {
            hello.set(extension::GROUPS, vec16(&numbers(&[*group])));
            hello.set(extension::KEY_SHARE, vec16(&share(*group, &wrong())));
        })
    });
    let lists = [
        told("empty_share_does_not_decode", "a share of no bytes", &[DECODE_ERROR, ILLEGAL_PARAMETER], |hello| {
            hello.set(extension::KEY_SHARE, vec16(&share(GROUP_X25519, &[])));
        }),
        told("two_shares_of_one_group_are_illegal", "two X25519 shares (RFC 8446 section 4.2.8)", &[ILLEGAL_PARAMETER], |hello| {
            let one = share(GROUP_X25519, &[9; 32]);
            hello.set(extension::KEY_SHARE, vec16(&[&one[..], &one].concat()));
        }),
        told("thousand_shares_of_one_group_are_illegal", "1,000 P-256 shares of one byte", &[ILLEGAL_PARAMETER], |hello| {
            hello.set(extension::KEY_SHARE, vec16(&share(SECP256R1, &[4]).repeat(1000)));
        }),
        told("share_that_overruns_does_not_decode", "a share that is longer than its list", &[DECODE_ERROR], |hello| {
            hello.set(extension::KEY_SHARE, vec16(&[0, 29, 0, 200, 1]));
        }),
    ];
    wrong.chain(lists).chain(retries()).collect()
}

fn told(name: &'static str, does: &'static str, alerts: &'static [u8], change: impl Fn(&mut Hello) + Send + Sync + 'static) -> Attack {
    Attack::new("T8", name, does, Layer::Rustls, Naive::Agreeable, move |target| {
        let mut hello = Hello::tls13()?;
        change(&mut hello);
        let mut peer = Peer::connect(target)?;
        peer.send(HANDSHAKE, &hello.message())?;
        peer.is_told(alerts)
    })
}

/// Says a hello without a share, and reads the HelloRetryRequest that asks for one: the connection, and the transcript so far.
fn asked_again(target: &Target, hello: &Hello) -> Outcome<(Peer, Vec<u8>)> {
    let mut peer = Peer::connect(target)?;
    let first = hello.message();
    peer.send(HANDSHAKE, &first)?;
    let answer = Flight::default().next(&mut peer)?;
    let retry = ServerHello::parse(&answer)?;
    ensure(retry.is_retry(), "no HelloRetryRequest")?;
    ensure(retry.extension(extension::KEY_SHARE) == Some(&GROUP_X25519.to_be_bytes()), "it asks for another group than ours")?;
    Ok((peer, [folded(&first), answer.0].concat()))
}

/// A first hello that will be asked again, and the share that is then to be shown.
fn without_share() -> Outcome<(Hello, Vec<u8>)> {
    let mut hello = Hello::tls13()?;
    let proper = vec16(&share(GROUP_X25519, &hello.public()?));
    hello.set(extension::KEY_SHARE, vec16(&[]));
    Ok((hello, proper))
}

/// Name, what it does, the alerts, how the second hello is changed (it has the right share already).
type Retry = (&'static str, &'static str, &'static [u8], fn(&mut Hello));

/// RFC 8446 section 4.1.2 says what a second hello may change: the share, early data, cookie, binders, padding. For another name rustls has no alert of its
/// own, and what we can make it say then is `decode_error`.
const RETRIES: &[Retry] = &[
    (
        "second_hello_without_a_share_is_illegal",
        "asked again, still no share: a second HelloRetryRequest is wanted",
        &[ILLEGAL_PARAMETER],
        |hello| {
            hello.set(extension::KEY_SHARE, vec16(&[]));
        },
    ),
    ("second_hello_with_another_group_is_illegal", "asked for X25519, P-256 is shown", &[ILLEGAL_PARAMETER], |hello| {
        hello.set(extension::KEY_SHARE, vec16(&share(SECP256R1, &[4; P256_LEN])));
    }),
    (
        "second_hello_with_another_suite_is_illegal",
        "the second hello offers other suites",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE],
        |hello| hello.suites = vec![0x1302],
    ),
    ("second_hello_with_another_name_is_refused", "the second hello asks for another name", &[ILLEGAL_PARAMETER, DECODE_ERROR], |hello| {
        hello.name("other.test");
    }),
    ("second_hello_of_1_2_is_refused", "the second hello is one of TLS 1.2", &[ILLEGAL_PARAMETER, PROTOCOL_VERSION], |hello| {
        hello.set(extension::VERSIONS, vec8(&numbers(&[0x0303])));
    }),
    (
        "second_hello_with_early_data_is_illegal",
        "the second hello announces early data (RFC 8446 section 4.2.10)",
        &[ILLEGAL_PARAMETER],
        |hello| {
            hello.set(extension::EARLY_DATA, vec![]);
        },
    ),
    ("second_hello_with_a_wrong_share_is_illegal", "the second hello's share is 0", &[ILLEGAL_PARAMETER], |hello| {
        hello.set(extension::KEY_SHARE, vec16(&share(GROUP_X25519, &[0; 32])));
    }),
    ("second_hello_with_compression_is_illegal", "the second hello offers DEFLATE", &[ILLEGAL_PARAMETER], |hello| {
        hello.compression = vec![1];
    }),
    ("second_hello_without_groups_is_refused", "the second hello has no groups", &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE], |hello| {
        hello.remove(extension::GROUPS);
    }),
];

fn retries() -> impl Iterator<Item = Attack> {
    let told = RETRIES.iter().map(|(name, does, alerts, change)| {
        Attack::new("T8", *name, *does, Layer::Rustls, Naive::Agreeable, |target| {
            let (mut hello, proper) = without_share()?;
            let (mut peer, _) = asked_again(target, &hello)?;
            hello.set(extension::KEY_SHARE, proper);
            change(&mut hello);
            peer.send(HANDSHAKE, &hello.message())?;
            peer.is_told(alerts)
        })
    });
    let taken = Attack::new(
        "T8",
        "asked_again_a_client_that_obeys_is_served",
        "a hello without a share, and a second with one",
        Layer::Rustls,
        Naive::Agreeable,
        |target| {
            let (mut hello, proper) = without_share()?;
            let (mut peer, transcript) = asked_again(target, &hello)?;
            hello.set(extension::KEY_SHARE, proper);
            let second = hello.message();
            peer.write(&record(CHANGE_CIPHER_SPEC, &[1]));
            peer.send(HANDSHAKE, &second)?;
            Handshake::go_on(peer, &hello, [transcript, second].concat(), None)?.finish()?.asks("asked again\n")
        },
    );
    told.chain([taken]).chain(between())
}

/// What may not come in place of a second hello: name, what it does, the record, the alerts.
type Between = (&'static str, &'static str, u8, &'static [u8], &'static [u8]);

const BETWEEN: &[Between] = &[
    (
        "data_in_place_of_a_second_hello_is_unexpected",
        "data in the clear in place of a second hello",
        DATA,
        b"early",
        &[UNEXPECTED_MESSAGE],
    ),
    (
        "message_in_place_of_a_second_hello_is_unexpected",
        "a Finished in place of a second hello",
        HANDSHAKE,
        &[20, 0, 0, 0],
        &[UNEXPECTED_MESSAGE, DECODE_ERROR],
    ),
    (
        "malformed_alert_in_place_of_a_second_hello_does_not_decode",
        "an alert of one byte in place of a second hello",
        ALERT,
        &[2],
        &[DECODE_ERROR],
    ),
];

fn between() -> impl Iterator<Item = Attack> {
    BETWEEN.iter().map(|(name, does, kind, content, alerts)| {
        Attack::new("T8", *name, *does, Layer::Rustls, Naive::Agreeable, |target| {
            let (mut peer, _) = asked_again(target, &without_share()?.0)?;
            peer.send(*kind, content)?;
            peer.is_told(alerts)
        })
    })
}
