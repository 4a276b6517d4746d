//! Hostile servers: whatever they say, one fault with the right alert, no panic, and bounded memory.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use peers::Order;
use proptest::prelude::*;

use super::dialling::{Real, dialled};
use crate::limits::{HANDSHAKE_INPUT_LEN_MAX, KEY_UPDATES_MAX, TICKETS_TAKEN_MAX};
use crate::record::{Protection, content};
use crate::testing::duo::{Calling, Dialled, Duo, End, OF_SERVERS, identity_of};
use crate::testing::{Client, NAME, Pair, START, Server, ticket_keys};
use crate::{Alert, CertificateFault, Clock, Event, Fault, Foreign, Refusal, Session, Version};

const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

/// A session that has said its hello.
fn waiting() -> End {
    let mut end = End::new(Session::dial(&Calling::default().caller()));
    assert!(!end.bytes().is_empty());
    end
}

/// The fault and what was said, after `bytes` in answer to the hello.
fn answer(bytes: &[u8]) -> (Vec<Fault>, Vec<u8>) {
    let mut end = waiting();
    end.deliver(bytes, None);
    (end.faults(), end.bytes())
}

fn in_clear(alert: Alert) -> Vec<u8> {
    vec![21, 3, 3, 0, 2, 2, alert.0]
}

#[test]
fn what_is_not_tls_gets_an_alert_and_a_name() {
    for (bytes, foreign, alert) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], Foreign::Http, Alert::UNEXPECTED_MESSAGE),
        (b"\x80\x2e\x04\0\x01", Foreign::Ssl2, Alert::PROTOCOL_VERSION),
        (b"\0\0\0\0\0\0\0\0", Foreign::Unknown, Alert::UNEXPECTED_MESSAGE),
        (b"\x16\x02\0\0\x10", Foreign::Unknown, Alert::PROTOCOL_VERSION),
    ] {
        assert_eq!(answer(bytes), (vec![Fault::PeerNotTls(foreign, alert)], in_clear(alert)), "{bytes:?}");
    }
}

#[test]
fn alerts_in_answer_to_the_hello_end_it_and_are_not_answered() {
    for description in [40, 70, 112] {
        assert_eq!(answer(&[21, 3, 3, 0, 2, 2, description]), (vec![Fault::PeerAlert(Alert(description))], vec![]));
    }
    let warnings: Vec<u8> = (0..10).flat_map(|_| [21, 3, 3, 0, 2, 1, 112]).collect();
    assert_eq!(answer(&warnings).0.len(), 1, "warnings are bounded");
}

#[test]
fn messages_out_of_turn_are_refused_with_an_alert() {
    for (bytes, alert) in [
        (&[22, 3, 3, 0, 4, 14, 0, 0, 0][..], Alert::UNEXPECTED_MESSAGE),
        (&[22, 3, 3, 0, 4, 0, 0, 0, 0], Alert::UNEXPECTED_MESSAGE),
        (&[23, 3, 3, 0, 1, 0], Alert::UNEXPECTED_MESSAGE),
        (&[22, 3, 3, 0, 5, 2, 0, 0, 1, 3], Alert::DECODE_ERROR),
        (&[22, 3, 3, 0x48, 0], Alert::RECORD_OVERFLOW),
    ] {
        assert_eq!(answer(bytes), (vec![Fault::Peer(alert)], in_clear(alert)), "{bytes:?}");
    }
}

#[test]
fn floods_before_the_servers_hello_are_bounded() {
    let floods: [(&[u8], &[u8], usize); 3] = [
        (&[22, 3, 3, 0, 4, 2, 0, 0xff, 0xff], &[22, 3, 3, 0, 1, 0], HANDSHAKE_INPUT_LEN_MAX),
        (&[], &[22, 3, 3, 0, 0], 40),
        (&[], &[20, 3, 3, 0, 1, 1], 40),
    ];
    for (first, again, count) in floods {
        let mut end = waiting();
        end.deliver(first, None);
        for _ in 0..count {
            end.deliver(again, None);
        }
        let [Fault::Peer(alert)] = end.faults()[..] else { panic!("{again:?} {:?}", end.events) };
        assert_eq!(end.bytes(), in_clear(alert));
        assert_eq!(end.session.buffered(), 0);
    }
    let mut end = waiting();
    end.deliver(&[22, 3, 3, 0x40, 0, 2], None);
    assert!(end.session.buffered() < 32 * 1024);
}

