//! ServerHello and HelloRetryRequest: versions, suites, echoes (RFC 8446 sections 4.1.3, 4.1.4 and 4.2.1).

use super::greeted;
use crate::greeting::{Greeting, ServerHello};
use crate::hello::ClientHello;
use crate::misbehaviour::Misbehaviour;
use crate::v13::{HONEST, Script};
use crate::wire::bytes::{message, vec16};
use crate::wire::registry::alert::{DECODE_ERROR, ILLEGAL_PARAMETER, PROTOCOL_VERSION, UNEXPECTED_MESSAGE, UNSUPPORTED_EXTENSION};
use crate::wire::registry::handshake::{ENCRYPTED_EXTENSIONS, SERVER_HELLO};
use crate::wire::registry::{extension, group, suite};

const HELLO: &str = "RFC 8446 4.1.3";
const RETRY: &str = "RFC 8446 4.1.4";
const ILLEGAL: &[u8] = &[ILLEGAL_PARAMETER];

const fn retried(
    name: &'static str,
    wrong: &'static str,
    rfc: &'static str,
    alerts: &'static [u8],
    retry: fn(&mut ServerHello, &ClientHello),
) -> Misbehaviour {
    Misbehaviour::tls13(name, wrong, rfc, alerts, Script { retry: Some(retry), ..HONEST })
}

/// A sound HelloRetryRequest, and then this.
const fn after_retry(
    name: &'static str,
    wrong: &'static str,
    rfc: &'static str,
    alerts: &'static [u8],
    greet: fn(&mut Greeting<'_>),
) -> Misbehaviour {
    Misbehaviour::tls13(name, wrong, rfc, alerts, Script { retry: Some(|_, _| {}), greet, ..HONEST })
}

/// The first suite of TLS 1.3 that the client did not offer.
fn foreign_suite(client: &ClientHello) -> u16 {
    [0x1305, 0x1304, 0x1303, 0x13fe].into_iter().find(|suite| !client.suites.contains(suite)).unwrap_or(0x13fd)
}

pub(super) const ALL: &[Misbehaviour] = &[
    greeted("suite-not-offered", "a suite of TLS 1.3 that was not offered", HELLO, ILLEGAL, |it| it.hello.suite = foreign_suite(it.client)),
    greeted("suite-of-1.2", "a suite of TLS 1.2 in TLS 1.3", HELLO, ILLEGAL, |it| it.hello.suite = suite::ECDHE_ECDSA_AES_128_GCM_SHA256),
    greeted("compression", "a compression method", HELLO, &[ILLEGAL_PARAMETER, DECODE_ERROR], |it| it.hello.compression = 1),
    greeted("session-altered", "the echo of the session id is altered", HELLO, ILLEGAL, |it| match it.hello.session.first_mut() {
        Some(byte) => *byte ^= 1,
        None => it.hello.session.push(1),
    }),
    greeted("session-longer", "the echo of the session id is longer than it may be", HELLO, &[ILLEGAL_PARAMETER, DECODE_ERROR], |it| {
        it.hello.session = vec![7; 33];
    }),
    greeted("version-1.1", "TLS 1.1, which nobody may speak any more", "RFC 8996 5", &[PROTOCOL_VERSION], |it| {
        it.hello.legacy_version = 0x0302;
        it.hello.remove(extension::VERSIONS);
    }),
    greeted(
        "version-not-offered",
        "supported_versions of a version that was not offered (0x0305)",
        "RFC 8446 4.2.1",
        &[ILLEGAL_PARAMETER, PROTOCOL_VERSION],
        |it| {
            it.hello.set(extension::VERSIONS, &[3, 5]);
        },
    ),
    greeted("version-1.2-by-extension", "supported_versions of TLS 1.2", "RFC 8446 4.2.1", &[ILLEGAL_PARAMETER, PROTOCOL_VERSION], |it| {
        it.hello.set(extension::VERSIONS, &[3, 3]);
    }),
    greeted(
        "extensions-in-hello",
        "EncryptedExtensions in the clear, in the ServerHello's record",
        "RFC 8446 5.1",
        &[UNEXPECTED_MESSAGE],
        |it| {
            it.behind = message(ENCRYPTED_EXTENSIONS, &vec16(&[]));
        },
    ),
    greeted("hello-twice", "ServerHello twice", "RFC 8446 4", &[UNEXPECTED_MESSAGE], |it| it.behind = it.hello.message()),
    greeted("hello-cut", "a ServerHello of its first 20 bytes", "RFC 8446 6.2", &[DECODE_ERROR], |it| {
        let body = it.hello.message();
        it.instead = Some(message(SERVER_HELLO, body.get(4..24).unwrap_or_default()));
    }),
    retried("retry-without-change", "a HelloRetryRequest that changes nothing", RETRY, ILLEGAL, |hello, _| {
        hello.remove(extension::COOKIE);
        hello.remove(extension::KEY_SHARE);
    }),
    retried(
        "retry-for-same-group",
        "a HelloRetryRequest for a group that there is a share of",
        "RFC 8446 4.2.8",
        ILLEGAL,
        |hello, client| {
            let has = [group::X25519, group::SECP256R1].into_iter().find(|group| client.share(*group).is_some());
            hello.remove(extension::COOKIE);
            hello.set(extension::KEY_SHARE, &has.unwrap_or(group::X25519).to_be_bytes());
        },
    ),
    retried(
        "retry-for-foreign-group",
        "a HelloRetryRequest for a group that was not offered (0xfe00)",
        "RFC 8446 4.2.8",
        ILLEGAL,
        |hello, _| {
            hello.set(extension::KEY_SHARE, &[0xfe, 0]);
        },
    ),
    retried("retry-of-foreign-suite", "a HelloRetryRequest of a suite that was not offered", RETRY, ILLEGAL, |hello, client| {
        hello.suite = foreign_suite(client);
    }),
    retried(
        "retry-with-empty-cookie",
        "a HelloRetryRequest with a cookie of no length",
        "RFC 8446 4.2.2",
        &[DECODE_ERROR, ILLEGAL_PARAMETER],
        |hello, _| {
            hello.set(extension::COOKIE, &vec16(&[]));
        },
    ),
    retried(
        "retry-with-unasked",
        "a HelloRetryRequest with an extension that was not asked for",
        RETRY,
        &[UNSUPPORTED_EXTENSION, ILLEGAL_PARAMETER],
        |hello, _| {
            hello.set(0xfafa, &[]);
        },
    ),
    after_retry("retry-twice", "a second HelloRetryRequest", RETRY, &[UNEXPECTED_MESSAGE], |it| {
        if let Ok(retry) = ServerHello::retry(it.client, None) {
            it.hello = retry;
        }
    }),
    Misbehaviour::tls13(
        "suite-after-retry",
        "the ServerHello's suite is not the HelloRetryRequest's",
        RETRY,
        ILLEGAL,
        // The one that both have in the end has our hash, so that a client that looks away completes.
        Script { retry: Some(|hello, _| hello.suite = suite::AES_256_GCM_SHA384), ..HONEST },
    ),
    after_retry(
        "version-after-retry",
        "the version is another one after HelloRetryRequest",
        RETRY,
        &[ILLEGAL_PARAMETER, PROTOCOL_VERSION],
        |it| {
            it.hello.remove(extension::VERSIONS);
            it.hello.remove(extension::KEY_SHARE);
            it.hello.suite = suite::ECDHE_ECDSA_AES_128_GCM_SHA256;
        },
    ),
];
