//! What is refused, and by which alert, to the byte.

use alloc::vec;
use alloc::vec::Vec;

use crate::testing::{Client, NAME, Pair, Server};
use crate::{Alert, Event, Fault, Foreign, Refusal, Session};

/// Gives raw bytes to a new session that accepts every hello; returns its fault and what it said.
fn answer(bytes: &[u8]) -> (Option<Fault>, Vec<u8>) {
    let mut pair = Pair::new(&Server::default().config(), &Client::default().config());
    pair.deliver(bytes);
    let said = pair.session_bytes();
    (pair.fault(), said)
}

fn alert(alert: Alert) -> Vec<u8> {
    vec![21, 3, 3, 0, 2, 2, alert.0]
}

fn vec16(body: &[u8]) -> Vec<u8> {
    [&u16::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vec16(body)].concat()
}

fn message(body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[1], &len[1..], body].concat()
}

/// A ClientHello message: version, suites, extensions.
fn hello(version: u16, suites: &[u16], extensions: &[Vec<u8>]) -> Vec<u8> {
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let body = [&version.to_be_bytes()[..], &[9; 32], &[0], &vec16(&suites), &[1, 0], &vec16(&extensions.concat())].concat();
    message(&body)
}

fn record(fragment: &[u8]) -> Vec<u8> {
    [&[22, 3, 1][..], &vec16(fragment)].concat()
}

fn server_name(name: &str) -> Vec<u8> {
    extension(0, &vec16(&[&[0][..], &vec16(name.as_bytes())].concat()))
}

/// What a TLS 1.2 client of 2015 offers beside its suites.
fn usual_extensions() -> Vec<Vec<u8>> {
    vec![server_name(NAME), extension(10, &vec16(&[0, 0x1d, 0, 0x17])), extension(11, &[1, 0]), extension(13, &vec16(&[4, 3, 8, 4, 4, 1]))]
}

const ECDHE_ECDSA_AES128_GCM: u16 = 0xc02b;
const RSA_AES128_GCM: u16 = 0x009c;
const RSA_AES128_CBC: u16 = 0x002f;
const ECDHE_ECDSA_AES128_CBC: u16 = 0xc009;

#[test]
fn the_hello_of_these_tests_is_a_good_one() {
    let (fault, said) = answer(&record(&hello(0x0303, &[ECDHE_ECDSA_AES128_GCM], &usual_extensions())));
    assert_eq!(fault, None);
    assert_eq!(said.first(), Some(&22), "a ServerHello");
}

#[test]
fn rsa_key_exchange_and_cbc_are_refused_with_handshake_failure() {
    for suites in [&[RSA_AES128_GCM, RSA_AES128_CBC][..], &[ECDHE_ECDSA_AES128_CBC], &[0x1234]] {
        let (fault, said) = answer(&record(&hello(0x0303, suites, &usual_extensions())));
        assert_eq!((fault, said), (Some(Fault::Peer(Alert::HANDSHAKE_FAILURE)), alert(Alert::HANDSHAKE_FAILURE)), "{suites:x?}");
    }
}

/// The server of these tests has one certificate, on P-256.
#[test]
fn a_client_that_can_use_no_certificate_of_ours_gets_handshake_failure() {
    let groups = |groups: &[u8]| extension(10, &vec16(groups));
    let signatures = |schemes: &[u8]| extension(13, &vec16(schemes));
    let (x25519, both) = (groups(&[0, 0x1d]), groups(&[0, 0x1d, 0, 0x17]));
    for (what, extensions) in [
        ("RSA signatures alone", [both.clone(), signatures(&[8, 4, 4, 1])]),
        ("ECDSA with SHA-384 alone", [both.clone(), signatures(&[5, 3])]),
        ("nothing but SHA-1", [both, signatures(&[2, 3])]),
        ("no P-256, which our certificate is on (RFC 8422 section 5.1)", [x25519, signatures(&[4, 3])]),
    ] {
        let (fault, said) = answer(&record(&hello(0x0303, &[ECDHE_ECDSA_AES128_GCM], &extensions)));
        assert_eq!((fault, said), (Some(Fault::Peer(Alert::HANDSHAKE_FAILURE)), alert(Alert::HANDSHAKE_FAILURE)), "{what}");
    }
}

