//! Records (RFC 8446 section 5): before the client is heard, and in place of an answer.

use super::{after, sealed as before};
use crate::misbehaviour::Misbehaviour;
use crate::v13::{Established, Said};
use crate::wire::Fault;
use crate::wire::peer::record;
use crate::wire::registry::alert::{BAD_RECORD_MAC, DECODE_ERROR, FATAL, ILLEGAL_PARAMETER, RECORD_OVERFLOW, UNEXPECTED_MESSAGE};
use crate::wire::registry::content::{ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE};

/// A record of data, with its bytes changed before it is sent.
fn altered(it: &mut Established<'_>, change: impl FnOnce(&mut Vec<u8>)) -> Said {
    let sealer = it.peer.sealer.as_mut().ok_or(Fault::OwnKey)?;
    let mut sealed = sealer.seal(DATA, crate::conversation::ANSWER)?;
    change(&mut sealed);
    it.peer.write(&sealed);
    Ok(())
}

/// A record of this inner plaintext.
fn inner(it: &mut Established<'_>, inner: &[u8]) -> Said {
    let sealed = it.peer.sealer.as_mut().ok_or(Fault::OwnKey)?.seal_inner(DATA, inner)?;
    it.peer.write(&sealed);
    Ok(())
}

pub(super) const ALL: &[Misbehaviour] = &[
    before("empty-handshake-record", "a handshake record of no content", "RFC 8446 5.4", &[UNEXPECTED_MESSAGE, DECODE_ERROR], |it| {
        it.peer.send(HANDSHAKE, &[])?;
        it.honest()
    }),
    before("data-before-finished", "application data under the handshake's key", "RFC 8446 5", &[UNEXPECTED_MESSAGE], |it| {
        it.extensions(&[]);
        it.flush()?;
        it.peer.send(DATA, b"early")?;
        it.proven()
    }),
    before(
        "clear-extensions",
        "EncryptedExtensions in a record of its own, in the clear",
        "RFC 8446 5",
        &[UNEXPECTED_MESSAGE, BAD_RECORD_MAC],
        |it| {
            let sealer = it.peer.sealer.take();
            it.extensions(&[]);
            it.flush()?;
            it.peer.sealer = sealer;
            it.proven()
        },
    ),
    before(
        "change-cipher-of-2",
        "ChangeCipherSpec of another value than 1",
        "RFC 8446 5",
        &[UNEXPECTED_MESSAGE, ILLEGAL_PARAMETER, DECODE_ERROR],
        |it| {
            it.peer.write(&record(CHANGE_CIPHER_SPEC, &[2]));
            it.honest()
        },
    ),
    before("change-cipher-sealed", "ChangeCipherSpec in a sealed record", "RFC 8446 5", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.send(CHANGE_CIPHER_SPEC, &[1])?;
        it.honest()
    }),
    before("cut-by-alert", "an alert within a handshake message", "RFC 8446 5.1", &[UNEXPECTED_MESSAGE], |it| {
        it.extensions(&[]);
        it.show();
        let whole = it.transcript.len();
        it.flush()?;
        let proof = {
            it.prove()?;
            it.transcript.get(whole..).unwrap_or_default().to_vec()
        };
        it.forget();
        let (head, tail) = proof.split_at_checked(9).ok_or(Fault::OwnForm)?;
        it.peer.send(HANDSHAKE, head)?;
        it.peer.send(ALERT, &[1, 90])?;
        it.peer.send(HANDSHAKE, tail)?;
        it.finish();
        Ok(())
    }),
    after("data-altered", "a record altered by a bit", "RFC 8446 5.2", &[BAD_RECORD_MAC], |it| {
        altered(it, |sealed| {
            if let Some(byte) = sealed.get_mut(9) {
                *byte ^= 1;
            }
        })
    }),
    after("tag-altered", "a record's tag altered by a bit", "RFC 8446 5.2", &[BAD_RECORD_MAC], |it| {
        altered(it, |sealed| crate::v12::flip_last(sealed, 1))
    }),
    after("data-left-out", "a record is left out", "RFC 8446 5.3", &[BAD_RECORD_MAC], |it| {
        it.peer.sealer.as_mut().ok_or(Fault::OwnKey)?.sequence += 1;
        altered(it, |_| {})
    }),
    after("data-twice", "a record is sent twice", "RFC 8446 5.3", &[BAD_RECORD_MAC], |it| {
        let sealed = it.peer.sealer.as_mut().ok_or(Fault::OwnKey)?.seal(DATA, b"H")?;
        it.peer.write(&sealed.repeat(2));
        Ok(())
    }),
    after(
        "data-in-the-clear",
        "application data in the clear",
        "RFC 8446 5.2",
        &[BAD_RECORD_MAC, UNEXPECTED_MESSAGE, DECODE_ERROR],
        |it| {
            it.peer.write(&record(DATA, crate::conversation::ANSWER));
            Ok(())
        },
    ),
    after("record-too-long", "a record of 2^14 + 257 bytes", "RFC 8446 5.2", &[RECORD_OVERFLOW], |it| {
        it.peer.write(&record(DATA, &[0; (1 << 14) + 257]));
        Ok(())
    }),
    after("content-too-long", "a sealed record with 2^14 + 1 bytes of content", "RFC 8446 5.4", &[RECORD_OVERFLOW], |it| {
        inner(it, &[&[b'x'; (1 << 14) + 1][..], &[DATA]].concat())
    }),
    after("content-of-no-type", "a sealed record of nothing but padding", "RFC 8446 5.4", &[UNEXPECTED_MESSAGE], |it| inner(it, &[0; 32])),
    after("content-of-unknown-type", "a sealed record of type 99", "RFC 8446 5", &[UNEXPECTED_MESSAGE], |it| inner(it, &[1, 99])),
    after("record-of-unknown-type", "a record of type 99", "RFC 8446 5", &[UNEXPECTED_MESSAGE, BAD_RECORD_MAC, DECODE_ERROR], |it| {
        it.peer.write(&record(99, &[1]));
        Ok(())
    }),
    after("change-cipher-late", "ChangeCipherSpec behind the handshake", "RFC 8446 5", &[UNEXPECTED_MESSAGE], |it| {
        it.peer.write(&record(CHANGE_CIPHER_SPEC, &[1]));
        Ok(())
    }),
    after(
        "alert-in-the-clear",
        "a close_notify in the clear: anybody could have sent it",
        "RFC 8446 5",
        &[UNEXPECTED_MESSAGE, BAD_RECORD_MAC, DECODE_ERROR],
        |it| {
            it.peer.write(&record(ALERT, &[1, 0]));
            it.peer.finish();
            Ok(())
        },
    )
    .told_by_exit_code(),
    after("alert-short", "an alert of one byte", "RFC 8446 5.1", &[DECODE_ERROR, UNEXPECTED_MESSAGE, ILLEGAL_PARAMETER], |it| {
        it.peer.send(ALERT, &[FATAL])
    }),
    after("alert-empty", "an alert of no bytes", "RFC 8446 5.4", &[UNEXPECTED_MESSAGE, DECODE_ERROR], |it| it.peer.send(ALERT, &[])),
];
