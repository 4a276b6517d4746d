//! Between the server's flight and the end of the handshake: what a client must say there, changed, doubled, left out, out of order (T3, T8, T11).

use e2e::Outcome;

use super::alert::{BAD_RECORD_MAC, DECODE_ERROR, DECRYPT_ERROR, FATAL, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE};
use super::bytes::{message, vec8, vec24};
use super::flight::{CERTIFICATE, CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED, KEY_UPDATE};
use super::hello::Hello;
use super::peer::{ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE, record};
use super::{v12, v13};
use crate::attack::{Attack, Layer};
use crate::naive::Naive;

/// Row, name, what it does, the alerts, what is done.
type Row<T> = (&'static str, &'static str, &'static str, &'static [u8], fn(&mut T) -> Outcome);

const END_OF_EARLY_DATA: u8 = 5;

/// TLS 1.3, in place of Finished.
const TOLD13: &[Row<v13::Handshake>] = &[
    ("T11", "wrong_finished_is_a_decrypt_error", "a Finished of another transcript (RFC 8446 section 4.4.4)", &[DECRYPT_ERROR], |it| {
        it.peer.send(HANDSHAKE, &message(FINISHED, &[7; 32]))
    }),
    ("T11", "flipped_finished_is_a_decrypt_error", "a Finished with its last bit flipped", &[DECRYPT_ERROR], |it| {
        let mut finished = it.finished();
        finished[35] ^= 1;
        it.peer.send(HANDSHAKE, &finished)
    }),
    ("T11", "short_finished_is_refused", "a Finished of 31 bytes", &[DECRYPT_ERROR, DECODE_ERROR], |it| {
        let finished = it.finished();
        it.peer.send(HANDSHAKE, &message(FINISHED, &finished[4..35]))
    }),
    ("T11", "long_finished_is_refused", "a Finished with a byte behind it", &[DECRYPT_ERROR, DECODE_ERROR], |it| {
        let finished = it.finished();
        it.peer.send(HANDSHAKE, &message(FINISHED, &[&finished[4..], &[0]].concat()))
    }),
    (
        "T8",
        "bytes_behind_a_finished_are_unexpected",
        "the start of a message behind Finished in its record (RFC 8446 section 5.1)",
        &[UNEXPECTED_MESSAGE, DECODE_ERROR],
        |it| {
            let finished = it.finished();
            it.peer.send(HANDSHAKE, &[&finished[..], &[KEY_UPDATE, 0]].concat())
        },
    ),
    ("T8", "two_finished_in_a_record_are_unexpected", "Finished twice in one record", &[UNEXPECTED_MESSAGE, DECODE_ERROR], |it| {
        let finished = it.finished();
        it.peer.send(HANDSHAKE, &finished.repeat(2))
    }),
    ("T8", "data_before_finished_is_unexpected", "data under the handshake's keys", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(DATA, b"early\n")
    }),
    ("T4", "key_update_before_finished_is_unexpected", "a KeyUpdate before Finished", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(HANDSHAKE, &message(KEY_UPDATE, &[0]))
    }),
    (
        "T9",
        "end_of_early_data_that_never_was_is_unexpected",
        "EndOfEarlyData without early data",
        &[UNEXPECTED_MESSAGE, DECODE_ERROR],
        |it| it.peer.send(HANDSHAKE, &message(END_OF_EARLY_DATA, &[])),
    ),
    ("T10", "certificate_that_nobody_asked_for_is_unexpected", "a Certificate although none was requested", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(HANDSHAKE, &message(CERTIFICATE, &[vec8(&[]), vec24(&[])].concat()))
    }),
    ("T10", "proof_that_nobody_asked_for_is_unexpected", "a CertificateVerify although none was requested", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(HANDSHAKE, &message(CERTIFICATE_VERIFY, &[4, 3, 0, 2, 1, 1]))
    }),
    ("T8", "second_hello_unasked_is_unexpected", "a second hello, sealed", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(HANDSHAKE, &Hello::tls13()?.message())
    }),
    ("T8", "clear_finished_is_unexpected", "the right Finished in the clear", &[UNEXPECTED_MESSAGE, BAD_RECORD_MAC], |it| {
        let finished = it.finished();
        it.peer.write(&record(HANDSHAKE, &finished));
        Ok(())
    }),
    ("T8", "flipped_record_of_a_finished_is_a_bad_mac", "the right Finished, one bit of its record flipped", &[BAD_RECORD_MAC], |it| {
        let finished = it.finished();
        let mut record = it.peer.sealer.as_mut().ok_or("no keys")?.seal(HANDSHAKE, &finished)?;
        record[9] ^= 1;
        it.peer.write(&record);
        Ok(())
    }),
    ("T8", "finished_under_a_later_number_is_a_bad_mac", "a record is left out before Finished", &[BAD_RECORD_MAC], |it| {
        it.peer.sealer.as_mut().ok_or("no keys")?.sequence += 1;
        let finished = it.finished();
        it.peer.send(HANDSHAKE, &finished)
    }),
    (
        "T3",
        "change_cipher_specs_without_end_are_refused",
        "ChangeCipherSpec three times before Finished: one more than rustls bears",
        &[UNEXPECTED_MESSAGE, DECODE_ERROR],
        |it| {
            it.peer.write(&record(CHANGE_CIPHER_SPEC, &[1]).repeat(3));
            Ok(())
        },
    ),
    (
        "T3",
        "change_cipher_spec_of_another_value_is_refused",
        "ChangeCipherSpec with a 2 (RFC 8446 section 5)",
        &[UNEXPECTED_MESSAGE, ILLEGAL_PARAMETER, DECODE_ERROR],
        |it| {
            it.peer.write(&record(CHANGE_CIPHER_SPEC, &[2]));
            Ok(())
        },
    ),
    (
        "T3",
        "long_change_cipher_spec_is_refused",
        "ChangeCipherSpec of two bytes",
        &[UNEXPECTED_MESSAGE, ILLEGAL_PARAMETER, DECODE_ERROR],
        |it| {
            it.peer.write(&record(CHANGE_CIPHER_SPEC, &[1, 1]));
            Ok(())
        },
    ),
    (
        "T5",
        "warnings_before_finished_are_refused_at_the_limit",
        "10 times user_canceled before Finished",
        &[UNEXPECTED_MESSAGE, DECODE_ERROR],
        |it| (0..10).try_for_each(|_| it.peer.send(ALERT, &[1, 90])),
    ),
    (
        "T7",
        "finished_of_16_mebibytes_is_refused",
        "a Finished that claims 16 MiB",
        &[DECODE_ERROR, ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE],
        |it| it.peer.send(HANDSHAKE, &[FINISHED, 0xff, 0xff, 0xff]),
    ),
    (
        "T8",
        "record_before_finished_beyond_the_length_overflows",
        "a record of 2^14 + 257 bytes before Finished",
        &[super::alert::RECORD_OVERFLOW, DECODE_ERROR],
        |it| {
            it.peer.write(&record(DATA, &[0; (1 << 14) + 257]));
            Ok(())
        },
    ),
];