#[test]
fn versions_below_tls12_are_refused_with_protocol_version() {
    for version in [0x0300, 0x0301, 0x0302] {
        let (fault, said) = answer(&record(&hello(version, &[ECDHE_ECDSA_AES128_GCM], &usual_extensions())));
        assert_eq!((fault, said), (Some(Fault::Peer(Alert::PROTOCOL_VERSION)), alert(Alert::PROTOCOL_VERSION)), "{version:x}");
    }
    let only_old = extension(43, &[4, 3, 2, 3, 1]);
    let (fault, _) = answer(&record(&hello(0x0303, &[ECDHE_ECDSA_AES128_GCM], &[usual_extensions(), vec![only_old]].concat())));
    assert_eq!(fault, Some(Fault::Peer(Alert::PROTOCOL_VERSION)), "supported_versions outranks the legacy field");
}

#[test]
fn a_later_version_that_we_do_not_know_is_no_fault() {
    let (fault, _) = answer(&record(&hello(0x0304, &[ECDHE_ECDSA_AES128_GCM], &usual_extensions())));
    assert_eq!(fault, None, "RFC 5246 §E.1: answer with what we speak");
}

#[test]
fn an_unrecognized_name_is_refused_by_its_alert() {
    let mut session = Session::new();
    let mut bytes = record(&hello(0x0303, &[ECDHE_ECDSA_AES128_GCM], &usual_extensions()));
    session.receive(&mut bytes, &mut Vec::new());
    assert!(matches!(session.poll_event(), Some(Event::Hello(_))));
    session.refuse(Refusal::UnrecognizedName);
    assert_eq!(session.poll_event(), Some(Event::Fault(Fault::Refused(Alert::UNRECOGNIZED_NAME))));
    let mut buf = [0; 16];
    let len = session.poll_transmit(&mut buf);
    assert_eq!(buf[..len], alert(Alert::UNRECOGNIZED_NAME));
    assert!(session.is_over());
}

#[test]
fn a_protocol_that_is_not_ours_is_refused_by_its_alert() {
    let config = Server { alpn: vec![b"http/1.1".to_vec()], ..Server::default() }.config();
    let mut pair = Pair::new(&config, &Client { alpn: vec![b"smtp".to_vec()], ..Client::default() }.config());
    pair.run();
    assert_eq!(pair.fault(), Some(Fault::Peer(Alert::NO_APPLICATION_PROTOCOL)));
    assert_eq!(pair.client_fault, Some(rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol)));
}

/// T8.
#[test]
fn what_is_not_tls_gets_an_alert_and_a_name() {
    let ssl2 = [0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10];
    for (bytes, foreign, expected) in [
        (&b"GET / HTTP/1.1\r\n"[..], Foreign::Http, Alert::UNEXPECTED_MESSAGE),
        (b"PRI * HTTP/2.0\r\n", Foreign::Http, Alert::UNEXPECTED_MESSAGE),
        (&ssl2, Foreign::Ssl2, Alert::PROTOCOL_VERSION),
        (b"\x00\x00\x00\x00", Foreign::Unknown, Alert::UNEXPECTED_MESSAGE),
        (b"\x16\x02\x00\x00\x10", Foreign::Unknown, Alert::PROTOCOL_VERSION),
    ] {
        let (fault, said) = answer(bytes);
        assert_eq!((fault, said), (Some(Fault::PeerNotTls(foreign, expected)), alert(expected)), "{bytes:?}");
    }
}

/// T2: RFC 8446 §5.1 and appendix D.4.
#[test]
fn nothing_but_the_hello_may_come_first() {
    for (bytes, expected) in [
        (&[22, 3, 1, 0, 0][..], Alert::UNEXPECTED_MESSAGE),
        (&[20, 3, 1, 0, 1, 1], Alert::UNEXPECTED_MESSAGE),
        (&[23, 3, 1, 0, 1, 1], Alert::UNEXPECTED_MESSAGE),
        (&[24, 3, 1, 0, 3, 1, 0, 0], Alert::UNEXPECTED_MESSAGE),
        (&[21, 3, 1, 0, 3, 1, 0, 0], Alert::DECODE_ERROR),
        (&[22, 3, 1, 0, 1, 2], Alert::UNEXPECTED_MESSAGE),
        (&[22, 3, 1, 0x40, 1], Alert::RECORD_OVERFLOW),
    ] {
        assert_eq!(answer(bytes), (Some(Fault::Peer(expected)), alert(expected)), "{bytes:?}");
    }
    assert_eq!(answer(&[21, 3, 1, 0, 2, 2, 40]), (Some(Fault::PeerAlert(Alert::HANDSHAKE_FAILURE)), vec![]));
}

