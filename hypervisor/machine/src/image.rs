//! The guest's image: a static PIE for x86-64 (ELF), as a type that cannot be wrong.
//!
//! [`Image::parse`] takes every header for an allegation. What comes out has disjoint, page-aligned, bounded segments of which none is
//! both writable and executable, an entry inside an executable one, and relocations that stay inside the writable ones. Nothing is
//! ever resolved by name and nothing of the image is run by the host.

mod fault;
mod parse;
mod symbols;

pub use fault::{Field, ImageFault};

use core::ops::Range;

use symbols::Symbols;

/// What the guest may do with memory. Nothing is both writable and executable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and write.
    Write,
    /// Read and execute.
    Execute,
}

/// Whole pages of the image with one kind of access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Offsets from the image's base, in bytes; multiples of the page length.
    pub range: Range<u64>,
    /// What the guest may do with it once it runs: RELRO is [`Access::Read`].
    pub access: Access,
}

/// A guest image that may be loaded.
#[derive(Debug, Clone)]
pub struct Image {
    segments: Vec<Segment>,
    contents: Vec<Contents>,
    relocations: Vec<Relocation>,
    entry: u64,
    symbols: Symbols,
}

/// Bytes of the file and where they go.
#[derive(Debug, Clone)]
struct Contents {
    offset: usize,
    bytes: Vec<u8>,
}

/// `R_X86_64_RELATIVE`: the 8 bytes at `offset` become `base + addend`.
#[derive(Debug, Clone, Copy)]
struct Relocation {
    offset: usize,
    addend: u64,
}

impl Image {
    /// Reads an ELF file.
    ///
    /// # Errors
    /// The first thing found wrong, by name.
    pub fn parse(file: &[u8]) -> Result<Self, ImageFault> {
        parse::parse(file)
    }

    /// The segments, by ascending address, without overlap.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Where the guest starts, from the image's base in bytes. It lies in an executable segment.
    #[must_use]
    pub fn entry(&self) -> u64 {
        self.entry
    }

    /// Bytes from the image's base to the end of its last segment: a multiple of the page length, at most
    /// [`IMAGE_LEN_MAX`](crate::limits::IMAGE_LEN_MAX).
    #[must_use]
    pub fn span_len(&self) -> u64 {
        self.segments.last().map_or(0, |last| last.range.end)
    }

    /// The function or object around `offset` (an address less the image's base), and how far into it `offset` lies, in bytes.
    #[must_use]
    pub fn symbol(&self, offset: u64) -> Option<(&str, u64)> {
        self.symbols.find(offset)
    }

    /// Whether it says of itself that it logs the secrets of its sessions: an image for replay, with which nobody may serve.
    #[must_use]
    pub fn gives_secrets_away(&self) -> bool {
        self.symbols.give_secrets_away
    }

    /// Writes the image as it is to stand at `base` into `memory`, whose first [`Image::span_len`] bytes must be zero.
    /// Returns `None`, with `memory` half written, where `memory` is too short.
    #[must_use]
    pub fn place(&self, base: u64, memory: &mut [u8]) -> Option<()> {
        for contents in &self.contents {
            let end = contents.offset.checked_add(contents.bytes.len())?;
            memory.get_mut(contents.offset..end)?.copy_from_slice(&contents.bytes);
        }
        for relocation in &self.relocations {
            let target = memory.get_mut(relocation.offset..)?.first_chunk_mut::<8>()?;
            *target = base.wrapping_add(relocation.addend).to_le_bytes();
        }
        Some(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
