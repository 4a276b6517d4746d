//! Established sessions: floods, strays, and records that are not what they say (T1 to T6, T8). What is refused is refused by its own alert, under the keys.

use e2e::Outcome;

use super::alert::{BAD_RECORD_MAC, DECODE_ERROR, FATAL, ILLEGAL_PARAMETER, NO_RENEGOTIATION, RECORD_OVERFLOW, UNEXPECTED_MESSAGE};
use super::bytes::message;
use super::flight::{FINISHED, KEY_UPDATE, NEW_SESSION_TICKET};
use super::hello::Hello;
use super::peer::{ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE, Peer, record};
use super::v13::Established;
use super::{v12, v13};
use crate::attack::{Attack, Layer};
use crate::naive::Naive;

/// The box's bounds; one more than these is refused. RFC 8446 leaves them open.
const EMPTY_RECORDS: usize = 32;
const KEY_UPDATES: usize = 32;
const WARNINGS: usize = 4;

const WARNING: u8 = 1;
const USER_CANCELED: u8 = 90;
const HEARTBEAT: u8 = 24;
const PLAIN_MAX: usize = 1 << 14;

/// Row, name, what it does, the alerts, what is done.
type Row<T> = (&'static str, &'static str, &'static str, &'static [u8], fn(&mut T) -> Outcome);

pub(super) fn attacks() -> Vec<Attack> {
    let told13 = TOLD13.iter().map(|(row, name, does, alerts, act)| {
        Attack::new(row, *name, *does, Layer::Traffic, Naive::Deaf, |target| {
            let mut established = v13::establish(target)?;
            act(&mut established)?;
            established.peer.is_told(alerts)
        })
    });
    let told12 = TOLD12.iter().map(|(row, name, does, alerts, act)| {
        Attack::new(row, *name, *does, Layer::Traffic, Naive::Deaf, |target| {
            let mut peer = v12::establish(target)?.peer;
            act(&mut peer)?;
            peer.is_told(alerts)
        })
    });
    let borne = BORNE.iter().map(|(row, name, does, act)| {
        Attack::new(row, *name, *does, Layer::Traffic, Naive::Deaf, |target| {
            let mut established = v13::establish(target)?;
            let before = act(&mut established)?;
            established.peer.send(DATA, b"still here\n")?;
            established.hears(&format!("{before}still here\n"))
        })
    });
    told13.chain(told12).chain(borne).collect()
}

