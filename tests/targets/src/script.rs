//! A fuzzer's bytes, read as decisions. Whatever they are, they mean something, so that every change of a byte is another scenario and none is wasted.

/// What is left of the bytes. Where there is nothing left, numbers are 0 and texts are empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script<'a>(pub(crate) &'a [u8]);

impl<'a> Script<'a> {
    /// Whether nothing is left.
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    /// The next two, the low one first.
    pub(crate) fn short(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    /// As many bytes as the next byte says, as far as they are there.
    pub(crate) fn text(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte());
        self.take(len)
    }

    /// So many bytes, as far as they are there.
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        head
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        array.iter_mut().zip(self.take(N)).for_each(|(place, byte)| *place = *byte);
        array
    }
}
