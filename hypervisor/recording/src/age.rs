//! The age file format, version 1, as far as a recording needs it (<https://c2sp.org/age>): X25519 recipients, and the stream of chunks.
//!
//! The header says for whom the file's own key was wrapped; a MAC under that key holds the header together. Behind it stand chunks of 64 KiB, each sealed with its
//! number and with whether it is the last. What `age` writes is read here, and the other way round; why this is not the `age` crate says ADR 11.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::key::{Identity, Recipient};
use crate::limits::{AGE_HEADER_LEN_MAX, AGE_LINE_LEN_MAX, TAG_LEN};

const VERSION_LINE: &str = "age-encryption.org/v1";
const WRAP_INFO: &[u8] = b"age-encryption.org/v1/X25519";
const FILE_KEY_LEN: usize = 16;
const WRAPPED_LEN: usize = FILE_KEY_LEN + TAG_LEN;
/// Bytes in front of the first chunk that the chunks' key is made with.
pub(crate) const NONCE_LEN: usize = 16;
/// A body's line that is not its last has this many characters.
const BODY_COLUMNS: usize = 64;

type FileKey = Zeroizing<[u8; FILE_KEY_LEN]>;

/// No randomness, or a recipient that no key can be agreed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoKey;

/// A header for this recipient with everything up to the first chunk, and the key of the chunks.
pub(crate) fn begin(recipient: Recipient) -> Result<(Vec<u8>, Chunks), NoKey> {
    let random = SystemRandom::new();
    let mut file_key = FileKey::default();
    let mut ephemeral = Zeroizing::new([0; 32]);
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut file_key[..]).map_err(|_| NoKey)?;
    random.fill(&mut ephemeral[..]).map_err(|_| NoKey)?;
    random.fill(&mut nonce).map_err(|_| NoKey)?;
    let ephemeral = StaticSecret::from(*ephemeral);
    let share = PublicKey::from(&ephemeral).to_bytes();
    let wrap = wrap_key(&ephemeral, recipient.0, share, recipient.0).ok_or(NoKey)?;
    let mut wrapped = Zeroizing::new(file_key.to_vec());
    wrap.seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut *wrapped).map_err(|_| NoKey)?;
    let text = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
    let mut header = format!("{VERSION_LINE}\n-> X25519 {}\n{}\n---", text(&share), text(&wrapped));
    let mac = hmac::sign(&mac_key(&file_key).ok_or(NoKey)?, header.as_bytes());
    header.push_str(&format!(" {}\n", text(mac.as_ref())));
    let mut bytes = header.into_bytes();
    bytes.extend_from_slice(&nonce);
    Ok((bytes, Chunks::new(&file_key, nonce).ok_or(NoKey)?))
}

/// Why a file's header does not lead to its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// It is no age file, or its header is damaged or longer than anything that was written here.
    PeerFormat,
    /// None of its recipients is this identity.
    PeerRecipient,
    /// The header was changed after it was written.
    PeerMac,
}

/// The lines of a header, as they come out of the file; complete with the line of the MAC.
#[derive(Debug, Default)]
pub(crate) struct HeaderText {
    text: String,
}

impl HeaderText {
    /// Takes one line, without its end. Says whether it was the last.
    pub(crate) fn push(&mut self, line: &[u8]) -> Result<bool, HeaderFault> {
        let line = core::str::from_utf8(line).map_err(|_| HeaderFault::PeerFormat)?;
        let fits = line.len() <= AGE_LINE_LEN_MAX && self.text.len().saturating_add(line.len()) < AGE_HEADER_LEN_MAX;
        let begins = !self.text.is_empty() || line == VERSION_LINE;
        if !fits || !begins {
            return Err(HeaderFault::PeerFormat);
        }
        self.text.push_str(line);
        self.text.push('\n');
        Ok(line.starts_with("---"))
    }

    /// The key of the chunks behind this header and `nonce`.
    pub(crate) fn open(&self, identity: &Identity, nonce: [u8; NONCE_LEN]) -> Result<Chunks, HeaderFault> {
        let lines: Vec<&str> = self.text.lines().collect();
        let (last, stanzas) = lines.split_last().ok_or(HeaderFault::PeerFormat)?;
        let file_key = stanzas.iter().enumerate().find_map(|(at, line)| {
            let share = line.strip_prefix("-> X25519 ")?;
            unwrap_stanza(identity, share, lines.get(at.saturating_add(1))?)
        });
        let file_key = file_key.ok_or(HeaderFault::PeerRecipient)?;
        let mac = last.strip_prefix("--- ").and_then(|mac| STANDARD_NO_PAD.decode(mac).ok()).ok_or(HeaderFault::PeerFormat)?;
        let signed = self.text.len().saturating_sub(last.len()).saturating_add("---".len()).saturating_sub(1);
        let signed = self.text.as_bytes().get(..signed).ok_or(HeaderFault::PeerFormat)?;
        let key = mac_key(&file_key).ok_or(HeaderFault::PeerFormat)?;
        hmac::verify(&key, signed, &mac).map_err(|_| HeaderFault::PeerMac)?;
        Chunks::new(&file_key, nonce).ok_or(HeaderFault::PeerFormat)
    }
}

