//! Where functions begin and end.

use elf::ElfBytes;
use elf::abi::{SHN_UNDEF, STT_FUNC, STT_NOTYPE};
use elf::endian::LittleEndian;

use crate::Fault;
use crate::limits::NAME_LEN_MAX;

/// A symbol in code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Symbol {
    pub(crate) address: u64,
    /// 0 where the assembly gave none.
    pub(crate) len: u64,
    pub(crate) name: String,
}

/// All symbols of a segment, by ascending address, one an address (the longest).
pub(crate) fn in_code(elf: &ElfBytes<'_, LittleEndian>, start: u64, end: u64) -> Result<Vec<Symbol>, Fault> {
    let Some((table, names)) = elf.symbol_table().map_err(|_| Fault::Symbols)? else { return Ok(Vec::new()) };
    let mut symbols: Vec<Symbol> = table
        .iter()
        .filter(|symbol| symbol.st_shndx != SHN_UNDEF && matches!(symbol.st_symtype(), STT_FUNC | STT_NOTYPE))
        .filter(|symbol| (start..end).contains(&symbol.st_value))
        .map(|symbol| Symbol { address: symbol.st_value, len: symbol.st_size, name: name(names.get(symbol.st_name as usize)) })
        .collect();
    symbols.sort_by(|one, two| one.address.cmp(&two.address).then(two.len.cmp(&one.len)));
    symbols.dedup_by_key(|symbol| symbol.address);
    Ok(symbols)
}

/// A name as it may be printed: a file may hold anything.
fn name(found: Result<&str, elf::ParseError>) -> String {
    found.unwrap_or("?").chars().take(NAME_LEN_MAX).flat_map(char::escape_default).collect()
}
