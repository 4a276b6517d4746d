//! One direction of an established session: records sealed and opened in the caller's memory (RFC 8446 §5.2, RFC 5246 §6.2.3.3, RFC 7905).
//!
//! rustls' own record layer allocates and copies each record; this one does neither. The keys come from rustls at the end of the handshake.

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use rustls::ConnectionTrafficSecrets;

use crate::limits::{RECORD_HEADER_LEN, RECORD_PLAIN_LEN_MAX, RECORDS_PER_KEY_MAX};
use crate::{Alert, Version};

/// Content types (RFC 8446 §5.1).
pub(crate) mod content {
    pub(crate) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(crate) const ALERT: u8 = 21;
    pub(crate) const HANDSHAKE: u8 = 22;
    pub(crate) const DATA: u8 = 23;
}

const TAG_LEN: usize = 16;
const SALT_LEN: usize = 4;
const EXPLICIT_LEN: usize = NONCE_LEN - SALT_LEN;

/// Length of the fragment that a header announces, or the alert that it deserves.
pub(crate) fn fragment_len(header: [u8; RECORD_HEADER_LEN]) -> Result<usize, Alert> {
    let [kind, major, _, high, low] = header;
    let len = usize::from(u16::from_be_bytes([high, low]));
    match kind {
        _ if !matches!(kind, content::CHANGE_CIPHER_SPEC..=content::DATA) || major != 3 => Err(Alert::UNEXPECTED_MESSAGE),
        _ if len > crate::limits::RECORD_CIPHER_LEN_MAX => Err(Alert::RECORD_OVERFLOW),
        _ => Ok(len),
    }
}

/// How a record is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// Type inside, nonce implied.
    Tls13,
    /// Type outside, half of the nonce in front.
    Tls12Gcm,
    /// Type outside, nonce implied.
    Tls12ChaCha,
}

/// The key, nonce base and counter of one direction.
pub(crate) struct Protection {
    key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    sequence: u64,
    framing: Framing,
}

