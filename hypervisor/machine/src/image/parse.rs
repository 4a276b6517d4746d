//! From the bytes of a file to an [`Image`], refusing at the first lie. The crate `elf` reads the fields; what they mean is checked here.

use core::ops::Range;

use abi::limits::PAGE_LEN;
use elf::ElfBytes;
use elf::abi::{
    DT_FINI, DT_FINI_ARRAYSZ, DT_INIT, DT_INIT_ARRAYSZ, DT_JMPREL, DT_NEEDED, DT_NULL, DT_PLTREL, DT_PLTRELSZ, DT_PREINIT_ARRAYSZ, DT_REL,
    DT_RELA, DT_RELAENT, DT_RELASZ, DT_TEXTREL, ELFOSABI_GNU, ELFOSABI_SYSV, EM_X86_64, ET_DYN, EV_CURRENT, PF_R, PF_W, PF_X, PT_DYNAMIC,
    PT_GNU_RELRO, PT_GNU_STACK, PT_INTERP, PT_LOAD, PT_NOTE, PT_TLS, R_X86_64_RELATIVE,
};
use elf::endian::LittleEndian;
use elf::note::Note;
use elf::segment::ProgramHeader;

use super::symbols::Symbols;
use super::{Access, Contents, Field, Image, ImageFault, Relocation, Segment};
use crate::limits::{DYNAMIC_MAX, IMAGE_FILE_LEN_MAX, IMAGE_LEN_MAX, NOTES_MAX, PROGRAM_HEADERS_MAX, RELOCATIONS_MAX, SEGMENTS_MAX};

const PAGE: u64 = PAGE_LEN as u64;
const RELA_LEN: usize = 24;
/// `DT_RELR`, `DT_RELRSZ`: relative relocations in the packed form, which the crate `elf` does not name.
const DT_RELR: i64 = 36;
const DT_RELRSZ: i64 = 35;

type Elf<'f> = ElfBytes<'f, LittleEndian>;

pub(super) fn parse(file: &[u8]) -> Result<Image, ImageFault> {
    if file.len() > IMAGE_FILE_LEN_MAX {
        return Err(ImageFault::FileLength);
    }
    let elf = Elf::minimal_parse(file).map_err(|_| ImageFault::NotElf)?;
    check_header(&elf)?;
    let headers = program_headers(&elf)?;
    refuse_unsupported(&headers)?;
    check_note(&elf, &headers)?;
    let loads = loads(&headers)?;
    let contents = loads.iter().map(|load| load.contents(file)).collect::<Result<_, _>>()?;
    let segments = split_relro(&loads, &headers)?;
    check_entry(elf.ehdr.e_entry, &segments)?;
    let relocations = relocations(file, &elf, &headers, &loads)?;
    let symbols = Symbols::parse(&elf, file)?;
    Ok(Image { segments, contents, relocations, entry: elf.ehdr.e_entry, symbols })
}

fn check_header(elf: &Elf<'_>) -> Result<(), ImageFault> {
    let header = &elf.ehdr;
    let fields = [
        (matches!(header.class, elf::file::Class::ELF64), None),
        (matches!(header.osabi, ELFOSABI_SYSV | ELFOSABI_GNU), Some(Field::OsAbi)),
        (header.e_type == ET_DYN, Some(Field::Type)),
        (header.e_machine == EM_X86_64, Some(Field::Machine)),
        (header.version == u32::from(EV_CURRENT), Some(Field::Version)),
    ];
    match fields.into_iter().find(|(right, _)| !right) {
        Some((_, Some(field))) => Err(ImageFault::Header(field)),
        Some((_, None)) => Err(ImageFault::NotElf),
        None => Ok(()),
    }
}

fn program_headers(elf: &Elf<'_>) -> Result<Vec<ProgramHeader>, ImageFault> {
    let table = elf.segments().ok_or(ImageFault::ProgramHeaders)?;
    if table.len() > PROGRAM_HEADERS_MAX {
        return Err(ImageFault::ProgramHeaders);
    }
    Ok(table.iter().collect())
}

fn refuse_unsupported(headers: &[ProgramHeader]) -> Result<(), ImageFault> {
    for header in headers {
        match header.p_type {
            PT_INTERP => return Err(ImageFault::Interpreter),
            PT_TLS => return Err(ImageFault::ThreadLocal),
            PT_GNU_STACK if header.p_flags & PF_X != 0 => return Err(ImageFault::ExecutableStack),
            _ => {}
        }
    }
    Ok(())
}

