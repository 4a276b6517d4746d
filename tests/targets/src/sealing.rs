//! Record protection as an attacker needs it (RFC 8446 section 5.2, RFC 5246 section 6.2.3.3), with AES-128-GCM: any content of any type, properly sealed.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac::{self, HMAC_SHA256};
use tls::Version;

pub(crate) const ALERT: u8 = 21;
pub(crate) const HANDSHAKE: u8 = 22;
pub(crate) const DATA: u8 = 23;

const HEADER_LEN: usize = 5;
const EXPLICIT_LEN: usize = 8;

/// One direction.
#[derive(Debug)]
pub(crate) struct Sealing {
    version: Version,
    key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    sequence: u64,
    /// What the next keys of TLS 1.3 are made of.
    secret: Vec<u8>,
}

impl Sealing {
    /// Keys of TLS 1.3, of a traffic secret.
    pub(crate) fn of_secret(secret: &[u8]) -> Self {
        let (key, iv) = (expand(secret, "key", 16), expand(secret, "iv", NONCE_LEN));
        let iv = iv.try_into().expect("12 bytes");
        Self { version: Version::Tls13, key: aead(&key), iv, sequence: 0, secret: secret.to_vec() }
    }

    /// Keys of TLS 1.2, in use already.
    pub(crate) fn tls12(key: &[u8], iv: [u8; NONCE_LEN], sequence: u64) -> Self {
        Self { version: Version::Tls12, key: aead(key), iv, sequence, secret: Vec::new() }
    }

    /// The next keys of TLS 1.3 (RFC 8446 section 7.2).
    pub(crate) fn turn(&mut self) {
        *self = Self::of_secret(&expand(&self.secret, "traffic upd", 32));
    }

    /// One record; `padding` zeros behind the content, where the version has them.
    pub(crate) fn seal(&mut self, kind: u8, content: &[u8], padding: usize) -> Vec<u8> {
        let nonce = self.nonce();
        let mut sealed = content.to_vec();
        let (outer, explicit) = match self.version {
            Version::Tls13 => {
                sealed.push(kind);
                sealed.resize(sealed.len() + padding, 0);
                (DATA, &[][..])
            }
            Version::Tls12 => (kind, &nonce[NONCE_LEN - EXPLICIT_LEN..]),
        };
        let len = explicit.len() + sealed.len() + AES_128_GCM.tag_len();
        let [high, low] = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
        let header = [outer, 3, 3, high, low];
        let aad = self.aad(header, content.len());
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed).expect("a short text");
        self.sequence += 1;
        [&header, explicit, &sealed].concat()
    }

    /// Opens one whole record: its type and its content.
    pub(crate) fn open(&mut self, record: &[u8]) -> Option<(u8, Vec<u8>)> {
        let (header, rest) = record.split_first_chunk::<HEADER_LEN>()?;
        let (nonce, sealed) = match self.version {
            Version::Tls13 => (self.nonce(), rest),
            Version::Tls12 => {
                let (explicit, sealed) = rest.split_first_chunk::<EXPLICIT_LEN>()?;
                let mut nonce = self.iv;
                nonce[NONCE_LEN - EXPLICIT_LEN..].copy_from_slice(explicit);
                (nonce, sealed)
            }
        };
        let aad = self.aad(*header, sealed.len().checked_sub(AES_128_GCM.tag_len())?);
        let mut sealed = sealed.to_vec();
        let plain = self.key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed).ok()?;
        self.sequence += 1;
        if self.version == Version::Tls12 {
            return Some((header[0], plain.to_vec()));
        }
        let end = plain.iter().rposition(|byte| *byte != 0)?;
        Some((plain[end], plain[..end].to_vec()))
    }

    fn nonce(&self) -> [u8; NONCE_LEN] {
        let mut nonce = self.iv;
        nonce.iter_mut().skip(NONCE_LEN - EXPLICIT_LEN).zip(self.sequence.to_be_bytes()).for_each(|(byte, s)| *byte ^= s);
        nonce
    }

    fn aad(&self, header: [u8; HEADER_LEN], len: usize) -> Vec<u8> {
        let [high, low] = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
        match self.version {
            Version::Tls13 => header.to_vec(),
            Version::Tls12 => [&self.sequence.to_be_bytes()[..], &[header[0], 3, 3, high, low]].concat(),
        }
    }
}

fn aead(key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key).expect("16 bytes"))
}

/// HKDF-Expand-Label without a context (RFC 8446 section 7.1), for at most the length of the hash.
fn expand(secret: &[u8], label: &str, len: usize) -> Vec<u8> {
    let label = format!("tls13 {label}");
    let lengths = [u16::try_from(len).unwrap_or(0).to_be_bytes().as_slice(), &[u8::try_from(label.len()).unwrap_or(0)]].concat();
    let info = [&lengths, label.as_bytes(), &[0, 1]].concat();
    let mut out = hmac::sign(&hmac::Key::new(HMAC_SHA256, secret), &info).as_ref().to_vec();
    out.truncate(len);
    out
}
