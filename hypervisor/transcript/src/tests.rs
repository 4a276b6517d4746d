//! Whole conversations, frame by frame, and frames that are none.

use core::time::Duration;

use misbehave::wire::bytes::{message, numbers, vec8, vec16, vec24};
use misbehave::wire::peer::record;
use misbehave::wire::registry::{content, extension, handshake};
use proptest::prelude::*;

use crate::limits::{ENCRYPTED_TOLD, MESSAGES_PER_CONNECTION_MAX};
use crate::{Speaker, Transcript};
use Speaker::{Client, Guest};

const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;
const FIN: u8 = 1;

/// A client and a guest that speak in turn; each says where its bytes go.
struct Wire {
    transcript: Transcript,
    frames: Vec<(Speaker, Vec<u8>)>,
    next: [u32; 2],
    turn: u64,
}

fn frame(from: Speaker, sequence: u32, acknowledged: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let (client, guest) = ([10, 0, 2, 2], [10, 0, 2, 15]);
    let (source, destination, ports) = match from {
        Client => (client, guest, [50_000_u16, 443]),
        Guest => (guest, client, [443, 50_000]),
    };
    let len = u16::try_from(40 + payload.len()).unwrap().to_be_bytes();
    let mut frame = [&[2; 12][..], &[8, 0, 0x45, 0], &len, &[0, 0, 0x40, 0, 64, 6, 0, 0], &source, &destination].concat();
    frame.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    frame.extend([sequence.to_be_bytes(), acknowledged.to_be_bytes()].concat());
    frame.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    frame.extend(payload);
    frame
}

impl Wire {
    fn connected() -> Self {
        let mut wire = Self { transcript: Transcript::default(), frames: Vec::new(), next: [u32::MAX - 5, 7000], turn: 0 };
        wire.send(Client, SYN, &[], 1);
        wire.send(Guest, SYN | ACK, &[], 1);
        wire.send(Client, ACK, &[], 0);
        wire
    }

    fn send(&mut self, from: Speaker, flags: u8, payload: &[u8], more: u32) {
        let (own, other) = (from as usize, 1 - from as usize);
        let bytes = frame(from, self.next[own], self.next[other], flags, payload);
        self.next[own] = self.next[own].wrapping_add(u32::try_from(payload.len()).unwrap() + more);
        self.give(from, &bytes);
        self.frames.push((from, bytes));
    }

    fn give(&mut self, from: Speaker, bytes: &[u8]) {
        self.turn += 1;
        self.transcript.frame(Duration::from_millis(self.turn), from, bytes);
    }

    fn say(&mut self, from: Speaker, payload: &[u8]) {
        self.send(from, ACK, payload, 0);
    }