fn check_note(elf: &Elf<'_>, headers: &[ProgramHeader]) -> Result<(), ImageFault> {
    for header in headers.iter().filter(|header| header.p_type == PT_NOTE) {
        let Ok(notes) = elf.segment_data_as_notes(header) else { continue };
        for note in notes.take(NOTES_MAX) {
            let Note::Unknown(note) = note else { continue };
            if note.name.strip_suffix(&[0]).unwrap_or(note.name) == b"bountybox" && note.n_type == 1 {
                let version = note.desc.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
                return if version == abi::boot::VERSION { Ok(()) } else { Err(ImageFault::NoteVersion(version)) };
            }
        }
    }
    Err(ImageFault::NoteMissing)
}

/// A `PT_LOAD` whose numbers have been checked against each other.
struct Load {
    file: Range<u64>,
    memory: Range<u64>,
    access: Access,
}

impl Load {
    fn new(header: &ProgramHeader) -> Result<Self, ImageFault> {
        let memory_end = header.p_vaddr.checked_add(header.p_memsz).ok_or(ImageFault::SegmentLength)?;
        let file_end = header.p_offset.checked_add(header.p_filesz).ok_or(ImageFault::SegmentFile)?;
        if header.p_memsz == 0 || header.p_filesz > header.p_memsz || memory_end > IMAGE_LEN_MAX {
            return Err(ImageFault::SegmentLength);
        }
        let aligned = header.p_align.is_power_of_two() && header.p_vaddr % PAGE == header.p_offset % PAGE;
        if !aligned {
            return Err(ImageFault::SegmentAlignment);
        }
        Ok(Self { file: header.p_offset..file_end, memory: header.p_vaddr..memory_end, access: access(header.p_flags)? })
    }

    fn pages(&self) -> Range<u64> {
        // `memory.end` is at most IMAGE_LEN_MAX, so rounding up cannot overflow.
        round_down(self.memory.start)..round_up(self.memory.end)
    }

    fn contents(&self, file: &[u8]) -> Result<Contents, ImageFault> {
        let start = usize::try_from(self.file.start).map_err(|_| ImageFault::SegmentFile)?;
        let end = usize::try_from(self.file.end).map_err(|_| ImageFault::SegmentFile)?;
        let bytes = file.get(start..end).ok_or(ImageFault::SegmentFile)?.to_vec();
        let offset = usize::try_from(self.memory.start).map_err(|_| ImageFault::SegmentLength)?;
        Ok(Contents { offset, bytes })
    }
}

fn access(flags: u32) -> Result<Access, ImageFault> {
    match (flags & PF_R != 0, flags & PF_W != 0, flags & PF_X != 0) {
        (_, true, true) => Err(ImageFault::SegmentWritableExecutable),
        (false, _, _) => Err(ImageFault::SegmentUnreadable),
        (true, true, false) => Ok(Access::Write),
        (true, false, true) => Ok(Access::Execute),
        (true, false, false) => Ok(Access::Read),
    }
}

fn loads(headers: &[ProgramHeader]) -> Result<Vec<Load>, ImageFault> {
    let loads: Vec<Load> = headers.iter().filter(|header| header.p_type == PT_LOAD).map(Load::new).collect::<Result<_, _>>()?;
    if loads.is_empty() || loads.len() > SEGMENTS_MAX {
        return Err(ImageFault::SegmentCount);
    }
    let ascending = loads.windows(2).all(|pair| matches!(pair, [low, high] if low.pages().end <= high.pages().start));
    if ascending { Ok(loads) } else { Err(ImageFault::SegmentOverlap) }
}

/// The segments as the guest will see them: the pages that lie wholly in RELRO become read-only.
fn split_relro(loads: &[Load], headers: &[ProgramHeader]) -> Result<Vec<Segment>, ImageFault> {
    let mut relros = headers.iter().filter(|header| header.p_type == PT_GNU_RELRO);
    let relro = match (relros.next(), relros.next()) {
        (Some(header), None) => Some(relro_pages(header, loads)?),
        (None, None) => None,
        _ => return Err(ImageFault::Relro),
    };
    let mut segments = Vec::with_capacity(loads.len().saturating_add(1));
    for load in loads {
        let pages = load.pages();
        match &relro {
            Some(relro) if relro.start == pages.start => {
                segments.push(Segment { range: relro.clone(), access: Access::Read });
                segments.push(Segment { range: relro.end..pages.end, access: load.access });
            }
            _ => segments.push(Segment { range: pages, access: load.access }),
        }
    }
    segments.retain(|segment| !segment.range.is_empty());
    Ok(segments)
}

