//! The record layer of an established session against a peer that can seal anything: floods, odd records, KeyUpdate, back-pressure.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use crate::limits::{EMPTY_RECORDS_MAX, KEY_UPDATES_MAX, RECORD_PLAIN_LEN_MAX, RECORDS_PER_KEY_MAX, WARNING_ALERTS_MAX};
use crate::record::{Protection, content};
use crate::session::State;
use crate::testing::{Client, Pair, Server};
use crate::{Alert, Event, Fault, Session, Sink, Version};

const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

/// The peer's record layer, without any of a real client's manners.
struct Raw {
    session: Session,
    sealer: Protection,
    opener: Protection,
    plain: Vec<u8>,
}

impl Raw {
    fn new(version: Version) -> Self {
        let client = Client::of(version).config();
        let pair = Pair::established(&Server::default().config(), &client);
        let secrets = pair.client.dangerous_extract_secrets().unwrap();
        let (sealer, opener) = (Protection::new(version, &secrets.tx).unwrap(), Protection::new(version, &secrets.rx).unwrap());
        Self { session: pair.session, sealer, opener, plain: vec![] }
    }

    fn record(&mut self, kind: u8, plain: &[u8]) -> Vec<u8> {
        let mut record = vec![0; plain.len() + self.sealer.overhead()];
        assert_eq!(self.sealer.seal(kind, plain, &mut record), Some(record.len()));
        record
    }

    fn send(&mut self, kind: u8, plain: &[u8]) -> Option<Event> {
        let mut record = self.record(kind, plain);
        assert_eq!(self.session.receive(&mut record, &mut self.plain), record.len());
        self.session.poll_event()
    }

    /// The one alert that the session has queued.
    fn alert(&mut self) -> Option<Alert> {
        let mut buf = [0; 256];
        let len = self.session.poll_transmit(&mut buf);
        match self.opener.open(&mut buf[..len]) {
            Ok((content::ALERT, [_, description])) => Some(Alert(*description)),
            _ => None,
        }
    }

    fn ends_with(&mut self, event: Option<Event>, alert: Alert) {
        assert_eq!(event, Some(Event::Fault(Fault::Peer(alert))));
        assert_eq!(self.alert(), Some(alert));
    }
}

#[test]
fn empty_records_are_taken_up_to_the_limit() {
    for version in VERSIONS {
        let mut raw = Raw::new(version);
        for _ in 0..EMPTY_RECORDS_MAX {
            assert_eq!(raw.send(content::DATA, b""), None);
        }
        assert_eq!(raw.send(content::DATA, b"x"), None, "data starts the count anew");
        for _ in 0..EMPTY_RECORDS_MAX {
            assert_eq!(raw.send(content::DATA, b""), None);
        }
        let event = raw.send(content::DATA, b"");
        raw.ends_with(event, Alert::UNEXPECTED_MESSAGE);
        assert_eq!(raw.plain, b"x");
    }
}

#[test]
fn warning_alerts_are_taken_up_to_the_limit() {
    for version in VERSIONS {
        let mut raw = Raw::new(version);
        for _ in 0..WARNING_ALERTS_MAX {
            assert_eq!(raw.send(content::ALERT, &[1, Alert::USER_CANCELED.0]), None);
        }
        let event = raw.send(content::ALERT, &[1, Alert::USER_CANCELED.0]);
        raw.ends_with(event, Alert::UNEXPECTED_MESSAGE);
    }
}

#[test]
fn in_tls13_every_other_alert_is_fatal_whatever_its_level() {
    for level in [1, 2, 77] {
        let mut raw = Raw::new(Version::Tls13);
        assert_eq!(raw.send(content::ALERT, &[level, 100]), Some(Event::Fault(Fault::PeerAlert(Alert(100)))));
        assert!(!raw.session.wants_transmit(), "an alert is not answered");
    }
}

#[test]
fn malformed_alerts_are_decode_errors() {
    for version in VERSIONS {
        for plain in [&[1][..], &[1, 0, 0]] {
            let mut raw = Raw::new(version);
            let event = raw.send(content::ALERT, plain);
            raw.ends_with(event, Alert::DECODE_ERROR);
        }
    }
}

