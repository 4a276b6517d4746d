//! No private key of an authority is in any file of a contest.
//!
//! The keys are not known to this test, and need not be: whoever tries every 32 bytes of every file, as they are and as base64 and hexadecimal digits mean them, finds a key by its public half, which
//! stands in the authority's certificate. In a lab, where the keys are published, the same search finds them.

use std::collections::BTreeSet;

use crate::written::{Written, written};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD_NO_PAD};
use ceremony::{DoorName, Mode};
use pki_types::CertificateDer;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use webpki::EndEntityCert;

/// The last 65 bytes of a public-key info of P-256 are its point.
fn point(certificate: &[u8]) -> Vec<u8> {
    let der = CertificateDer::from(certificate);
    let info = EndEntityCert::try_from(&der).unwrap().subject_public_key_info();
    info[info.len() - 65..].to_vec()
}

/// What a file may mean: its bytes; and its runs of digits, line feeds left out, read from each place where a group may begin.
fn readings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut readings = vec![bytes.to_vec()];
    let joined: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != b'\n' && *byte != b'\r').collect();
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'+' || *byte == b'/';
    for run in joined.split(|byte| !is_base64(byte)).filter(|run| run.len() >= 43) {
        readings.extend((0..4).filter_map(|skip| decoded(&run[skip..])));
    }
    for run in joined.split(|byte| !byte.is_ascii_hexdigit()).filter(|run| run.len() >= 64) {
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap();
        let pair = |pair: &[u8; 2]| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).unwrap();
        readings.extend((0..2).map(|skip| run[skip..].as_chunks::<2>().0.iter().map(pair).collect()));
    }
    readings
}

/// All that a run of base64 holds, ended as it may be.
fn decoded(run: &[u8]) -> Option<Vec<u8>> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::Indifferent);
    // One digit alone is not a byte.
    let run = if run.len() % 4 == 1 { &run[..run.len() - 1] } else { run };
    GeneralPurpose::new(&STANDARD, lenient).decode(run).ok()
}

/// The authorities whose key is in there.
fn found(written: &Written) -> BTreeSet<DoorName> {
    let folder = written.open();
    let wanted: Vec<(DoorName, Vec<u8>)> = DoorName::ALL.map(|door| (door, point(&folder.shown(door).authority))).into();
    let readings: Vec<Vec<u8>> = written.files().iter().flat_map(|(_, bytes)| readings(bytes)).collect();
    // A key that is ASCII all through does not come up in the life of this universe.
    let windows: BTreeSet<&[u8]> = readings.iter().flat_map(|bytes| bytes.windows(32)).filter(|window| !window.is_ascii()).collect();
    let random = SystemRandom::new();
    let is_key = |window: &[u8], point: &[u8]| {
        EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_ASN1_SIGNING, window, point, &random).is_ok()
    };
    let mut found = BTreeSet::new();
    for window in windows {
        found.extend(wanted.iter().filter(|(_, point)| is_key(window, point)).map(|(door, _)| *door));
    }
    found
}

#[test]
fn a_contest_holds_no_key_of_an_authority() {
    assert_eq!(found(&written(Mode::Sealed)), BTreeSet::new());
}

#[test]
fn a_lab_holds_them_all_and_the_search_finds_them() {
    assert_eq!(found(&written(Mode::Lab)), BTreeSet::from(DoorName::ALL));
}

#[test]
fn the_search_reads_every_form() {
    let key = [0x80 | 7_u8; 32];
    let hex: String = key.iter().map(|byte| format!("{byte:02X}")).collect();
    let base64 = STANDARD_NO_PAD.encode([&[1][..], &key].concat());
    let lines = format!("{}\n{}", &base64[..20], &base64[20..]);
    let alone = STANDARD_NO_PAD.encode(key);
    for form in [
        alone.as_bytes(),
        &[b"ab", &key[..], b"c"].concat(),
        hex.as_bytes(),
        format!("a{hex}").as_bytes(),
        base64.as_bytes(),
        lines.as_bytes(),
    ] {
        assert!(readings(form).iter().any(|reading| reading.windows(32).any(|window| window == key)), "{}", String::from_utf8_lossy(form));
    }
}
