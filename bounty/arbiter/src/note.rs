//! Signed notes (<https://c2sp.org/signed-note>): a text, an empty line, and signatures by anybody, one a line.
//!
//! What a note says counts only once a key that is trusted has signed it: [`Note::open`] is the only way to the text. Signatures by unknown keys are witnesses' and are left alone; one by
//! the known key that does not verify spoils the note, as C2SP recommends.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::digest::{Digest, Hex, from_hex};
use crate::fault::{Document, Fault, Place, Wrong};
use crate::key::Ed25519Key;
use crate::limits::{KEY_NAME_LEN_MAX, NOTE_LEN_MAX, NOTE_SIGNATURE_LEN_MAX, NOTE_SIGNATURES_MAX, base64_len};
use crate::lines::{decode_base64, encode_base64};

/// The number of Ed25519 among C2SP's kinds of signatures.
const ED25519: u8 = 1;
/// What a signature's line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// A key that signs notes, with its name. It prints as `NAME+ID+BASE64`, as Go's `sumdb/note` has it, and is read from that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: Ed25519Key,
}

impl VerifierKey {
    /// The key of this name and these bytes.
    ///
    /// # Errors
    /// [`Wrong::VerifierKey`] for a name that is empty, longer than [`KEY_NAME_LEN_MAX`], or holds something else than printable ASCII without `+` and space.
    pub fn new(name: &str, key: Ed25519Key) -> Result<Self, Wrong> {
        let plain = name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+');
        if !plain || !(1..=KEY_NAME_LEN_MAX).contains(&name.len()) {
            return Err(Wrong::VerifierKey);
        }
        Ok(Self { name: name.into(), key })
    }

    /// Reads `NAME+ID+BASE64`.
    ///
    /// # Errors
    /// [`Wrong::VerifierKey`], [`Wrong::KeyId`], [`Wrong::Key`], [`Wrong::WeakKey`].
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else { return Err(Wrong::VerifierKey) };
        // Longer ones are not worth decoding.
        let bytes = if encoded.len() == base64_len(33) { decode_base64(encoded) } else { None };
        let Some((&[ED25519], bytes)) = bytes.as_deref().and_then(<[u8]>::split_first_chunk) else { return Err(Wrong::VerifierKey) };
        let bytes = bytes.try_into().map_err(|_| Wrong::VerifierKey)?;
        let key = Self::new(name, Ed25519Key::new(bytes)?)?;
        if from_hex(id) == Some(key.id()) { Ok(key) } else { Err(Wrong::KeyId) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key itself.
    #[must_use]
    pub const fn key(&self) -> Ed25519Key {
        self.key
    }

    /// Its number: the first four bytes of SHA-256 over name, line feed, kind and key.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let Digest([a, b, c, d, ..]) = Digest::of(&[self.name.as_bytes(), b"\n", &[ED25519], &self.key.bytes()]);
        [a, b, c, d]
    }

    /// The line under a note that holds this key's signature of its text.
    #[must_use]
    pub fn line(&self, signature: &[u8; 64]) -> String {
        alloc::format!("{DASH}{} {}\n", self.name, encode_base64(&[&self.id()[..], signature].concat()))
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = encode_base64(&[&[ED25519], &self.key.bytes()[..]].concat());
        write!(f, "{}+{}+{encoded}", self.name, Hex(&self.id()))
    }
}

/// A note whose form is right. Nobody's signature has been looked at yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    document: Document,
    text: &'a str,
    signatures: Vec<NoteSignature<'a>>,
}

/// One line under a note.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature<'a> {
    line: u32,
    name: &'a str,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Reads a note; `document` is what faults call it.
    ///
    /// # Errors
    /// Says what is wrong with its form.
    pub fn parse(document: Document, bytes: &'a [u8]) -> Result<Self, Fault> {
        let whole = Place::whole(document);
        if bytes.len() > NOTE_LEN_MAX {
            return Err(whole.wrong(Wrong::TooLong(NOTE_LEN_MAX)));
        }
        let form = whole.wrong(Wrong::NoteForm);
        let note = core::str::from_utf8(bytes).map_err(|_| form)?;
        let (before, below) = note.rsplit_once("\n\n").ok_or(form)?;
        let text = note.get(..before.len().saturating_add(1)).ok_or(form)?;
        let below = below.strip_suffix('\n').ok_or(form)?;
        let first = u32::try_from(text.lines().count()).unwrap_or(u32::MAX).saturating_add(2);
        let mut signatures = Vec::new();
        for (line, text) in (first..).zip(below.split('\n')) {
            let place = Place { document, line, field: "" };
            if signatures.len() == NOTE_SIGNATURES_MAX {
                return Err(place.wrong(Wrong::NoteSignatures));
            }
            signatures.push(NoteSignature::parse(line, text).ok_or_else(|| place.wrong(Wrong::NoteSignature))?);
        }
        Ok(Self { document, text, signatures })
    }

    /// The text, once this key has signed it. Its last line feed belongs to it, the empty line behind it does not.
    ///
    /// # Errors
    /// [`Wrong::Unsigned`], [`Wrong::SignedTwice`], [`Wrong::SignatureForm`], [`Wrong::Signature`].
    pub fn open(&self, key: &VerifierKey) -> Result<&'a [u8], Fault> {
        let id = key.id();
        let mut own = self.signatures.iter().filter(|signature| signature.name == key.name && signature.id == id);
        let signature = own.next().ok_or_else(|| Place::whole(self.document).wrong(Wrong::Unsigned))?;
        let place = |line| Place { document: self.document, line, field: "" };
        key.key.verify(self.text.as_bytes(), &signature.signature).map_err(|wrong| place(signature.line).wrong(wrong))?;
        own.next().map_or_else(|| Ok(self.text.as_bytes()), |second| Err(place(second.line).wrong(Wrong::SignedTwice)))
    }
}