/// A flight's worth of the server, taken from a real one that got our hello.
fn first_flight(version: Version) -> (Dialled, Vec<u8>) {
    let mut dialled = Dialled::new(&Calling::default().caller(), &Real::of(version).config());
    let hello = dialled.client.bytes();
    dialled.server_reads(&hello);
    let flight = dialled.server_bytes();
    (dialled, flight)
}

/// In the clear or under keys: what the server makes of it.
fn heard(dialled: &mut Dialled) -> Option<rustls::Error> {
    let bytes = dialled.client.bytes();
    dialled.server_reads(&bytes);
    dialled.server_fault.clone()
}

fn told(alert: Alert) -> Option<rustls::Error> {
    Some(rustls::Error::AlertReceived(alert.0.into()))
}

/// In TLS 1.3 the last bytes are the Finished under keys, in TLS 1.2 the end of the flight in the clear.
#[test]
fn a_damaged_flight_is_refused_and_the_server_is_told() {
    let (mut dialled, mut flight) = first_flight(Version::Tls13);
    *flight.last_mut().unwrap() ^= 1;
    dialled.client.deliver(&flight, None);
    assert_eq!(dialled.client.faults(), [Fault::Peer(Alert::BAD_RECORD_MAC)]);
    assert_eq!(heard(&mut dialled), told(Alert::BAD_RECORD_MAC));
    let (mut dialled, mut flight) = first_flight(Version::Tls12);
    // A bit of the server's random, which its key exchange is signed with.
    flight[20] ^= 1;
    dialled.client.deliver(&flight, None);
    assert_eq!(dialled.client.faults(), [Fault::PeerCertificate(CertificateFault::Signature, Alert::DECRYPT_ERROR)]);
    assert_eq!(heard(&mut dialled), told(Alert::DECRYPT_ERROR));
    let (mut dialled, flight) = first_flight(Version::Tls12);
    dialled.client.deliver(&flight, None);
    let finished = dialled.client.bytes();
    dialled.server_reads(&finished);
    let mut last = dialled.server_bytes();
    *last.last_mut().unwrap() ^= 1;
    dialled.client.deliver(&last, None);
    assert_eq!(dialled.client.faults(), [Fault::Peer(Alert::BAD_RECORD_MAC)]);
    assert_eq!(heard(&mut dialled), told(Alert::BAD_RECORD_MAC));
}

/// What stands between changes the hello: both ends then have another transcript.
#[test]
fn a_hello_that_was_tampered_with_is_found_out() {
    let mut dialled = Dialled::new(&Calling::of(Version::Tls13).caller(), &Real::of(Version::Tls13).config());
    let mut hello = dialled.client.bytes();
    let at = hello.windows(NAME.len()).position(|window| window == NAME.as_bytes()).unwrap();
    hello[at] = b'f';
    dialled.server_reads(&hello);
    let flight = dialled.server_bytes();
    dialled.client.deliver(&flight, None);
    assert!(
        matches!(dialled.client.faults()[..], [Fault::Peer(_)] | [Fault::PeerCertificate(CertificateFault::Signature, _)]),
        "{:?}",
        dialled.client.events
    );
    assert!(!dialled.client.session.is_established());
}

/// Between our Finished and the server's the alert must be under keys, or the server would take it for a broken record.
#[test]
fn an_illegal_record_late_in_a_handshake_is_answered_under_keys() {
    for version in VERSIONS {
        let (mut dialled, flight) = first_flight(version);
        if version == Version::Tls12 {
            dialled.client.deliver(&flight, None);
        } else {
            // Up to the end of the first record, which is the ServerHello.
            let len = 5 + usize::from(u16::from_be_bytes([flight[3], flight[4]]));
            dialled.client.deliver(&flight[..len], None);
        }
        dialled.client.deliver(&[22, 3, 3, 0xff, 0xff], None);
        assert_eq!(dialled.client.faults(), [Fault::Peer(Alert::DECODE_ERROR)], "{version:?}");
        assert_eq!(heard(&mut dialled), told(Alert::DECODE_ERROR), "{version:?}");
    }
}

