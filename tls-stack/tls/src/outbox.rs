//! Bytes that are due to the peer outside of `send`: handshake flights, alerts, answers to KeyUpdate.

use alloc::vec::Vec;

/// A queue of bytes whose memory is given back when it is empty.
///
/// It is bounded by what is put in: one flight of rustls, or one small record per event of an established session.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends `len` zero bytes for `fill` to write; it says how many it used.
    pub(crate) fn push_with<E>(&mut self, len: usize, fill: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<(), E> {
        let start = self.bytes.len();
        self.bytes.resize(start.saturating_add(len), 0);
        let filled = fill(self.bytes.get_mut(start..).unwrap_or_default());
        self.bytes.truncate(start.saturating_add(*filled.as_ref().unwrap_or(&0)));
        filled.map(|_| ())
    }

    /// Moves bytes into `buf`; returns how many.
    pub(crate) fn take(&mut self, buf: &mut [u8]) -> usize {
        let due = self.bytes.get(self.sent..).unwrap_or_default();
        let len = due.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..len), due.get(..len)) {
            to.copy_from_slice(from);
        }
        self.sent += len;
        if self.sent == self.bytes.len() {
            *self = Self::default();
        }
        len
    }

    /// What is due, for a look at it.
    pub(crate) fn due(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}
