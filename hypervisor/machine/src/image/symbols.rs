//! The image's symbols, for crash reports. They come from the file, so a name may be anything but is always UTF-8.

use elf::ElfBytes;
use elf::abi::{STT_FUNC, STT_OBJECT};
use elf::endian::LittleEndian;

use super::ImageFault;

/// Symbols by address; names are looked up only when asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Symbols {
    by_address: Vec<Symbol>,
    names: Vec<u8>,
    pub(super) give_secrets_away: bool,
}

/// What `appliance/unikernel/build.rs` has the linker define in an image that logs its sessions' secrets.
const GIVES_SECRETS_AWAY: &[u8] = b"bountybox_gives_its_secrets_away\0";

#[derive(Debug, Clone, Copy)]
struct Symbol {
    address: u64,
    len: u64,
    name: u32,
}

impl Symbols {
    /// Reads `.symtab`; a stripped image has none.
    pub(super) fn parse(elf: &ElfBytes<'_, LittleEndian>, file: &[u8]) -> Result<Self, ImageFault> {
        let Some((table, _)) = elf.symbol_table().map_err(|_| ImageFault::Symbols)? else { return Ok(Self::default()) };
        let names = names(elf, file)?;
        let mut by_address: Vec<Symbol> = table
            .iter()
            .filter(|symbol| matches!(symbol.st_symtype(), STT_FUNC | STT_OBJECT) && symbol.st_size > 0)
            .map(|symbol| Symbol { address: symbol.st_value, len: symbol.st_size, name: symbol.st_name })
            .collect();
        by_address.sort_unstable_by_key(|symbol| (symbol.address, symbol.len, symbol.name));
        // Compared at its length: a table may have many names that never end.
        let is_mark = |name| {
            usize::try_from(name).ok().and_then(|at| names.get(at..)).is_some_and(|rest: &[u8]| rest.starts_with(GIVES_SECRETS_AWAY))
        };
        let give_secrets_away = table.iter().any(|symbol| is_mark(symbol.st_name));
        Ok(Self { by_address, names, give_secrets_away })
    }

    pub(super) fn find(&self, offset: u64) -> Option<(&str, u64)> {
        let behind = self.by_address.partition_point(|symbol| symbol.address <= offset);
        let symbol = self.by_address.get(behind.checked_sub(1)?)?;
        let distance = offset.checked_sub(symbol.address).filter(|distance| *distance < symbol.len)?;
        let name = self.names.get(usize::try_from(symbol.name).ok()?..)?;
        let name = name.split(|byte| *byte == 0).next()?;
        Some((core::str::from_utf8(name).ok()?, distance))
    }
}

/// The bytes of the string table that belongs to `.symtab`.
fn names(elf: &ElfBytes<'_, LittleEndian>, file: &[u8]) -> Result<Vec<u8>, ImageFault> {
    let sections = elf.section_headers().ok_or(ImageFault::Symbols)?;
    let table = sections.iter().find(|section| section.sh_type == elf::abi::SHT_SYMTAB).ok_or(ImageFault::Symbols)?;
    let strings = sections.get(usize::try_from(table.sh_link).map_err(|_| ImageFault::Symbols)?).map_err(|_| ImageFault::Symbols)?;
    let start = usize::try_from(strings.sh_offset).map_err(|_| ImageFault::Symbols)?;
    let len = usize::try_from(strings.sh_size).map_err(|_| ImageFault::Symbols)?;
    let end = start.checked_add(len).ok_or(ImageFault::Symbols)?;
    Ok(file.get(start..end).ok_or(ImageFault::Symbols)?.to_vec())
}
