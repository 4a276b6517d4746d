//! The key schedules: HKDF as in RFC 8446 section 7.1, and the PRF of RFC 5246 section 5. SHA-256 alone.

use ring::digest::{SHA256, digest};
use ring::hmac;

use super::Fault;
use super::bytes::{Reader, vec8};
use super::protection::{Framing, Protection};

/// As long as the hash.
pub type Secret = [u8; 32];

/// SHA-256.
#[must_use]
pub fn hash(bytes: &[u8]) -> Secret {
    digest(&SHA256, bytes).as_ref().try_into().unwrap_or_default()
}

/// HMAC-SHA-256.
#[must_use]
pub fn mac(key: &[u8], bytes: &[u8]) -> Secret {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), bytes).as_ref().try_into().unwrap_or_default()
}

/// HKDF-Extract is a MAC under the salt.
#[must_use]
pub fn extract(salt: &[u8], secret: &[u8]) -> Secret {
    mac(salt, secret)
}

/// HKDF-Expand-Label for one block of output or less.
fn expand(secret: &[u8], label: &str, context: &[u8], len: u8) -> Secret {
    let info = [&[0, len][..], &vec8(&[b"tls13 ", label.as_bytes()].concat()), &vec8(context), &[1]].concat();
    mac(secret, &info)
}

/// HKDF-Expand-Label with the length of the hash.
#[must_use]
pub fn expand_label(secret: &[u8], label: &str, context: &[u8]) -> Secret {
    expand(secret, label, context, 32)
}

/// Derive-Secret; `messages` are hashed.
#[must_use]
pub fn derive(secret: &[u8], label: &str, messages: &[u8]) -> Secret {
    expand_label(secret, label, &hash(messages))
}

/// The keys of one direction of TLS 1.3.
///
/// # Errors
/// [`Fault::OwnKey`]: the cipher does not take a key.
pub fn protection(secret: &Secret) -> Result<Protection, Fault> {
    let (key, iv) = (expand(secret, "key", &[], 16), expand(secret, "iv", &[], 12));
    Protection::new(Framing::Tls13, &key[..16], iv.first_chunk().copied().unwrap_or_default())
}

/// `verify_data` of a Finished, and a binder.
#[must_use]
pub fn finished(secret: &Secret, messages: &[u8]) -> Secret {
    mac(&expand_label(secret, "finished", &[]), &hash(messages))
}

/// The PRF of TLS 1.2.
#[must_use]
pub fn prf(secret: &[u8], label: &str, seed: &[u8], len: usize) -> Vec<u8> {
    let seed = [label.as_bytes(), seed].concat();
    let (mut a, mut out) = (mac(secret, &seed), Vec::new());
    while out.len() < len {
        out.extend_from_slice(&mac(secret, &[&a[..], &seed].concat()));
        a = mac(secret, &a);
    }
    out.truncate(len);
    out
}

/// The master secret of TLS 1.2: from all messages up to ClientKeyExchange where both sides can do that (RFC 7627), else from both randoms.
#[must_use]
pub fn master(shared: &[u8], messages: Option<&[u8]>, randoms: Randoms<'_>) -> Vec<u8> {
    match messages {
        Some(messages) => prf(shared, "extended master secret", &hash(messages), 48),
        None => prf(shared, "master secret", &[randoms.client, randoms.server].concat(), 48),
    }
}

/// What both sides of TLS 1.2 said in their hellos.
#[derive(Debug, Clone, Copy)]
pub struct Randoms<'a> {
    /// 32 bytes.
    pub client: &'a [u8],
    /// Likewise.
    pub server: &'a [u8],
}

/// The keys of TLS 1.2: the client's and the server's.
///
/// # Errors
/// [`Fault::OwnKey`]: the cipher does not take a key.
pub fn protections(master: &[u8], randoms: Randoms<'_>) -> Result<[Protection; 2], Fault> {
    let block = prf(master, "key expansion", &[randoms.server, randoms.client].concat(), 40);
    let mut block = Reader(&block);
    let (client, server) = (block.take(16)?, block.take(16)?);
    let (client_salt, server_salt) = (block.take(4)?, block.take(4)?);
    let new = |key, salt| Protection::new(Framing::Tls12, key, salted(salt));
    Ok([new(client, client_salt)?, new(server, server_salt)?])
}

fn salted(salt: &[u8]) -> [u8; 12] {
    let mut iv = [0; 12];
    iv.iter_mut().zip(salt).for_each(|(byte, s)| *byte = *s);
    iv
}
