//! The report: what is read from a file, and what is made of it.

use core::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use elf::ElfBytes;
use elf::abi::{EM_X86_64, ET_DYN, R_X86_64_RELATIVE};
use elf::endian::LittleEndian;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::audit::{Audit, Code};
use crate::limits::{CODE_LEN_MAX, FILE_LEN_MAX};
use crate::segment::{Headers, Segment};
use crate::symbols;

/// Why there is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The file could not be read.
    HostRead(io::ErrorKind),
    /// The file is longer than [`FILE_LEN_MAX`].
    LimitLength,
    /// No ELF file for 64-bit little-endian.
    NotElf,
    /// The ELF file is no position-independent program for x86-64.
    NotProgram,
    /// The program headers cannot be read.
    ProgramHeaders,
    /// A code segment is not in the file, or longer than [`CODE_LEN_MAX`].
    Code,
    /// The symbol table cannot be read.
    Symbols,
}

/// What an image is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The file's length in bytes.
    pub file_len: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Where the guest starts, from the image's base.
    pub entry: u64,
    /// The program headers.
    #[serde(flatten)]
    pub headers: Headers,
    /// Bytes in memory in all.
    pub loaded_len: u64,
    /// Bytes of code, of constants (relro included), and of data.
    pub text_len: u64,
    /// See `text_len`.
    pub rodata_len: u64,
    /// See `text_len`.
    pub data_len: u64,
    /// Relocations, all of them relative to the image's base.
    pub relocations: u64,
    /// Relocations of any other type: none, in an image of ours.
    pub foreign_relocations: u64,
    /// The instructions.
    pub audit: Audit,
    /// Whether all of it is as it must be.
    pub clean: bool,
}

/// Reads and reports on an image.
///
/// # Errors
/// See [`Fault`]. What is wrong with the image's contents is no error but part of the report.
pub fn report(path: impl AsRef<Path>) -> Result<Report, Fault> {
    let host = |fault: io::Error| Fault::HostRead(fault.kind());
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_LEN_MAX.saturating_add(1)).read_to_end(&mut bytes)).map_err(host)?;
    report_bytes(&bytes)
}

/// Reports on an image that was read.
///
/// # Errors
/// See [`Fault`].
pub fn report_bytes(file: &[u8]) -> Result<Report, Fault> {
    if file.len() as u64 > FILE_LEN_MAX {
        return Err(Fault::LimitLength);
    }
    let elf = ElfBytes::<LittleEndian>::minimal_parse(file).map_err(|_| Fault::NotElf)?;
    if elf.ehdr.class != elf::file::Class::ELF64 {
        return Err(Fault::NotElf);
    }
    if elf.ehdr.e_machine != EM_X86_64 || elf.ehdr.e_type != ET_DYN {
        return Err(Fault::NotProgram);
    }
    let headers = Headers::parse(&elf)?;
    let audit = audit(file, &elf, &headers)?;
    let (relocations, foreign_relocations) = relocations(&elf);
    let sum = |of: fn(&Segment) -> bool| headers.segments.iter().filter(|segment| of(segment)).map(|segment| segment.memory_len).sum();
    let mut report = Report {
        file_len: file.len() as u64,
        sha256: hex(&Sha256::digest(file)),
        entry: elf.ehdr.e_entry,
        loaded_len: sum(|_| true),
        text_len: sum(|segment| segment.execute),
        rodata_len: sum(|segment| !segment.execute && (!segment.write || segment.relro)),
        data_len: sum(|segment| !segment.execute && segment.write && !segment.relro),
        headers,
        relocations,
        foreign_relocations,
        audit,
        clean: false,
    };
    report.clean = report.complaints().is_empty();
    Ok(report)
}

