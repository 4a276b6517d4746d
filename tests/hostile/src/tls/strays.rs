//! Every type of record and of handshake message, with bodies of 0 to 5 bytes, wherever a client may speak (T8). None of them is what is due.

use e2e::Outcome;

use super::alert::{DECODE_ERROR, DECRYPT_ERROR, ILLEGAL_PARAMETER, NO_RENEGOTIATION, PROTOCOL_VERSION, UNEXPECTED_MESSAGE};
use super::bytes::message;
use super::flight::{CLIENT_KEY_EXCHANGE, FINISHED, KEY_UPDATE};
use super::hello::{CLIENT_HELLO, Hello};
use super::peer::{ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE, Peer};
use super::{v12, v13};
use crate::attack::{Attack, Layer};
use crate::naive::Naive;
use crate::target::Target;

/// Bodies are of this byte: no alert, no message, no KeyUpdate is so.
const BODY: [u8; 5] = [0xff; 5];

/// Handshake messages by name.
const MESSAGES: &[(&str, u8)] = &[
    ("hello_request", 0),
    ("client_hello", CLIENT_HELLO),
    ("server_hello", 2),
    ("hello_verify_request", 3),
    ("new_session_ticket", 4),
    ("end_of_early_data", 5),
    ("encrypted_extensions", 8),
    ("certificate", 11),
    ("server_key_exchange", 12),
    ("certificate_request", 13),
    ("server_hello_done", 14),
    ("certificate_verify", 15),
    ("client_key_exchange", CLIENT_KEY_EXCHANGE),
    ("finished", FINISHED),
    ("certificate_url", 21),
    ("certificate_status", 22),
    ("key_update", KEY_UPDATE),
    ("compressed_certificate", 25),
    ("next_protocol", 67),
    ("message_hash", 254),
    ("unknown_message", 99),
];

/// Records by name.
const RECORDS: &[(&str, &[u8])] = &[
    ("change_cipher_specs", &[CHANGE_CIPHER_SPEC]),
    ("alerts", &[ALERT]),
    ("handshakes", &[HANDSHAKE]),
    ("data", &[DATA]),
    ("heartbeats", &[24]),
    ("unknown_records", &[1, 19, 25, 26, 63, 64, 127, 255]),
];

/// Where a client may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    First,
    Finishing13,
    Session13,
    Exchanging12,
    Session12,
}

impl Stage {
    const ALL: [Self; 5] = [Self::First, Self::Finishing13, Self::Session13, Self::Exchanging12, Self::Session12];

    fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Finishing13 => "in_place_of_finished",
            Self::Session13 => "in_a_session",
            Self::Exchanging12 => "in_place_of_the_1_2_key_exchange",
            Self::Session12 => "in_a_1_2_session",
        }
    }

    fn layer(self) -> Layer {
        match self {
            Self::First => Layer::Hello,
            Self::Finishing13 | Self::Exchanging12 => Layer::Rustls,
            Self::Session13 | Self::Session12 => Layer::Traffic,
        }
    }

    fn naive(self) -> Naive {
        match self {
            Self::First => Naive::Agreeable,
            Self::Finishing13 | Self::Exchanging12 => Naive::Hasty,
            Self::Session13 | Self::Session12 => Naive::Deaf,
        }
    }

    /// A client that has come so far.
    fn reach(self, target: &Target) -> Outcome<Peer> {
        Ok(match self {
            Self::First => Peer::connect(target)?,
            Self::Finishing13 => v13::Handshake::begin(target, &Hello::tls13()?)?.peer,
            Self::Session13 => v13::establish(target)?.peer,
            Self::Exchanging12 => v12::Handshake::begin(target, Hello::tls12()?)?.peer,
            Self::Session12 => v12::establish(target)?.peer,
        })
    }

    /// What a message may be answered with. Where rustls reads a message before it asks whether one is due, `decode_error` is as right.
    fn alerts(self, message: u8) -> &'static [u8] {
        match (self, message) {
            (Self::First, CLIENT_HELLO) => &[DECODE_ERROR],
            (Self::Session12, CLIENT_HELLO) => &[NO_RENEGOTIATION],
            (Self::Session13, KEY_UPDATE) => &[DECODE_ERROR, ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE],
            (Self::Finishing13, FINISHED) => &[DECRYPT_ERROR, DECODE_ERROR],
            (Self::Finishing13 | Self::Exchanging12, _) => &[UNEXPECTED_MESSAGE, DECODE_ERROR, ILLEGAL_PARAMETER],
            _ => &[UNEXPECTED_MESSAGE],
        }
    }

    /// The same for a record (RFC 8446 section 5). What begins with a high bit looks like SSL 2.0.
    fn record_alerts(self, kind: u8) -> &'static [u8] {
        match (self, kind) {
            (_, ALERT) => &[UNEXPECTED_MESSAGE, DECODE_ERROR, ILLEGAL_PARAMETER],
            (Self::First, 0x80..) => &[PROTOCOL_VERSION],
            // rustls does not decode a type that it does not know, nor a message beyond its bounds.
            (Self::Finishing13 | Self::Exchanging12, _) => &[UNEXPECTED_MESSAGE, DECODE_ERROR],
            _ => &[UNEXPECTED_MESSAGE],
        }
    }

    /// A part of a message's header, where a message may come: the rest is waited for. (rustls bears some records of no content, too.)
    fn waits(self, kind: u8, len: usize) -> bool {
        let least = if self == Self::Finishing13 { 0 } else { 1 };
        kind == HANDSHAKE && (least..4).contains(&len) && matches!(self, Self::Finishing13 | Self::Exchanging12)
    }
}

pub(super) fn attacks() -> Vec<Attack> {
    let messages = Stage::ALL.into_iter().flat_map(|stage| MESSAGES.iter().map(move |message| stray_message(stage, *message)));
    let records = Stage::ALL.into_iter().flat_map(|stage| RECORDS.iter().filter_map(move |records| stray_records(stage, *records)));
    messages.chain(records).collect()
}

fn stray_message(stage: Stage, (name, kind): (&'static str, u8)) -> Attack {
    let does = format!("{}, with bodies of 0 to 5 bytes, {}", name.replace('_', " "), stage.name().replace('_', " "));
    let attack = Attack::new("T8", format!("{name}_{}_is_refused", stage.name()), does, stage.layer(), stage.naive(), move |target| {
        for len in 0..=BODY.len() {
            let mut peer = stage.reach(target)?;
            peer.send(HANDSHAKE, &message(kind, &BODY[..len]))?;
            peer.is_told(stage.alerts(kind)).map_err(|fault| format!("a body of {len} bytes: {fault}"))?;
        }
        Ok(())
    });
    if matches!(kind, CLIENT_HELLO | FINISHED | KEY_UPDATE) { attack } else { attack.long() }
}

fn stray_records(stage: Stage, (name, kinds): (&'static str, &'static [u8])) -> Option<Attack> {
    if kinds == [DATA] && matches!(stage, Stage::Session12 | Stage::Session13) {
        return None;
    }
    let does = format!("records that are {}, with 0 to 5 bytes, {}", name.replace('_', " "), stage.name().replace('_', " "));
    let attack = Attack::new("T8", format!("{name}_{}_are_refused", stage.name()), does, stage.layer(), stage.naive(), move |target| {
        for (kind, len) in kinds.iter().flat_map(|kind| (0..=BODY.len()).map(move |len| (*kind, len))) {
            if stage.waits(kind, len) {
                continue;
            }
            let mut peer = stage.reach(target)?;
            peer.send(kind, &BODY[..len])?;
            // Two bytes of alert are an alert, and the end: nobody answers it.
            let outcome = if (kind, len) == (ALERT, 2) && stage != Stage::Session12 {
                peer.is_left()
            } else {
                peer.is_told(stage.record_alerts(kind))
            };
            outcome.map_err(|fault| format!("a record of type {kind} with {len} bytes: {fault}"))?;
        }
        Ok(())
    });
    Some(if matches!(kinds, [ALERT | HANDSHAKE]) { attack } else { attack.long() })
}
