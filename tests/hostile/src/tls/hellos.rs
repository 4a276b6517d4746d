//! ClientHellos that are wrong in one field each (T7, T8, T15), and some that are odd and right (T1).

use e2e::Outcome;

use super::alert::{DECODE_ERROR, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, MISSING_EXTENSION, PROTOCOL_VERSION, UNEXPECTED_MESSAGE};
use super::bytes::{message, numbers, vec8, vec16};
use super::hello::{CLIENT_HELLO, FALLBACK_SCSV, Hello, extension};
use super::peer::{CHANGE_CIPHER_SPEC, HANDSHAKE, Peer, record};
use super::{v12, v13};
use crate::attack::{Attack, Layer};
use crate::naive::Naive;

/// Row, name, what it does, the alerts, the change.
type Row = (&'static str, &'static str, &'static str, &'static [u8], fn(&mut Hello));

pub(super) fn attacks() -> Vec<Attack> {
    let changed13 = CHANGED13.iter().map(|row| changed(*row, Hello::tls13));
    let changed12 = CHANGED12.iter().map(|row| changed(*row, Hello::tls12));
    let begun = BEGUN13.iter().map(|(row, name, does, alerts, change)| {
        Attack::new(row, *name, *does, Layer::Rustls, Naive::Agreeable, |target| {
            let mut hello = Hello::tls13()?;
            change(&mut hello);
            let mut peer = Peer::connect(target)?;
            peer.send(HANDSHAKE, &hello.message())?;
            v13::Handshake::is_told(peer, &hello, hello.message(), alerts)
        })
    });
    let taken = TAKEN.iter().map(|(row, name, does, naive, change, cut)| {
        Attack::new(row, *name, *does, Layer::Hello, *naive, |target| {
            let mut hello = Hello::tls13()?;
            change(&mut hello);
            let (mut peer, said) = (Peer::connect(target)?, hello.message());
            cut(&said).iter().for_each(|part| peer.write(part));
            v13::Handshake::go_on(peer, &hello, said, None)?.finish()?.asks("odd, and right\n")
        })
    });
    changed13.chain(changed12).chain(begun).chain(written()).chain(taken).chain(downgrades()).collect()
}

/// A changed hello in one record is told its alert.
fn changed((row, name, does, alerts, change): Row, base: fn() -> Outcome<Hello>) -> Attack {
    Attack::new(row, name, does, Layer::Hello, Naive::Agreeable, move |target| {
        let mut hello = base()?;
        change(&mut hello);
        let mut peer = Peer::connect(target)?;
        hello.message().chunks(1 << 14).try_for_each(|part| peer.send(HANDSHAKE, part))?;
        peer.is_told(alerts)
    })
}