impl Protection {
    /// Takes over from rustls at `sequence`. None for a cipher that this crate does not offer.
    pub(crate) fn new(version: Version, (sequence, secrets): &(u64, ConnectionTrafficSecrets)) -> Option<Self> {
        let (algorithm, key, iv): (&Algorithm, _, _) = match secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (&CHACHA20_POLY1305, key, iv),
            _ => return None,
        };
        let framing = match version {
            Version::Tls13 => Framing::Tls13,
            Version::Tls12 if *algorithm == CHACHA20_POLY1305 => Framing::Tls12ChaCha,
            Version::Tls12 => Framing::Tls12Gcm,
        };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key.as_ref()).ok()?);
        Some(Self { key, iv: iv.as_ref().try_into().ok()?, sequence: *sequence, framing })
    }

    /// Bytes that a record has beyond its plaintext, header included.
    pub(crate) fn overhead(&self) -> usize {
        RECORD_HEADER_LEN + TAG_LEN + self.extra_len()
    }

    /// The most plaintext that a fragment of `len` bytes can hold, within what is legal.
    pub(crate) fn plain_len_max(&self, len: usize) -> usize {
        len.saturating_sub(TAG_LEN + self.extra_len()).min(RECORD_PLAIN_LEN_MAX)
    }

    /// True if the key has protected as many records as it may.
    pub(crate) fn is_spent(&self) -> bool {
        self.sequence >= RECORDS_PER_KEY_MAX
    }

    #[cfg(test)]
    pub(crate) fn set_sequence(&mut self, sequence: u64) {
        self.sequence = sequence;
    }

    fn extra_len(&self) -> usize {
        match self.framing {
            Framing::Tls13 => 1,
            Framing::Tls12Gcm => EXPLICIT_LEN,
            Framing::Tls12ChaCha => 0,
        }
    }

    fn nonce(&self) -> [u8; NONCE_LEN] {
        let mut nonce = self.iv;
        let (_, low) = nonce.split_at_mut(SALT_LEN);
        low.iter_mut().zip(self.sequence.to_be_bytes()).for_each(|(byte, s)| *byte ^= s);
        nonce
    }

    /// RFC 5246 §6.2.3.3: seq_num + type + version + length of the plaintext.
    fn aad12(&self, kind: u8, plain_len: usize) -> [u8; 13] {
        let [s0, s1, s2, s3, s4, s5, s6, s7] = self.sequence.to_be_bytes();
        let [high, low] = u16_of(plain_len);
        [s0, s1, s2, s3, s4, s5, s6, s7, kind, 3, 3, high, low]
    }

    /// Writes one record with `plain` into the front of `out`; returns its length. None if it does not fit, or the counter is at its end.
    pub(crate) fn seal(&mut self, kind: u8, plain: &[u8], out: &mut [u8]) -> Option<usize> {
        if plain.len() > RECORD_PLAIN_LEN_MAX {
            return None;
        }
        let nonce = self.nonce();
        let next = self.sequence.checked_add(1)?;
        let record = out.get_mut(..plain.len().checked_add(self.overhead())?)?;
        let (header, fragment) = record.split_first_chunk_mut::<RECORD_HEADER_LEN>()?;
        let [high, low] = u16_of(fragment.len());
        let (body, tag) = fragment.split_last_chunk_mut::<TAG_LEN>()?;
        let sealed = match self.framing {
            Framing::Tls13 => {
                *header = [content::DATA, 3, 3, high, low];
                let (inner_kind, content) = body.split_last_mut()?;
                content.copy_from_slice(plain);
                *inner_kind = kind;
                self.key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(*header), body)
            }
            Framing::Tls12Gcm | Framing::Tls12ChaCha => {
                *header = [kind, 3, 3, high, low];
                let (explicit, content) = body.split_at_mut_checked(self.extra_len())?;
                explicit.copy_from_slice(nonce.get(NONCE_LEN.checked_sub(explicit.len())?..)?);
                content.copy_from_slice(plain);
                let aad = Aad::from(self.aad12(kind, plain.len()));
                self.key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, content)
            }
        };
        tag.copy_from_slice(sealed.ok()?.as_ref());
        self.sequence = next;
        Some(record.len())
    }

    /// Opens one whole record where it lies; returns its content type and plaintext.
    ///
    /// # Errors
    /// The alert that the record deserves.
    pub(crate) fn open<'a>(&mut self, record: &'a mut [u8]) -> Result<(u8, &'a [u8]), Alert> {
        let (header, fragment) = record.split_first_chunk_mut::<RECORD_HEADER_LEN>().ok_or(Alert::DECODE_ERROR)?;
        let opened = match self.framing {
            Framing::Tls13 => self.open13(*header, fragment),
            Framing::Tls12Gcm | Framing::Tls12ChaCha => self.open12(*header, fragment),
        }?;
        self.sequence = self.sequence.checked_add(1).ok_or(Alert::INTERNAL_ERROR)?;
        Ok(opened)
    }

    fn open13<'a>(&self, header: [u8; RECORD_HEADER_LEN], fragment: &'a mut [u8]) -> Result<(u8, &'a [u8]), Alert> {
        let [kind, ..] = header;
        if kind != content::DATA {
            return Err(Alert::UNEXPECTED_MESSAGE);
        }
        let nonce = Nonce::assume_unique_for_key(self.nonce());
        let inner = self.key.open_in_place(nonce, Aad::from(header), fragment).map_err(|_| Alert::BAD_RECORD_MAC)?;
        // RFC 8446 §5.4: the type is the last byte that is not zero; without one, unexpected_message.
        let end = inner.iter().rposition(|byte| *byte != 0).ok_or(Alert::UNEXPECTED_MESSAGE)?;
        // §5.2: the inner plaintext, padding included, is bounded by 2^14 + 1.
        if inner.len() > RECORD_PLAIN_LEN_MAX + 1 {
            return Err(Alert::RECORD_OVERFLOW);
        }
        let (plain, rest) = inner.split_at(end);
        Ok((rest.first().copied().unwrap_or_default(), plain))
    }

    fn open12<'a>(&self, header: [u8; RECORD_HEADER_LEN], fragment: &'a mut [u8]) -> Result<(u8, &'a [u8]), Alert> {
        let [kind, ..] = header;
        let (explicit, sealed) = fragment.split_at_mut_checked(self.extra_len()).ok_or(Alert::BAD_RECORD_MAC)?;
        let plain_len = sealed.len().checked_sub(TAG_LEN).ok_or(Alert::BAD_RECORD_MAC)?;
        if plain_len > RECORD_PLAIN_LEN_MAX {
            return Err(Alert::RECORD_OVERFLOW);
        }
        let mut nonce = self.nonce();
        if let Some(low) = nonce.last_chunk_mut::<EXPLICIT_LEN>().filter(|_| !explicit.is_empty()) {
            low.copy_from_slice(explicit);
        }
        let aad = Aad::from(self.aad12(kind, plain_len));
        let plain = self.key.open_in_place(Nonce::assume_unique_for_key(nonce), aad, sealed).map_err(|_| Alert::BAD_RECORD_MAC)?;
        Ok((kind, plain))
    }
}

impl core::fmt::Debug for Protection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Protection").field("framing", &self.framing).field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

/// A length that is known to be below 2^16: records are bounded by [`RECORD_LEN_MAX`](crate::limits::RECORD_LEN_MAX).
fn u16_of(len: usize) -> [u8; 2] {
    u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes()
}

const _: () = assert!(crate::limits::RECORD_LEN_MAX <= 0xffff);