/// RFC 8446 §5.4.
#[test]
fn alert_of_no_content_is_unexpected() {
    for version in VERSIONS {
        let mut raw = Raw::new(version);
        let event = raw.send(content::ALERT, &[]);
        raw.ends_with(event, Alert::UNEXPECTED_MESSAGE);
    }
}

/// RFC 5246 §7.2 knows two; what has another was once taken for a warning.
#[test]
fn alert_of_an_unknown_level_ends_a_1_2_session() {
    for level in [0, 3, 255] {
        let mut raw = Raw::new(Version::Tls12);
        let event = raw.send(content::ALERT, &[level, 100]);
        raw.ends_with(event, Alert::ILLEGAL_PARAMETER);
    }
}

/// It was once waited for until the idle limit, as its fifth byte was.
#[test]
fn key_update_without_a_body_is_refused_at_once() {
    let mut raw = Raw::new(Version::Tls13);
    let event = raw.send(content::HANDSHAKE, &[24, 0, 0, 0]);
    raw.ends_with(event, Alert::DECODE_ERROR);
}

/// T6.
#[test]
fn renegotiation_is_refused() {
    let mut raw = Raw::new(Version::Tls12);
    let event = raw.send(content::HANDSHAKE, &[1, 0, 0, 2, 3, 3]);
    raw.ends_with(event, Alert::NO_RENEGOTIATION);
}

#[test]
fn other_messages_and_types_are_unexpected() {
    for version in VERSIONS {
        for (kind, plain) in [(22, &[2, 0, 0, 0][..]), (22, &[4, 0, 0, 0]), (22, &[]), (20, &[1]), (24, &[1, 0]), (99, &[1])] {
            let mut raw = Raw::new(version);
            // TLS 1.2 shows the type outside, where kinds that do not exist are refused with the header.
            let event = raw.send(kind, plain);
            raw.ends_with(event, Alert::UNEXPECTED_MESSAGE);
        }
    }
}

#[test]
fn in_tls13_records_in_the_clear_are_unexpected() {
    for record in [&[20, 3, 3, 0, 1, 1][..], &[21, 3, 3, 0, 2, 1, 0], &[22, 3, 3, 0, 1, 1]] {
        let mut raw = Raw::new(Version::Tls13);
        raw.session.receive(&mut record.to_vec(), &mut raw.plain);
        let event = raw.session.poll_event();
        raw.ends_with(event, Alert::UNEXPECTED_MESSAGE);
    }
}

#[test]
fn a_record_of_nothing_but_padding_is_unexpected_and_padding_is_not_data() {
    let mut raw = Raw::new(Version::Tls13);
    // Sealing with type 0 makes type and content one run of zeros.
    let event = raw.send(0, &[0; 40]);
    raw.ends_with(event, Alert::UNEXPECTED_MESSAGE);
    let mut raw = Raw::new(Version::Tls13);
    assert_eq!(raw.send(0, b"data\x17\0\0\0"), None);
    assert_eq!(raw.plain, b"data");
}

#[test]
fn the_longest_record_passes_and_a_longer_one_overflows() {
    for version in VERSIONS {
        let mut raw = Raw::new(version);
        assert_eq!(raw.send(content::DATA, &vec![1; RECORD_PLAIN_LEN_MAX]), None);
        assert_eq!(raw.plain.len(), RECORD_PLAIN_LEN_MAX);
        let len = u16::try_from(RECORD_PLAIN_LEN_MAX + 257).unwrap().to_be_bytes();
        raw.session.receive(&mut [23, 3, 3, len[0], len[1]], &mut raw.plain);
        let event = raw.session.poll_event();
        raw.ends_with(event, Alert::RECORD_OVERFLOW);
    }
}

#[test]
fn records_shorter_than_their_protection_are_bad_records() {
    for version in VERSIONS {
        for len in 0..24 {
            let mut raw = Raw::new(version);
            let mut record = [&[23, 3, 3, 0, len][..], &vec![0; usize::from(len)]].concat();
            raw.session.receive(&mut record, &mut raw.plain);
            let event = raw.session.poll_event();
            raw.ends_with(event, Alert::BAD_RECORD_MAC);
        }
    }
}

