//! Events as bytes. Frames go straight from a queue's window into the file's chunk.

use std::io::{self, Write};

use abi::limits::LINKS;

use crate::digest::{Digest, FIELDS_LEN, Sent, fields};
use crate::event::{Beginning, Came, Contest, Crash, How, Over};
use crate::key::Recipient;
use crate::limits::{BEGINNING_LEN_MAX, EVENT_LEN_MAX};
use crate::seal::Sealer;

/// What every recording begins with, inside its encryption.
pub(crate) const MAGIC: [u8; 8] = *b"bbrecord";
/// The version of what follows it.
pub(crate) const VERSION: u32 = 2;

/// What an event begins with.
pub(crate) mod tag {
    pub(crate) const GO: u8 = 1;
    pub(crate) const WAIT: u8 = 2;
    pub(crate) const SEALED: u8 = 3;
    pub(crate) const EXIT: u8 = 4;
    pub(crate) const CRASH: u8 = 5;
    pub(crate) const OVER: u8 = 6;
}

/// Which parts of an event are there.
pub(crate) mod part {
    pub(crate) const LINK: [u8; abi::limits::LINKS] = [1, 2];
    pub(crate) const LETTER: u8 = 4;
    pub(crate) const LOG: u8 = 8;
}

/// What stops a recording before its guest ends.
#[derive(Debug)]
pub enum Stopped {
    /// The file would grow beyond its bound.
    LimitLen,
    /// The file cannot be written.
    HostIo(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(fault: io::Error) -> Self {
        Self::HostIo(fault)
    }
}

/// The windows and words that a guest goes on with.
#[derive(Debug, Clone, Copy)]
pub struct Windows<'w> {
    /// Nanoseconds since the cell's start.
    pub now_ns: u64,
    /// Nanoseconds since 1970.
    pub unix_ns: u64,
    /// See [`abi::control`].
    pub request: u32,
    /// Kind and bytes of the letter in the inbox.
    pub letter: Option<(u32, &'w [u8])>,
    /// The queues towards the guest.
    pub rx: [&'w [u8]; LINKS],
}

/// A recording that is being written.
#[derive(Debug)]
pub struct Writer<W> {
    sealer: Sealer<W>,
    len_max: u64,
}

impl<W: Write> Writer<W> {
    /// Begins one that `recipient` alone can read, and that grows to `len_max` bytes at most.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn begin(to: W, recipient: Recipient, len_max: u64, beginning: &Beginning) -> Result<Self, Stopped> {
        if len_max < BEGINNING_LEN_MAX {
            return Err(Stopped::LimitLen);
        }
        let mut sealer = Sealer::begin(to, recipient)?;
        sealer.append(&MAGIC)?;
        sealer.append(&VERSION.to_le_bytes())?;
        sealer.append(&beginning.machine.to_le_bytes())?;
        sealer.append(&beginning.image)?;
        sealer.append(&beginning.heap_len.to_le_bytes())?;
        for word in beginning.draw.iter() {
            sealer.append(&word.to_le_bytes())?;
        }
        sealer.append(&beginning.seed[..])?;
        sealer.append(&len32(&beginning.bundle))?;
        sealer.append(&beginning.bundle)?;
        sealer.append(&[u8::from(beginning.contest.is_some())])?;
        if let Some(Contest { flag, flag_address, word_address, prize }) = &beginning.contest {
            sealer.append(&flag_address.to_le_bytes())?;
            sealer.append(&word_address.to_le_bytes())?;
            sealer.append(&flag[..])?;
            sealer.append(&prize[..])?;
        }
        Ok(Self { sealer, len_max })
    }

    /// The guest goes on with this.
    ///
    /// # Errors
    /// [`Stopped`]; after [`Stopped::LimitLen`] the recording can still be [closed](Self::over).
    pub fn go(&mut self, given: &Windows<'_>) -> Result<(), Stopped> {
        let counts = given.rx.map(count);
        let letter_len = given.letter.map_or(0, |(_, bytes)| bytes.len());
        let len = given.rx.iter().zip(counts).filter(|(_, count)| *count > 0).map(|(window, _)| frames_len(window));
        self.room(len.sum::<usize>().saturating_add(letter_len))?;
        let mut flags = if given.letter.is_some() { part::LETTER } else { 0 };
        counts.iter().zip(part::LINK).filter(|(count, _)| **count > 0).for_each(|(_, link)| flags |= link);
        self.sealer.append(&[tag::GO, flags])?;
        self.sealer.append(&given.now_ns.to_le_bytes())?;
        self.sealer.append(&given.unix_ns.to_le_bytes())?;
        self.sealer.append(&given.request.to_le_bytes())?;
        if let Some((kind, bytes)) = given.letter {
            self.sealer.append(&kind.to_le_bytes())?;
            self.sealer.append(&len32(bytes))?;
            self.sealer.append(bytes)?;
        }
        for (window, count) in given.rx.iter().zip(counts).filter(|(_, count)| *count > 0) {
            self.sealer.append(&count.to_le_bytes())?;
            for frame in queue::frames(window).into_iter().flatten().flatten() {
                self.sealer.append(&fields(frame.bytes.len(), frame.offload))?;
                self.sealer.append(frame.bytes)?;
            }
        }
        Ok(())
    }

    /// It has come back like this.
    ///
    /// # Errors
    /// [`Stopped`], as with [`Writer::go`].
    pub fn came(&mut self, came: &Came) -> Result<(), Stopped> {
        self.room(0)?;
        let log = if came.log == Digest::default() { 0 } else { part::LOG };
        match &came.how {
            How::Wait { deadline_ns, sent, answer } => {
                let mut flags = log | if *answer == Digest::default() { 0 } else { part::LETTER };
                sent.iter().zip(part::LINK).filter(|(sent, _)| **sent != Sent::default()).for_each(|(_, link)| flags |= link);
                self.sealer.append(&[tag::WAIT, flags])?;
                self.sealer.append(&deadline_ns.to_le_bytes())?;
                for sent in sent.iter().filter(|sent| **sent != Sent::default()) {
                    self.sealer.append(&sent.frames.to_le_bytes())?;
                    self.sealer.append(&sent.digest.0.to_le_bytes())?;
                }
                self.digest(*answer)?;
            }
            How::Sealed => self.sealer.append(&[tag::SEALED, log])?,
            How::Exit(code) => {
                self.sealer.append(&[tag::EXIT, log])?;
                self.sealer.append(&code.to_le_bytes())?;
            }
            How::Crash(Crash { kind, values, offset }) => {
                self.sealer.append(&[tag::CRASH, log, *kind])?;
                for value in values.iter().chain([offset]) {
                    self.sealer.append(&value.to_le_bytes())?;
                }
            }
        }
        self.digest(came.log)
    }

    /// Closes it: the file is whole.
    ///
    /// # Errors
    /// What the writer says.
    pub fn over(mut self, over: Over) -> io::Result<W> {
        let (code, link) = match over {
            Over::Guest => (1, 0),
            Over::HostileQueue(link) => (2, link),
            Over::Full => (3, 0),
            Over::DrainOver => (4, 0),
            Over::Orphaned => (5, 0),
            Over::Host => (6, 0),
            Over::Slow => (7, 0),
        };
        self.sealer.append(&[tag::OVER, code, link])?;
        self.sealer.finish()
    }

    /// Where it is written to.
    #[must_use]
    pub fn to(&self) -> &W {
        self.sealer.to()
    }

    fn digest(&mut self, digest: Digest) -> Result<(), Stopped> {
        if digest != Digest::default() {
            self.sealer.append(&digest.0.to_le_bytes())?;
        }
        Ok(())
    }

    /// Whether an event with so many bytes of its own, and the last one behind it, still fit.
    fn room(&self, more: usize) -> Result<(), Stopped> {
        let len = self.sealer.len_with(more.saturating_add(2 * EVENT_LEN_MAX));
        if len > self.len_max { Err(Stopped::LimitLen) } else { Ok(()) }
    }
}

/// Frames up to the first that is malformed; our own nets leave none.
fn count(window: &[u8]) -> u16 {
    let frames = queue::frames(window).into_iter().flatten().flatten();
    u16::try_from(frames.count()).unwrap_or(0)
}

fn frames_len(window: &[u8]) -> usize {
    let frames = queue::frames(window).into_iter().flatten().flatten();
    frames.map(|frame| frame.bytes.len().saturating_add(FIELDS_LEN)).sum()
}

fn len32(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}
