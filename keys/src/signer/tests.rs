//! Behaviours of the signer that need no other program; `tests/openssl.rs` loads real keys in every form.

use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec as many;
use proptest::prelude::{any, prop_assert, proptest};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, UnparsedPublicKey, VerificationAlgorithm,
};

use super::{OID_EC, OID_P256, Signer, SignerFault, der};
use crate::limits::KEY_LEN_MAX;
use crate::{Kind, Scheme, Secret};

fn p256() -> Vec<u8> {
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap().as_ref().to_vec()
}

fn p384() -> Vec<u8> {
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, &SystemRandom::new()).unwrap().as_ref().to_vec()
}

fn ed25519() -> Vec<u8> {
    Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap().as_ref().to_vec()
}

fn load(der: &[u8]) -> Result<Signer, SignerFault> {
    Signer::from_der(&Secret::from_slice(der))
}

fn fault(der: &[u8]) -> Option<SignerFault> {
    load(der).err()
}

/// The key bits at the end of a public-key info with so many of them.
fn public_key(signer: &Signer, len: usize) -> &[u8] {
    let spki = signer.public_key_spki();
    &spki[spki.len() - len..]
}

/// A key's DER, its kind, a scheme, the scheme's verifier, and the length of the public half.
type Expectation = (Vec<u8>, Kind, Scheme, &'static dyn VerificationAlgorithm, usize);

#[test]
fn each_kind_signs_what_its_public_half_verifies() {
    let cases: [Expectation; 3] = [
        (p256(), Kind::EcdsaP256, Scheme::EcdsaP256Sha256, &ECDSA_P256_SHA256_ASN1, 65),
        (p384(), Kind::EcdsaP384, Scheme::EcdsaP384Sha384, &ECDSA_P384_SHA384_ASN1, 97),
        (ed25519(), Kind::Ed25519, Scheme::Ed25519, &ED25519, 32),
    ];
    for (der, kind, scheme, algorithm, len) in cases {
        let signer = load(&der).unwrap();
        assert_eq!(signer.kind(), kind);
        let signature = signer.sign(scheme, b"message").unwrap();
        let public = UnparsedPublicKey::new(algorithm, public_key(&signer, len));
        assert!(public.verify(b"message", &signature).is_ok(), "{kind}");
        assert!(public.verify(b"massage", &signature).is_err(), "{kind}");
    }
}

#[test]
fn a_scheme_of_another_kind_is_refused() {
    let signer = load(&p256()).unwrap();
    for scheme in [Scheme::EcdsaP384Sha384, Scheme::Ed25519, Scheme::RsaPssSha256, Scheme::RsaPkcs1Sha256] {
        assert_eq!(signer.sign(scheme, b""), Err(SignerFault::Scheme));
    }
}

#[test]
fn a_key_matches_its_own_public_half_only() {
    let (one, other) = (load(&p256()).unwrap(), load(&p256()).unwrap());
    assert!(one.matches(one.public_key_spki()));
    assert!(!one.matches(other.public_key_spki()));
    assert!(!one.matches(&[]));
}

#[test]
fn debug_shows_the_kind_alone() {
    assert_eq!(alloc::format!("{:?}", load(&p256()).unwrap()), "Signer { kind: EcdsaP256, .. }");
}

#[test]
fn what_is_no_key_is_told_from_what_is_another_key() {
    assert_eq!(fault(b""), Some(SignerFault::ConfigEncoding));
    assert_eq!(fault(b"-----BEGIN PRIVATE KEY-----"), Some(SignerFault::ConfigEncoding));
    assert_eq!(fault(&vec![0x30; KEY_LEN_MAX + 1]), Some(SignerFault::ConfigTooLong));
    let x25519 = pkcs8(&[&oid(&[0x2b, 0x65, 0x6e])], &[0; 32]);
    assert_eq!(fault(&x25519), Some(SignerFault::ConfigAlgorithm));
    let p521 = pkcs8(&[&oid(OID_EC), &oid(&[0x2b, 0x81, 0x04, 0x00, 0x23])], &sec1(&[1; 66], None));
    assert_eq!(fault(&p521), Some(SignerFault::ConfigCurve));
}

#[test]
fn an_ec_key_without_its_public_half_is_named_as_such() {
    let bare = pkcs8(&[&oid(OID_EC), &oid(OID_P256)], &sec1(&[1; 32], None));
    assert_eq!(fault(&bare), Some(SignerFault::ConfigNoPublicKey));
}

#[test]
fn halves_that_do_not_belong_together_are_refused() {
    let signer = load(&p256()).unwrap();
    let strange = pkcs8(&[&oid(OID_EC), &oid(OID_P256)], &sec1(&[1; 32], Some(public_key(&signer, 65))));
    assert_eq!(fault(&strange), Some(SignerFault::ConfigInconsistent));
}

#[test]
fn rsa_moduli_are_measured_before_anything_else() {
    for (bytes, top, expected) in [
        (128, 0xff, SignerFault::ConfigWeakRsa { bits: 1024 }),
        (256, 0x7f, SignerFault::ConfigWeakRsa { bits: 2047 }),
        (256, 0x80, SignerFault::ConfigInconsistent),
        (512, 0xff, SignerFault::ConfigInconsistent),
        (513, 0x01, SignerFault::ConfigLongRsa { bits: 4097 }),
    ] {
        let mut modulus = vec![0; bytes + 1];
        modulus[1] = top;
        let pkcs1 = element(der::SEQUENCE, &[&element(der::INTEGER, &[&[0]]), &element(der::INTEGER, &[&modulus])]);
        assert_eq!(fault(&pkcs1), Some(expected), "{bytes}");
    }
}

#[test]
fn every_prefix_of_a_key_is_refused() {
    for der in [p256(), p384(), ed25519()] {
        for len in 0..der.len() {
            assert!(load(&der[..len]).is_err(), "{len}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in many(any::<u8>(), 0..400)) {
        prop_assert!(load(&bytes).is_err());
        prop_assert!(load(&element(der::SEQUENCE, &[&[der::INTEGER, 1, 0], &bytes])).is_err());
        prop_assert!(load(&element(der::SEQUENCE, &[&[der::INTEGER, 1, 1], &bytes])).is_err());
    }

    #[test]
    fn a_damaged_key_never_panics_and_never_signs_for_the_old_public_half(at in 0..138_usize, value in any::<u8>()) {
        let good = p256();
        let mut bad = good.clone();
        let at = at % bad.len();
        bad[at] = value;
        let same = bad == good;
        if let (Ok(old), Ok(new)) = (load(&good), load(&bad)) {
            // Bytes that ring does not read, as the version, may differ.
            prop_assert!(same || new.kind() == old.kind());
        }
    }
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    der::write(tag, parts).unwrap()
}

fn oid(bytes: &[u8]) -> Vec<u8> {
    element(der::OID, &[bytes])
}

fn pkcs8(algorithm: &[&[u8]], key: &[u8]) -> Vec<u8> {
    element(der::SEQUENCE, &[&element(der::INTEGER, &[&[0]]), &element(der::SEQUENCE, algorithm), &element(der::OCTET_STRING, &[key])])
}

fn sec1(private: &[u8], public: Option<&[u8]>) -> Vec<u8> {
    let public = public.map(|public| element(der::CONTEXT_1, &[&element(der::BIT_STRING, &[&[0], public])]));
    let private = element(der::OCTET_STRING, &[private]);
    element(der::SEQUENCE, &[&element(der::INTEGER, &[&[1]]), &private, &public.unwrap_or_default()])
}
