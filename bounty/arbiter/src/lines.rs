//! Documents as lines of `key value`, in strict order.
//!
//! There is one way to write a document, so that whoever reads one knows its bytes: printable ASCII and line feeds, one space behind the key, every line ended, no line too many, no number with
//! leading zeroes. A reader takes one field after another and stops at the first thing that is wrong.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64ct::{Base64, Encoding};

use crate::digest::{Digest, from_hex};
use crate::fault::{Document, Fault, Place, Wrong};
use crate::limits::{SIGNATURE_LEN_MAX, TIME_MAX, base64_len};
use crate::tier::Tier;

/// The key of the line that ends a document which one key signs.
pub(crate) const SIGNATURE: &str = "signature";

/// A document's lines that are still to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines<'a> {
    document: Document,
    rest: &'a str,
    line: u32,
}

impl<'a> Lines<'a> {
    /// Reads the first line, which says what document this is.
    pub(crate) fn begin(document: Document, bytes: &'a [u8], len_max: usize) -> Result<Self, Fault> {
        let whole = Place::whole(document);
        if bytes.len() > len_max {
            return Err(whole.wrong(Wrong::TooLong(len_max)));
        }
        let mut lines = Self { document, rest: text(bytes).map_err(|line| Place { line, ..whole }.wrong(Wrong::Control))?, line: 0 };
        if !lines.rest.ends_with('\n') {
            return Err(whole.wrong(Wrong::Unended));
        }
        let (first, place) = lines.next("")?;
        lines.is_head(first).map(|()| lines).map_err(|wrong| place.wrong(wrong))
    }

    fn is_head(&self, first: &str) -> Result<(), Wrong> {
        let head = self.document.head();
        let kind = head.trim_end_matches(|c: char| c.is_ascii_digit());
        match first.strip_prefix(kind) {
            _ if first == head => Ok(()),
            Some(version) if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) => Err(Wrong::Version(head)),
            _ => Err(Wrong::Head(head)),
        }
    }

    fn next(&mut self, field: &'static str) -> Result<(&'a str, Place), Fault> {
        self.line = self.line.saturating_add(1);
        let place = Place { document: self.document, line: self.line, field };
        let (line, rest) = self.rest.split_once('\n').ok_or_else(|| place.wrong(Wrong::Ends))?;
        self.rest = rest;
        Ok((line, place))
    }

    /// The value of the next line, which must have this key.
    pub(crate) fn field(&mut self, key: &'static str) -> Result<Value<'a>, Fault> {
        let (line, place) = self.next(key)?;
        let value = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(' '));
        value.map(|text| Value { text, place }).ok_or_else(|| place.wrong(Wrong::Order(key)))
    }

    /// Whether the next line has this key.
    pub(crate) fn is_next(&self, key: &str) -> bool {
        self.rest.strip_prefix(key).is_some_and(|rest| rest.starts_with(' '))
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), Fault> {
        let place = Place { document: self.document, line: self.line.saturating_add(1), field: "" };
        if self.rest.is_empty() { Ok(()) } else { Err(place.wrong(Wrong::Behind)) }
    }

    /// The last line: a signature over all that stands before it.
    pub(crate) fn seal(mut self, document: &'a [u8]) -> Result<Seal<'a>, Fault> {
        let message = document.get(..document.len().saturating_sub(self.rest.len())).unwrap_or_default();
        let value = self.field(SIGNATURE)?;
        let bytes = value.base64(SIGNATURE_LEN_MAX)?;
        self.end()?;
        Ok(Seal { message, bytes, place: value.place })
    }
}

/// A signature at a document's end, and what it signs.
#[derive(Debug, Clone)]
pub struct Seal<'a> {
    /// Every byte before the signature's line.
    pub message: &'a [u8],
    /// The signature, as its key's kind has it.
    pub bytes: Vec<u8>,
    /// Where it stands.
    pub place: Place,
}

impl Seal<'_> {
    /// The document again: what was signed, and the signature.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        sealed_bytes(self.message, &self.bytes)
    }
}

