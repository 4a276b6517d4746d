//! Where plaintext goes.

use alloc::vec::Vec;

/// Takes the plaintext of records as they are decrypted.
///
/// A record is decrypted only if its plaintext is sure to fit [`room`](Self::room), so that back-pressure reaches the peer's TCP and
/// nothing is ever held between the two. Once it has been emptied, a sink must therefore be able to offer room for
/// [`RECORD_PLAIN_LEN_MAX`](crate::limits::RECORD_PLAIN_LEN_MAX) bytes, or a session with large records stands still.
pub trait Sink {
    /// Bytes that [`put`](Self::put) would take now.
    fn room(&self) -> usize;

    /// Takes all of `plain`, which is never longer than the last [`room`](Self::room).
    fn put(&mut self, plain: &[u8]);
}

/// Grows without bound: for tests and tools, not for peers.
impl Sink for Vec<u8> {
    fn room(&self) -> usize {
        usize::MAX
    }

    fn put(&mut self, plain: &[u8]) {
        self.extend_from_slice(plain);
    }
}
