//! A header out of the front of a stream, byte by byte if it must.

use heapless::Vec;

use crate::block::{self, Begun, Block, SIGNATURE};
use crate::limits::LINE_LEN_MAX;
use crate::line;
use crate::{Addresses, Fault};

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The connection is the sender's own (LOCAL), or that of somebody whom it cannot name (UNKNOWN, UNSPEC, a family that is not of TCP): its real addresses count.
    Own,
    /// The sender speaks for this client.
    Client(Addresses),
}

/// Takes one header. Its memory is this struct: of a long header the part that is of no use here is read over, though its checksum counts.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The line of version 1, or of version 2 what stands before the fields.
    head: Vec<u8, LINE_LEN_MAX>,
    stage: Stage,
}

#[derive(Debug, Default)]
enum Stage {
    /// It may be either version.
    #[default]
    Start,
    Line,
    /// The first 16 bytes of version 2.
    Fixed,
    Block(Block),
    /// The header is done, or there is none.
    Over,
}

impl Decoder {
    /// Takes bytes up to the end of the header; returns how many, and the header once it is whole. Nothing behind it is taken, then or later.
    ///
    /// # Errors
    /// What is wrong with it, at the first byte that shows it. How the stream was cut makes no difference.
    pub fn receive(&mut self, bytes: &[u8]) -> (usize, Result<Option<Header>, Fault>) {
        let mut taken = 0_usize;
        for byte in bytes {
            if matches!(self.stage, Stage::Over) {
                break;
            }
            taken = taken.saturating_add(1);
            match self.push(*byte) {
                Ok(None) => {}
                outcome => {
                    self.stage = Stage::Over;
                    return (taken, outcome);
                }
            }
        }
        (taken, Ok(None))
    }

    /// Whether a byte of the header has been taken.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        !self.head.is_empty()
    }

    fn push(&mut self, byte: u8) -> Result<Option<Header>, Fault> {
        match &mut self.stage {
            Stage::Block(block) => return block.push(byte),
            Stage::Over => return Ok(None),
            Stage::Start | Stage::Line | Stage::Fixed => {}
        }
        self.head.push(byte).map_err(|_| Fault::Line)?;
        match self.stage {
            Stage::Line => self.take_line(),
            Stage::Fixed => self.take_fixed(),
            _ => self.tell_version().map(|()| None),
        }
    }

    /// Section 2.2: the versions are told apart by their first bytes.
    fn tell_version(&mut self) -> Result<(), Fault> {
        let head = self.head.as_slice();
        if head == line::PREFIX {
            self.stage = Stage::Line;
        } else if head == SIGNATURE {
            self.stage = Stage::Fixed;
        } else if !line::PREFIX.starts_with(head) && !SIGNATURE.starts_with(head) {
            return Err(Fault::Absent);
        }
        Ok(())
    }

    fn take_line(&mut self) -> Result<Option<Header>, Fault> {
        match self.head.strip_suffix(b"\r\n") {
            Some(line) => line::parse(line).map(Some),
            None if self.head.is_full() => Err(Fault::Line),
            None => Ok(None),
        }
    }

    fn take_fixed(&mut self) -> Result<Option<Header>, Fault> {
        let Some(fixed) = self.head.first_chunk() else { return Ok(None) };
        match block::begin(*fixed)? {
            Begun::Whole(header) => Ok(Some(header)),
            Begun::Part(block) => {
                self.stage = Stage::Block(block);
                Ok(None)
            }
        }
    }
}