/// A message that is none, and behind it in its record the beginning of one that is too long.
const TWO_FAULTS: [&[u8]; 2] = [&[22, 3, 3, 0, 4, 148, 0, 0, 8], &[22, 3, 3, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 148, 1, 0, 0]];

/// Found by the fuzzer of `dial`: rustls says an alert of the first message when it is asked for that of the second, and that one was left in it, and another put behind.
#[test]
fn two_faults_in_one_record_get_one_alert() {
    let (mut dialled, flight) = first_flight(Version::Tls12);
    dialled.client.deliver(&flight, None);
    // What we have said of our own accord.
    assert_eq!(heard(&mut dialled), None);
    TWO_FAULTS.iter().for_each(|record| dialled.client.deliver(record, None));
    assert_eq!(dialled.client.faults(), [Fault::Peer(Alert::DECODE_ERROR)]);
    let said = dialled.client.bytes();
    assert_eq!(said.len(), 5 + usize::from(u16::from_be_bytes([said[3], said[4]])), "one record");
    dialled.server_reads(&said);
    assert_eq!(dialled.server_fault, told(Alert::UNEXPECTED_MESSAGE));
}

/// The same at the server's end, where a ticket was taken: it was once said in the clear.
#[test]
fn an_illegal_record_late_in_a_resumption_is_answered_under_keys() {
    let keys = ticket_keys(1, &Clock::new(START));
    let config = Server { tickets: Some((keys, b"route", 2)), ..Server::default() }.config();
    let client = Client { resumption: true, ..Client::tls12() }.config();
    Pair::established(&config, &client);
    let mut pair = Pair::new(&config, &client);
    let hello = pair.client_bytes();
    pair.deliver(&hello);
    let flight = pair.session_bytes();
    pair.client_reads(&flight);
    assert_eq!(pair.client.handshake_kind(), Some(rustls::HandshakeKind::Resumed));
    pair.deliver(&[22, 3, 3, 0xff, 0xff]);
    assert_eq!(pair.fault(), Some(Fault::Peer(Alert::DECODE_ERROR)));
    let alert = pair.session_bytes();
    pair.client_reads(&alert);
    assert_eq!(pair.client_fault, told(Alert::DECODE_ERROR));
}

#[test]
fn a_handshake_that_is_given_up_says_so_as_long_as_it_can() {
    let mut end = waiting();
    end.session.refuse(Refusal::Internal);
    end.collect_events(None);
    assert_eq!((end.faults(), end.bytes()), (vec![Fault::Refused(Alert::INTERNAL_ERROR)], in_clear(Alert::INTERNAL_ERROR)));
    for version in VERSIONS {
        let (mut dialled, flight) = first_flight(version);
        dialled.client.deliver(&flight[..flight.len() - usize::from(version == Version::Tls13)], None);
        dialled.client.bytes();
        dialled.client.session.refuse(Refusal::Internal);
        assert_eq!(dialled.client.bytes(), [], "{version:?}: nobody but rustls has the keys");
    }
}

/// A server with no certificate, and one whose chain does not end.
#[test]
fn certificates_without_end_are_refused_by_their_number() {
    let shown = OF_SERVERS.make(&Order::for_server(NAME));
    let long = peers::Shown { chain: [shown.chain.clone(), vec![OF_SERVERS.der().to_vec(); 6]].concat(), ..shown };
    for version in VERSIONS {
        let config = Server { identities: vec![identity_of(&long)], ..Server::default() }.config();
        let mut duo = Duo::new(&Calling::of(version).caller(), &config);
        duo.run();
        assert_eq!(duo.client.faults(), [Fault::PeerCertificate(CertificateFault::Limit, Alert::BAD_CERTIFICATE)]);
        assert_eq!(duo.server.faults(), [Fault::PeerAlert(Alert::BAD_CERTIFICATE)], "{version:?}");
        let huge = peers::Shown { chain: [long.chain.clone(), vec![vec![0; 8000]; 3]].concat(), ..long.clone() };
        let config = Server { identities: vec![identity_of(&huge)], ..Server::default() }.config();
        let mut duo = Duo::new(&Calling::of(version).caller(), &config);
        duo.run();
        assert!(!duo.client.session.is_established() && duo.client.faults().len() == 1, "{version:?} {:?}", duo.client.events);
    }
}