/// `None` where the stanza is damaged, or is for somebody else.
fn unwrap_stanza(identity: &Identity, share: &str, body: &str) -> Option<FileKey> {
    let share: [u8; 32] = STANDARD_NO_PAD.decode(share).ok()?.try_into().ok()?;
    if body.len() >= BODY_COLUMNS {
        return None;
    }
    let mut wrapped = Zeroizing::new(STANDARD_NO_PAD.decode(body).ok()?);
    if wrapped.len() != WRAPPED_LEN {
        return None;
    }
    let wrap = wrap_key(&identity.0, share, share, identity.recipient().0)?;
    let opened = wrap.open_in_place(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut wrapped).ok()?;
    let mut key = FileKey::default();
    key.copy_from_slice(opened.get(..FILE_KEY_LEN)?);
    Some(key)
}

fn wrap_key(secret: &StaticSecret, theirs: [u8; 32], share: [u8; 32], recipient: [u8; 32]) -> Option<LessSafeKey> {
    let shared = secret.diffie_hellman(&PublicKey::from(theirs));
    if !shared.was_contributory() {
        return None;
    }
    aead_key(shared.as_bytes(), &[share, recipient].concat(), WRAP_INFO)
}

fn mac_key(file_key: &FileKey) -> Option<hmac::Key> {
    derive(&file_key[..], &[], b"header").map(|key| hmac::Key::new(hmac::HMAC_SHA256, &key[..]))
}

fn aead_key(secret: &[u8], salt: &[u8], info: &[u8]) -> Option<LessSafeKey> {
    let key = derive(secret, salt, info)?;
    UnboundKey::new(&CHACHA20_POLY1305, &key[..]).ok().map(LessSafeKey::new)
}

/// HKDF-SHA-256 (RFC 5869), 32 bytes of it.
fn derive(secret: &[u8], salt: &[u8], info: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    struct Len;
    impl KeyType for Len {
        fn len(&self) -> usize {
            32
        }
    }
    let mut key = Zeroizing::new([0; 32]);
    let prk = Salt::new(HKDF_SHA256, salt).extract(secret);
    prk.expand(&[info], Len).and_then(|okm| okm.fill(&mut key[..])).ok()?;
    Some(key)
}

/// Whether a chunk is the file's last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Within,
    Last,
}

/// The key of a file's chunks, and the number of the next.
pub(crate) struct Chunks {
    key: LessSafeKey,
    number: u64,
}

impl Chunks {
    fn new(file_key: &FileKey, nonce: [u8; NONCE_LEN]) -> Option<Self> {
        Some(Self { key: aead_key(&file_key[..], &nonce, b"payload")?, number: 0 })
    }

    /// Seals a chunk where it stands; its tag is to follow it.
    pub(crate) fn seal(&mut self, bytes: &mut [u8], place: Place) -> Result<[u8; TAG_LEN], NoKey> {
        let tag = self.key.seal_in_place_separate_tag(self.nonce(place), Aad::empty(), bytes).map_err(|_| NoKey)?;
        self.number = self.number.checked_add(1).ok_or(NoKey)?;
        <[u8; TAG_LEN]>::try_from(tag.as_ref()).map_err(|_| NoKey)
    }

    /// Opens a chunk with its tag where it stands, and says how long it is; the number stays where this was not it.
    pub(crate) fn open(&mut self, bytes: &mut [u8], place: Place) -> Option<usize> {
        let len = self.key.open_in_place(self.nonce(place), Aad::empty(), bytes).ok()?.len();
        self.number = self.number.checked_add(1)?;
        Some(len)
    }

    /// Eleven bytes of the number, and one that says whether it is the last. A 64-bit number is never used up.
    fn nonce(&self, place: Place) -> Nonce {
        let [a, b, c, d, e, f, g, h] = self.number.to_be_bytes();
        Nonce::assume_unique_for_key([0, 0, 0, a, b, c, d, e, f, g, h, u8::from(place == Place::Last)])
    }
}

impl core::fmt::Debug for Chunks {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Chunks").field("number", &self.number).finish_non_exhaustive()
    }
}