fn audit(file: &[u8], elf: &ElfBytes<'_, LittleEndian>, headers: &Headers) -> Result<Audit, Fault> {
    let mut audit = Audit::default();
    for segment in headers.segments.iter().filter(|segment| segment.execute) {
        let end = segment.file_offset.checked_add(segment.file_len).filter(|_| segment.file_len <= CODE_LEN_MAX).ok_or(Fault::Code)?;
        let at = |offset| usize::try_from(offset).map_err(|_| Fault::Code);
        let bytes = file.get(at(segment.file_offset)?..at(end)?).ok_or(Fault::Code)?;
        audit.sweep(&Code { address: segment.address, bytes, symbols: symbols::in_code(elf, segment.address, segment.end())? });
    }
    Ok(audit)
}

/// Relative relocations, and others.
fn relocations(elf: &ElfBytes<'_, LittleEndian>) -> (u64, u64) {
    let Ok(Some(section)) = elf.section_header_by_name(".rela.dyn") else { return (0, 0) };
    let Ok(entries) = elf.section_data_as_relas(&section) else { return (0, 0) };
    entries.fold((0, 0), |(ours, others), entry| if entry.r_type == R_X86_64_RELATIVE { (ours + 1, others) } else { (ours, others + 1) })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Report {
    /// What must not be so in an image of ours, a line each; the findings of the audit are lines of their own.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints: Vec<String> = self
            .headers
            .writable_executable()
            .map(|segment| format!("the segment at {:#x} is writable and executable", segment.address))
            .collect();
        let facts = [
            (self.headers.note_version.is_none(), "no note .note.bountybox: not an image of ours"),
            (self.headers.executable_stack, "the stack would be executable"),
            (self.headers.wants_loader, "it wants an interpreter or thread-local storage"),
            (!self.headers.segments.iter().any(|segment| segment.relro), "nothing is relro"),
            (self.foreign_relocations > 0, "it has relocations that are not relative"),
            (self.text_len == 0, "it has no code"),
        ];
        complaints.extend(facts.into_iter().filter(|(wrong, _)| *wrong).map(|(_, what)| what.to_owned()));
        complaints.extend(self.audit.findings.iter().map(ToString::to_string));
        complaints
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "sha256       {}", self.sha256)?;
        writeln!(out, "file         {} bytes", self.file_len)?;
        match self.headers.note_version {
            Some(version) => writeln!(out, "note         bountybox, abi version {version}")?,
            None => writeln!(out, "note         none")?,
        }
        writeln!(out, "entry        {:#x}", self.entry)?;
        for segment in &self.headers.segments {
            writeln!(out, "segment      {segment}")?;
        }
        let Self { text_len, rodata_len, data_len, loaded_len, relocations, .. } = self;
        writeln!(out, "sizes        text {text_len}, constants {rodata_len}, data {data_len}, in all {loaded_len} bytes")?;
        writeln!(out, "relocations  {relocations} relative, {} other", self.foreign_relocations)?;
        writeln!(out, "stack        {}", if self.headers.executable_stack { "executable" } else { "not executable" })?;
        let Audit { functions, instructions, padding_len, text_len, gadgets, .. } = &self.audit;
        writeln!(
            out,
            "audit        {instructions} instructions in {functions} functions; {padding_len} bytes of padding, {text_len} of text"
        )?;
        let gadgets: Vec<String> = gadgets.iter().map(|(name, count)| format!("{name} {count}")).collect();
        writeln!(out, "unaligned    {}", if gadgets.is_empty() { "none".to_owned() } else { gadgets.join(", ") })?;
        for complaint in self.complaints() {
            writeln!(out, "REFUSED      {complaint}")?;
        }
        if self.audit.findings_count > self.audit.findings.len() as u64 {
            writeln!(out, "REFUSED      and more: {} findings in all", self.audit.findings_count)?;
        }
        writeln!(out, "verdict      {}", if self.clean { "clean" } else { "refused" })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::HostRead(kind) => return write!(out, "the image cannot be read: {kind}"),
            Self::LimitLength => "the image is too long",
            Self::NotElf => "not a 64-bit little-endian ELF file",
            Self::NotProgram => "not a position-independent program for x86-64",
            Self::ProgramHeaders => "the program headers cannot be read",
            Self::Code => "a code segment is not in the file, or too long",
            Self::Symbols => "the symbol table cannot be read",
        };
        out.write_str(text)
    }
}

impl core::error::Error for Fault {}
