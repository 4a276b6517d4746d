//! Fields behind their lengths, written and read.

use super::Fault;

/// `content` behind its length in one byte. What is too long lies about its length, as attackers do.
#[must_use]
pub fn vec8(content: &[u8]) -> Vec<u8> {
    [&[u8::try_from(content.len()).unwrap_or(u8::MAX)], content].concat()
}

/// The same in two bytes.
#[must_use]
pub fn vec16(content: &[u8]) -> Vec<u8> {
    [&u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes()[..], content].concat()
}

/// The same in three.
#[must_use]
pub fn vec24(content: &[u8]) -> Vec<u8> {
    let [_, high, mid, low] = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[high, mid, low], content].concat()
}

/// Numbers of two bytes each.
#[must_use]
pub fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A handshake message.
#[must_use]
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &vec24(body)[..]].concat()
}

/// Takes fields from the front.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// So many bytes.
    ///
    /// # Errors
    /// [`Fault::PeerShort`], here and below.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Fault::PeerShort)?;
        self.0 = rest;
        Ok(head)
    }

    /// A number of so many bytes.
    ///
    /// # Errors
    /// When it ends too early.
    pub fn number(&mut self, len: usize) -> Result<usize, Fault> {
        Ok(self.take(len)?.iter().fold(0, |n, byte| (n << 8) | usize::from(*byte)))
    }

    /// A number of two bytes.
    ///
    /// # Errors
    /// When it ends too early.
    pub fn u16(&mut self) -> Result<u16, Fault> {
        u16::try_from(self.number(2)?).map_err(|_| Fault::PeerShort)
    }

    /// A field behind its length of so many bytes.
    ///
    /// # Errors
    /// When it ends too early.
    pub fn vec(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let len = self.number(len)?;
        self.take(len)
    }
}
