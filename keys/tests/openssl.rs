//! Keys that OpenSSL made, in every form and kind, load and sign, and OpenSSL verifies the signatures. Needs the `openssl` command.

use std::path::Path;
use std::process::Command;
use std::{fs, vec::Vec};

use keys::{Kind, Scheme, Secret, Signer, SignerFault};

fn openssl(dir: &Path, command: &str) {
    let output =
        Command::new("openssl").args(command.split_whitespace()).current_dir(dir).output().expect("the openssl command is installed");
    assert!(output.status.success(), "openssl {command}: {}", String::from_utf8_lossy(&output.stderr));
}

fn load(dir: &Path, file: &str) -> Result<Signer, SignerFault> {
    Signer::from_der(&Secret::new(fs::read(dir.join(file)).expect("openssl wrote it")))
}

/// Makes a key, and its PKCS#8 and traditional (SEC1, PKCS#1) DER.
fn make(dir: &Path, how: &str) {
    openssl(dir, &format!("genpkey {how} -out key.pem"));
    openssl(dir, "pkcs8 -topk8 -nocrypt -in key.pem -outform der -out pkcs8.der");
    openssl(dir, "pkey -in key.pem -pubout -out public.pem");
    openssl(dir, "pkey -in key.pem -pubout -outform der -out spki.der");
}

fn forms(dir: &Path, traditional: Option<&str>) -> Vec<&'static str> {
    let Some(command) = traditional else { return vec!["pkcs8.der"] };
    openssl(dir, &format!("{command} -in key.pem -outform der -out traditional.der"));
    vec!["pkcs8.der", "traditional.der"]
}

/// Has OpenSSL verify one signature.
fn verify(dir: &Path, signer: &Signer, scheme: Scheme, options: &str) {
    fs::write(dir.join("message"), b"a message").expect("written");
    fs::write(dir.join("signature"), signer.sign(scheme, b"a message").expect("signs")).expect("written");
    openssl(dir, &format!("pkeyutl -verify -pubin -inkey public.pem -in message -sigfile signature {options}"));
}

fn check(how: &str, traditional: Option<&str>, kind: Kind, schemes: &[(Scheme, &str)]) {
    let dir = tempfile::tempdir().expect("a directory");
    make(dir.path(), how);
    for form in forms(dir.path(), traditional) {
        let signer = load(dir.path(), form).expect(form);
        assert_eq!(signer.kind(), kind);
        assert!(signer.matches(&fs::read(dir.path().join("spki.der")).expect("openssl wrote it")), "{how} {form}: the public half");
        schemes.iter().for_each(|(scheme, options)| verify(dir.path(), &signer, *scheme, options));
    }
}

#[test]
fn ecdsa_keys_load_as_pkcs8_and_sec1() {
    let p256 = [(Scheme::EcdsaP256Sha256, "-rawin -digest sha256")];
    check("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", Some("ec"), Kind::EcdsaP256, &p256);
    let p384 = [(Scheme::EcdsaP384Sha384, "-rawin -digest sha384")];
    check("-algorithm EC -pkeyopt ec_paramgen_curve:P-384", Some("ec"), Kind::EcdsaP384, &p384);
}

#[test]
fn ed25519_keys_load_as_pkcs8() {
    check("-algorithm ED25519", None, Kind::Ed25519, &[(Scheme::Ed25519, "-rawin")]);
}

#[test]
fn rsa_keys_load_as_pkcs8_and_pkcs1_and_sign_with_every_scheme() {
    let pss = |bits| format!("-rawin -digest sha{bits} -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest");
    let (pss256, pss384, pss512) = (pss(256), pss(384), pss(512));
    let schemes = [
        (Scheme::RsaPssSha256, pss256.as_str()),
        (Scheme::RsaPssSha384, &pss384),
        (Scheme::RsaPssSha512, &pss512),
        (Scheme::RsaPkcs1Sha256, "-rawin -digest sha256"),
        (Scheme::RsaPkcs1Sha384, "-rawin -digest sha384"),
        (Scheme::RsaPkcs1Sha512, "-rawin -digest sha512"),
    ];
    check("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", Some("rsa -traditional"), Kind::Rsa { bits: 2048 }, &schemes);
}

#[test]
fn keys_that_are_too_weak_or_of_another_kind_are_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let cases = [
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:1024", SignerFault::ConfigWeakRsa { bits: 1024 }),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-521", SignerFault::ConfigCurve),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", SignerFault::ConfigCurve),
        ("-algorithm ED448", SignerFault::ConfigAlgorithm),
        ("-algorithm X25519", SignerFault::ConfigAlgorithm),
    ];
    for (how, expected) in cases {
        make(dir.path(), how);
        assert_eq!(load(dir.path(), "pkcs8.der").err(), Some(expected), "{how}");
    }
}

#[test]
fn an_encrypted_key_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    make(dir.path(), "-algorithm ED25519");
    openssl(dir.path(), "pkcs8 -topk8 -in key.pem -passout pass:secret -outform der -out encrypted.der");
    assert_eq!(load(dir.path(), "encrypted.der").err(), Some(SignerFault::ConfigEncoding));
}