/// The record layer of a server without a real one's manners, once the handshake is done.
struct Raw {
    client: End,
    sealer: Protection,
    opener: Protection,
}

impl Raw {
    fn new(version: Version) -> Self {
        let Dialled { client, server, .. } = dialled(Real::of(version));
        let secrets = server.dangerous_extract_secrets().unwrap();
        let (sealer, opener) = (Protection::new(version, &secrets.tx).unwrap(), Protection::new(version, &secrets.rx).unwrap());
        Self { client, sealer, opener }
    }

    fn send(&mut self, kind: u8, plain: &[u8]) {
        let mut record = vec![0; plain.len() + self.sealer.overhead()];
        assert_eq!(self.sealer.seal(kind, plain, &mut record), Some(record.len()));
        self.client.deliver(&record, None);
    }

    fn ends_with(&mut self, alert: Alert) {
        assert_eq!(self.client.faults(), [Fault::Peer(alert)]);
        let mut said = self.client.bytes();
        assert_eq!(self.opener.open(&mut said), Ok((content::ALERT, &[2, alert.0][..])));
    }
}

fn ticket(len: u8) -> Vec<u8> {
    [vec![4, 0, 0, len], vec![0; usize::from(len)]].concat()
}

#[test]
fn tickets_are_bounded_and_may_stand_in_any_cut() {
    let mut raw = Raw::new(Version::Tls13);
    for byte in ticket(20) {
        raw.send(content::HANDSHAKE, &[byte]);
    }
    raw.send(content::HANDSHAKE, &[ticket(20), ticket(30), vec![24, 0, 0, 1, 0]].concat());
    assert_eq!(raw.client.faults(), []);
    // The real server had some of its own.
    let mut raw = Raw::new(Version::Tls13);
    raw.send(content::DATA, b"x");
    for _ in 0..2 {
        (0..TICKETS_TAKEN_MAX / 2).for_each(|_| raw.send(content::HANDSHAKE, &[ticket(20), ticket(30)].concat()));
        raw.send(content::DATA, b"x");
    }
    assert_eq!((raw.client.plain.as_slice(), raw.client.session.buffered()), (&b"xxx"[..], 0));
    (0..=TICKETS_TAKEN_MAX).for_each(|_| {
        if raw.client.faults().is_empty() {
            raw.send(content::HANDSHAKE, &ticket(20));
        }
    });
    raw.ends_with(Alert::UNEXPECTED_MESSAGE);
}

#[test]
fn what_a_client_must_not_be_told_after_the_handshake_is_refused() {
    for (version, records, alert) in [
        // RFC 8446 §4.6.2: nobody offered it.
        (Version::Tls13, &[(22, &[13, 0, 0, 3, 0, 0, 0][..])][..], Alert::UNEXPECTED_MESSAGE),
        (Version::Tls13, &[(22, &[0, 0, 0, 0])], Alert::UNEXPECTED_MESSAGE),
        (Version::Tls13, &[(22, &[1, 0, 0, 0])], Alert::UNEXPECTED_MESSAGE),
        (Version::Tls13, &[(22, &[])], Alert::UNEXPECTED_MESSAGE),
        (Version::Tls13, &[(22, &[4, 0, 0, 20]), (23, b"x")], Alert::UNEXPECTED_MESSAGE),
        (Version::Tls13, &[(22, &[4, 0]), (21, &[1, 0])], Alert::UNEXPECTED_MESSAGE),
        (Version::Tls13, &[(22, &[4, 0xff, 0xff, 0xff])], Alert::ILLEGAL_PARAMETER),
        (Version::Tls13, &[(22, &[4, 0, 0, 0])], Alert::DECODE_ERROR),
        (Version::Tls13, &[(22, &[24, 0]), (22, &[4, 0, 0])], Alert::DECODE_ERROR),
        (Version::Tls12, &[(22, &[0, 0, 0, 0])], Alert::NO_RENEGOTIATION),
        (Version::Tls12, &[(22, &[1, 0, 0, 0])], Alert::UNEXPECTED_MESSAGE),
        (Version::Tls12, &[(22, &[4, 0, 0, 20])], Alert::UNEXPECTED_MESSAGE),
    ] {
        let mut raw = Raw::new(version);
        records.iter().for_each(|(kind, plain)| raw.send(*kind, plain));
        raw.ends_with(alert);
    }
}

