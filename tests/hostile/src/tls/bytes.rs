//! Fields behind their lengths, written and read.

use e2e::Outcome;

/// `content` behind its length in one byte. What is too long lies about its length, as attackers do.
pub(crate) fn vec8(content: &[u8]) -> Vec<u8> {
    [&[u8::try_from(content.len()).unwrap_or(u8::MAX)], content].concat()
}

/// The same in two bytes.
pub(crate) fn vec16(content: &[u8]) -> Vec<u8> {
    [&u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes()[..], content].concat()
}

/// The same in three.
pub(crate) fn vec24(content: &[u8]) -> Vec<u8> {
    let [_, high, mid, low] = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[high, mid, low], content].concat()
}

/// Numbers of two bytes each.
pub(crate) fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A handshake message.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &vec24(body)[..]].concat()
}

/// Takes fields from the front.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Outcome<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len).ok_or("a field is missing")?;
        self.0 = rest;
        Ok(head)
    }

    /// A number of so many bytes.
    pub(crate) fn number(&mut self, len: usize) -> Outcome<usize> {
        Ok(self.take(len)?.iter().fold(0, |n, byte| (n << 8) | usize::from(*byte)))
    }

    /// A field behind its length of so many bytes.
    pub(crate) fn vec(&mut self, len: usize) -> Outcome<&'a [u8]> {
        let len = self.number(len)?;
        self.take(len)
    }
}
