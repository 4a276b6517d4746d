//! The few pieces of DER (X.690) that private keys, public-key infos and the plain fields of certificates are made of.
//!
//! A reader over a slice that takes definite, minimal lengths up to 65,535 bytes, and a writer for as much. No recursion, no allocation on
//! reading.
//!
//! ```
//! use keys::der::{INTEGER, Reader, SEQUENCE};
//! let mut outer = Reader::new(&[0x30, 3, 2, 1, 7]);
//! let mut inner = outer.nested(SEQUENCE).expect("a sequence");
//! assert_eq!(inner.element(INTEGER), Some(&[7][..]));
//! assert!(inner.is_empty() && outer.is_empty());
//! ```

use alloc::vec::Vec;

/// A whole number.
pub const INTEGER: u8 = 0x02;
/// Bits; the first octet says how many of the last one's do not count.
pub const BIT_STRING: u8 = 0x03;
/// Bytes.
pub const OCTET_STRING: u8 = 0x04;
/// An object identifier.
pub const OID: u8 = 0x06;
/// A sequence, or a sequence of one type.
pub const SEQUENCE: u8 = 0x30;
/// A set, or a set of one type.
pub const SET: u8 = 0x31;
/// `[0]`, constructed.
pub const CONTEXT_0: u8 = 0xa0;
/// `[1]`, constructed.
pub const CONTEXT_1: u8 = 0xa1;
/// `[3]`, constructed.
pub const CONTEXT_3: u8 = 0xa3;

/// Reads elements off the front of a slice.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an element with this tag is next.
    #[must_use]
    pub fn next_is(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The content of the next element, which must have this tag.
    pub fn element(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (len, rest) = length(rest)?;
        let (content, rest) = (found == tag).then(|| rest.split_at_checked(len))??;
        self.0 = rest;
        Some(content)
    }

    /// The next element, whatever it is: its tag and its content.
    pub fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let &tag = self.0.first()?;
        Some((tag, self.element(tag)?))
    }

    /// As [`Self::element`], or `None` without moving if the next tag is another.
    pub fn optional(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        if self.next_is(tag) { self.element(tag).map(Some) } else { Some(None) }
    }

    /// The content of the next element read by a reader of its own.
    pub fn nested(&mut self, tag: u8) -> Option<Self> {
        self.element(tag).map(Self)
    }

    /// The octets of a BIT STRING without unused bits.
    pub fn bit_string(&mut self) -> Option<&'a [u8]> {
        match self.element(BIT_STRING)?.split_first()? {
            (0, octets) => Some(octets),
            _ => None,
        }
    }
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match *bytes {
        [len @ 0..=0x7f, ref rest @ ..] => Some((len.into(), rest)),
        [0x81, len @ 0x80..=0xff, ref rest @ ..] => Some((len.into(), rest)),
        [0x82, high @ 1..=0xff, low, ref rest @ ..] => Some((u16::from_be_bytes([high, low]).into(), rest)),
        _ => None,
    }
}

/// One element around the parts. What is too long for two length bytes is not ours to write: `None`.
#[must_use]
pub fn write(tag: u8, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let len = u16::try_from(parts.iter().map(|part| part.len()).sum::<usize>()).ok()?;
    let [high, low] = len.to_be_bytes();
    let mut out = Vec::with_capacity(usize::from(len).saturating_add(4));
    match len {
        0..=0x7f => out.extend([tag, low]),
        0x80..=0xff => out.extend([tag, 0x81, low]),
        _ => out.extend([tag, 0x82, high, low]),
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn what_is_written_reads_back_at_every_length_form() {
        for len in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xfff0] {
            let content = vec![7; len];
            let der = write(OCTET_STRING, &[&content]).unwrap();
            let mut reader = Reader::new(&der);
            assert_eq!(reader.element(OCTET_STRING), Some(&content[..]));
            assert!(reader.is_empty());
        }
        assert_eq!(write(OCTET_STRING, &[&vec![0; 0x1_0000]]), None);
    }

    #[test]
    fn lengths_that_lie_or_are_not_minimal_are_refused() {
        let cases: [&[u8]; 8] =
            [&[], &[4], &[4, 2, 0], &[4, 0x81, 0x7f, 0], &[4, 0x82, 0, 0x80], &[4, 0x80], &[4, 0x84, 0, 0, 0, 1, 0], &[4, 0x82, 0xff]];
        for case in cases {
            assert_eq!(Reader::new(case).element(OCTET_STRING), None, "{case:?}");
        }
    }

    #[test]
    fn another_tag_is_not_taken() {
        assert_eq!(Reader::new(&[2, 0]).element(OCTET_STRING), None);
        assert_eq!(Reader::new(&[2, 0]).optional(OCTET_STRING), Some(None));
    }
}