const CHANGED13: &[Row] = &[
    ("T8", "hello_without_groups_misses_them", "no supported_groups (RFC 8446 section 9.2)", &[MISSING_EXTENSION], |hello| {
        hello.remove(extension::GROUPS);
    }),
    ("T8", "hello_without_signatures_misses_them", "no signature_algorithms (RFC 8446 section 9.2)", &[MISSING_EXTENSION], |hello| {
        hello.remove(extension::SIGNATURES);
    }),
    ("T8", "hello_without_a_key_share_misses_it", "no key_share (RFC 8446 section 9.2)", &[MISSING_EXTENSION], |hello| {
        hello.remove(extension::KEY_SHARE);
    }),
    ("T8", "hello_with_unknown_groups_fails", "groups that nobody has (RFC 8446 section 4.1.1)", &[HANDSHAKE_FAILURE], |hello| {
        hello.set(extension::GROUPS, vec16(&numbers(&[0x1111, 0x2222])));
        hello.set(extension::KEY_SHARE, vec16(&super::hello::share(0x1111, &[1; 32])));
    }),
    ("T8", "hello_with_unknown_suites_fails", "suites that nobody has", &[HANDSHAKE_FAILURE], |hello| hello.suites = vec![0x1399]),
    ("T8", "hello_without_suites_does_not_decode", "no suites", &[DECODE_ERROR], |hello| hello.suites.clear()),
    ("T8", "hello_without_versions_does_not_decode", "an empty supported_versions", &[DECODE_ERROR], |hello| {
        hello.set(extension::VERSIONS, vec8(&[]));
    }),
    ("T8", "hello_with_half_a_version_does_not_decode", "three bytes of supported_versions", &[DECODE_ERROR], |hello| {
        hello.set(extension::VERSIONS, vec8(&[3, 4, 3]));
    }),
    ("T8", "hello_of_the_future_is_told_protocol_version", "0x0305 alone", &[PROTOCOL_VERSION], |hello| {
        hello.set(extension::VERSIONS, vec8(&numbers(&[0x0305])));
    }),
    ("T8", "hello_of_a_draft_is_told_protocol_version", "draft 28 of TLS 1.3", &[PROTOCOL_VERSION], |hello| {
        hello.set(extension::VERSIONS, vec8(&numbers(&[0x7f1c])));
    }),
    ("T15", "hello_of_1_1_by_extension_is_told_protocol_version", "TLS 1.1 and 1.0 in supported_versions", &[PROTOCOL_VERSION], |hello| {
        hello.set(extension::VERSIONS, vec8(&numbers(&[0x0302, 0x0301])));
    }),
    (
        "T15",
        "legacy_version_of_ssl3_is_told_protocol_version",
        "SSL 3.0 as legacy_version (RFC 8446 appendix D.5)",
        &[PROTOCOL_VERSION],
        |hello| {
            hello.legacy_version = 0x0300;
        },
    ),
    ("T8", "compression_alone_is_illegal", "DEFLATE alone (RFC 8446 section 4.1.2)", &[ILLEGAL_PARAMETER], |hello| {
        hello.compression = vec![1];
    }),
    ("T8", "compression_beside_none_is_illegal_in_1_3", "null and DEFLATE (RFC 8446 section 4.1.2)", &[ILLEGAL_PARAMETER], |hello| {
        hello.compression = vec![0, 1];
    }),
    ("T8", "hello_without_compression_does_not_decode", "no compression method, not even null", &[DECODE_ERROR], |hello| {
        hello.compression.clear();
    }),
    ("T8", "long_session_does_not_decode", "a session id of 33 bytes", &[DECODE_ERROR, ILLEGAL_PARAMETER], |hello| {
        hello.session = vec![7; 33];
    }),
    ("T8", "groups_twice_are_illegal", "supported_groups twice (RFC 8446 section 4.2)", &[ILLEGAL_PARAMETER, DECODE_ERROR], |hello| {
        twice(hello, extension::GROUPS);
    }),
    ("T8", "key_share_twice_is_illegal", "key_share twice", &[ILLEGAL_PARAMETER, DECODE_ERROR], |hello| twice(hello, extension::KEY_SHARE)),
    ("T8", "server_name_twice_is_illegal", "server_name twice", &[ILLEGAL_PARAMETER], |hello| twice(hello, extension::SERVER_NAME)),
    ("T8", "versions_twice_are_illegal", "supported_versions twice", &[ILLEGAL_PARAMETER], |hello| twice(hello, extension::VERSIONS)),
    ("T8", "unknown_extension_twice_is_illegal", "an unknown extension twice", &[ILLEGAL_PARAMETER, DECODE_ERROR], |hello| {
        hello.set(0x4242, vec![]);
        twice(hello, 0x4242);
    }),
    ("T8", "server_names_of_no_length_do_not_decode", "server_name with an empty list", &[DECODE_ERROR], |hello| {
        hello.set(extension::SERVER_NAME, vec![0, 0]);
    }),
    ("T8", "server_name_of_no_length_is_illegal", "an empty host name", &[ILLEGAL_PARAMETER, DECODE_ERROR], |hello| hello.name("")),
    ("T8", "server_name_with_a_nul_is_illegal", "a host name with a NUL in it", &[ILLEGAL_PARAMETER, DECODE_ERROR], |hello| {
        hello.name("localhost\0.test");
    }),
    ("T8", "server_name_beyond_ascii_is_illegal", "a host name that is not ASCII", &[ILLEGAL_PARAMETER, DECODE_ERROR], |hello| {
        hello.name("lo\u{e7}alhost");
    }),
    ("T8", "server_name_of_300_bytes_is_illegal", "a host name of 300 bytes", &[ILLEGAL_PARAMETER, DECODE_ERROR], |hello| {
        hello.name(&"a.".repeat(150));
    }),
    ("T8", "two_server_names_are_illegal", "two host names (RFC 6066 section 3)", &[ILLEGAL_PARAMETER], |hello| names(hello, 2)),
    ("T7", "thousand_server_names_are_illegal", "a thousand host names", &[ILLEGAL_PARAMETER], |hello| names(hello, 1000)),
    ("T8", "server_name_of_another_kind_is_illegal", "a name that is no host name", &[ILLEGAL_PARAMETER], |hello| {
        hello.set(extension::SERVER_NAME, vec16(&[&[7][..], &vec16(b"localhost")].concat()));
    }),
    ("T8", "alpn_of_no_length_does_not_decode", "ALPN without a protocol", &[DECODE_ERROR], |hello| hello.set(extension::ALPN, vec16(&[]))),
    ("T8", "protocol_of_no_length_does_not_decode", "ALPN with an empty protocol", &[DECODE_ERROR], |hello| {
        hello.set(extension::ALPN, vec16(&vec8(&[])));
    }),
    ("T8", "bytes_behind_the_extensions_do_not_decode", "two bytes behind the extensions", &[DECODE_ERROR], |hello| {
        hello.tail = vec![0, 0];
    }),
    ("T8", "groups_that_overrun_do_not_decode", "supported_groups whose list is longer than they are", &[DECODE_ERROR], |hello| {
        hello.set(extension::GROUPS, vec![0, 40, 0, 29]);
    }),
    ("T8", "groups_with_bytes_behind_do_not_decode", "supported_groups with a byte behind the list", &[DECODE_ERROR], |hello| {
        hello.set(extension::GROUPS, vec![0, 2, 0, 29, 0]);
    }),
    ("T8", "signatures_of_no_length_do_not_decode", "an empty list of signature schemes", &[DECODE_ERROR, HANDSHAKE_FAILURE], |hello| {
        hello.set(extension::SIGNATURES, vec16(&[]));
    }),
    ("T8", "psk_modes_that_overrun_do_not_decode", "psk_key_exchange_modes longer than they are", &[DECODE_ERROR], |hello| {
        hello.set(extension::PSK_MODES, vec![9, 1]);
    }),
    ("T7", "ten_thousand_groups_are_refused", "10,000 groups: a hello of 20 KB", &[ILLEGAL_PARAMETER], |hello| {
        hello.set(extension::GROUPS, vec16(&numbers(&(0..10_000).collect::<Vec<u16>>())));
    }),
    ("T7", "extension_of_60_kilobytes_is_refused", "an unknown extension of 60,000 bytes", &[ILLEGAL_PARAMETER], |hello| {
        hello.set(0x4242, vec![7; 60_000]);
    }),
    (
        "T7",
        "thousand_extensions_of_one_kind_are_refused",
        "the same unknown extension a thousand times",
        &[ILLEGAL_PARAMETER, DECODE_ERROR],
        |hello| {
            (0..1000).for_each(|_| hello.extensions.push((0x4242, vec![])));
        },
    ),
];