/// A signed document: the message and the line of its signature.
#[must_use]
pub fn sealed(message: &str, signature: &[u8]) -> Vec<u8> {
    sealed_bytes(message.as_bytes(), signature)
}

fn sealed_bytes(message: &[u8], signature: &[u8]) -> Vec<u8> {
    [message, SIGNATURE.as_bytes(), b" ", encode_base64(signature).as_bytes(), b"\n"].concat()
}

/// The bytes as text, or the line in which something else than printable ASCII stands.
fn text(bytes: &[u8]) -> Result<&str, u32> {
    let bad = bytes.iter().position(|byte| !matches!(byte, b'\n' | b' '..=b'~'));
    let end = bad.unwrap_or(bytes.len());
    let feeds = bytes.iter().take(end).filter(|byte| **byte == b'\n').count();
    let line = u32::try_from(feeds).unwrap_or(u32::MAX).saturating_add(1);
    if bad.is_some() { Err(line) } else { core::str::from_utf8(bytes).map_err(|_| line) }
}

/// What stands behind a key, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) text: &'a str,
    pub(crate) place: Place,
}

impl<'a> Value<'a> {
    pub(crate) fn wrong(self, wrong: Wrong) -> Fault {
        self.place.wrong(wrong)
    }

    /// Text of a bounded length that neither begins nor ends with a space.
    pub(crate) fn words(self, len_max: usize) -> Result<&'a str, Fault> {
        let wrong = match self.text {
            "" => Wrong::Empty,
            text if text.len() > len_max => Wrong::TooLong(len_max),
            text if text.starts_with(' ') || text.ends_with(' ') => Wrong::Edges,
            text => return Ok(text),
        };
        Err(self.wrong(wrong))
    }

    pub(crate) fn number(self) -> Result<u64, Fault> {
        let canonical = self.text == "0" || !self.text.starts_with('0') && self.text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if canonical { self.text.parse().ok() } else { None };
        number.ok_or_else(|| self.wrong(Wrong::Number))
    }

    /// Seconds since 1970.
    pub(crate) fn time(self) -> Result<u64, Fault> {
        let time = self.number()?;
        if time <= TIME_MAX { Ok(time) } else { Err(self.wrong(Wrong::Time)) }
    }

    pub(crate) fn hex<const N: usize>(self) -> Result<[u8; N], Fault> {
        from_hex(self.text).ok_or_else(|| self.wrong(Wrong::Hex(N.saturating_mul(2))))
    }

    pub(crate) fn digest(self) -> Result<Digest, Fault> {
        self.hex().map(Digest)
    }

    /// A word of 64 bits, as `0x` and 16 digits.
    pub(crate) fn word(self) -> Result<u64, Fault> {
        let bytes = self.text.strip_prefix("0x").and_then(from_hex);
        bytes.map(u64::from_be_bytes).ok_or_else(|| self.wrong(Wrong::Address))
    }

    pub(crate) fn tier(self) -> Result<Tier, Fault> {
        Tier::from_name(self.text).ok_or_else(|| self.wrong(Wrong::Tier))
    }

    pub(crate) fn base64(self, len_max: usize) -> Result<Vec<u8>, Fault> {
        if self.text.len() > base64_len(len_max) {
            return Err(self.wrong(Wrong::TooLong(base64_len(len_max))));
        }
        decode_base64(self.text).filter(|bytes| bytes.len() <= len_max).ok_or_else(|| self.wrong(Wrong::Base64))
    }

    pub(crate) fn base64_array<const N: usize>(self) -> Result<[u8; N], Fault> {
        self.base64(N)?.try_into().map_err(|_| self.wrong(Wrong::Key))
    }
}

/// Bytes out of base64 with padding (RFC 4648, 4), in the one way in which they are written.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = Base64::decode_vec(text).ok()?;
    (!bytes.is_empty() && encode_base64(&bytes) == text).then_some(bytes)
}

pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// A word of 64 bits that prints as [`Value::word`] reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word(pub(crate) u64);

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests;