const TOLD13: &[Row<Established>] = &[
    ("T2", "empty_records_end_a_session_at_the_limit", "33 records of no data", &[UNEXPECTED_MESSAGE], |it| {
        times(EMPTY_RECORDS + 1, || it.peer.send(DATA, b""))
    }),
    ("T2", "padding_alone_is_an_empty_record", "33 records of nothing but padding", &[UNEXPECTED_MESSAGE], |it| {
        times(EMPTY_RECORDS + 1, || inner(&mut it.peer, &[&[DATA][..], &[0; 1000]].concat()))
    }),
    (
        "T2",
        "empty_handshake_record_is_unexpected",
        "a handshake record of no content (RFC 8446 section 5.4)",
        &[UNEXPECTED_MESSAGE],
        |it| it.peer.send(HANDSHAKE, b""),
    ),
    ("T2", "empty_alert_is_unexpected", "an alert record of no content (RFC 8446 section 5.4)", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(ALERT, b"")
    }),
    (
        "T3",
        "change_cipher_spec_behind_finished_is_unexpected",
        "ChangeCipherSpec in the clear (RFC 8446 section 5)",
        &[UNEXPECTED_MESSAGE],
        |it| {
            it.peer.write(&record(CHANGE_CIPHER_SPEC, &[1]));
            Ok(())
        },
    ),
    ("T3", "sealed_change_cipher_spec_is_unexpected", "ChangeCipherSpec under the keys", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(CHANGE_CIPHER_SPEC, &[1])
    }),
    ("T4", "key_updates_end_a_session_at_the_limit", "33 KeyUpdates without data", &[UNEXPECTED_MESSAGE], |it| {
        times(KEY_UPDATES + 1, || it.update_key(0))
    }),
    ("T4", "key_update_of_another_value_is_illegal", "a KeyUpdate that requests 2 (RFC 8446 section 4.6.3)", &[ILLEGAL_PARAMETER], |it| {
        it.update_key(2)
    }),
    ("T4", "key_update_of_no_length_does_not_decode", "a KeyUpdate without a body", &[DECODE_ERROR], |it| {
        it.peer.send(HANDSHAKE, &[KEY_UPDATE, 0, 0, 0, 0])
    }),
    ("T4", "long_key_update_does_not_decode", "a KeyUpdate with a body of two bytes", &[DECODE_ERROR, UNEXPECTED_MESSAGE], |it| {
        it.peer.send(HANDSHAKE, &message(KEY_UPDATE, &[0, 0]))
    }),
    (
        "T4",
        "two_key_updates_in_a_record_are_unexpected",
        "a KeyUpdate that does not end its record (RFC 8446 section 5.1)",
        &[UNEXPECTED_MESSAGE],
        |it| {
            let update = message(KEY_UPDATE, &[0]);
            it.peer.send(HANDSHAKE, &[&update[..], &update].concat())
        },
    ),
    (
        "T4",
        "data_within_a_key_update_is_unexpected",
        "data between the parts of a KeyUpdate (RFC 8446 section 5.1)",
        &[UNEXPECTED_MESSAGE],
        |it| {
            it.peer.send(HANDSHAKE, &[KEY_UPDATE, 0])?;
            it.peer.send(DATA, b"between")
        },
    ),
    ("T4", "old_key_behind_a_key_update_is_a_bad_mac", "a record under the key of before the KeyUpdate", &[BAD_RECORD_MAC], |it| {
        it.peer.send(HANDSHAKE, &message(KEY_UPDATE, &[0]))?;
        it.peer.send(DATA, b"old")
    }),
    ("T4", "new_key_before_a_key_update_is_a_bad_mac", "a record under the next key without a KeyUpdate", &[BAD_RECORD_MAC], |it| {
        it.turn_own_key()?;
        it.peer.send(DATA, b"new")
    }),
    ("T4", "ticket_from_a_client_is_unexpected", "a NewSessionTicket of the client's", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(HANDSHAKE, &message(NEW_SESSION_TICKET, &[0; 20]))
    }),
    ("T4", "finished_again_is_unexpected", "a second Finished", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(HANDSHAKE, &message(FINISHED, &[0; 32]))
    }),
    (
        "T4",
        "hello_in_a_session_is_unexpected",
        "a ClientHello within a session of TLS 1.3 (RFC 8446 section 4.1.2)",
        &[UNEXPECTED_MESSAGE],
        |it| it.peer.send(HANDSHAKE, &Hello::tls13()?.message()),
    ),
    (
        "T4",
        "message_of_16_mebibytes_is_unexpected",
        "a handshake message that claims 16 MiB, and its first 16 KiB",
        &[UNEXPECTED_MESSAGE],
        |it| it.peer.send(HANDSHAKE, &[&[NEW_SESSION_TICKET, 0xff, 0xff, 0xff][..], &[0; 16_000]].concat()),
    ),
    ("T5", "warnings_end_a_session_at_the_limit", "5 times user_canceled", &[UNEXPECTED_MESSAGE], |it| {
        times(WARNINGS + 1, || it.peer.send(ALERT, &[WARNING, USER_CANCELED]))
    }),
    ("T5", "short_alert_does_not_decode", "an alert of one byte", &[DECODE_ERROR], |it| it.peer.send(ALERT, &[WARNING])),
    (
        "T5",
        "two_alerts_in_a_record_do_not_decode",
        "two alerts in a record (RFC 8446 section 5.1)",
        &[DECODE_ERROR, UNEXPECTED_MESSAGE],
        |it| it.peer.send(ALERT, &[WARNING, USER_CANCELED, WARNING, USER_CANCELED]),
    ),
    ("T8", "sealed_heartbeat_is_unexpected", "a heartbeat under the keys, asking for 16 KiB", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(HEARTBEAT, &[1, 0x40, 0, 1])
    }),
    ("T8", "clear_heartbeat_is_unexpected", "a heartbeat in the clear within a session", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.write(&record(HEARTBEAT, &[1, 0x40, 0, 1]));
        Ok(())
    }),
    ("T8", "clear_alert_in_a_session_is_unexpected", "close_notify in the clear within a session", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.write(&record(ALERT, &[WARNING, 0]));
        Ok(())
    }),
    ("T8", "clear_handshake_in_a_session_is_unexpected", "a KeyUpdate in the clear", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.write(&record(HANDSHAKE, &message(KEY_UPDATE, &[0])));
        Ok(())
    }),
    ("T8", "clear_data_in_a_session_is_a_bad_mac", "data in the clear within a session", &[BAD_RECORD_MAC], |it| {
        it.peer.write(&record(DATA, b"injected, and longer than a tag"));
        Ok(())
    }),
    ("T8", "record_without_a_tag_is_a_bad_mac", "protected records of 0 bytes", &[BAD_RECORD_MAC, DECODE_ERROR], |it| {
        it.peer.write(&record(DATA, b""));
        Ok(())
    }),
    ("T8", "record_of_zeros_is_unexpected", "an inner plaintext of zeros (RFC 8446 section 5.4)", &[UNEXPECTED_MESSAGE], |it| {
        inner(&mut it.peer, &[0; 64])
    }),
    ("T8", "record_beyond_the_length_overflows", "a record of 2^14 + 257 bytes (RFC 8446 section 5.2)", &[RECORD_OVERFLOW], |it| {
        it.peer.write(&record(DATA, &[0; PLAIN_MAX + 257]));
        Ok(())
    }),
    ("T8", "header_beyond_the_length_overflows", "the header of a record of 64 KiB, and nothing behind it", &[RECORD_OVERFLOW], |it| {
        it.peer.write(&[DATA, 3, 3, 0xff, 0xff]);
        Ok(())
    }),
    ("T8", "plaintext_beyond_the_length_overflows", "2^14 + 2 bytes of inner plaintext (RFC 8446 section 5.2)", &[RECORD_OVERFLOW], |it| {
        inner(&mut it.peer, &[DATA; PLAIN_MAX + 2])
    }),
    ("T8", "replayed_record_is_a_bad_mac", "the same record twice", &[BAD_RECORD_MAC], |it| {
        let record = it.peer.sealer.as_mut().ok_or("no keys")?.seal(DATA, b"twice")?;
        it.peer.write(&[&record[..], &record].concat());
        Ok(())
    }),
    ("T8", "dropped_record_is_a_bad_mac", "a record is left out", &[BAD_RECORD_MAC], |it| {
        it.peer.sealer.as_mut().ok_or("no keys")?.sequence += 1;
        it.peer.send(DATA, b"later")
    }),
    ("T8", "flipped_tag_is_a_bad_mac", "one bit of a tag is flipped", &[BAD_RECORD_MAC], |it| {
        flipped(&mut it.peer, |record| record.len() - 1)
    }),
    ("T8", "flipped_ciphertext_is_a_bad_mac", "one bit of a ciphertext is flipped", &[BAD_RECORD_MAC], |it| flipped(&mut it.peer, |_| 5)),
    ("T8", "flipped_header_is_a_bad_mac", "one bit of a record's version is flipped, which the tag covers", &[BAD_RECORD_MAC], |it| {
        flipped(&mut it.peer, |_| 2)
    }),
];