#[test]
fn records_of_another_kind_inside_a_hello_are_refused() {
    let whole = hello(0x0303, &[ECDHE_ECDSA_AES128_GCM], &usual_extensions());
    for between in [&[20, 3, 1, 0, 1, 1][..], &[22, 3, 1, 0, 0], &[23, 3, 1, 0, 1, 0]] {
        let bytes = [&record(&whole[..20])[..], between, &record(&whole[20..])].concat();
        assert_eq!(answer(&bytes).0, Some(Fault::Peer(Alert::UNEXPECTED_MESSAGE)), "{between:?}");
    }
}

#[test]
fn a_hello_with_more_behind_it_in_its_record_is_refused() {
    let whole = hello(0x0303, &[ECDHE_ECDSA_AES128_GCM], &usual_extensions());
    let (fault, _) = answer(&record(&[&whole[..], &[0]].concat()));
    assert_eq!(fault, Some(Fault::Peer(Alert::UNEXPECTED_MESSAGE)));
}

/// T7: refused as soon as the length is known, before any of it is kept.
#[test]
fn a_huge_hello_is_refused_by_its_header() {
    for (len, expected) in
        [([0, 0x3f, 0xfc], None), ([0, 0x3f, 0xfd], Some(Alert::ILLEGAL_PARAMETER)), ([0xff; 3], Some(Alert::ILLEGAL_PARAMETER))]
    {
        let (fault, _) = answer(&[&[22, 3, 1, 0x40, 0, 1], &len[..]].concat());
        assert_eq!(fault, expected.map(Fault::Peer), "{len:?}");
    }
}

/// T7: 1,000 names, 10,000 groups.
#[test]
fn floods_within_a_hello_are_refused() {
    let names: Vec<u8> = (0..1000).flat_map(|_| [0, 0, 1, b'a']).collect();
    let (fault, _) = answer(&record(&hello(0x0303, &[ECDHE_ECDSA_AES128_GCM], &[extension(0, &vec16(&names))])));
    assert_eq!(fault, Some(Fault::Peer(Alert::ILLEGAL_PARAMETER)));
    let groups = extension(10, &vec16(&[0xaa; 20_000]));
    let whole = hello(0x0303, &[ECDHE_ECDSA_AES128_GCM], &[groups]);
    let bytes = [record(&whole[..16_000]), record(&whole[16_000..])].concat();
    assert_eq!(answer(&bytes).0, Some(Fault::Peer(Alert::ILLEGAL_PARAMETER)));
}

#[test]
fn names_that_are_none_are_refused_and_addresses_ignored() {
    let with = |name: &str| answer(&record(&hello(0x0303, &[ECDHE_ECDSA_AES128_GCM], &[server_name(name)]))).0;
    for name in ["", "a b", "-a.example", "a..b", "\u{e9}.example", "a\0b"] {
        assert_eq!(with(name), Some(Fault::Peer(Alert::ILLEGAL_PARAMETER)), "{name:?}");
    }
    let twice = [server_name(NAME), server_name(NAME)];
    assert_eq!(answer(&record(&hello(0x0303, &[1], &twice))).0, Some(Fault::Peer(Alert::ILLEGAL_PARAMETER)));
    let parsed = crate::Hello::parse(&hello(0x0303, &[1], &[server_name("192.0.2.1")])).unwrap();
    assert_eq!(parsed.server_name, None);
}

#[test]
fn a_hello_cut_short_anywhere_inside_is_a_decode_error() {
    let whole = hello(0x0303, &[ECDHE_ECDSA_AES128_GCM], &usual_extensions());
    for len in 0..whole.len() - 4 {
        // Without any extensions a hello is whole again.
        let legal = len == 2 + 32 + 1 + 4 + 2;
        let parsed = crate::Hello::parse(&message(&whole[4..4 + len]));
        assert_eq!(parsed.is_ok(), legal, "{len}");
        assert!(legal || parsed == Err(Alert::DECODE_ERROR), "{len}");
    }
}