const CHANGED12: &[Row] = &[
    ("T15", "hello_of_1_1_is_told_protocol_version", "TLS 1.1", &[PROTOCOL_VERSION], |hello| hello.legacy_version = 0x0302),
    ("T15", "hello_of_1_0_is_told_protocol_version", "TLS 1.0", &[PROTOCOL_VERSION], |hello| hello.legacy_version = 0x0301),
    ("T15", "hello_of_ssl3_is_told_protocol_version", "SSL 3.0", &[PROTOCOL_VERSION], |hello| hello.legacy_version = 0x0300),
    ("T15", "hello_of_no_version_is_told_protocol_version", "version 0.0", &[PROTOCOL_VERSION], |hello| hello.legacy_version = 0),
    ("T8", "compression_alone_is_refused_in_1_2", "DEFLATE alone, TLS 1.2", &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE], |hello| {
        hello.compression = vec![1];
    }),
    ("T15", "rsa_key_exchange_fails", "suites with RSA's key exchange alone", &[HANDSHAKE_FAILURE], |hello| {
        hello.suites = vec![0x009c, 0x009d, 0x002f, 0x0035];
    }),
    ("T15", "anonymous_suites_fail", "suites without a certificate", &[HANDSHAKE_FAILURE], |hello| {
        hello.suites = vec![0x0034, 0x00a6, 0xc018];
    }),
    ("T15", "null_suites_fail", "suites without encryption", &[HANDSHAKE_FAILURE], |hello| {
        hello.suites = vec![0x0001, 0x0002, 0x003b, 0xc006];
    }),
    ("T15", "export_and_rc4_suites_fail", "export suites and RC4", &[HANDSHAKE_FAILURE], |hello| {
        hello.suites = vec![0x0003, 0x0008, 0x0004, 0x0005, 0xc007];
    }),
    ("T15", "cbc_suites_fail", "CBC suites", &[HANDSHAKE_FAILURE], |hello| hello.suites = vec![0xc009, 0xc00a, 0xc023, 0xc013]),
    ("T15", "suites_of_1_3_alone_fail_in_1_2", "suites of TLS 1.3 in a hello of TLS 1.2", &[HANDSHAKE_FAILURE], |hello| {
        hello.suites = vec![0x1301, 0x1302];
    }),
    ("T8", "unknown_groups_fail_in_1_2", "groups that nobody has, TLS 1.2", &[HANDSHAKE_FAILURE], |hello| {
        hello.set(extension::GROUPS, vec16(&numbers(&[0x1111])));
    }),
    ("T8", "sha1_signatures_alone_fail_in_1_2", "SHA-1 alone, TLS 1.2", &[HANDSHAKE_FAILURE], |hello| {
        hello.set(extension::SIGNATURES, vec16(&numbers(&[0x0201, 0x0203])));
    }),
    (
        "T8",
        "compressed_points_alone_are_refused",
        "no uncompressed points (RFC 8422 section 5.1.2)",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE],
        |hello| {
            hello.set(extension::POINT_FORMATS, vec8(&[1, 2]));
        },
    ),
    (
        "T6",
        "renegotiation_info_in_a_first_hello_fails",
        "a first hello that claims to renegotiate (RFC 5746 section 3.6)",
        &[HANDSHAKE_FAILURE],
        |hello| {
            hello.set(extension::RENEGOTIATION, vec8(&[7; 12]));
        },
    ),
    ("T8", "master_secret_extension_with_a_body_does_not_decode", "extended_master_secret with a body", &[DECODE_ERROR], |hello| {
        hello.set(extension::MASTER_SECRET, vec![1]);
    }),
];

