//! TLS 1.2: what a client of both versions meets when a server speaks the older one (RFC 5246, RFC 8446 section 4.1.3).

use crate::greeting::ServerHello;
use crate::hello::ClientHello;
use crate::misbehaviour::Misbehaviour;
use crate::v12::{Exchange, HONEST, Script, Speaker, flip_last};
use crate::v13::Said;
use crate::wire::peer::record;
use crate::wire::registry::alert::{
    BAD_RECORD_MAC, DECRYPT_ERROR, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, PROTOCOL_VERSION, UNEXPECTED_MESSAGE, UNSUPPORTED_EXTENSION,
};
use crate::wire::registry::content::CHANGE_CIPHER_SPEC;
use crate::wire::registry::{extension, group, suite};

/// The end of a random of a server that was talked down (RFC 8446 section 4.1.3).
const DOWNGRADED_TO_12: [u8; 8] = *b"DOWNGRD\x01";
const DOWNGRADED_TO_11: [u8; 8] = *b"DOWNGRD\x00";

const fn greeted(
    name: &'static str,
    wrong: &'static str,
    rfc: &'static str,
    alerts: &'static [u8],
    greet: fn(&mut ServerHello, &ClientHello),
) -> Misbehaviour {
    Misbehaviour::tls12(name, wrong, rfc, alerts, Script { greet, ..HONEST })
}

