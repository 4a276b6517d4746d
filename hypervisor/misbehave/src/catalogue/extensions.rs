//! Extensions that nobody asked for, or where they do not belong (RFC 8446 sections 4.2 and 4.3.1).

use super::{greeted, sealed};
use crate::hello::ClientHello;
use crate::misbehaviour::Misbehaviour;
use crate::v13::{Said, Speaker};
use crate::wire::bytes::{vec8, vec16};
use crate::wire::registry::alert::{DECODE_ERROR, ILLEGAL_PARAMETER, NO_APPLICATION_PROTOCOL, UNSUPPORTED_EXTENSION};
use crate::wire::registry::{extension, group};

const UNASKED: &[u8] = &[UNSUPPORTED_EXTENSION, ILLEGAL_PARAMETER];
const RULE: &str = "RFC 8446 4.2";
/// Of no extension that there is.
const UNKNOWN: u16 = 0xfafa;

fn with(it: &mut Speaker<'_>, list: &[(u16, Vec<u8>)]) -> Said {
    it.extensions(list);
    it.proven()
}

/// An extension that the client did not send, of those that it could have.
fn foreign(client: &ClientHello) -> u16 {
    [extension::MAX_FRAGMENT_LENGTH, extension::EARLY_DATA, UNKNOWN]
        .into_iter()
        .find(|kind| client.extension(*kind).is_none())
        .unwrap_or(UNKNOWN)
}

pub(super) const ALL: &[Misbehaviour] = &[
    greeted("unknown-in-hello", "an unknown extension in ServerHello", RULE, UNASKED, |it| it.hello.set(UNKNOWN, &[])),
    greeted(
        "protocol-in-hello",
        "ALPN in ServerHello, where TLS 1.3 does not have it",
        RULE,
        &[ILLEGAL_PARAMETER, UNSUPPORTED_EXTENSION],
        |it| {
            it.hello.set(extension::ALPN, &vec16(&vec8(b"http/1.1")));
        },
    ),
    greeted("psk-not-offered", "a pre-shared key is chosen, and none was offered", "RFC 8446 4.2.11", UNASKED, |it| {
        it.hello.set(extension::PRE_SHARED_KEY, &[0, 0]);
    }),
    greeted("cookie-in-hello", "a cookie in ServerHello", RULE, UNASKED, |it| it.hello.set(extension::COOKIE, &vec16(b"crumb"))),
    greeted("version-twice", "supported_versions twice in ServerHello", RULE, &[ILLEGAL_PARAMETER, DECODE_ERROR], |it| {
        it.hello.extensions.push((extension::VERSIONS, vec![3, 4]));
    }),
    sealed("unknown-extension", "an unknown extension in EncryptedExtensions", RULE, UNASKED, |it| with(it, &[(UNKNOWN, vec![])])),
    sealed("extension-not-asked", "an extension that the client knows and did not send", RULE, UNASKED, |it| {
        let kind = foreign(&it.client);
        let body = if kind == extension::MAX_FRAGMENT_LENGTH { vec![1] } else { vec![] };
        with(it, &[(kind, body)])
    }),
    sealed("early-data-not-asked", "early data is taken, and there was none", "RFC 8446 4.2.10", UNASKED, |it| {
        with(it, &[(extension::EARLY_DATA, vec![])])
    }),
    sealed("extension-twice", "supported_groups twice", RULE, &[ILLEGAL_PARAMETER, DECODE_ERROR], |it| {
        let groups = (extension::GROUPS, vec16(&group::X25519.to_be_bytes()));
        with(it, &[groups.clone(), groups])
    }),
    sealed("share-in-extensions", "a key share in EncryptedExtensions", RULE, &[ILLEGAL_PARAMETER, UNSUPPORTED_EXTENSION], |it| {
        with(it, &[(extension::KEY_SHARE, [&group::X25519.to_be_bytes()[..], &vec16(&[9; 32])].concat())])
    }),
    sealed("version-in-extensions", "supported_versions in EncryptedExtensions", RULE, &[ILLEGAL_PARAMETER, UNSUPPORTED_EXTENSION], |it| {
        with(it, &[(extension::VERSIONS, vec![3, 4])])
    }),
    sealed(
        "protocol-not-offered",
        "ALPN of a protocol that was not offered",
        "RFC 7301 3.1",
        &[ILLEGAL_PARAMETER, UNSUPPORTED_EXTENSION, NO_APPLICATION_PROTOCOL],
        |it| with(it, &[(extension::ALPN, vec16(&vec8(b"misbehave")))]),
    ),
    sealed("protocols", "ALPN of two protocols", "RFC 7301 3.1", &[DECODE_ERROR, ILLEGAL_PARAMETER, UNSUPPORTED_EXTENSION], |it| {
        with(it, &[(extension::ALPN, vec16(&[vec8(b"http/1.1"), vec8(b"h2")].concat()))])
    }),
    sealed(
        "protocol-empty",
        "ALPN of a protocol without a name",
        "RFC 7301 3.1",
        &[DECODE_ERROR, ILLEGAL_PARAMETER, UNSUPPORTED_EXTENSION],
        |it| with(it, &[(extension::ALPN, vec16(&vec8(b"")))]),
    ),
    sealed(
        "server-name-with-name",
        "server_name with something in it",
        "RFC 6066 3",
        &[DECODE_ERROR, ILLEGAL_PARAMETER, UNSUPPORTED_EXTENSION],
        |it| with(it, &[(extension::SERVER_NAME, vec![0])]),
    ),
    sealed("extensions-cut", "EncryptedExtensions claims more than it has", "RFC 8446 6.2", &[DECODE_ERROR], |it| {
        it.say(&crate::wire::bytes::message(crate::wire::registry::handshake::ENCRYPTED_EXTENSIONS, &[0, 9, 0, 0]));
        it.proven()
    }),
];
