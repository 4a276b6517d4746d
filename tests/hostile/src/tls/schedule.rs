//! The key schedules: HKDF as in RFC 8446 section 7.1, and the PRF of RFC 5246 section 5. SHA-256 alone.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use e2e::Outcome;

use super::bytes::vec8;
use super::protection::{Framing, Protection};

pub(crate) type Secret = [u8; 32];

pub(crate) fn hash(bytes: &[u8]) -> Secret {
    digest(&SHA256, bytes).as_ref().try_into().unwrap_or_default()
}

pub(crate) fn mac(key: &[u8], bytes: &[u8]) -> Secret {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), bytes).as_ref().try_into().unwrap_or_default()
}

/// HKDF-Extract is a MAC under the salt.
pub(crate) fn extract(salt: &[u8], secret: &[u8]) -> Secret {
    mac(salt, secret)
}

/// HKDF-Expand-Label for one block of output or less.
fn expand(secret: &[u8], label: &str, context: &[u8], len: u8) -> Secret {
    let info = [&[0, len][..], &vec8(&[b"tls13 ", label.as_bytes()].concat()), &vec8(context), &[1]].concat();
    mac(secret, &info)
}

/// HKDF-Expand-Label with the length of the hash.
pub(crate) fn expand_label(secret: &[u8], label: &str, context: &[u8]) -> Secret {
    expand(secret, label, context, 32)
}

/// Derive-Secret; `messages` are hashed.
pub(crate) fn derive(secret: &[u8], label: &str, messages: &[u8]) -> Secret {
    expand_label(secret, label, &hash(messages))
}

/// The keys of one direction of TLS 1.3.
pub(crate) fn protection(secret: &Secret) -> Outcome<Protection> {
    let (key, iv) = (expand(secret, "key", &[], 16), expand(secret, "iv", &[], 12));
    Protection::new(Framing::Tls13, &key[..16], iv.first_chunk().copied().unwrap_or_default())
}

/// `verify_data` of a Finished, and a binder.
pub(crate) fn finished(secret: &Secret, messages: &[u8]) -> Secret {
    mac(&expand_label(secret, "finished", &[]), &hash(messages))
}

/// The PRF of TLS 1.2.
pub(crate) fn prf(secret: &[u8], label: &str, seed: &[u8], len: usize) -> Vec<u8> {
    let seed = [label.as_bytes(), seed].concat();
    let (mut a, mut out) = (mac(secret, &seed), Vec::new());
    while out.len() < len {
        out.extend_from_slice(&mac(secret, &[&a[..], &seed].concat()));
        a = mac(secret, &a);
    }
    out.truncate(len);
    out
}
