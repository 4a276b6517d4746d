//! What is said to a client that comes back with a session (RFC 8446 sections 2.2 and 4.2.11, RFC 5246 section 7.3, RFC 7627 section 5.3), and what it
//! must not come back with.

use rcgen::KeyPair;

use super::finishing::request;
use crate::authority::{Authority, Made, Shown, Signer};
use crate::misbehaviour::Misbehaviour;
use crate::v12::{self, GIVING, flip_last};
use crate::v13::{HONEST, RESUMED, Script};
use crate::wire::Fault;
use crate::wire::registry::alert::{
    BAD_CERTIFICATE, BAD_RECORD_MAC, CERTIFICATE_UNKNOWN, DECRYPT_ERROR, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE,
    UNKNOWN_CA,
};
use crate::wire::registry::{extension, suite};

const CHOICE: &str = "RFC 8446 4.2.11";
const CHAIN: &[u8] = &[BAD_CERTIFICATE, CERTIFICATE_UNKNOWN, UNKNOWN_CA];

const fn resumed(name: &'static str, wrong: &'static str, rfc: &'static str, alerts: &'static [u8], script: Script) -> Misbehaviour {
    Misbehaviour::tls13(name, wrong, rfc, alerts, script).to_returning()
}

const fn resumed12(name: &'static str, wrong: &'static str, rfc: &'static str, alerts: &'static [u8], script: v12::Script) -> Misbehaviour {
    Misbehaviour::tls12(name, wrong, rfc, alerts, script).to_returning12(GIVING)
}

/// Below a root that nobody trusts.
fn foreign(it: &Authority) -> Made<Shown> {
    let root = Signer::signing_itself(it.issuer("misbehave: nobody")?, KeyPair::generate()?)?;
    it.chain_below(&root, &it.leaf()?)
}

fn other_name(it: &Authority) -> Made<Shown> {
    it.chain(&it.leaf_for(&["other.test"])?)
}

