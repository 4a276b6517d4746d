//! What can be wrong with an image.

use core::fmt;

/// Why a file is no image of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageFault {
    /// The file is longer than [`IMAGE_FILE_LEN_MAX`](crate::limits::IMAGE_FILE_LEN_MAX).
    FileLength,
    /// No ELF file for 64-bit little-endian.
    NotElf,
    /// A field of the file header is not what a static PIE for x86-64 has.
    Header(Field),
    /// The table of program headers reaches beyond the file, or is longer than a bound.
    ProgramHeaders,
    /// There is no loadable segment, or there are too many.
    SegmentCount,
    /// A segment's bytes are not all in the file.
    SegmentFile,
    /// A segment is longer in the file than in memory, empty, or reaches beyond the longest span.
    SegmentLength,
    /// A segment's place in the file and in memory differ within a page, or its alignment is no power of two.
    SegmentAlignment,
    /// A segment is both writable and executable.
    SegmentWritableExecutable,
    /// A segment is not readable.
    SegmentUnreadable,
    /// Segments share a page or do not ascend.
    SegmentOverlap,
    /// The image asks for an interpreter (dynamic linking).
    Interpreter,
    /// The image asks for thread-local storage.
    ThreadLocal,
    /// The image asks for an executable stack.
    ExecutableStack,
    /// The entry does not lie in an executable segment.
    Entry,
    /// RELRO does not lie in one writable segment, or does not begin where that segment does.
    Relro,
    /// The dynamic section cannot be read.
    Dynamic,
    /// The dynamic section asks for what only a dynamic linker gives (a library, a PLT, `REL` or `RELR`, text relocations).
    DynamicTag(i64),
    /// The image has constructors or destructors, which nobody would run.
    Constructors,
    /// The table of relocations is not in the file or too long.
    RelocationTable,
    /// A relocation of a type other than `R_X86_64_RELATIVE`.
    RelocationType(u32),
    /// A relocation's target does not lie in a writable segment.
    RelocationTarget,
    /// A relocation points outside the image.
    RelocationAddend,
    /// The image has no `.note.bountybox`: it is none of ours.
    NoteMissing,
    /// The image was built for another version of the ABI than [`abi::boot::VERSION`].
    NoteVersion(u32),
    /// The symbol table is there but cannot be read.
    Symbols,
}

/// A field of the ELF file header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `e_type`: not `ET_DYN`.
    Type,
    /// `e_machine`: not x86-64.
    Machine,
    /// `e_ident[EI_OSABI]`: neither System V nor GNU.
    OsAbi,
    /// `e_version`: not 1.
    Version,
}

impl fmt::Display for ImageFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::FileLength => "the file is too long",
            Self::NotElf => "no 64-bit little-endian ELF file",
            Self::Header(field) => return write!(out, "ELF header: {field:?} is not a static PIE's for x86-64"),
            Self::ProgramHeaders => "the program headers are not in the file or too many",
            Self::SegmentCount => "no loadable segment, or too many",
            Self::SegmentFile => "a segment's bytes are not all in the file",
            Self::SegmentLength => "a segment's length is out of bounds",
            Self::SegmentAlignment => "a segment is misaligned",
            Self::SegmentWritableExecutable => "a segment is writable and executable",
            Self::SegmentUnreadable => "a segment is not readable",
            Self::SegmentOverlap => "segments share a page or do not ascend",
            Self::Interpreter => "the image asks for an interpreter",
            Self::ThreadLocal => "the image asks for thread-local storage",
            Self::ExecutableStack => "the image asks for an executable stack",
            Self::Entry => "the entry is not in an executable segment",
            Self::Relro => "RELRO does not fit a writable segment",
            Self::Dynamic => "the dynamic section cannot be read",
            Self::DynamicTag(tag) => return write!(out, "the dynamic section has tag {tag:#x}"),
            Self::Constructors => "the image has constructors or destructors",
            Self::RelocationTable => "the relocations are not in the file or too many",
            Self::RelocationType(kind) => return write!(out, "a relocation has type {kind}"),
            Self::RelocationTarget => "a relocation's target is not writable memory of the image",
            Self::RelocationAddend => "a relocation points outside the image",
            Self::NoteMissing => "no .note.bountybox: not an image of ours",
            Self::NoteVersion(version) => return write!(out, "built for ABI version {version}, not {}", abi::boot::VERSION),
            Self::Symbols => "the symbol table cannot be read",
        };
        out.write_str(text)
    }
}

impl core::error::Error for ImageFault {}