#[test]
fn a_replayed_or_swapped_record_is_a_bad_record() {
    for version in VERSIONS {
        let mut raw = Raw::new(version);
        let record = raw.record(content::DATA, b"once");
        raw.session.receive(&mut record.clone(), &mut raw.plain);
        raw.session.receive(&mut record.clone(), &mut raw.plain);
        let event = raw.session.poll_event();
        raw.ends_with(event, Alert::BAD_RECORD_MAC);
        assert_eq!(raw.plain, b"once");
    }
}

/// T3: a KeyUpdate in pieces, with something between them, with something behind it, with a value that does not exist.
#[test]
fn key_updates_must_be_whole_alone_and_legal() {
    for (records, expected) in [
        (&[(22, &[24, 0, 0, 1, 0, 0][..])][..], Alert::UNEXPECTED_MESSAGE),
        (&[(22, &[24, 0]), (23, b"x")], Alert::UNEXPECTED_MESSAGE),
        (&[(22, &[24, 0]), (22, &[])], Alert::UNEXPECTED_MESSAGE),
        (&[(22, &[24, 0, 0, 1, 2])], Alert::ILLEGAL_PARAMETER),
        (&[(22, &[24, 0, 0, 2, 0])], Alert::DECODE_ERROR),
    ] {
        let mut raw = Raw::new(Version::Tls13);
        let event = records.iter().map(|(kind, plain)| raw.send(*kind, plain)).last().flatten();
        raw.ends_with(event, expected);
    }
}

#[test]
fn a_real_clients_key_updates_are_followed_and_answered_once() {
    let mut pair = Pair::established(&Server::default().config(), &Client::of(Version::Tls13).config());
    for round in 0..3 {
        pair.client.refresh_traffic_keys().unwrap();
        pair.client.refresh_traffic_keys().unwrap();
        let bytes = pair.client_bytes();
        pair.deliver(&bytes);
        assert!(pair.session.outbox.due().len() < 40, "two requests, one answer");
        pair.client_sends(b"data");
        assert_eq!(pair.plain.len(), 4 * (round + 1));
        assert_eq!(pair.send(b"pong"), b"pong", "under our new keys");
    }
}

#[test]
fn key_updates_without_data_are_taken_up_to_the_limit() {
    let mut pair = Pair::established(&Server::default().config(), &Client::of(Version::Tls13).config());
    for _ in 0..=KEY_UPDATES_MAX {
        assert_eq!(pair.fault(), None);
        pair.client.refresh_traffic_keys().unwrap();
        let bytes = pair.client_bytes();
        pair.deliver(&bytes);
        let answer = pair.session_bytes();
        pair.client_reads(&answer);
    }
    assert_eq!(pair.fault(), Some(Fault::Peer(Alert::UNEXPECTED_MESSAGE)));
}

#[test]
fn a_spent_key_is_changed_in_tls13_and_ends_tls12() {
    let mut out = [0; 100];
    let spent = |version| {
        let mut raw = Raw::new(version);
        let State::Traffic(traffic) = &mut raw.session.state else { panic!("established") };
        traffic.sealer_mut().set_sequence(RECORDS_PER_KEY_MAX);
        raw.opener.set_sequence(RECORDS_PER_KEY_MAX);
        raw
    };
    let mut raw = spent(Version::Tls13);
    assert_eq!(raw.session.send(b"x", &mut out).consumed, 0);
    let len = raw.session.poll_transmit(&mut out);
    assert_eq!(raw.opener.open(&mut out[..len]), Ok((content::HANDSHAKE, &[24, 0, 0, 1, 0][..])));
    assert_eq!(raw.session.send(b"x", &mut out).consumed, 1, "under new keys");
    let mut raw = spent(Version::Tls12);
    assert_eq!(raw.session.send(b"x", &mut out).produced, 0);
    assert_eq!(raw.session.poll_event(), Some(Event::Fault(Fault::LimitKeyUse)));
    assert_eq!(raw.alert(), Some(Alert::CLOSE_NOTIFY));
}