fn relro_pages(header: &ProgramHeader, loads: &[Load]) -> Result<Range<u64>, ImageFault> {
    let end = header.p_vaddr.checked_add(header.p_memsz).ok_or(ImageFault::Relro)?;
    let start = round_down(header.p_vaddr);
    let load = loads.iter().find(|load| load.access == Access::Write && load.pages().start == start).ok_or(ImageFault::Relro)?;
    // A last page that RELRO shares with writable data stays writable. The linker may round RELRO's end up to the segment's last page.
    if end > load.pages().end || end < start { Err(ImageFault::Relro) } else { Ok(start..round_down(end)) }
}

fn check_entry(entry: u64, segments: &[Segment]) -> Result<(), ImageFault> {
    let executable = segments.iter().any(|segment| segment.access == Access::Execute && segment.range.contains(&entry));
    if executable { Ok(()) } else { Err(ImageFault::Entry) }
}

fn relocations(file: &[u8], elf: &Elf<'_>, headers: &[ProgramHeader], loads: &[Load]) -> Result<Vec<Relocation>, ImageFault> {
    let Some(table) = relocation_table(elf, headers)? else { return Ok(Vec::new()) };
    let bytes = file_bytes(file, loads, &table).ok_or(ImageFault::RelocationTable)?;
    let (entries, rest) = bytes.as_chunks::<RELA_LEN>();
    if !rest.is_empty() || entries.len() > RELOCATIONS_MAX {
        return Err(ImageFault::RelocationTable);
    }
    let span_len = loads.last().map_or(0, |last| last.pages().end);
    entries.iter().map(|entry| relocation(entry, loads, span_len)).collect()
}

/// Where the table of relocations lies in memory, from the dynamic section.
fn relocation_table(elf: &Elf<'_>, headers: &[ProgramHeader]) -> Result<Option<Range<u64>>, ImageFault> {
    if !headers.iter().any(|header| header.p_type == PT_DYNAMIC) {
        return Ok(None);
    }
    let dynamic = elf.dynamic().map_err(|_| ImageFault::Dynamic)?.ok_or(ImageFault::Dynamic)?;
    let (mut start, mut len) = (None, 0);
    for entry in dynamic.iter().take(DYNAMIC_MAX).take_while(|entry| entry.d_tag != DT_NULL) {
        match entry.d_tag {
            DT_RELA => start = Some(entry.d_val()),
            DT_RELASZ => len = entry.d_val(),
            DT_RELAENT if entry.d_val() != RELA_LEN as u64 => return Err(ImageFault::RelocationTable),
            DT_NEEDED | DT_JMPREL | DT_PLTREL | DT_PLTRELSZ | DT_REL | DT_RELR | DT_RELRSZ | DT_TEXTREL => {
                return Err(ImageFault::DynamicTag(entry.d_tag));
            }
            DT_INIT | DT_FINI => return Err(ImageFault::Constructors),
            DT_INIT_ARRAYSZ | DT_FINI_ARRAYSZ | DT_PREINIT_ARRAYSZ if entry.d_val() != 0 => return Err(ImageFault::Constructors),
            _ => {}
        }
    }
    let Some(start) = start else { return Ok(None) };
    Ok(Some(start..start.checked_add(len).ok_or(ImageFault::RelocationTable)?))
}

/// The bytes of the file that are loaded at the addresses `range`, all of one segment.
fn file_bytes<'f>(file: &'f [u8], loads: &[Load], range: &Range<u64>) -> Option<&'f [u8]> {
    let load = loads.iter().find(|load| load.memory.start <= range.start && range.end <= load.memory.end)?;
    let start = load.file.start.checked_add(range.start.checked_sub(load.memory.start)?)?;
    let end = start.checked_add(range.end.checked_sub(range.start)?).filter(|end| *end <= load.file.end)?;
    file.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

fn relocation(entry: &[u8; RELA_LEN], loads: &[Load], span_len: u64) -> Result<Relocation, ImageFault> {
    let field = |at: usize| entry.get(at..).and_then(<[u8]>::first_chunk::<8>).map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let (offset, info, addend) = (field(0), field(8), field(16));
    if info != u64::from(R_X86_64_RELATIVE) {
        return Err(ImageFault::RelocationType(u32::try_from(info & 0xffff_ffff).unwrap_or(u32::MAX)));
    }
    if addend > span_len {
        return Err(ImageFault::RelocationAddend);
    }
    let end = offset.checked_add(8).ok_or(ImageFault::RelocationTarget)?;
    let writable = loads.iter().any(|load| load.access == Access::Write && load.memory.start <= offset && end <= load.memory.end);
    let offset = usize::try_from(offset).ok().filter(|_| writable).ok_or(ImageFault::RelocationTarget)?;
    Ok(Relocation { offset, addend })
}

fn round_down(address: u64) -> u64 {
    address & !(PAGE - 1)
}

fn round_up(address: u64) -> u64 {
    address.next_multiple_of(PAGE)
}
