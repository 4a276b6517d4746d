//! Private keys as PKCS#8 in PEM, the one form that openssl and everybody else reads, and certificates in PEM.
//!
//! Each kind of key has one length, so what is around it are constants: RFC 8410 section 7 for Ed25519, RFC 5915 in RFC 5958 for the two curves of ECDSA. Buffers are made in their final size, so that
//! wiping them leaves nothing behind.

use base64ct::{Base64, Encoding};
use keys::Secret;
use zeroize::Zeroizing;

const ED25519: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const P256: [u8; 36] = [
    0x30, 0x81, 0x87, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 4, 0x6d,
    0x30, 0x6b, 2, 1, 1, 4, 0x20,
];
const SECP256K1: [u8; 33] = [
    0x30, 0x81, 0x84, 2, 1, 0, 0x30, 0x10, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x0a, 4, 0x6d, 0x30, 0x6b, 2,
    1, 1, 4, 0x20,
];
/// Between the private half and the public one, which is an uncompressed point.
const PUBLIC: [u8; 5] = [0xa1, 0x44, 3, 0x42, 0];
const LINE_LEN: usize = 64;

/// An Ed25519 seed.
pub(crate) fn ed25519(seed: &[u8; 32]) -> Secret<Vec<u8>> {
    joined(&[&ED25519, seed])
}

/// The seed again.
pub(crate) fn ed25519_seed(der: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    Some(Zeroizing::new(der.strip_prefix(&ED25519)?.try_into().ok()?))
}

/// A scalar of P-256 and its point, uncompressed.
pub(crate) fn p256(scalar: &[u8; 32], point: &[u8; 65]) -> Secret<Vec<u8>> {
    joined(&[&P256, scalar, &PUBLIC, point])
}

/// A scalar of secp256k1 and its point, uncompressed.
pub(crate) fn secp256k1(scalar: &[u8; 32], point: &[u8; 65]) -> Secret<Vec<u8>> {
    joined(&[&SECP256K1, scalar, &PUBLIC, point])
}

/// The scalar again; whether the point is its own is for the caller to find.
pub(crate) fn secp256k1_scalar(der: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let (scalar, _) = der.strip_prefix(&SECP256K1)?.split_first_chunk()?;
    Some(Zeroizing::new(*scalar))
}

fn joined(parts: &[&[u8]]) -> Secret<Vec<u8>> {
    let len = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Vec::with_capacity(len);
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    Secret::new(bytes)
}

/// A private key's PEM.
pub(crate) fn private(der: &Secret<Vec<u8>>) -> Secret<String> {
    Secret::new(armoured("PRIVATE KEY", der.expose()))
}

/// A certificate's PEM.
pub(crate) fn certificate(der: &[u8]) -> String {
    armoured("CERTIFICATE", der)
}

fn armoured(label: &str, der: &[u8]) -> String {
    let base64 = Zeroizing::new(Base64::encode_string(der));
    let mut text = String::with_capacity(base64.len() + base64.len() / LINE_LEN + 2 * label.len() + 64);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    // ASCII, so that every place is one between two characters.
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(LINE_LEN));
        text.push_str(line);
        text.push('\n');
        rest = behind;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}