/// What rustls refuses only once it has begun: the alert comes under the handshake's keys.
const BEGUN13: &[Row] = &[
    (
        "T8",
        "hello_with_unknown_signatures_fails",
        "signature schemes that nobody has (RFC 8446 section 4.4.2.2)",
        &[HANDSHAKE_FAILURE],
        |hello| {
            hello.set(extension::SIGNATURES, vec16(&numbers(&[0x1111])));
        },
    ),
    ("T8", "hello_with_sha1_signatures_alone_fails", "SHA-1 alone", &[HANDSHAKE_FAILURE], |hello| {
        hello.set(extension::SIGNATURES, vec16(&numbers(&[0x0201, 0x0203])));
    }),
];

fn twice(hello: &mut Hello, kind: u16) {
    let copy = hello.extensions.iter().find(|(found, _)| *found == kind).cloned();
    hello.extensions.extend(copy);
}

fn names(hello: &mut Hello, count: usize) {
    let names: Vec<u8> = (0..count).flat_map(|n| [&[0][..], &vec16(format!("{n}.test").as_bytes())].concat()).collect();
    hello.set(extension::SERVER_NAME, vec16(&names));
}

/// Bytes that are nearly a hello: row, name, what it does, the alerts, the bytes made of a hello's message.
type Written = (&'static str, &'static str, &'static str, &'static [u8], fn(&[u8]) -> Vec<u8>);

