//! The few pieces of DER (X.690) that private keys and public-key infos are made of.
//!
//! A reader over a slice that takes definite, minimal lengths up to 65,535 bytes, and a writer for as much. No recursion, no allocation on
//! reading.

use alloc::vec::Vec;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed.
pub(crate) const CONTEXT_0: u8 = 0xa0;
/// `[1]`, constructed.
pub(crate) const CONTEXT_1: u8 = 0xa1;

/// Reads elements off the front of a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn next_is(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn element(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (len, rest) = length(rest)?;
        let (content, rest) = (found == tag).then(|| rest.split_at_checked(len))??;
        self.0 = rest;
        Some(content)
    }

    /// As [`Self::element`], or `None` without moving if the next tag is another.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        if self.next_is(tag) { self.element(tag).map(Some) } else { Some(None) }
    }

    /// The content of the next element read by a reader of its own.
    pub(crate) fn nested(&mut self, tag: u8) -> Option<Self> {
        self.element(tag).map(Self)
    }

    /// The octets of a BIT STRING without unused bits.
    pub(crate) fn bit_string(&mut self) -> Option<&'a [u8]> {
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
pub(crate) fn write(tag: u8, parts: &[&[u8]]) -> Option<Vec<u8>> {
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