#[test]
fn a_servers_key_updates_without_data_are_bounded() {
    let mut dialled = dialled(Real::of(Version::Tls13));
    for _ in 0..=KEY_UPDATES_MAX {
        assert_eq!(dialled.client.faults(), []);
        dialled.server.refresh_traffic_keys().unwrap();
        let bytes = dialled.server_bytes();
        dialled.client.deliver(&bytes, None);
        let answer = dialled.client.bytes();
        dialled.server_reads(&answer);
    }
    assert_eq!(dialled.client.faults(), [Fault::Peer(Alert::UNEXPECTED_MESSAGE)]);
}

/// A session at some stage of its connection, and what its server would say next.
fn at_stage(stage: usize, version: Version) -> (End, Vec<u8>) {
    let mut dialled = Dialled::new(&Calling::default().caller(), &Arc::clone(&REAL[usize::from(version == Version::Tls13)]));
    for _ in 0..stage {
        let there = dialled.client.bytes();
        dialled.server_reads(&there);
        let back = dialled.server_bytes();
        dialled.client.deliver(&back, None);
    }
    let there = dialled.client.bytes();
    dialled.server_reads(&there);
    let next = dialled.server_bytes();
    (dialled.client, next)
}

static REAL: std::sync::LazyLock<[Arc<rustls::ServerConfig>; 2]> =
    std::sync::LazyLock::new(|| VERSIONS.map(|version| Real::of(version).config()));

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn garbage_never_panics(stage in 0_usize..3, tls13: bool, bytes in prop::collection::vec(any::<u8>(), 0..600), segment in 1_usize..80) {
        let (mut client, _) = at_stage(stage, VERSIONS[usize::from(tls13)]);
        client.segment_len = segment;
        client.deliver(&bytes, None);
        client.session.finish();
        client.deliver(&bytes, None);
        prop_assert!(client.faults().len() <= 1);
        prop_assert!(client.session.is_over() || client.session.wants_transmit());
    }

    #[test]
    fn well_framed_garbage_never_panics(
        stage in 0_usize..3,
        tls13: bool,
        records in prop::collection::vec((18_u8..26, prop::collection::vec(any::<u8>(), 0..80)), 0..40),
    ) {
        let (mut client, _) = at_stage(stage, VERSIONS[usize::from(tls13)]);
        for (kind, body) in records {
            client.deliver(&[&[kind, 3, 3, 0, u8::try_from(body.len()).unwrap()][..], &body].concat(), None);
        }
        prop_assert!(client.faults().len() <= 1);
    }

    #[test]
    fn a_bit_turned_in_any_flight_never_panics_and_is_never_taken(stage in 0_usize..2, tls13: bool, at: prop::sample::Index, bit in 0..8) {
        let (mut client, mut flight) = at_stage(stage, VERSIONS[usize::from(tls13)]);
        prop_assume!(!flight.is_empty());
        let at = at.index(flight.len());
        flight[at] ^= 1_u8 << bit;
        client.deliver(&flight, None);
        let established = client.events.iter().filter(|event| matches!(event, Event::Established(_))).count();
        prop_assert!(client.faults().len() <= 1 && established <= 1);
    }
}