const WRITTEN: &[Written] = &[
    (
        "T7",
        "hello_of_16_mebibytes_is_refused_at_its_header",
        "a hello that claims 16 MiB, and its first bytes",
        &[ILLEGAL_PARAMETER],
        |_| record(HANDSHAKE, &[CLIENT_HELLO, 0xff, 0xff, 0xff, 3, 3]),
    ),
    (
        "T7",
        "hello_of_16_kibibytes_and_more_is_refused_at_its_header",
        "a hello that claims one byte more than it may",
        &[ILLEGAL_PARAMETER],
        |_| record(HANDSHAKE, &[CLIENT_HELLO, 0, 0x3f, 0xfd]),
    ),
    (
        "T8",
        "hello_record_beyond_the_length_overflows",
        "a record of 2^14 + 1 bytes of hello (RFC 8446 section 5.1)",
        &[super::alert::RECORD_OVERFLOW],
        |_| [&[HANDSHAKE, 3, 1, 0x40, 1][..], &[CLIENT_HELLO]].concat(),
    ),
    (
        "T8",
        "bytes_behind_a_hello_are_unexpected",
        "a byte behind the hello in its record (RFC 8446 section 5.1)",
        &[UNEXPECTED_MESSAGE],
        |hello| record(HANDSHAKE, &[hello, &[0]].concat()),
    ),
    ("T8", "two_hellos_in_a_record_are_unexpected", "two hellos in one record", &[UNEXPECTED_MESSAGE], |hello| {
        record(HANDSHAKE, &[hello, hello].concat())
    }),
    ("T8", "hello_that_lies_about_its_length_is_unexpected", "a hello whose length is one too short", &[UNEXPECTED_MESSAGE], |hello| {
        let mut hello = hello.to_vec();
        hello[3] -= 1;
        record(HANDSHAKE, &hello)
    }),
    ("T8", "hello_cut_short_does_not_decode", "the first 40 bytes of a hello, called whole", &[DECODE_ERROR], |hello| {
        record(HANDSHAKE, &message(CLIENT_HELLO, &hello[4..44]))
    }),
    (
        "T2",
        "empty_record_before_a_hello_is_unexpected",
        "a handshake record of no content (RFC 8446 section 5.1)",
        &[UNEXPECTED_MESSAGE],
        |hello| [record(HANDSHAKE, &[]), record(HANDSHAKE, hello)].concat(),
    ),
    ("T2", "empty_record_within_a_hello_is_unexpected", "an empty record between the parts of a hello", &[UNEXPECTED_MESSAGE], |hello| {
        [record(HANDSHAKE, &hello[..9]), record(HANDSHAKE, &[]), record(HANDSHAKE, &hello[9..])].concat()
    }),
    (
        "T3",
        "change_cipher_spec_before_a_hello_is_unexpected",
        "ChangeCipherSpec first (RFC 8446 section 5)",
        &[UNEXPECTED_MESSAGE],
        |hello| [record(CHANGE_CIPHER_SPEC, &[1]), record(HANDSHAKE, hello)].concat(),
    ),
    (
        "T3",
        "change_cipher_spec_within_a_hello_is_unexpected",
        "ChangeCipherSpec between the parts of a hello",
        &[UNEXPECTED_MESSAGE],
        |hello| [record(HANDSHAKE, &hello[..9]), record(CHANGE_CIPHER_SPEC, &[1]), record(HANDSHAKE, &hello[9..])].concat(),
    ),
    ("T8", "hello_in_a_record_of_major_4_is_told_protocol_version", "a record of version 4.3", &[PROTOCOL_VERSION], |hello| {
        with_version(hello, 4, 3)
    }),
    ("T8", "hello_in_a_record_of_major_2_is_told_protocol_version", "a record of version 2.0", &[PROTOCOL_VERSION], |hello| {
        with_version(hello, 2, 0)
    }),
];

