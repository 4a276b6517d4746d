//! Where a fuzz build of the image counts what it executes: a section of 8-bit counters, on pages of its own (`appliance/image.ld`).

use core::ops::Range;

use abi::limits::PAGE_LEN;
use elf::ElfBytes;
use elf::endian::LittleEndian;

/// The section, as LLVM's `SanitizerCoverage` names it.
const SECTION: &str = "__sancov_cntrs";

/// The counters of `image` in bytes from its base; `None` for an image that has none.
#[must_use]
pub fn counters(image: &[u8]) -> Option<Range<usize>> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(image).ok()?;
    let section = elf.section_header_by_name(SECTION).ok()??;
    let start = usize::try_from(section.sh_addr).ok()?;
    let end = start.checked_add(usize::try_from(section.sh_size).ok()?)?;
    (start.is_multiple_of(PAGE_LEN) && start < end).then_some(start..end)
}

/// The whole pages that hold `counters`.
#[must_use]
pub fn pages(counters: Option<&Range<usize>>) -> Range<u64> {
    let range = counters.cloned().unwrap_or(0..0);
    range.start as u64..range.end.next_multiple_of(PAGE_LEN) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_image_has_no_counters() {
        assert_eq!(counters(b"no ELF file"), None);
        assert_eq!(pages(None), 0..0);
        assert_eq!(pages(Some(&(0x3000..0x3001))), 0x3000..0x4000);
    }
}