/// TLS 1.2, in place of ClientKeyExchange.
const TOLD12: &[Row<v12::Handshake>] = &[
    (
        "T8",
        "finished_before_the_exchange_is_unexpected_in_1_2",
        "Finished in the clear in place of ClientKeyExchange",
        &[UNEXPECTED_MESSAGE],
        |it| it.say(&message(FINISHED, &[0; 12])),
    ),
    (
        "T3",
        "change_cipher_spec_before_the_exchange_is_unexpected",
        "ChangeCipherSpec before ClientKeyExchange (CVE-2014-0224)",
        &[UNEXPECTED_MESSAGE],
        |it| {
            it.peer.write(&record(CHANGE_CIPHER_SPEC, &[1]));
            Ok(())
        },
    ),
    ("T3", "change_cipher_spec_twice_is_unexpected", "ChangeCipherSpec twice", &[UNEXPECTED_MESSAGE, BAD_RECORD_MAC, DECODE_ERROR], |it| {
        let exchange = it.exchange()?;
        it.say(&exchange)?;
        it.peer.write(&record(CHANGE_CIPHER_SPEC, &[1]).repeat(2));
        Ok(())
    }),
    ("T8", "exchange_twice_is_unexpected", "ClientKeyExchange twice", &[UNEXPECTED_MESSAGE], |it| {
        let exchange = it.exchange()?;
        it.say(&exchange)?;
        it.say(&exchange)
    }),
    (
        "T8",
        "exchange_of_zeros_is_illegal",
        "ClientKeyExchange with the X25519 point 0 (RFC 8422 section 5.11)",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE],
        |it| it.say(&message(CLIENT_KEY_EXCHANGE, &vec8(&[0; 32]))),
    ),
    ("T8", "short_exchange_is_illegal", "ClientKeyExchange with 31 bytes of X25519", &[ILLEGAL_PARAMETER, DECODE_ERROR], |it| {
        it.say(&message(CLIENT_KEY_EXCHANGE, &vec8(&[9; 31])))
    }),
    ("T8", "exchange_of_no_length_is_refused", "an empty ClientKeyExchange", &[DECODE_ERROR, ILLEGAL_PARAMETER], |it| {
        it.say(&message(CLIENT_KEY_EXCHANGE, &[]))
    }),
    (
        "T8",
        "exchange_with_bytes_behind_does_not_decode",
        "ClientKeyExchange with a byte behind its point",
        &[DECODE_ERROR, ILLEGAL_PARAMETER],
        |it| {
            let exchange = vec8(&it.hello.public()?);
            it.say(&message(CLIENT_KEY_EXCHANGE, &[&exchange[..], &[0]].concat()))
        },
    ),
    (
        "T10",
        "certificate_that_nobody_asked_for_is_unexpected_in_1_2",
        "a Certificate although none was requested, TLS 1.2",
        &[UNEXPECTED_MESSAGE],
        |it| it.say(&message(CERTIFICATE, &vec24(&[]))),
    ),
    ("T8", "hello_again_is_unexpected_in_1_2", "a second hello in place of ClientKeyExchange", &[UNEXPECTED_MESSAGE], |it| {
        let hello = it.hello.message();
        it.say(&hello)
    }),
    (
        "T8",
        "clear_finished_behind_change_cipher_spec_is_a_bad_mac",
        "Finished in the clear behind ChangeCipherSpec",
        &[BAD_RECORD_MAC],
        |it| {
            let exchange = it.exchange()?;
            it.say(&exchange)?;
            it.peer.write(&record(CHANGE_CIPHER_SPEC, &[1]));
            it.peer.write(&record(HANDSHAKE, &message(FINISHED, &[7; 28])));
            Ok(())
        },
    ),
    ("T11", "wrong_finished_is_a_decrypt_error_in_1_2", "a wrong Finished, TLS 1.2 (RFC 5246 section 7.4.9)", &[DECRYPT_ERROR], |it| {
        let exchange = it.exchange()?;
        it.say(&exchange)?;
        it.change_cipher_spec()?;
        it.say(&message(FINISHED, &[7; 12]))
    }),
    ("T11", "short_finished_is_refused_in_1_2", "a Finished of 11 bytes, TLS 1.2", &[DECRYPT_ERROR, DECODE_ERROR], |it| {
        let exchange = it.exchange()?;
        it.say(&exchange)?;
        it.change_cipher_spec()?;
        let finished = it.finished();
        it.say(&message(FINISHED, &finished[4..15]))
    }),
    ("T8", "data_in_place_of_finished_is_unexpected_in_1_2", "sealed data in place of Finished, TLS 1.2", &[UNEXPECTED_MESSAGE], |it| {
        let exchange = it.exchange()?;
        it.say(&exchange)?;
        it.change_cipher_spec()?;
        it.peer.send(DATA, b"early\n")
    }),
];

