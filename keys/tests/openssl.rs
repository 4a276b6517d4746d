//! Keys that OpenSSL made, in every form and kind, load and sign, and OpenSSL verifies the signatures. Needs the `openssl` command.

use std::path::Path;
use std::process::Command;
use std::{fs, vec::Vec};

use keys::{Kind, Scheme, Secret, Signer, SignerFault, secret_numbers};

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

/// A number as `openssl pkey -text` prints it under its name, without leading zeros.
fn printed(text: &str, name: &str) -> Vec<u8> {
    let under = text.lines().skip_while(|line| line.trim_end() != format!("{name}:")).skip(1);
    let lines = under.take_while(|line| line.starts_with(' '));
    let digits = lines.flat_map(|line| line.trim().split(':').filter(|digits| !digits.is_empty()));
    digits.map(|digits| u8::from_str_radix(digits, 16).expect("two digits")).skip_while(|&byte| byte == 0).collect()
}

#[test]
fn the_secret_numbers_are_those_that_openssl_prints_and_nothing_that_is_public() {
    const OF_RSA: &[&str] = &["privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient"];
    for (how, traditional, names) in [
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", Some("rsa -traditional"), OF_RSA),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", Some("ec"), &["priv"]),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-384", Some("ec"), &["priv"]),
        ("-algorithm ED25519", None, &["priv"]),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        make(dir.path(), how);
        openssl(dir.path(), "pkey -in key.pem -noout -text -out text");
        let text = fs::read_to_string(dir.path().join("text")).expect("openssl wrote it");
        let wanted: Vec<Vec<u8>> = names.iter().map(|name| printed(&text, name)).collect();
        assert!(wanted.iter().all(|number| number.len() > 24), "{text}");
        for form in forms(dir.path(), traditional) {
            let key = Secret::new(fs::read(dir.path().join(form)).expect("openssl wrote it"));
            let numbers = secret_numbers(&key).expect(form);
            let bare: Vec<Vec<u8>> = numbers.iter().map(|number| number.iter().copied().skip_while(|&byte| byte == 0).collect()).collect();
            assert_eq!(bare, wanted, "{how} {form}");
        }
    }
}

#[test]
fn the_numbers_of_what_is_not_known_are_not_guessed() {
    let dir = tempfile::tempdir().expect("a directory");
    make(dir.path(), "-algorithm X25519");
    let key = Secret::new(fs::read(dir.path().join("pkcs8.der")).expect("openssl wrote it"));
    assert_eq!(secret_numbers(&key), Err(SignerFault::ConfigAlgorithm));
    assert_eq!(secret_numbers(&Secret::new(vec![4, 32, 0])), Err(SignerFault::ConfigEncoding));
}