const fn said(
    name: &'static str,
    wrong: &'static str,
    rfc: &'static str,
    alerts: &'static [u8],
    flight: fn(&mut Speaker<'_>) -> Said,
) -> Misbehaviour {
    Misbehaviour::tls12(name, wrong, rfc, alerts, Script { flight, ..HONEST })
}

const fn ended(
    name: &'static str,
    wrong: &'static str,
    rfc: &'static str,
    alerts: &'static [u8],
    end: fn(&mut Speaker<'_>) -> Said,
) -> Misbehaviour {
    Misbehaviour::tls12(name, wrong, rfc, alerts, Script { end, ..HONEST })
}

fn exchanged(it: &mut Speaker<'_>, change: Exchange) -> Said {
    it.show();
    it.exchange(&change)?;
    it.done();
    Ok(())
}

fn ends_with(hello: &mut ServerHello, sign: [u8; 8]) {
    hello.random.iter_mut().skip(24).zip(sign).for_each(|(byte, s)| *byte = s);
}

pub(super) const ALL: &[Misbehaviour] = &[
    greeted(
        "downgrade-to-1.2",
        "TLS 1.2 with the sign that the server could have spoken 1.3",
        "RFC 8446 4.1.3",
        &[ILLEGAL_PARAMETER],
        |hello, _| {
            ends_with(hello, DOWNGRADED_TO_12);
        },
    ),
    greeted("downgrade-to-1.1", "TLS 1.2 with the sign of a downgrade to 1.1", "RFC 8446 4.1.3", &[ILLEGAL_PARAMETER], |hello, _| {
        ends_with(hello, DOWNGRADED_TO_11);
    }),
    greeted(
        "suite-of-1.3-in-1.2",
        "a suite of TLS 1.3 in TLS 1.2",
        "RFC 8446 B.4",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE, PROTOCOL_VERSION],
        |hello, _| {
            hello.suite = suite::AES_128_GCM_SHA256;
        },
    ),
    greeted(
        "suite-not-offered-1.2",
        "a suite that was not offered (RC4, MD5), TLS 1.2",
        "RFC 5246 7.4.1.3",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE],
        |hello, _| {
            hello.suite = 0x0004;
        },
    ),
    greeted(
        "unasked-in-hello-1.2",
        "an extension that was not asked for, TLS 1.2",
        "RFC 5246 7.4.1.4",
        &[UNSUPPORTED_EXTENSION, ILLEGAL_PARAMETER],
        |hello, _| {
            hello.set(0xfafa, &[]);
        },
    ),
    greeted(
        "renegotiation-info-filled",
        "renegotiation_info that claims an earlier handshake, TLS 1.2",
        "RFC 5746 3.4",
        &[HANDSHAKE_FAILURE, ILLEGAL_PARAMETER],
        |hello, _| {
            hello.set(extension::RENEGOTIATION, &[3, 1, 2, 3]);
        },
    ),
    greeted(
        "compression-1.2",
        "a compression method that was not offered, TLS 1.2",
        "RFC 5246 7.4.1.3",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE, UNEXPECTED_MESSAGE],
        |hello, _| {
            hello.compression = 1;
        },
    ),
    said(
        "exchange-altered",
        "the signature of ServerKeyExchange is altered by a bit",
        "RFC 5246 7.4.3",
        &[DECRYPT_ERROR, HANDSHAKE_FAILURE],
        |it| exchanged(it, Exchange { signature: 1, ..Exchange::default() }),
    ),
    said(
        "exchange-of-other-hello",
        "ServerKeyExchange is signed for another client's random",
        "RFC 5246 7.4.3",
        &[DECRYPT_ERROR, HANDSHAKE_FAILURE],
        |it| exchanged(it, Exchange { random: 1, ..Exchange::default() }),
    ),
    said(
        "exchange-scheme-not-offered",
        "ServerKeyExchange by a scheme that was not offered (MD5)",
        "RFC 5246 7.4.3",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE, DECRYPT_ERROR],
        |it| exchanged(it, Exchange { scheme: Some(0x0101), ..Exchange::default() }),
    ),
    said(
        "exchange-group-not-offered",
        "ServerKeyExchange in a group that was not offered (0xfe00)",
        "RFC 8422 5.4",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE],
        |it| exchanged(it, Exchange { group: Some(0xfe00), ..Exchange::default() }),
    ),
    said(
        "exchange-group-of-other-key",
        "ServerKeyExchange with a point of another group",
        "RFC 8422 5.4",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE],
        |it| {
            let group = if it.prefers(group::SECP256R1) { group::X25519 } else { group::SECP256R1 };
            exchanged(it, Exchange { group: Some(group), ..Exchange::default() })
        },
    ),
    said("exchange-left-out", "no ServerKeyExchange", "RFC 5246 7.4.3", &[UNEXPECTED_MESSAGE, HANDSHAKE_FAILURE], |it| {
        it.show();
        it.done();
        Ok(())
    }),
    said("certificate-left-out-1.2", "no Certificate, TLS 1.2", "RFC 5246 7.4.2", &[UNEXPECTED_MESSAGE, HANDSHAKE_FAILURE], |it| {
        it.exchange(&Exchange::default())?;
        it.done();
        Ok(())
    }),
    said(
        "change-cipher-early",
        "ChangeCipherSpec before the client has answered (CVE-2014-0224)",
        "RFC 5246 7.1",
        &[UNEXPECTED_MESSAGE],
        |it| {
            it.show();
            it.flush()?;
            it.peer.write(&record(CHANGE_CIPHER_SPEC, &[1]));
            it.exchange(&Exchange::default())?;
            it.done();
            Ok(())
        },
    ),
    ended("finished-altered-1.2", "Finished is altered by a bit, TLS 1.2", "RFC 5246 7.4.9", &[DECRYPT_ERROR, HANDSHAKE_FAILURE], |it| {
        it.change_cipher();
        let mut finished = it.finished("server finished");
        flip_last(&mut finished, 1);
        it.say(&finished);
        it.flush()
    }),
    ended(
        "finished-of-client-1.2",
        "Finished by the client's label, TLS 1.2",
        "RFC 5246 7.4.9",
        &[DECRYPT_ERROR, HANDSHAKE_FAILURE],
        |it| {
            it.change_cipher();
            let finished = it.finished("client finished");
            it.say(&finished);
            it.flush()
        },
    ),
    ended(
        "change-cipher-left-out",
        "Finished in the clear: no ChangeCipherSpec",
        "RFC 5246 7.1",
        &[UNEXPECTED_MESSAGE, BAD_RECORD_MAC],
        |it| {
            let finished = it.finished("server finished");
            it.say(&finished);
            it.flush()
        },
    ),
    ended(
        "finished-in-the-clear",
        "ChangeCipherSpec, and Finished in the clear",
        "RFC 5246 7.4.9",
        &[BAD_RECORD_MAC, DECRYPT_ERROR, UNEXPECTED_MESSAGE],
        |it| {
            it.change_cipher();
            it.peer.sealer = None;
            let finished = it.finished("server finished");
            it.say(&finished);
            it.flush()
        },
    ),
];