/// A sink with as much room as it is given.
#[derive(Default)]
struct Narrow {
    room: usize,
    got: Vec<u8>,
}

impl Sink for Narrow {
    fn room(&self) -> usize {
        self.room
    }

    fn put(&mut self, plain: &[u8]) {
        assert!(plain.len() <= self.room, "more than the room that was offered");
        self.room -= plain.len();
        self.got.extend_from_slice(plain);
    }
}

#[test]
fn a_record_waits_for_room_within_the_caller_or_within_us_and_nothing_is_lost() {
    for version in VERSIONS {
        let mut raw = Raw::new(version);
        let mut record = raw.record(content::DATA, &[5; 100]);
        let mut sink = Narrow { room: 99, ..Narrow::default() };
        assert_eq!(raw.session.receive(&mut record, &mut sink), 0, "a whole record stays where it is");
        let cut = record.len() - 1;
        assert_eq!(raw.session.receive(&mut record[..cut], &mut sink), cut);
        assert_eq!(raw.session.receive(&mut record[cut..], &mut sink), 1, "one in parts is kept");
        assert_eq!(sink.got, b"");
        sink.room = 100;
        assert_eq!(raw.session.receive(&mut [], &mut sink), 0);
        assert_eq!(sink.got, [5; 100]);
        assert_eq!(raw.session.buffered(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever the sizes of records, segments and room: exactly the bytes that were sent, in order.
    #[test]
    fn nothing_is_lost_or_made_up(
        lens in prop::collection::vec(0_usize..3000, 1..12),
        segments in prop::collection::vec(1_usize..4000, 1..8),
        rooms in prop::collection::vec(0_usize..5000, 1..8),
        tls13: bool,
    ) {
        let mut raw = Raw::new(if tls13 { Version::Tls13 } else { Version::Tls12 });
        let (mut wire, mut sent) = (vec![], vec![]);
        for (n, len) in lens.iter().enumerate() {
            let plain: Vec<u8> = (0..251).cycle().skip(n * 7).take(*len).collect();
            let record = raw.record(content::DATA, &plain);
            wire.extend(record);
            sent.extend(plain);
        }
        let mut sink = Narrow::default();
        // `start..end` is what the flow has received and the session has not taken.
        let (mut start, mut end) = (0, 0);
        for turn in 0.. {
            end = (end + segments[turn % segments.len()]).min(wire.len());
            sink.room = if turn % 9 == 8 { RECORD_PLAIN_LEN_MAX } else { rooms[turn % rooms.len()] };
            start += raw.session.receive(&mut wire[start..end], &mut sink);
            prop_assert!(turn < 10_000, "the session stands still");
            if start == wire.len() && sink.got.len() == sent.len() {
                break;
            }
        }
        prop_assert!(sink.got == sent);
        prop_assert_eq!(raw.session.poll_event(), None);
    }

    /// Whatever the room in the caller's buffer: as much as fits, and the peer reads just that.
    #[test]
    fn sending_into_any_buffer_gives_whole_records(room in 0_usize..40_000, len in 0_usize..40_000, tls13: bool) {
        let mut raw = Raw::new(if tls13 { Version::Tls13 } else { Version::Tls12 });
        let plain: Vec<u8> = (0..253).cycle().take(len).collect();
        let mut out = vec![0; room];
        let sent = raw.session.send(&plain, &mut out);
        let mut rest = &mut out[..sent.produced];
        let mut read = vec![];
        while !rest.is_empty() {
            let len = 5 + usize::from(u16::from_be_bytes([rest[3], rest[4]]));
            let (record, behind) = rest.split_at_mut(len);
            let (kind, part) = raw.opener.open(record).unwrap();
            prop_assert_eq!(kind, content::DATA);
            prop_assert!(!part.is_empty());
            read.extend_from_slice(part);
            rest = behind;
        }
        prop_assert!(read == plain[..sent.consumed]);
        prop_assert!(sent.consumed == len || room - sent.produced <= raw.sealer.overhead(), "room was left unused");
    }
}
