//! Writing: bytes in, an age file out, a whole chunk at a time.

use std::io::{self, Write};

use zeroize::Zeroizing;

use crate::age::{self, Chunks, Place};
use crate::key::Recipient;
use crate::limits::{CHUNK_LEN, SEALED_LEN, TAG_LEN};

/// An age file that is being written. What is not a whole chunk yet stands in memory, and is lost with the process.
pub struct Sealer<W> {
    to: W,
    chunks: Chunks,
    /// The chunk that is being filled; its plaintext is overwritten where it stands.
    chunk: Zeroizing<Vec<u8>>,
    written: u64,
}

impl<W: Write> Sealer<W> {
    /// Begins a file that `recipient` alone can open.
    ///
    /// # Errors
    /// What the writer says; no randomness, or a key that nothing can be agreed with.
    pub fn begin(mut to: W, recipient: Recipient) -> io::Result<Self> {
        let (header, chunks) = age::begin(recipient).map_err(|_| io::Error::other("no key can be had for this recipient"))?;
        to.write_all(&header)?;
        let chunk = Zeroizing::new(Vec::with_capacity(SEALED_LEN));
        Ok(Self { to, chunks, chunk, written: len_of(&header) })
    }

    /// Adds these bytes.
    ///
    /// # Errors
    /// What the writer says. The file then ends with its last whole chunk, or in the middle of the next, and nothing more may be added.
    pub fn append(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.chunk.len() == CHUNK_LEN {
                self.write_chunk(Place::Within)?;
            }
            let (now, rest) = bytes.split_at(bytes.len().min(CHUNK_LEN.saturating_sub(self.chunk.len())));
            self.chunk.extend_from_slice(now);
            bytes = rest;
        }
        Ok(())
    }

    /// Writes the last chunk: the file is whole.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_chunk(Place::Last)?;
        Ok(self.to)
    }

    /// How long the file would be if `more` bytes were added and it was finished then.
    #[must_use]
    pub fn len_with(&self, more: usize) -> u64 {
        let waiting = self.chunk.len().saturating_add(more);
        let tags = waiting.div_ceil(CHUNK_LEN).max(1).saturating_mul(TAG_LEN);
        self.written.saturating_add(u64::try_from(waiting.saturating_add(tags)).unwrap_or(u64::MAX))
    }

    /// Where it is written to.
    #[must_use]
    pub fn to(&self) -> &W {
        &self.to
    }

    fn write_chunk(&mut self, place: Place) -> io::Result<()> {
        let tag = self.chunks.seal(&mut self.chunk, place).map_err(|_| io::Error::other("too many chunks"))?;
        self.chunk.extend_from_slice(&tag);
        let written = self.to.write_all(&self.chunk);
        self.written = self.written.saturating_add(len_of(&self.chunk));
        self.chunk.clear();
        written
    }
}

impl<W> core::fmt::Debug for Sealer<W> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Sealer").field("written", &self.written).finish_non_exhaustive()
    }
}

fn len_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