impl<'a> NoteSignature<'a> {
    fn parse(line: u32, text: &'a str) -> Option<Self> {
        let (name, encoded) = text.strip_prefix(DASH)?.split_once(' ')?;
        let plain = !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+');
        if name.is_empty() || !plain || encoded.len() > base64_len(NOTE_SIGNATURE_LEN_MAX) {
            return None;
        }
        let bytes = decode_base64(encoded)?;
        let (id, signature) = bytes.split_first_chunk()?;
        Some(Self { line, name, id: *id, signature: signature.into() })
    }
}

/// The note as it is written.
impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|NoteSignature { name, id, signature, .. }| {
            writeln!(f, "{DASH}{name} {}", encode_base64(&[&id[..], signature].concat()))
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    fn signer(seed: u8) -> (Ed25519KeyPair, VerifierKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a key");
        let key = Ed25519Key::new(pair.public_key().as_ref().try_into().expect("32 bytes")).expect("a key");
        (pair, VerifierKey::new(&format!("example.org/{seed}"), key).expect("a name"))
    }

    fn line(text: &str, seed: u8) -> String {
        let (pair, key) = signer(seed);
        key.line(pair.sign(text.as_bytes()).as_ref().try_into().expect("64 bytes"))
    }

    fn open<'a>(note: &'a str, key: &VerifierKey) -> Result<&'a [u8], Wrong> {
        Note::parse(Document::Manifest, note.as_bytes()).and_then(|parsed| parsed.open(key)).map_err(|fault| fault.wrong)
    }

    #[test]
    fn the_note_of_the_specification_is_read_and_printed() {
        let note = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n\
                    \u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
        let parsed = Note::parse(Document::Manifest, note.as_bytes()).expect("a note");
        assert_eq!(parsed.to_string(), note);
        assert_eq!((parsed.signatures[0].line, parsed.signatures[0].id), (6, [0x36, 0x7b, 0xa0, 0x4b]));
    }

    /// Go's own documentation of `sumdb/note` has this key and this note.
    #[test]
    fn the_key_and_the_note_of_go_are_taken() {
        let key = VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").expect("a key");
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let signature =
            "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert_eq!(open(&format!("{text}\n{signature}"), &key), Ok(text.as_bytes()));
        assert_eq!(key.to_string(), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        assert_eq!(open(&format!("{}\n{signature}", text.replace("your", "our")), &key), Err(Wrong::Signature));
    }

    #[test]
    fn others_signatures_are_left_alone_and_ones_own_must_be_right_and_single() {
        let (own, other, text) = (line("a\n", 1), line("a\n", 2), "a\n");
        let key = signer(1).1;
        assert_eq!(open(&format!("{text}\n{other}{own}"), &key), Ok(&b"a\n"[..]));
        assert_eq!(open(&format!("{text}\n{other}"), &key), Err(Wrong::Unsigned));
        assert_eq!(open(&format!("{text}\n{own}{own}"), &key), Err(Wrong::SignedTwice));
        assert_eq!(open(&format!("{text}\n{}", line("b\n", 1)), &key), Err(Wrong::Signature));
        // The same number under another name is another key.
        let renamed = own.replace("example.org/1", "example.net/1");
        assert_eq!(open(&format!("{text}\n{renamed}"), &key), Err(Wrong::Unsigned));
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let own = line("a\n", 1);
        let key = signer(1).1;
        for bad in ["", "a\n", "a\n\n", &format!("a{own}"), &format!("a\n\n{}", own.trim_end()), &format!("a\r\n\n{}\r\n", own.trim_end())]
        {
            assert!(matches!(open(bad, &key), Err(Wrong::NoteForm | Wrong::NoteSignature)), "{bad:?}");
        }
        for bad in [
            "- x YWJjZGU=",
            "\u{2014}  YWJjZGU=",
            "\u{2014} x+y YWJjZGU=",
            "\u{2014} x\u{a0}y YWJjZGU=",
            "\u{2014} x YWJ",
            "\u{2014} x YWJj",
        ] {
            assert_eq!(open(&format!("a\n\n{bad}\n"), &key), Err(Wrong::NoteSignature), "{bad:?}");
        }
        assert_eq!(open(&format!("a\n\n{}", own.repeat(NOTE_SIGNATURES_MAX + 1)), &key), Err(Wrong::NoteSignatures));
    }

    #[test]
    fn a_key_that_lies_about_itself_is_refused() {
        let text = signer(1).1.to_string();
        assert_eq!(VerifierKey::parse(&text).map(|key| key.to_string()), Ok(text.clone()));
        assert_eq!(VerifierKey::parse(&text.replace("example.org/1", "example.org/2")), Err(Wrong::KeyId));
        for bad in [
            "",
            "a",
            "a+b",
            &text.replace("+A", "+B"),
            &text.replace("example.org/1", ""),
            &text.replace("example.org/1", "a b"),
            &format!("{text} "),
        ] {
            assert!(matches!(VerifierKey::parse(bad), Err(Wrong::VerifierKey | Wrong::KeyId)), "{bad:?}");
        }
    }
}
