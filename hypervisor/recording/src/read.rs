//! Bytes as events: total, bounded, and of authenticated bytes only.

use std::io::Read;

use abi::limits::{BUNDLE_LEN_MAX, FLAG_LEN, FRAME_LEN_MAX, LINKS};
use queue::Offload;
use zeroize::Zeroizing;

use crate::digest::{Digest, Sent};
use crate::event::{Beginning, Came, Contest, Crash, Event, Given, How, Over, Posted, Received};
use crate::limits::{DRAW_WORDS, FRAMES_MAX, LETTER_LEN_MAX};
use crate::open::{Ahead, OpenFault, Opener};
use crate::write::{MAGIC, VERSION, part, tag};

/// Why a recording is not read further.
#[derive(Debug)]
pub enum ReadFault {
    /// The file around it.
    Open(OpenFault),
    /// It is in this version of the format, which is not known here.
    PeerVersion(u32),
    /// It is authentic, and yet no recording.
    PeerFormat,
    /// It ends here, without having been closed.
    Cut,
}

impl From<OpenFault> for ReadFault {
    fn from(fault: OpenFault) -> Self {
        Self::Open(fault)
    }
}

/// A recording that is being read.
#[derive(Debug)]
pub struct Reader<R> {
    opener: Opener<R>,
    /// Bytes of the open chunk that were taken.
    at: usize,
    ahead: Ahead,
    chunks_max: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the beginning. Chunks from number `chunks_max` on are left unread, as if the file ended before them.
    ///
    /// # Errors
    /// [`ReadFault`].
    pub fn begin(opener: Opener<R>, chunks_max: u64) -> Result<(Self, Beginning), ReadFault> {
        let mut reader = Self { opener, at: 0, ahead: Ahead::More, chunks_max };
        if reader.array()? != MAGIC {
            return Err(ReadFault::PeerFormat);
        }
        match reader.u32()? {
            VERSION => {}
            other => return Err(ReadFault::PeerVersion(other)),
        }
        let (machine, image, heap_len) = (reader.u32()?, reader.array()?, reader.u64()?);
        let mut draw = Zeroizing::new([0; DRAW_WORDS]);
        for word in draw.iter_mut() {
            *word = reader.u64()?;
        }
        let mut seed = Zeroizing::new([0; 32]);
        reader.fill(&mut seed[..])?;
        let bundle = reader.bytes(BUNDLE_LEN_MAX)?;
        let contest = reader.contest()?;
        Ok((reader, Beginning { machine, image, heap_len, draw, seed, bundle, contest }))
    }

    fn contest(&mut self) -> Result<Option<Contest>, ReadFault> {
        match self.array()? {
            [0] => Ok(None),
            [1] => {
                let (flag_address, word_address) = (self.u64()?, self.u64()?);
                let [mut flag, mut prize] = [(); 2].map(|()| Zeroizing::new([0; FLAG_LEN]));
                self.fill(&mut flag[..])?;
                self.fill(&mut prize[..])?;
                Ok(Some(Contest { flag, flag_address, word_address, prize }))
            }
            _ => Err(ReadFault::PeerFormat),
        }
    }

    /// The next event. Behind [`Event::Over`] there is none.
    ///
    /// # Errors
    /// [`ReadFault`].
    pub fn next_event(&mut self) -> Result<Event, ReadFault> {
        let [tag, flags] = self.array()?;
        match tag {
            tag::GO => self.given(flags).map(Event::Go),
            tag::OVER => self.over(flags).map(Event::Over),
            tag::WAIT | tag::SEALED | tag::EXIT | tag::CRASH => {
                let how = self.how(tag, flags)?;
                let log = self.digest(flags & part::LOG != 0)?;
                Ok(Event::Came(Came { how, log }))
            }
            _ => Err(ReadFault::PeerFormat),
        }
    }