pub(super) const ALL: &[Misbehaviour] = &[
    resumed(
        "resumed-beyond",
        "of the pre-shared keys that were offered, the one behind the last is chosen",
        CHOICE,
        &[ILLEGAL_PARAMETER],
        Script {
            greet: |it| {
                it.resume();
                it.choose(u16::try_from(it.client.identities().len()).unwrap_or(u16::MAX));
            },
            ..RESUMED
        },
    ),
    resumed(
        "resumed-of-other-hash",
        "a session of SHA-256 is resumed with a suite of SHA-384",
        CHOICE,
        &[ILLEGAL_PARAMETER],
        Script {
            greet: |it| {
                it.resume();
                it.hello.suite = suite::AES_256_GCM_SHA384;
            },
            ..RESUMED
        },
    ),
    resumed(
        "resumed-without-share",
        "a session is resumed without a key share, and the client allows no such mode",
        CHOICE,
        &[ILLEGAL_PARAMETER],
        Script {
            greet: |it| {
                it.resume();
                it.hello.remove(extension::KEY_SHARE);
                it.shared = vec![0; 32];
            },
            flight: |it| {
                // psk_ke of section 4.2.9.
                let is_allowed = it.client.extension(extension::PSK_MODES).is_none_or(|modes| modes.iter().skip(1).any(|mode| *mode == 0));
                if is_allowed { Err(Fault::PeerOffer) } else { it.unproven() }
            },
            ..RESUMED
        },
    ),
    resumed(
        "resumed-without-key",
        "a ticket is taken by who does not know the key that it stands for",
        "RFC 8446 5.2",
        &[BAD_RECORD_MAC, DECRYPT_ERROR],
        Script {
            greet: |it| {
                it.resume();
                it.psk = [0; 32];
            },
            ..RESUMED
        },
    ),
    resumed(
        "resumed-finished-altered",
        "Finished is altered by a bit, in a resumed handshake",
        "RFC 8446 4.4.4",
        &[DECRYPT_ERROR],
        Script {
            flight: |it| {
                it.extensions(&[]);
                let mut finished = it.finished();
                flip_last(&mut finished, 1);
                it.say(&finished);
                Ok(())
            },
            ..RESUMED
        },
    ),
    resumed(
        "resumed-with-certificate",
        "Certificate and CertificateVerify in a resumed handshake",
        "RFC 8446 2.2, RFC 8446 4",
        &[UNEXPECTED_MESSAGE],
        Script { flight: |it| it.honest(), ..RESUMED },
    ),
    resumed(
        "resumed-with-request",
        "a CertificateRequest in a resumed handshake",
        "RFC 8446 4.3.2",
        &[UNEXPECTED_MESSAGE],
        Script {
            flight: |it| {
                it.extensions(&[]);
                it.say(&request());
                it.finish();
                Ok(())
            },
            ..RESUMED
        },
    ),
    resumed(
        "refused-unproven",
        "the ticket is not taken, and yet there is no certificate",
        "RFC 8446 4.4.2",
        &[UNEXPECTED_MESSAGE],
        Script { flight: |it| it.unproven(), ..HONEST },
    ),
    resumed(
        "refused-unknown-ca",
        "the ticket is not taken, and the certificate has a root that is not trusted",
        "RFC 5280 6.1",
        CHAIN,
        Script { chain: foreign, ..HONEST },
    ),
    resumed(
        "refused-other-name",
        "the ticket is not taken, and the certificate is for another name",
        "RFC 9525 6.1",
        CHAIN,
        Script { chain: other_name, ..HONEST },
    ),
    Misbehaviour::tls13(
        "ticket-expired",
        "a ticket is good for a second, and the client comes back after four",
        "RFC 8446 4.2.11.1",
        &[],
        HONEST,
    )
    .told_by_offer(),
    resumed12(
        "resumed-suite-1.2",
        "a session is resumed with another suite (ECDHE_RSA), TLS 1.2",
        "RFC 5246 7.4.1.3",
        &[ILLEGAL_PARAMETER, HANDSHAKE_FAILURE],
        v12::Script {
            greet: |hello, client| {
                (v12::RESUMED.greet)(hello, client);
                hello.suite = suite::ECDHE_RSA_AES_128_GCM_SHA256;
            },
            ..v12::RESUMED
        },
    ),
    resumed12(
        "resumed-other-session",
        "a session is resumed under another session's id, TLS 1.2",
        "RFC 5246 7.4.1.3",
        &[UNEXPECTED_MESSAGE],
        v12::Script {
            greet: |hello, client| {
                (v12::RESUMED.greet)(hello, client);
                flip_last(&mut hello.session, 1);
            },
            ..v12::RESUMED
        },
    ),
    resumed12(
        "resumed-without-master-secret",
        "a session with extended_master_secret is resumed without, TLS 1.2",
        "RFC 7627 5.3",
        &[HANDSHAKE_FAILURE, ILLEGAL_PARAMETER],
        v12::Script {
            greet: |hello, client| {
                (v12::RESUMED.greet)(hello, client);
                hello.remove(extension::MASTER_SECRET);
            },
            flight: |it| {
                it.resume_extended()?;
                it.end()
            },
            ..v12::RESUMED
        },
    ),
    Misbehaviour::tls12(
        "resumed-with-master-secret",
        "a session without extended_master_secret is resumed with it, TLS 1.2",
        "RFC 7627 5.3",
        &[HANDSHAKE_FAILURE, ILLEGAL_PARAMETER],
        v12::Script {
            flight: |it| {
                it.resume_extended()?;
                it.end()
            },
            ..v12::RESUMED
        },
    )
    .to_returning12(v12::Script {
        greet: |hello, client| {
            (GIVING.greet)(hello, client);
            hello.remove(extension::MASTER_SECRET);
        },
        ..GIVING
    }),
    resumed12(
        "resumed-without-key-1.2",
        "a session is resumed by who does not know its master secret, TLS 1.2",
        "RFC 5246 7.4.9",
        &[BAD_RECORD_MAC, DECRYPT_ERROR],
        v12::Script {
            flight: |it| {
                it.master = vec![0; 48];
                it.key()?;
                it.end()
            },
            ..v12::RESUMED
        },
    ),
    resumed12(
        "resumed-finished-altered-1.2",
        "Finished is altered by a bit, in a resumed handshake of TLS 1.2",
        "RFC 5246 7.4.9",
        &[DECRYPT_ERROR, HANDSHAKE_FAILURE],
        v12::Script {
            flight: |it| {
                it.resume()?;
                it.change_cipher();
                let mut finished = it.finished("server finished");
                flip_last(&mut finished, 1);
                it.say(&finished);
                it.flush()
            },
            ..v12::RESUMED
        },
    ),
    resumed12(
        "refused-unknown-ca-1.2",
        "the session is not taken, and the certificate has a root that is not trusted, TLS 1.2",
        "RFC 5280 6.1",
        CHAIN,
        v12::Script { chain: foreign, ..v12::HONEST },
    ),
];
