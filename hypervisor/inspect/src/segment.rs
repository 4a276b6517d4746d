//! What of an image is loaded, and with which permissions.

use core::fmt;

use elf::ElfBytes;
use elf::abi::{PF_R, PF_W, PF_X, PT_GNU_RELRO, PT_GNU_STACK, PT_INTERP, PT_LOAD, PT_NOTE, PT_TLS};
use elf::endian::LittleEndian;
use elf::note::Note;
use elf::segment::ProgramHeader;
use serde::Serialize;

use crate::Fault;
use crate::limits::SEGMENTS_MAX;

/// A loaded piece of the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// First address, from the image's base.
    pub address: u64,
    /// Bytes taken from the file.
    pub file_len: u64,
    /// Bytes in memory.
    pub memory_len: u64,
    /// May be read.
    pub read: bool,
    /// May be written, at least until relocation is done.
    pub write: bool,
    /// May be executed.
    pub execute: bool,
    /// Written by relocation alone: read-only once the guest runs.
    pub relro: bool,
    #[serde(skip)]
    pub(crate) file_offset: u64,
}

/// What the program headers say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Headers {
    /// The loaded pieces, in the file's order.
    pub segments: Vec<Segment>,
    /// The version in the note that marks an image of ours.
    pub note_version: Option<u32>,
    /// Whether the stack is asked to be executable.
    pub executable_stack: bool,
    /// Whether an interpreter or thread-local storage is asked for, which no image of ours does.
    pub wants_loader: bool,
}

impl Segment {
    /// Its last address and one.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.address.saturating_add(self.memory_len)
    }
}

impl Headers {
    pub(crate) fn parse(elf: &ElfBytes<'_, LittleEndian>) -> Result<Self, Fault> {
        let headers: Vec<ProgramHeader> = elf.segments().ok_or(Fault::ProgramHeaders)?.iter().take(SEGMENTS_MAX).collect();
        let has = |kind| headers.iter().any(|header| header.p_type == kind);
        let relro = headers.iter().find(|header| header.p_type == PT_GNU_RELRO);
        let stack = headers.iter().find(|header| header.p_type == PT_GNU_STACK);
        Ok(Self {
            segments: headers.iter().filter(|header| header.p_type == PT_LOAD).map(|header| segment(header, relro)).collect(),
            note_version: headers.iter().filter(|header| header.p_type == PT_NOTE).find_map(|header| note_version(elf, header)),
            // Without the header, Linux makes the stack executable.
            executable_stack: stack.is_none_or(|header| header.p_flags & PF_X != 0),
            wants_loader: has(PT_INTERP) || has(PT_TLS),
        })
    }

    /// Segments that are writable and executable: none, in an image of ours.
    pub fn writable_executable(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| segment.write && segment.execute)
    }
}

fn segment(header: &ProgramHeader, relro: Option<&ProgramHeader>) -> Segment {
    let end = header.p_vaddr.saturating_add(header.p_memsz);
    let is_relro = |relro: &ProgramHeader| relro.p_vaddr <= header.p_vaddr && end <= relro.p_vaddr.saturating_add(relro.p_memsz);
    Segment {
        address: header.p_vaddr,
        file_len: header.p_filesz,
        memory_len: header.p_memsz,
        read: header.p_flags & PF_R != 0,
        write: header.p_flags & PF_W != 0,
        execute: header.p_flags & PF_X != 0,
        relro: relro.is_some_and(is_relro),
        file_offset: header.p_offset,
    }
}

fn note_version(elf: &ElfBytes<'_, LittleEndian>, header: &ProgramHeader) -> Option<u32> {
    let ours = |note| match note {
        Note::Unknown(note) if note.n_type == 1 && note.name.strip_suffix(&[0]).unwrap_or(note.name) == b"bountybox" => {
            note.desc.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))
        }
        _ => None,
    };
    elf.segment_data_as_notes(header).ok()?.take(SEGMENTS_MAX).find_map(ours)
}

impl fmt::Display for Segment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = |set, letter| if set { letter } else { '-' };
        let (read, write, execute) = (flag(self.read, 'r'), flag(self.write, 'w'), flag(self.execute, 'x'));
        let note = if self.relro { "  (relro: read-only once relocated)" } else { "" };
        write!(
            out,
            "{:#010x} {read}{write}{execute} {:>9} bytes in memory, {:>9} in the file{note}",
            self.address, self.memory_len, self.file_len
        )
    }
}