    fn given(&mut self, flags: u8) -> Result<Given, ReadFault> {
        let mut given = Given { now_ns: self.u64()?, unix_ns: self.u64()?, request: self.u32()?, ..Given::default() };
        if flags & part::LETTER != 0 {
            given.letter = Some(Posted { kind: self.u32()?, bytes: self.bytes(LETTER_LEN_MAX)? });
        }
        for (frames, link) in given.frames.iter_mut().zip(part::LINK) {
            if flags & link != 0 {
                let count = usize::from(self.u16()?);
                if count > FRAMES_MAX {
                    return Err(ReadFault::PeerFormat);
                }
                *frames = (0..count).map(|_| self.frame()).collect::<Result<_, _>>()?;
            }
        }
        Ok(given)
    }

    fn frame(&mut self) -> Result<Received, ReadFault> {
        let len = usize::try_from(self.u32()?).ok().filter(|len| (1..=FRAME_LEN_MAX).contains(len)).ok_or(ReadFault::PeerFormat)?;
        let [flags, gso_type] = self.array()?;
        let (hdr_len, gso_size, csum_start, csum_offset) = (self.u16()?, self.u16()?, self.u16()?, self.u16()?);
        let mut bytes = vec![0; len];
        self.fill(&mut bytes)?;
        Ok(Received { bytes, offload: Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } })
    }

    fn how(&mut self, tag: u8, flags: u8) -> Result<How, ReadFault> {
        Ok(match tag {
            tag::SEALED => How::Sealed,
            tag::EXIT => How::Exit(self.u32()?),
            tag::CRASH => {
                let [kind] = self.array()?;
                How::Crash(Crash { kind, values: [self.u64()?, self.u64()?], offset: self.u64()? })
            }
            _ => {
                let deadline_ns = self.u64()?;
                let mut sent = [Sent::default(); LINKS];
                for (sent, link) in sent.iter_mut().zip(part::LINK) {
                    if flags & link != 0 {
                        *sent = Sent { frames: self.u16()?, digest: Digest(self.u64()?) };
                    }
                }
                How::Wait { deadline_ns, sent, answer: self.digest(flags & part::LETTER != 0)? }
            }
        })
    }

    /// And nothing behind it.
    fn over(&mut self, code: u8) -> Result<Over, ReadFault> {
        let [link] = self.array()?;
        let over = match code {
            1 => Over::Guest,
            2 => Over::HostileQueue(link),
            3 => Over::Full,
            4 => Over::DrainOver,
            5 => Over::Orphaned,
            6 => Over::Host,
            7 => Over::Slow,
            _ => return Err(ReadFault::PeerFormat),
        };
        let is_last = self.ahead == Ahead::Whole && self.at == self.opener.bytes().len();
        if is_last { Ok(over) } else { Err(ReadFault::PeerFormat) }
    }

    fn digest(&mut self, is_there: bool) -> Result<Digest, ReadFault> {
        if is_there { self.u64().map(Digest) } else { Ok(Digest::default()) }
    }

    fn u16(&mut self) -> Result<u16, ReadFault> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, ReadFault> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, ReadFault> {
        self.array().map(u64::from_le_bytes)
    }

    /// A length of 32 bits, and so many bytes.
    fn bytes(&mut self, len_max: usize) -> Result<Zeroizing<Vec<u8>>, ReadFault> {
        let len = usize::try_from(self.u32()?).ok().filter(|len| *len <= len_max).ok_or(ReadFault::PeerFormat)?;
        let mut bytes = Zeroizing::new(vec![0; len]);
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadFault> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, mut space: &mut [u8]) -> Result<(), ReadFault> {
        while !space.is_empty() {
            let ready = self.opener.bytes().get(self.at..).unwrap_or_default();
            if ready.is_empty() {
                self.advance()?;
                continue;
            }
            let len = ready.len().min(space.len());
            let (now, rest) = space.split_at_mut(len);
            now.copy_from_slice(ready.get(..len).unwrap_or_default());
            self.at = self.at.saturating_add(len);
            space = rest;
        }
        Ok(())
    }

    /// Each step opens a chunk, so a file's length bounds them.
    fn advance(&mut self) -> Result<(), ReadFault> {
        match self.ahead {
            Ahead::Whole => return Err(ReadFault::PeerFormat),
            Ahead::Cut => return Err(ReadFault::Cut),
            Ahead::More if self.opener.opened() >= self.chunks_max => return Err(ReadFault::Cut),
            Ahead::More => {}
        }
        self.ahead = self.opener.advance()?;
        self.at = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
