//! Finished (RFC 8446 section 4.4.4), and what must not stand around it.

use super::sealed as said;
use crate::misbehaviour::Misbehaviour;
use crate::v12::flip_last;
use crate::v13::{Said, Speaker, new_ticket};
use crate::wire::bytes::{message, vec8, vec16};
use crate::wire::registry::alert::{DECODE_ERROR, DECRYPT_ERROR, ILLEGAL_PARAMETER, MISSING_EXTENSION, UNEXPECTED_MESSAGE};
use crate::wire::registry::handshake::{CERTIFICATE_REQUEST, END_OF_EARLY_DATA, FINISHED, KEY_UPDATE, NEW_SESSION_TICKET};
use crate::wire::registry::{extension, scheme};
use crate::wire::schedule::finished;

const FINISHED_IS: &str = "RFC 8446 4.4.4";
const ORDER: &str = "RFC 8446 4";

/// Up to Finished.
fn prove(it: &mut Speaker<'_>) -> Said {
    it.extensions(&[]);
    it.show();
    it.prove()
}

/// With this in place of Finished.
fn finish(it: &mut Speaker<'_>, finished: impl FnOnce(&Speaker<'_>) -> Vec<u8>) -> Said {
    prove(it)?;
    let finished = finished(it);
    it.say(&finished);
    Ok(())
}

pub(super) const ALL: &[Misbehaviour] = &[
    said("finished-altered", "Finished is altered by a bit", FINISHED_IS, &[DECRYPT_ERROR], |it| {
        finish(it, |it| {
            let mut finished = it.finished();
            flip_last(&mut finished, 1);
            finished
        })
    }),
    said("finished-of-client", "Finished by the client's key", FINISHED_IS, &[DECRYPT_ERROR], |it| {
        finish(it, |it| message(FINISHED, &finished(&it.client_secret, &it.transcript)))
    }),
    said("finished-of-other-messages", "Finished of another handshake", FINISHED_IS, &[DECRYPT_ERROR], |it| {
        finish(it, |it| message(FINISHED, &finished(&it.server_secret, b"another handshake")))
    }),
    said("finished-of-zeros", "Finished of zeros", FINISHED_IS, &[DECRYPT_ERROR], |it| finish(it, |_| message(FINISHED, &[0; 32]))),
    said("finished-short", "Finished lacks its last byte", FINISHED_IS, &[DECRYPT_ERROR, DECODE_ERROR], |it| {
        finish(it, |it| message(FINISHED, it.finished().get(4..35).unwrap_or_default()))
    }),
    said("finished-empty", "Finished is empty", FINISHED_IS, &[DECRYPT_ERROR, DECODE_ERROR], |it| finish(it, |_| message(FINISHED, &[]))),
    said("finished-left-out", "a ticket in place of Finished", ORDER, &[UNEXPECTED_MESSAGE], |it| finish(it, |_| ticket())),
    said("finished-twice", "Finished twice", ORDER, &[UNEXPECTED_MESSAGE], |it| {
        it.honest()?;
        let again = it.finished();
        it.slip(&again);
        Ok(())
    }),
    said("bytes-behind-finished", "the start of a message behind Finished in its record", "RFC 8446 5.1", &[UNEXPECTED_MESSAGE], |it| {
        it.honest()?;
        it.slip(&[NEW_SESSION_TICKET, 0]);
        Ok(())
    }),
    said("key-update-before-finished", "a KeyUpdate before Finished", "RFC 8446 4.6.3", &[UNEXPECTED_MESSAGE], |it| {
        prove(it)?;
        it.slip(&message(KEY_UPDATE, &[0]));
        it.finish();
        Ok(())
    }),
    said("ticket-before-finished", "a ticket before Finished", "RFC 8446 4.6.1", &[UNEXPECTED_MESSAGE], |it| {
        prove(it)?;
        it.slip(&ticket());
        it.finish();
        Ok(())
    }),
    said("end-of-early-data", "EndOfEarlyData, which only clients say", "RFC 8446 4.5", &[UNEXPECTED_MESSAGE], |it| {
        it.extensions(&[]);
        it.say(&message(END_OF_EARLY_DATA, &[]));
        it.proven()
    }),
    said("unknown-message", "a handshake message of type 99", "RFC 8446 4", &[UNEXPECTED_MESSAGE], |it| {
        it.extensions(&[]);
        it.say(&message(99, &[]));
        it.proven()
    }),
    said("request-without-schemes", "a CertificateRequest without signature schemes", "RFC 8446 4.3.2", &[MISSING_EXTENSION], |it| {
        it.extensions(&[]);
        it.say(&message(CERTIFICATE_REQUEST, &[vec8(&[]), vec16(&[])].concat()));
        it.proven()
    }),
    said("request-behind-certificate", "a CertificateRequest behind Certificate", "RFC 8446 4.3.2", &[UNEXPECTED_MESSAGE], |it| {
        it.extensions(&[]);
        it.show();
        it.say(&request());
        it.prove()?;
        it.finish();
        Ok(())
    }),
    said("request-twice", "two CertificateRequests", "RFC 8446 4.3.2", &[UNEXPECTED_MESSAGE], |it| {
        it.extensions(&[]);
        it.say(&request());
        it.say(&request());
        it.proven()
    }),
    said("certificate-before-extensions", "Certificate before EncryptedExtensions", "RFC 8446 4.3.1", &[UNEXPECTED_MESSAGE], |it| {
        it.show();
        it.extensions(&[]);
        it.prove()?;
        it.finish();
        Ok(())
    }),
    said("extensions-left-out", "no EncryptedExtensions", "RFC 8446 4.3.1", &[UNEXPECTED_MESSAGE], |it| it.proven()),
    said("certificate-long", "a byte behind the last field of Certificate", "RFC 8446 6.2", &[DECODE_ERROR, ILLEGAL_PARAMETER], |it| {
        it.extensions(&[]);
        let certificate = crate::v13::certificate(&it.shown.chain, &[]);
        let body = [certificate.get(4..).unwrap_or_default(), &[0]].concat();
        it.say(&message(crate::wire::registry::handshake::CERTIFICATE, &body));
        it.prove()?;
        it.finish();
        Ok(())
    }),
];

/// A sound NewSessionTicket.
pub(super) fn ticket() -> Vec<u8> {
    new_ticket(7200, &[0], &[7; 32])
}

/// A sound CertificateRequest.
pub(super) fn request() -> Vec<u8> {
    let schemes = vec16(&vec16(&scheme::ECDSA_P256_SHA256.to_be_bytes()));
    let extensions = [&extension::SIGNATURES.to_be_bytes()[..], &schemes].concat();
    message(CERTIFICATE_REQUEST, &[vec8(&[]), vec16(&extensions)].concat())
}