const TOLD12: &[Row<Peer>] = &[
    ("T2", "empty_records_end_a_1_2_session_at_the_limit", "33 records of no data, TLS 1.2", &[UNEXPECTED_MESSAGE], |peer| {
        times(EMPTY_RECORDS + 1, || peer.send(DATA, b""))
    }),
    (
        "T3",
        "change_cipher_spec_in_a_1_2_session_is_unexpected",
        "ChangeCipherSpec in a session of TLS 1.2",
        &[UNEXPECTED_MESSAGE, BAD_RECORD_MAC],
        |peer| peer.send(CHANGE_CIPHER_SPEC, &[1]),
    ),
    ("T5", "warnings_end_a_1_2_session_at_the_limit", "5 warnings, TLS 1.2", &[UNEXPECTED_MESSAGE], |peer| {
        times(WARNINGS + 1, || peer.send(ALERT, &[WARNING, USER_CANCELED]))
    }),
    ("T6", "renegotiation_is_refused", "a ClientHello in a session of TLS 1.2 (RFC 5246 section 7.2.2)", &[NO_RENEGOTIATION], |peer| {
        peer.send(HANDSHAKE, &Hello::tls12()?.message())
    }),
    (
        "T6",
        "renegotiation_in_single_bytes_is_refused",
        "a ClientHello in records of one byte, in a session of TLS 1.2",
        &[NO_RENEGOTIATION],
        |peer| Hello::tls12()?.message().iter().try_for_each(|byte| peer.send(HANDSHAKE, &[*byte])),
    ),
    ("T6", "hello_request_from_a_client_is_unexpected", "a HelloRequest of the client's", &[UNEXPECTED_MESSAGE], |peer| {
        peer.send(HANDSHAKE, &message(0, &[]))
    }),
    ("T4", "key_update_in_a_1_2_session_is_unexpected", "a KeyUpdate in a session of TLS 1.2", &[UNEXPECTED_MESSAGE], |peer| {
        peer.send(HANDSHAKE, &message(KEY_UPDATE, &[0]))
    }),
    ("T8", "heartbeat_in_a_1_2_session_is_unexpected", "a heartbeat in a session of TLS 1.2", &[UNEXPECTED_MESSAGE], |peer| {
        peer.send(HEARTBEAT, &[1, 0x40, 0, 1])
    }),
    ("T8", "clear_data_in_a_1_2_session_is_a_bad_mac", "data in the clear in a session of TLS 1.2", &[BAD_RECORD_MAC], |peer| {
        peer.write(&record(DATA, b"injected, and longer than a tag is"));
        Ok(())
    }),
    (
        "T8",
        "record_of_a_1_2_session_beyond_the_length_overflows",
        "a record of 2^14 + 2049 bytes (RFC 5246 section 6.2.3)",
        &[RECORD_OVERFLOW],
        |peer| {
            peer.write(&record(DATA, &[0; PLAIN_MAX + 2049]));
            Ok(())
        },
    ),
    ("T8", "replayed_record_of_a_1_2_session_is_a_bad_mac", "the same record twice, TLS 1.2", &[BAD_RECORD_MAC], |peer| {
        let record = peer.sealer.as_mut().ok_or("no keys")?.seal(DATA, b"twice")?;
        peer.write(&[&record[..], &record].concat());
        Ok(())
    }),
    ("T8", "flipped_tag_of_a_1_2_session_is_a_bad_mac", "one bit of a tag is flipped, TLS 1.2", &[BAD_RECORD_MAC], |peer| {
        flipped(peer, |record| record.len() - 1)
    }),
    ("T8", "flipped_type_of_a_1_2_session_is_a_bad_mac", "data is called an alert, TLS 1.2", &[BAD_RECORD_MAC], |peer| {
        let mut record = peer.sealer.as_mut().ok_or("no keys")?.seal(DATA, &[FATAL, 0])?;
        record[0] = ALERT;
        peer.write(&record);
        Ok(())
    }),
];

