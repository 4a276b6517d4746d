//! Ed25519 for clients, that checks each good signature once. Whether a signature is good depends on its three parts and on nothing else; and all clients of a
//! run are shown the same few certificates. What the certificates say is judged anew each time: names, dates, who signed.

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use rustls_std::crypto::WebPkiSupportedAlgorithms;
use rustls_std::crypto::aws_lc_rs::default_provider;
use rustls_std::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

/// What clients check signatures with: aws-lc's, in its order.
pub(crate) fn algorithms() -> WebPkiSupportedAlgorithms {
    static ALGORITHMS: LazyLock<WebPkiSupportedAlgorithms> = LazyLock::new(|| {
        let WebPkiSupportedAlgorithms { all, mapping } = default_provider().signature_verification_algorithms;
        let mapping = mapping.iter().map(|(scheme, list)| (*scheme, remembering(list)));
        WebPkiSupportedAlgorithms { all: remembering(all), mapping: Vec::leak(mapping.collect()) }
    });
    *ALGORITHMS
}

/// The same algorithms, of which Ed25519 remembers.
fn remembering(list: &'static [&'static dyn SignatureVerificationAlgorithm]) -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    let one = |algorithm: &&'static dyn SignatureVerificationAlgorithm| -> &'static dyn SignatureVerificationAlgorithm {
        if algorithm.signature_alg_id() == alg_id::ED25519 { &REMEMBERING } else { *algorithm }
    };
    Vec::leak(list.iter().map(one).collect())
}

static REMEMBERING: Remembering = Remembering { good: Mutex::new(BTreeSet::new()) };

/// So many are remembered, of all runs that go on: then it begins anew.
const GOOD_MAX: usize = 1000;
/// How a certificate begins; what a handshake signs begins with spaces (RFC 8446 section 4.4.3), or with dice (RFC 5246 section 7.4.3).
const SEQUENCE: u8 = 0x30;

/// Key, message and signature.
type Parts = [Vec<u8>; 3];

#[derive(Debug)]
struct Remembering {
    good: Mutex<BTreeSet<Parts>>,
}

impl SignatureVerificationAlgorithm for Remembering {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        // What comes once only would be kept for nothing.
        if message.first() != Some(&SEQUENCE) {
            return aws_lc(public_key, message, signature);
        }
        let parts = [public_key, message, signature].map(<[u8]>::to_vec);
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.contains(&parts) {
            return Ok(());
        }
        aws_lc(public_key, message, signature)?;
        if good.len() >= GOOD_MAX {
            good.clear();
        }
        good.insert(parts);
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ED25519
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ED25519
    }
}

fn aws_lc(public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
    let key = UnparsedPublicKey::new(&ED25519, public_key);
    key.verify(message, signature).map_err(|_| InvalidSignature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    const MESSAGES: [&[u8]; 2] = [b"0a certificate", b" a handshake"];

    #[test]
    fn a_good_signature_is_good_each_time_and_no_part_of_it_may_be_another() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        for message in MESSAGES {
            let parts = [pair.public_key().as_ref(), message, pair.sign(message).as_ref()].map(<[u8]>::to_vec);
            let is_good = |[key, message, signature]: &Parts| REMEMBERING.verify_signature(key, message, signature).is_ok();
            for _ in 0..3 {
                assert!(is_good(&parts));
                for (part, at) in [(0, 0), (1, 5), (2, 9), (2, 40)] {
                    let mut other = parts.clone();
                    other[part][at] ^= 1;
                    assert!(!is_good(&other), "{part} {at}");
                }
            }
        }
    }

    /// A hello names them in their order.
    #[test]
    fn all_algorithms_are_there_in_their_order() {
        let usual = default_provider().signature_verification_algorithms;
        assert_eq!(algorithms().supported_schemes(), usual.supported_schemes());
        let ids = |list: &[&dyn SignatureVerificationAlgorithm]| {
            list.iter().map(|one| (one.public_key_alg_id(), one.signature_alg_id())).collect::<Vec<_>>()
        };
        assert_eq!(ids(algorithms().all), ids(usual.all));
    }
}
