//! How sessions end: closure each way, truncation, faults.

use alloc::vec;
use alloc::vec::Vec;

use crate::testing::{Client, Pair, Server};
use crate::{Alert, Event, Fault, Version};

const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

fn established(version: Version) -> Pair {
    Pair::established(&Server::default().config(), &Client::of(version).config())
}

#[test]
fn after_the_peers_close_notify_we_may_still_send() {
    for version in VERSIONS {
        let mut pair = established(version);
        pair.client_sends(b"question");
        pair.client.send_close_notify();
        let bytes = pair.client_bytes();
        pair.deliver(&bytes);
        assert_eq!(pair.events.last(), Some(&Event::PeerClosed));
        assert_eq!(pair.send(b"answer"), b"answer", "{version:?}");
        pair.session.finish();
        assert_eq!(pair.session.poll_event(), None, "no truncation after close_notify");
        assert!(!pair.session.is_over());
        pair.session.close();
        let bytes = pair.session_bytes();
        pair.client_reads(&bytes);
        assert_eq!(pair.client_fault, None);
        assert!(pair.session.is_over());
    }
}

#[test]
fn after_our_close_we_still_receive_and_send_nothing() {
    for version in VERSIONS {
        let mut pair = established(version);
        pair.session.close();
        pair.session.close();
        pair.client_sends(b"more");
        assert_eq!(pair.plain, b"more");
        let mut out = [0; 100];
        let sent = pair.session.send(b"late", &mut out);
        assert_eq!(sent.consumed, 0);
        assert!(sent.produced > 0, "close_notify goes out once");
        assert_eq!(pair.session.send(b"late", &mut out).produced, 0);
        pair.client_reads(&out[..sent.produced]);
        assert_eq!(pair.client_fault, None);
        assert!(!pair.session.is_over());
    }
}

/// T13, RUSTSEC-2024-0336: data behind close_notify is taken and dropped, never a spin.
#[test]
fn data_behind_close_notify_is_ignored() {
    for version in VERSIONS {
        let mut pair = established(version);
        pair.client_sends(b"before");
        pair.client.send_close_notify();
        let close = pair.client_bytes();
        let mut bytes = [&close[..], &close, b"\x17\x03\x03\xff\xff garbage"].concat();
        let len = bytes.len();
        assert_eq!(pair.session.receive(&mut bytes, &mut pair.plain), len);
        assert_eq!(pair.plain, b"before");
        assert_eq!(pair.session.poll_event(), Some(Event::PeerClosed));
        assert_eq!(pair.session.poll_event(), None);
        assert_eq!(pair.session.receive(&mut [], &mut pair.plain), 0);
        assert_eq!(pair.session.buffered(), 0);
    }
}

#[test]
fn an_end_without_close_notify_is_truncation_at_every_stage() {
    for version in VERSIONS {
        let mut pair = established(version);
        pair.client_sends(b"cut o");
        pair.session.finish();
        assert_eq!(pair.session.poll_event(), Some(Event::Fault(Fault::PeerTruncated)));
        assert!(pair.session.is_over(), "nothing is said to a peer that is gone");
    }
    let (config, client) = (Server::default().config(), Client::default().config());
    for delivered in [0, 1, 40, usize::MAX] {
        let mut pair = Pair::new(&config, &client);
        let bytes = pair.client_bytes();
        pair.deliver(&bytes[..delivered.min(bytes.len())]);
        pair.session.finish();
        assert_eq!(pair.session.poll_event(), Some(Event::Fault(Fault::PeerTruncated)));
    }
}

#[test]
fn a_damaged_record_ends_the_session_with_bad_record_mac() {
    for version in VERSIONS {
        let mut pair = established(version);
        std::io::Write::write_all(&mut pair.client.writer(), b"hello").unwrap();
        let mut bytes = pair.client_bytes();
        *bytes.last_mut().unwrap() ^= 1;
        pair.deliver(&bytes);
        assert_eq!(pair.fault(), Some(Fault::Peer(Alert::BAD_RECORD_MAC)));
        assert_eq!(pair.plain, b"");
        let said = pair.session_bytes();
        pair.client_reads(&said);
        assert_eq!(pair.client_fault, Some(rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac)));
        assert!(pair.session.is_over());
    }
}

#[test]
fn after_a_fault_bytes_are_drained_and_nothing_is_sent() {
    let mut pair = established(Version::Tls13);
    pair.deliver(&[23, 3, 3, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(pair.fault().is_some());
    let mut flood = vec![0; 100_000];
    assert_eq!(pair.session.receive(&mut flood, &mut Vec::new()), flood.len());
    let mut out = [0; 1000];
    pair.session.poll_transmit(&mut out);
    assert_eq!(pair.session.send(b"late", &mut out), crate::Sent::default());
}

#[test]
fn a_client_that_distrusts_us_is_reported_by_its_alert() {
    let mut pair = Pair::named(&Server::default().config(), &Client::default().config(), "wrong.example.net");
    pair.run();
    let bytes = pair.client_bytes();
    pair.deliver(&bytes);
    assert_eq!(pair.fault(), Some(Fault::PeerAlert(Alert(42))), "bad_certificate");
}