/// What is odd and allowed: row, name, what it does, and what it has sent of a line that then goes on.
type Borne = (&'static str, &'static str, &'static str, fn(&mut Established) -> Outcome<&'static str>);

const BORNE: &[Borne] = &[
    ("T1", "data_in_single_bytes_is_taken", "the beginning of a line in records of one byte each", |it| {
        let line = "in single bytes, ";
        line.bytes().try_for_each(|byte| it.peer.send(DATA, &[byte]))?;
        Ok(line)
    }),
    ("T1", "record_in_single_segments_is_taken", "a record in segments of one byte each", |it| {
        let record = it.peer.sealer.as_mut().ok_or("no keys")?.seal(DATA, b"in segments, ")?;
        record.iter().for_each(|byte| it.peer.write(&[*byte]));
        Ok("in segments, ")
    }),
    ("T2", "empty_records_below_the_limit_are_borne", "32 records of no data", |it| {
        times(EMPTY_RECORDS, || it.peer.send(DATA, b""))?;
        Ok("")
    }),
    ("T2", "padding_of_16_kibibytes_is_borne", "one byte of data and 2^14 - 1 of padding", |it| {
        inner(&mut it.peer, &[&b"x"[..], &[DATA], &[0; PLAIN_MAX - 1]].concat())?;
        Ok("x")
    }),
    ("T4", "key_updates_with_data_between_are_borne", "100 KeyUpdates, a byte of data behind each", |it| {
        times(100, || it.update_key(0).and_then(|()| it.peer.send(DATA, b"x")))?;
        Ok("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
    }),
    ("T4", "key_update_in_single_bytes_is_borne", "a KeyUpdate in records of one byte each", |it| {
        message(KEY_UPDATE, &[0]).iter().try_for_each(|byte| it.peer.send(HANDSHAKE, &[*byte]))?;
        it.turn_own_key()?;
        Ok("")
    }),
    ("T4", "requested_key_updates_are_answered", "32 KeyUpdates that request one in return", |it| {
        times(KEY_UPDATES, || it.update_key(1))?;
        Ok("")
    }),
    ("T5", "warnings_below_the_limit_are_borne", "4 times user_canceled", |it| {
        times(WARNINGS, || it.peer.send(ALERT, &[WARNING, USER_CANCELED]))?;
        Ok("")
    }),
];

fn times(count: usize, act: impl FnMut() -> Outcome) -> Outcome {
    core::iter::repeat_with(act).take(count).collect()
}

fn inner(peer: &mut Peer, inner: &[u8]) -> Outcome {
    let record = peer.sealer.as_mut().ok_or("no keys")?.seal_inner(DATA, inner)?;
    peer.write(&record);
    Ok(())
}

/// A record with one bit of one byte flipped.
fn flipped(peer: &mut Peer, at: impl Fn(&[u8]) -> usize) -> Outcome {
    let mut record = peer.sealer.as_mut().ok_or("no keys")?.seal(DATA, b"a line\n")?;
    let at = at(&record);
    record[at] ^= 1;
    peer.write(&record);
    Ok(())
}