fn written() -> impl Iterator<Item = Attack> {
    WRITTEN.iter().map(|(row, name, does, alerts, write)| {
        Attack::new(row, *name, *does, Layer::Hello, Naive::Agreeable, |target| {
            let mut peer = Peer::connect(target)?;
            peer.write(&write(&Hello::tls13()?.message()));
            peer.is_told(alerts)
        })
    })
}

fn with_version(hello: &[u8], major: u8, minor: u8) -> Vec<u8> {
    let mut record = record(HANDSHAKE, hello);
    (record[1], record[2]) = (major, minor);
    record
}

/// What is odd and right: row, name, what it does, who fails at it, the change, and how the message is written.
type Taken = (&'static str, &'static str, &'static str, Naive, fn(&mut Hello), fn(&[u8]) -> Vec<Vec<u8>>);

const TAKEN: &[Taken] = &[
    ("T1", "hello_in_records_of_1_byte_is_taken", "a hello in records of one byte", Naive::FirstRead, |_| {}, |hello| cut(hello, 1)),
    (
        "T1",
        "hello_in_records_of_3_bytes_is_taken",
        "a hello in records of three bytes: its header is cut",
        Naive::FirstRead,
        |_| {},
        |hello| cut(hello, 3),
    ),
    ("T1", "hello_in_records_of_5_bytes_is_taken", "a hello in records of five bytes", Naive::FirstRead, |_| {}, |hello| cut(hello, 5)),
    (
        "T1",
        "hello_in_segments_of_1_byte_is_taken",
        "a hello in segments of one byte",
        Naive::FirstRead,
        |_| {},
        |hello| record(HANDSHAKE, hello).chunks(1).map(<[u8]>::to_vec).collect(),
    ),
    (
        "T1",
        "hello_in_records_and_segments_of_1_byte_is_taken",
        "both at once",
        Naive::FirstRead,
        |_| {},
        |hello| cut(hello, 1).concat().chunks(1).map(<[u8]>::to_vec).collect(),
    ),
    (
        "T1",
        "hello_in_a_record_of_any_minor_version_is_taken",
        "records of versions 3.0 and 3.255 (RFC 8446 section 5.1)",
        Naive::FirstRead,
        |_| {},
        |hello| {
            let (head, rest) = hello.split_at(7);
            vec![with_version(head, 3, 0), with_version(rest, 3, 255)]
        },
    ),
    (
        "T8",
        "grease_is_ignored",
        "GREASE as suite, group, version, signature scheme, extensions, protocol and key share (RFC 8701)",
        Naive::Agreeable,
        grease,
        whole,
    ),
    (
        "T7",
        "hello_of_15_kilobytes_is_taken",
        "an unknown extension of 15,000 bytes",
        Naive::FirstRead,
        |hello| hello.set(0x4242, vec![7; 15_000]),
        whole,
    ),
    (
        "T7",
        "four_thousand_unknown_suites_are_ignored",
        "4,000 suites, of which one is known",
        Naive::Agreeable,
        |hello| {
            hello.suites = (0x2000..0x2fa0).chain([super::hello::AES_128_GCM_SHA256]).collect();
        },
        whole,
    ),
    (
        "T8",
        "session_of_no_length_is_taken",
        "no session id: not in compatibility mode",
        Naive::Agreeable,
        |hello| hello.session.clear(),
        whole,
    ),
    (
        "T8",
        "address_as_server_name_is_ignored",
        "an address as server name, which is no name",
        Naive::Agreeable,
        |hello| hello.name("127.0.0.1"),
        whole,
    ),
    ("T8", "hello_without_a_server_name_is_taken", "no server name", Naive::Agreeable, |hello| hello.remove(extension::SERVER_NAME), whole),
    (
        "T15",
        "fallback_scsv_is_harmless_in_1_3",
        "FALLBACK_SCSV in a hello of TLS 1.3 (RFC 7507)",
        Naive::Agreeable,
        |hello| hello.suites.push(FALLBACK_SCSV),
        whole,
    ),
];

fn whole(hello: &[u8]) -> Vec<Vec<u8>> {
    vec![record(HANDSHAKE, hello)]
}

fn cut(hello: &[u8], len: usize) -> Vec<Vec<u8>> {
    vec![hello.chunks(len).flat_map(|part| record(HANDSHAKE, part)).collect()]
}

fn grease(hello: &mut Hello) {
    hello.suites.insert(0, 0x0a0a);
    for (kind, body) in &mut hello.extensions {
        match *kind {
            extension::GROUPS => *body = vec16(&numbers(&[0x1a1a, 29, 23])),
            extension::VERSIONS => *body = vec8(&numbers(&[0x2a2a, 0x0304])),
            extension::SIGNATURES => *body = vec16(&numbers(&[0x3a3a, 0x0403, 0x0804])),
            extension::PSK_MODES => *body = vec8(&[0x0b, 1]),
            extension::KEY_SHARE => {
                let shares = [super::hello::share(0x1a1a, &[0]), body.split_off(2)].concat();
                *body = vec16(&shares);
            }
            _ => {}
        }
    }
    hello.extensions.insert(0, (0x4a4a, vec![]));
    hello.extensions.push((0x5a5a, vec![0]));
    hello.set(extension::ALPN, vec16(&vec8(&[0x6a, 0x6a])));
}

/// RFC 8446 section 4.1.3: a server of TLS 1.3 that speaks 1.2 says so in its random.
const SENTINEL: &[u8; 8] = b"DOWNGRD\x01";

/// Name, what it does, the change.
type Downgrade = (&'static str, &'static str, fn(&mut Hello));

fn downgrades() -> impl Iterator<Item = Attack> {
    let cases: [Downgrade; 3] = [
        ("downgrade_to_1_2_carries_the_sentinel", "a hello of TLS 1.2", |_| {}),
        ("fallback_scsv_in_1_2_carries_the_sentinel", "FALLBACK_SCSV in a hello of TLS 1.2", |hello| hello.suites.push(FALLBACK_SCSV)),
        ("downgrade_by_extension_carries_the_sentinel", "supported_versions without TLS 1.3", |hello| {
            hello.set(extension::VERSIONS, vec8(&numbers(&[0x0303])));
        }),
    ];
    cases.into_iter().map(|(name, does, change)| {
        Attack::new(
            "T15",
            name,
            format!("{does}: the sentinel is in the server's random"),
            Layer::Rustls,
            Naive::Agreeable,
            move |target| {
                let mut hello = Hello::tls12()?;
                change(&mut hello);
                let mut handshake = v12::Handshake::begin(target, hello)?.finish()?;
                e2e::ensure(handshake.server.random.ends_with(SENTINEL), format!("no sentinel: {:02x?}", handshake.server.random))?;
                handshake.asks("downgraded\n")
            },
        )
    })
}