    /// Each message as `speaker what details`.
    fn told(self) -> Vec<String> {
        let told = self.transcript.end();
        assert_eq!(told.connections.len(), 1);
        told.connections[0]
            .messages
            .iter()
            .map(|message| message.to_string()[16..].split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    }
}

fn extensions(list: &[(u16, Vec<u8>)]) -> Vec<u8> {
    vec16(&list.iter().flat_map(|(kind, body)| [&kind.to_be_bytes()[..], &vec16(body)].concat()).collect::<Vec<u8>>())
}

fn client_hello() -> Vec<u8> {
    let name = vec16(&[&[0][..], &vec16(b"www.example.test")].concat());
    let share = [&29u16.to_be_bytes()[..], &vec16(&[7; 32])].concat();
    let body = [
        &[3, 3][..],
        &[5; 32],
        &vec8(&[6; 32]),
        &vec16(&numbers(&[0x1301, 0xc02b])),
        &vec8(&[0]),
        &extensions(&[
            (extension::SERVER_NAME, name),
            (extension::ALPN, vec16(&[vec8(b"h2"), vec8(b"a\x1b")].concat())),
            (extension::VERSIONS, vec8(&numbers(&[0x0a0a, 0x0304, 0x0303]))),
            (extension::GROUPS, vec16(&numbers(&[29, 25, 999]))),
            (extension::KEY_SHARE, vec16(&share)),
        ]),
    ];
    message(handshake::CLIENT_HELLO, &body.concat())
}

const CLIENT_HELLO: &str = "client ClientHello legacy_version=TLS1.2 server_name=www.example.test alpn=h2,a\\x1b versions=GREASE,TLS1.3,TLS1.2 suites=2 \
                            groups=x25519,secp521r1,0x03e7 key_shares=x25519 psk=0 ticket=no early_data=no len=";

fn server_hello(suite: u16, list: &[(u16, Vec<u8>)]) -> Vec<u8> {
    message(handshake::SERVER_HELLO, &[&[3, 3][..], &[9; 32], &vec8(&[]), &suite.to_be_bytes(), &[0], &extensions(list)].concat())
}

fn tls13_hello() -> Vec<u8> {
    server_hello(0x1301, &[(extension::VERSIONS, vec![3, 4]), (extension::KEY_SHARE, [&[0, 29][..], &vec16(&[7; 32])].concat())])
}

#[test]
fn a_conversation_of_tls_1_3_is_told_and_bulk_is_summed_up() {
    let mut wire = Wire::connected();
    wire.say(Client, &record(content::HANDSHAKE, &client_hello()));
    wire.say(Guest, &[record(content::HANDSHAKE, &tls13_hello()), record(content::CHANGE_CIPHER_SPEC, &[1])].concat());
    for _ in 0..1000 {
        wire.say(Client, &record(content::DATA, &[0; 100]));
        wire.say(Guest, &record(content::DATA, &[0; 16_000]));
    }
    wire.send(Client, ACK | FIN, &[], 1);
    wire.send(Guest, ACK | FIN, &[], 1);
    let told = wire.told();
    assert!(told[0].starts_with(CLIENT_HELLO), "{}", told[0]);
    assert_eq!(
        told[1],
        "guest ServerHello legacy_version=TLS1.2 version=TLS1.3 suite=TLS_AES_128_GCM_SHA256 group=x25519 psk=- ticket=no len=86"
    );
    assert_eq!(
        told[2..5],
        [
            "guest change_cipher_spec",
            "client encrypted type=23(application_data) len=100",
            "guest encrypted type=23(application_data) len=16000"
        ]
    );
    let told_singly = usize::try_from(ENCRYPTED_TOLD).unwrap();
    assert_eq!(
        told[3 + 2 * told_singly..],
        [
            "client application_data records=992 bytes=99200 until=2.004000",
            "guest application_data records=992 bytes=15872000 until=2.005000",
            "client fin",
            "guest fin",
        ]
    );
}

#[test]
fn a_conversation_of_tls_1_2_is_told_up_to_its_keys() {
    let mut wire = Wire::connected();
    // The hello in records of 50 bytes each, and the server's flight in one record.
    let hello: Vec<u8> = client_hello().chunks(50).flat_map(|piece| record(content::HANDSHAKE, piece)).collect();
    wire.say(Client, &hello);
    let flight = [
        server_hello(0xc02b, &[(extension::ALPN, vec16(&vec8(b"h2")))]),
        message(handshake::CERTIFICATE, &vec24(&[vec24(b"leaf"), vec24(b"ca")].concat())),
        message(handshake::SERVER_KEY_EXCHANGE, &[3, 0, 29, 0]),
        message(handshake::SERVER_HELLO_DONE, &[]),
    ];
    wire.say(Guest, &record(content::HANDSHAKE, &flight.concat()));
    wire.say(
        Client,
        &[record(content::CHANGE_CIPHER_SPEC, &[1]), record(content::HANDSHAKE, &[0; 40]), record(content::ALERT, &[0; 26])].concat(),
    );
    wire.say(Guest, &record(content::ALERT, &[2, 51]));
    wire.send(Guest, ACK | RST, &[], 0);
    let told = wire.told();
    assert!(told[0].starts_with(CLIENT_HELLO), "{}", told[0]);
    assert_eq!(
        told[1..],
        [
            "guest ServerHello legacy_version=TLS1.2 version=TLS1.2 suite=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 group=- psk=- ticket=no alpn=h2 len=49",
            "guest Certificate certificates=2 len=15",
            "guest ServerKeyExchange group=x25519 len=4",
            "guest ServerHelloDone type=14 len=0",
            "client change_cipher_spec",
            "client encrypted type=22(handshake) len=40",
            "client encrypted type=21(alert) len=26",
            "guest alert level=fatal description=decrypt_error(51)",
            "guest reset",
        ]
    );
}

#[test]
fn after_a_retry_the_second_hello_is_told_although_the_cipher_was_changed() {
    let mut wire = Wire::connected();
    wire.say(Client, &record(content::HANDSHAKE, &client_hello()));
    let mut retry = server_hello(0x1301, &[(extension::VERSIONS, vec![3, 4]), (extension::KEY_SHARE, vec![0, 23])]);
    retry[6..38].copy_from_slice(&misbehave::wire::registry::RETRY_RANDOM);
    wire.say(Guest, &record(content::HANDSHAKE, &retry));
    wire.say(Client, &[record(content::CHANGE_CIPHER_SPEC, &[1]), record(content::HANDSHAKE, &client_hello())].concat());
    let told = wire.told();
    assert_eq!(
        told[1],
        "guest HelloRetryRequest legacy_version=TLS1.2 version=TLS1.3 suite=TLS_AES_128_GCM_SHA256 group=secp256r1 psk=- ticket=no len=52"
    );
    assert!(told[3].starts_with(CLIENT_HELLO), "{told:?}");
}

#[test]
fn what_is_lost_and_comes_later_is_no_hole_and_what_never_comes_is_one() {
    let mut wire = Wire::connected();
    let hello = record(content::HANDSHAKE, &client_hello());
    let (start, first, late) = (wire.next[0], &hello[..60], &hello[60..]);
    let at = |offset: usize| start.wrapping_add(u32::try_from(offset).unwrap());
    wire.give(Client, &frame(Client, at(60), 0, ACK, late));
    wire.give(Client, &frame(Client, start, 0, ACK, first));
    wire.give(Client, &frame(Client, start, 0, ACK, first));
    wire.give(Client, &frame(Client, at(hello.len() + 1), 0, ACK, &record(content::ALERT, &[2, 40])));
    let told = wire.told();
    assert!(told[0].starts_with(CLIENT_HELLO), "{told:?}");
    assert_eq!(told[1..], ["client hole read_on=no"]);
}

#[test]
fn a_proxy_header_stands_before_tls_and_http_is_none() {
    let mut wire = Wire::connected();
    wire.say(Client, b"PROXY TCP4 192.0.2.7 198.51.100.1 51234");
    wire.say(Client, &[b" 443\r\n", &record(content::HANDSHAKE, &client_hello())[..]].concat());
    let told = wire.told();
    assert_eq!(told[0], "client PROXY header client=192.0.2.7:51234");
    assert!(told[1].starts_with(CLIENT_HELLO), "{told:?}");
    let mut wire = Wire::connected();
    wire.say(Client, b"GET / HTTP/1.1\r\n\r\n");
    wire.send(Client, ACK | FIN, b"more", 1);
    assert_eq!(wire.told(), ["client not TLS read_on=no", "client fin"]);
}

#[test]
fn a_connection_is_one_only_when_its_handshake_is_made() {
    let mut transcript = Transcript::default();
    let data = record(content::ALERT, &[2, 40]);
    for (from, sequence, acknowledged, flags) in
        [(Client, 9, 0, SYN), (Guest, 99, 10, SYN | ACK), (Client, 10, 77, ACK), (Client, 11, 100, ACK)]
    {
        transcript.frame(Duration::ZERO, from, &frame(from, sequence, acknowledged, flags, if flags == ACK { &data } else { &[] }));
    }
    assert!(transcript.end().connections.is_empty());
}

#[test]
fn a_client_that_says_much_fills_its_own_page_alone() {
    let mut wire = Wire::connected();
    for _ in 0..200 {
        wire.say(Client, &record(content::ALERT, &[1, 90]).repeat(10));
    }
    let told = wire.transcript.end();
    assert_eq!((told.connections[0].messages.len(), told.connections[0].left_out), (MESSAGES_PER_CONNECTION_MAX, 2000 - 1024));
}

/// Frames of a sound conversation, of which any may be bent.
fn conversation() -> Vec<(Speaker, Vec<u8>)> {
    let mut wire = Wire::connected();
    wire.say(Client, &record(content::HANDSHAKE, &client_hello()));
    wire.say(Guest, &record(content::HANDSHAKE, &tls13_hello()));
    let flight = [server_hello(0xc02b, &[]), message(handshake::CERTIFICATE, &vec24(&vec24(b"leaf")))].concat();
    wire.say(Guest, &record(content::HANDSHAKE, &flight));
    wire.say(Client, b"PROXY UNKNOWN\r\n");
    wire.say(Guest, &record(content::DATA, &[0; 90]));
    wire.send(Client, ACK | FIN, &[], 1);
    wire.send(Guest, ACK | FIN, &[], 1);
    wire.frames
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_frame_makes_it_panic(frames in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..200)), 0..20)) {
        let mut transcript = Transcript::default();
        for (from_guest, bytes) in frames {
            transcript.frame(Duration::ZERO, if from_guest { Guest } else { Client }, &bytes);
        }
        let _ = transcript.end();
    }

    #[test]
    fn no_stream_makes_it_panic(pieces in proptest::collection::vec((any::<bool>(), 19u8..25, proptest::collection::vec(any::<u8>(), 0..80), any::<bool>()), 0..30)) {
        let mut wire = Wire::connected();
        for (from_guest, kind, bytes, sound) in pieces {
            let said = if sound { record(kind, &bytes) } else { bytes };
            wire.say(if from_guest { Guest } else { Client }, &said);
        }
        let _ = wire.transcript.end();
    }

    #[test]
    fn no_bent_conversation_makes_it_panic(bends in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 0..6), order in proptest::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let mut frames = conversation();
        for (frame, at, byte) in bends {
            let frame = frame.index(frames.len());
            let at = at.index(frames[frame].1.len());
            frames[frame].1[at] = byte;
        }
        let mut transcript = Transcript::default();
        let again: Vec<usize> = order.iter().map(|index| index.index(frames.len())).collect();
        for (from, bytes) in (0..frames.len()).chain(again).map(|at| &frames[at]) {
            transcript.frame(Duration::ZERO, *from, bytes);
        }
        for connection in transcript.end().connections {
            let _ = connection.messages.iter().map(ToString::to_string).collect::<Vec<_>>();
        }
    }
}
