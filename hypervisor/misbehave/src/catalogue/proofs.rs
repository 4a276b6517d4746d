//! CertificateVerify (RFC 8446 section 4.4.3): the proof that whoever shows a certificate has its key.

use rcgen::KeyPair;

use crate::misbehaviour::Misbehaviour;
use crate::v12::flip_last;
use crate::v13::{CLIENT_CONTEXT, HONEST, SERVER_CONTEXT, Said, Script, Speaker, verify};
use crate::wire::Fault;
use crate::wire::registry::alert::{DECODE_ERROR, DECRYPT_ERROR, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE};
use crate::wire::registry::scheme::{ECDSA_P256_SHA256, RSA_PKCS1_SHA256};

const RFC: &str = "RFC 8446 4.4.3";

const fn proven(name: &'static str, wrong: &'static str, alerts: &'static [u8], flight: fn(&mut Speaker<'_>) -> Said) -> Misbehaviour {
    Misbehaviour::tls13(name, wrong, RFC, alerts, Script { flight, ..HONEST })
}

/// With this in place of CertificateVerify.
fn with(it: &mut Speaker<'_>, proof: impl FnOnce(&Speaker<'_>) -> Result<Vec<u8>, Fault>) -> Said {
    it.extensions(&[]);
    it.show();
    let proof = proof(it)?;
    it.say(&proof);
    it.finish();
    Ok(())
}

fn named(it: &mut Speaker<'_>, scheme: u16) -> Said {
    with(it, |it| Ok(verify(scheme, &it.proof(SERVER_CONTEXT, &it.transcript)?)))
}

pub(super) const ALL: &[Misbehaviour] = &[
    proven("proof-altered", "the signature is altered by a bit", &[DECRYPT_ERROR], |it| {
        with(it, |it| {
            let mut proof = it.proof(SERVER_CONTEXT, &it.transcript)?;
            flip_last(&mut proof, 1);
            Ok(verify(ECDSA_P256_SHA256, &proof))
        })
    }),
    proven("proof-of-other-messages", "the signature is over another handshake", &[DECRYPT_ERROR], |it| {
        with(it, |it| Ok(verify(ECDSA_P256_SHA256, &it.proof(SERVER_CONTEXT, b"another handshake")?)))
    }),
    proven("proof-without-certificate-message", "the signature leaves out the Certificate", &[DECRYPT_ERROR], |it| {
        it.extensions(&[]);
        let proof = it.proof(SERVER_CONTEXT, &it.transcript)?;
        it.show();
        it.say(&verify(ECDSA_P256_SHA256, &proof));
        it.finish();
        Ok(())
    }),
    proven("proof-of-a-client", "the signature is in a client's context", &[DECRYPT_ERROR], |it| {
        with(it, |it| Ok(verify(ECDSA_P256_SHA256, &it.proof(CLIENT_CONTEXT, &it.transcript)?)))
    }),
    proven("proof-by-other-key", "the signature is by a key that is not the leaf's", &[DECRYPT_ERROR], |it| {
        it.extensions(&[]);
        it.show();
        it.shown.key = KeyPair::generate().map_err(|_| Fault::OwnKey)?;
        it.prove()?;
        it.finish();
        Ok(())
    }),
    proven("proof-of-nothing", "the signature is empty", &[DECRYPT_ERROR, DECODE_ERROR, ILLEGAL_PARAMETER], |it| {
        with(it, |_| Ok(verify(ECDSA_P256_SHA256, &[])))
    }),
    proven("scheme-not-offered", "a signature scheme that was not offered (0xfe00)", &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE], |it| {
        named(it, 0xfe00)
    }),
    proven(
        "scheme-of-1.2",
        "rsa_pkcs1_sha256, which proves nothing in TLS 1.3",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE, DECRYPT_ERROR],
        |it| named(it, RSA_PKCS1_SHA256),
    ),
    proven("proof-left-out", "no CertificateVerify", &[UNEXPECTED_MESSAGE], |it| {
        it.extensions(&[]);
        it.show();
        it.finish();
        Ok(())
    }),
    proven("proof-before-certificate", "CertificateVerify before Certificate", &[UNEXPECTED_MESSAGE], |it| {
        it.extensions(&[]);
        it.prove()?;
        it.show();
        it.finish();
        Ok(())
    }),
    proven("proof-twice", "CertificateVerify twice", &[UNEXPECTED_MESSAGE], |it| {
        it.extensions(&[]);
        it.show();
        it.prove()?;
        it.prove()?;
        it.finish();
        Ok(())
    }),
];
