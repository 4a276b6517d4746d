//! What the two hellos say (RFC 8446 sections 4.1.2 and 4.1.3), and the one certificate list that is ever in the clear (RFC 5246 section 7.4.2).

use misbehave::hello::ClientHello;
use misbehave::wire::bytes::Reader;
use misbehave::wire::registry::{RETRY_RANDOM, extension};

use crate::limits::{LIST_SHOWN_MAX, NAME_SHOWN_MAX};
use crate::message::Detail;
use crate::names;

/// What is told of a message.
pub(crate) type Details = Vec<(&'static str, Detail)>;

/// Of a ClientHello's body; `None` if it is none.
pub(crate) fn client(body: &[u8]) -> Option<Details> {
    let hello = ClientHello::parse(body).ok()?;
    let legacy = Reader(body).u16().ok()?;
    let named = |numbers: Vec<u16>, name: fn(u16) -> String| Detail::from(shown(numbers.into_iter().map(name)));
    let psk = hello.identities().len();
    let ticket = hello.extension(extension::TICKET).is_some_and(|ticket| !ticket.is_empty());
    Some(vec![
        ("legacy_version", names::version(legacy).into()),
        ("server_name", hello.extension(extension::SERVER_NAME).map_or_else(|| "-".into(), server_name).into()),
        ("alpn", hello.extension(extension::ALPN).map(alpn).unwrap_or_default().into()),
        ("versions", named(hello.versions(), names::version)),
        ("suites", hello.suites.len().into()),
        ("groups", named(hello.groups(), names::group)),
        ("key_shares", named(shares(&hello), names::group)),
        ("psk", psk.into()),
        ("ticket", yes(ticket)),
        ("early_data", yes(hello.extension(extension::EARLY_DATA).is_some())),
    ])
}

/// A ServerHello, or what uses its form to ask for another ClientHello.
pub(crate) struct ServerHello {
    pub(crate) is_retry: bool,
    pub(crate) is_tls13: bool,
    pub(crate) details: Details,
}

/// Of a ServerHello's body; `None` if it is none.
pub(crate) fn server(body: &[u8]) -> Option<ServerHello> {
    let mut reader = Reader(body);
    let legacy = reader.u16().ok()?;
    let random = reader.take(32).ok()?;
    reader.vec(1).ok()?;
    let suite = reader.u16().ok()?;
    reader.take(1).ok()?;
    let extensions = if reader.0.is_empty() { &[][..] } else { reader.vec(2).ok()? };
    let find = |kind| extension_of(extensions, kind);
    let number = |kind| find(kind).and_then(|body| Reader(body).u16().ok());
    let version = number(extension::VERSIONS).unwrap_or(legacy);
    let mut details: Details = vec![
        ("legacy_version", names::version(legacy).into()),
        ("version", names::version(version).into()),
        ("suite", names::suite(suite).into()),
        ("group", number(extension::KEY_SHARE).map_or_else(|| "-".into(), names::group).into()),
        ("psk", number(extension::PRE_SHARED_KEY).map_or_else(|| "-".to_owned(), |identity| identity.to_string()).into()),
        ("ticket", yes(find(extension::TICKET).is_some())),
    ];
    if let Some(chosen) = find(extension::ALPN) {
        details.push(("alpn", alpn(chosen).into()));
    }
    Some(ServerHello { is_retry: random == RETRY_RANDOM, is_tls13: version == 0x0304, details })
}

/// Of a Certificate of TLS 1.2: how many there are.
pub(crate) fn certificates(body: &[u8]) -> Option<Details> {
    let mut list = Reader(Reader(body).vec(3).ok()?);
    let mut count = 0_usize;
    // Each turn takes three bytes at least.
    while list.vec(3).is_ok() {
        count = count.saturating_add(1);
    }
    Some(vec![("certificates", count.into())])
}

/// Of a ServerKeyExchange of TLS 1.2: the group, where it names one (RFC 8422 section 5.4).
pub(crate) fn key_exchange(body: &[u8]) -> Option<Details> {
    let mut reader = Reader(body);
    let named = reader.number(1).ok()? == 3;
    let group = reader.u16().ok()?;
    named.then(|| vec![("group", names::group(group).into())])
}

fn extension_of(extensions: &[u8], kind: u16) -> Option<&[u8]> {
    let mut list = Reader(extensions);
    // Each turn takes four bytes at least.
    while let (Ok(found), Ok(body)) = (list.u16(), list.vec(2)) {
        if found == kind {
            return Some(body);
        }
    }
    None
}

/// RFC 6066 section 3: the first name.
fn server_name(body: &[u8]) -> String {
    let mut list = Reader(Reader(body).vec(2).unwrap_or_default());
    match (list.take(1), list.vec(2)) {
        (Ok([0]), Ok(name)) => escaped(name),
        _ => "malformed".into(),
    }
}

/// RFC 7301 section 3.1.
fn alpn(body: &[u8]) -> Vec<String> {
    let mut list = Reader(Reader(body).vec(2).unwrap_or_default());
    // Each turn takes a byte at least.
    shown(core::iter::from_fn(|| list.vec(1).ok()).map(escaped))
}

fn shares(hello: &ClientHello) -> Vec<u16> {
    let mut list = Reader(hello.extension(extension::KEY_SHARE).and_then(|body| Reader(body).vec(2).ok()).unwrap_or_default());
    let mut groups = Vec::new();
    // Each turn takes four bytes at least.
    while let (Ok(group), Ok(_)) = (list.u16(), list.vec(2)) {
        groups.push(group);
    }
    groups
}

/// The first of them; that there are more is said.
fn shown(mut words: impl Iterator<Item = String>) -> Vec<String> {
    let mut shown: Vec<String> = words.by_ref().take(LIST_SHOWN_MAX).collect();
    match words.count() {
        0 => {}
        more => shown.push(format!("and {more} more")),
    }
    shown
}

fn escaped(bytes: &[u8]) -> String {
    bytes.get(..NAME_SHOWN_MAX).unwrap_or(bytes).escape_ascii().to_string()
}

fn yes(is: bool) -> Detail {
    if is { "yes" } else { "no" }.into()
}
