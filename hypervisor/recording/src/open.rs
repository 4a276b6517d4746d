//! Reading: an age file in, its bytes out, a chunk at a time, and not one byte that was not authenticated.

use std::io::{self, Read};

use zeroize::{Zeroize, Zeroizing};

use crate::age::{Chunks, HeaderFault, HeaderText, NONCE_LEN, Place};
use crate::key::Identity;
use crate::limits::{AGE_LINE_LEN_MAX, SEALED_LEN};

/// Why a file does not open, or not further.
#[derive(Debug)]
pub enum OpenFault {
    /// It cannot be read.
    HostIo(io::Error),
    /// Its header does not lead to its chunks.
    Header(HeaderFault),
    /// The chunk of this number (from 0) is not what was written: changed, moved, or cut within.
    PeerChunk(u64),
}

impl From<io::Error> for OpenFault {
    fn from(fault: io::Error) -> Self {
        Self::HostIo(fault)
    }
}

impl From<HeaderFault> for OpenFault {
    fn from(fault: HeaderFault) -> Self {
        Self::Header(fault)
    }
}

/// How a file goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// There may be another chunk.
    More,
    /// That was the last chunk: the file is whole.
    Whole,
    /// It ends with a whole chunk that is not its last: its writer was killed.
    Cut,
}

/// An age file that is being read.
pub struct Opener<R> {
    from: R,
    chunks: Chunks,
    /// What was read of the next chunk.
    next: Zeroizing<Vec<u8>>,
    /// The chunk that is open.
    open: Zeroizing<Vec<u8>>,
    opened: u64,
    ahead: Ahead,
}

impl<R: Read> Opener<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`OpenFault`].
    pub fn begin(mut from: R, identity: &Identity) -> Result<Self, OpenFault> {
        let mut header = HeaderText::default();
        while !header.push(&line(&mut from)?)? {}
        let mut nonce = [0; NONCE_LEN];
        from.read_exact(&mut nonce).map_err(short)?;
        let chunks = header.open(identity, nonce)?;
        let buffer = || Zeroizing::new(Vec::with_capacity(SEALED_LEN));
        let mut opener = Self { from, chunks, next: buffer(), open: buffer(), opened: 0, ahead: Ahead::More };
        opener.read_next()?;
        Ok(opener)
    }

    /// Opens the next chunk. Nothing is left to open once this is not [`Ahead::More`].
    ///
    /// # Errors
    /// [`OpenFault`]; the file must not be read further then.
    pub fn advance(&mut self) -> Result<Ahead, OpenFault> {
        if self.ahead != Ahead::More {
            self.open.zeroize();
            return Ok(self.ahead);
        }
        core::mem::swap(&mut self.open, &mut self.next);
        self.read_next()?;
        self.ahead = self.open_chunk().ok_or(OpenFault::PeerChunk(self.opened))?;
        self.opened = self.opened.saturating_add(1);
        Ok(self.ahead)
    }

    /// The bytes of the chunk that is open.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.open
    }

    /// How many chunks were opened.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Behind the last chunk there is nothing, and before it none is short.
    fn open_chunk(&mut self) -> Option<Ahead> {
        let (place, ahead) = match (self.open.len() == SEALED_LEN, self.next.is_empty()) {
            (true, false) => (Place::Within, Ahead::More),
            (true, true) => {
                let mut copy = Zeroizing::new(self.open.to_vec());
                match self.chunks.open(&mut copy, Place::Last) {
                    Some(len) => {
                        copy.truncate(len);
                        self.open = copy;
                        return Some(Ahead::Whole);
                    }
                    None => (Place::Within, Ahead::Cut),
                }
            }
            (false, _) => (Place::Last, Ahead::Whole),
        };
        let len = self.chunks.open(&mut self.open, place)?;
        // An empty chunk is for empty files alone.
        let sound = self.next.is_empty() || ahead == Ahead::More;
        self.open.truncate(len);
        (sound && (len > 0 || self.opened == 0)).then_some(ahead)
    }

    /// As much as a chunk has, or as there is.
    fn read_next(&mut self) -> io::Result<()> {
        self.next.clear();
        let limit = u64::try_from(SEALED_LEN).unwrap_or(u64::MAX);
        (&mut self.from).take(limit).read_to_end(&mut self.next)?;
        Ok(())
    }
}

impl<R> core::fmt::Debug for Opener<R> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Opener").field("opened", &self.opened).field("ahead", &self.ahead).finish_non_exhaustive()
    }
}

/// One line of the header, a byte at a time: what follows the header is not read.
fn line(from: &mut impl Read) -> Result<Vec<u8>, OpenFault> {
    let mut line = Vec::new();
    loop {
        let mut byte = [0];
        from.read_exact(&mut byte).map_err(short)?;
        if byte == *b"\n" {
            return Ok(line);
        }
        line.extend_from_slice(&byte);
        if line.len() > AGE_LINE_LEN_MAX {
            return Err(HeaderFault::PeerFormat.into());
        }
    }
}

fn short(fault: io::Error) -> OpenFault {
    if fault.kind() == io::ErrorKind::UnexpectedEof { HeaderFault::PeerFormat.into() } else { fault.into() }
}

#[cfg(test)]
mod tests;