pub(super) fn attacks() -> Vec<Attack> {
    let told13 = TOLD13.iter().map(|(row, name, does, alerts, act)| {
        Attack::new(row, *name, *does, Layer::Rustls, Naive::Hasty, |target| {
            let mut handshake = v13::Handshake::begin(target, &Hello::tls13()?)?;
            act(&mut handshake)?;
            handshake.peer.is_told(alerts)
        })
    });
    let told12 = TOLD12.iter().map(|(row, name, does, alerts, act)| {
        Attack::new(row, *name, *does, Layer::Rustls, Naive::Hasty, |target| {
            let mut handshake = v12::Handshake::begin(target, Hello::tls12()?)?;
            act(&mut handshake)?;
            handshake.peer.is_told(alerts)
        })
    });
    told13.chain(told12).chain(taken()).collect()
}

/// What is odd and right.
fn taken() -> Vec<Attack> {
    vec![
        Attack::new(
            "T1",
            "finished_in_records_of_1_byte_is_taken",
            "a Finished in records of one byte each",
            Layer::Rustls,
            Naive::Deaf,
            |target| {
                let mut handshake = v13::Handshake::begin(target, &Hello::tls13()?)?;
                let finished = handshake.finished();
                finished.iter().try_for_each(|byte| handshake.peer.send(HANDSHAKE, &[*byte]))?;
                handshake.transcript.extend(&finished);
                handshake.established()?.asks("in single bytes\n")
            },
        ),
        Attack::new(
            "T1",
            "exchange_in_records_of_1_byte_is_taken",
            "a ClientKeyExchange in records of one byte each, TLS 1.2",
            Layer::Rustls,
            Naive::Deaf,
            |target| {
                let mut handshake = v12::Handshake::begin(target, Hello::tls12()?)?;
                let exchange = handshake.exchange()?;
                exchange.iter().try_for_each(|byte| handshake.peer.send(HANDSHAKE, &[*byte]))?;
                handshake.transcript.extend(&exchange);
                handshake.change_cipher_spec()?;
                let finished = handshake.finished();
                handshake.say(&finished)?;
                handshake.asks_behind_finished("in single bytes\n")
            },
        ),
        Attack::new(
            "T3",
            "one_change_cipher_spec_is_ignored",
            "one ChangeCipherSpec for the middleboxes (RFC 8446 appendix D.4)",
            Layer::Rustls,
            Naive::Deaf,
            |target| {
                let handshake = v13::Handshake::begin(target, &Hello::tls13()?)?;
                handshake.finish()?.asks("compatible\n")
            },
        ),
        Attack::new(
            "T2",
            "empty_records_before_finished_are_an_end_at_the_limit",
            "100 handshake records of no content before Finished: rustls ends it, without an alert",
            Layer::Rustls,
            Naive::Silent,
            |target| {
                let mut handshake = v13::Handshake::begin(target, &Hello::tls13()?)?;
                (0..100).try_for_each(|_| handshake.peer.send(HANDSHAKE, b""))?;
                handshake.peer.is_left()
            },
        ),
        Attack::new(
            "T8",
            "fatal_alert_in_a_handshake_is_an_end",
            "a fatal alert in place of Finished: nobody answers it",
            Layer::Rustls,
            Naive::Silent,
            |target| {
                let mut handshake = v13::Handshake::begin(target, &Hello::tls13()?)?;
                handshake.peer.send(ALERT, &[FATAL, HANDSHAKE_FAILURE])?;
                handshake.peer.is_left()
            },
        ),
    ]
}
