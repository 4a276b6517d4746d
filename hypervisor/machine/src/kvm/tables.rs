//! The guest's page tables.
//!
//! Every leaf says exactly what [`Access`] allows: code is read-only, all else is not executable, and what is the machine's own is
//! supervisor-only. The accessed and dirty bits are set from the start, so that a table walk never writes. The tables themselves
//! are mapped nowhere: neither the guest nor the stub page can reach them.

use abi::limits::PAGE_LEN;

use crate::image::Access;
use crate::limits::{HEAP_ALIGN, TABLES_MAX};

const PAGE: u64 = PAGE_LEN as u64;
const ENTRIES: usize = 512;

const PRESENT: u64 = 1;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const ACCESSED: u64 = 1 << 5;
const DIRTY: u64 = 1 << 6;
const LARGE: u64 = 1 << 7;
const NO_EXECUTE: u64 = 1 << 63;
/// What an entry that points to a table allows: all; the leaf decides.
const TABLE: u64 = PRESENT | WRITABLE | USER | ACCESSED;

/// Who may use a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The guest (CPL3).
    Guest,
    /// The stub page's code and the processor (CPL0).
    Machine,
}

/// What one page table entry at the lowest level says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf {
    /// First virtual address.
    pub(super) address: u64,
    /// First guest-physical address.
    pub(super) physical: u64,
    /// Length in bytes.
    pub(super) len: u64,
    /// What is allowed.
    pub(super) access: Access,
    /// To whom.
    pub(super) owner: Owner,
}

/// Four levels of tables; the first is the root.
#[derive(Debug)]
pub(super) struct Tables {
    tables: Vec<[u64; ENTRIES]>,
    physical: u64,
}

/// There are more tables than [`TABLES_MAX`], or a range that is no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany;

impl Tables {
    /// Empty tables that are to lie at the guest-physical address `physical`.
    pub(super) fn new(physical: u64) -> Self {
        Self { tables: vec![[0; ENTRIES]], physical }
    }

    /// Maps `leaf`, by large pages where all of it is aligned to them.
    pub(super) fn map(&mut self, leaf: Leaf) -> Result<(), TooMany> {
        let large = [leaf.address, leaf.physical, leaf.len].into_iter().all(|number| number.is_multiple_of(HEAP_ALIGN));
        let (step, levels, size) = if large { (HEAP_ALIGN, 2, LARGE) } else { (PAGE, 3, 0) };
        let flags = flags(leaf.access, leaf.owner) | size;
        for at in (0..leaf.len).step_by(usize::try_from(step).map_err(|_| TooMany)?) {
            let address = leaf.address.checked_add(at).ok_or(TooMany)?;
            let physical = leaf.physical.checked_add(at).ok_or(TooMany)?;
            *self.entry(address, levels)? = physical | flags;
        }
        Ok(())
    }

    /// Where, in bytes from the tables' start, the entry of the 4 KiB page at `address` lies.
    pub(super) fn entry_offset(&self, address: u64) -> Option<usize> {
        let mut table = 0;
        for level in 0..3 {
            table = self.index_of(*self.tables.get(table)?.get(slot(address, level))?)?;
        }
        table.checked_mul(PAGE_LEN)?.checked_add(slot(address, 3).checked_mul(8)?)
    }

    /// The tables as they lie in memory.
    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.tables.iter().flatten().flat_map(|entry| entry.to_le_bytes())
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.tables.len().saturating_mul(PAGE_LEN)
    }

    fn entry(&mut self, address: u64, levels: u32) -> Result<&mut u64, TooMany> {
        let mut table = 0;
        for level in 0..levels {
            let entry = *self.tables.get(table).and_then(|entries| entries.get(slot(address, level))).ok_or(TooMany)?;
            table = match self.index_of(entry) {
                Some(next) => next,
                None => self.add_table(table, slot(address, level))?,
            };
        }
        self.tables.get_mut(table).and_then(|entries| entries.get_mut(slot(address, levels))).ok_or(TooMany)
    }

    fn add_table(&mut self, parent: usize, slot: usize) -> Result<usize, TooMany> {
        let index = self.tables.len();
        if index >= TABLES_MAX {
            return Err(TooMany);
        }
        let physical = self.physical.saturating_add((index as u64).saturating_mul(PAGE));
        *self.tables.get_mut(parent).and_then(|entries| entries.get_mut(slot)).ok_or(TooMany)? = physical | TABLE;
        self.tables.push([0; ENTRIES]);
        Ok(index)
    }

    /// The table to which `entry` points.
    fn index_of(&self, entry: u64) -> Option<usize> {
        if entry & PRESENT == 0 {
            return None;
        }
        let distance = (entry & !(PAGE - 1) & !NO_EXECUTE).checked_sub(self.physical)?;
        usize::try_from(distance / PAGE).ok().filter(|index| *index < self.tables.len())
    }
}

/// The index of `address` in a table of `level` (0: the root).
fn slot(address: u64, level: u32) -> usize {
    let shift = 39_u32.saturating_sub(level.saturating_mul(9));
    usize::try_from((address >> shift) & 0x1ff).unwrap_or(0)
}

fn flags(access: Access, owner: Owner) -> u64 {
    let access = match access {
        Access::Read => NO_EXECUTE,
        Access::Write => NO_EXECUTE | WRITABLE | DIRTY,
        Access::Execute => 0,
    };
    let owner = match owner {
        Owner::Guest => USER,
        Owner::Machine => 0,
    };
    PRESENT | ACCESSED | DIRTY | access | owner
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(tables: &Tables, address: u64) -> Option<u64> {
        let bytes: Vec<u8> = tables.bytes().collect();
        let mut table = 0;
        for level in 0..4 {
            let at = table * PAGE_LEN + slot(address, level) * 8;
            let entry = u64::from_le_bytes(*bytes[at..].first_chunk::<8>().unwrap());
            if entry & PRESENT == 0 {
                return None;
            }
            if level == 3 || entry & LARGE != 0 {
                return Some(entry);
            }
            table = usize::try_from(((entry & 0x000f_ffff_ffff_f000) - 0x10_0000) / PAGE).unwrap();
        }
        None
    }

    fn leaf(address: u64, access: Access, owner: Owner) -> Leaf {
        Leaf { address, physical: 0x20_0000, len: 2 * PAGE, access, owner }
    }

    #[test]
    fn code_is_never_writable_and_the_rest_never_executable() {
        let mut tables = Tables::new(0x10_0000);
        tables.map(leaf(0x7000_0000_0000, Access::Execute, Owner::Guest)).unwrap();
        tables.map(leaf(0x1000_0000_0000, Access::Write, Owner::Guest)).unwrap();
        tables.map(leaf(0x2000_0000_0000, Access::Read, Owner::Guest)).unwrap();
        let code = walk(&tables, 0x7000_0000_1000).unwrap();
        assert_eq!(code & (WRITABLE | NO_EXECUTE | USER), USER);
        assert_eq!(code & 0x000f_ffff_ffff_f000, 0x20_1000);
        assert_eq!(walk(&tables, 0x1000_0000_0000).unwrap() & (WRITABLE | NO_EXECUTE), WRITABLE | NO_EXECUTE);
        assert_eq!(walk(&tables, 0x2000_0000_0000).unwrap() & (WRITABLE | NO_EXECUTE), NO_EXECUTE);
    }

    #[test]
    fn pages_beside_a_leaf_are_not_mapped() {
        let mut tables = Tables::new(0x10_0000);
        tables.map(leaf(0x1000_0020_0000, Access::Write, Owner::Guest)).unwrap();
        assert_eq!(walk(&tables, 0x1000_001f_f000), None);
        assert_eq!(walk(&tables, 0x1000_0020_2000), None);
        assert_eq!(walk(&tables, 0), None);
    }

    #[test]
    fn machine_pages_are_supervisor_only() {
        let mut tables = Tables::new(0x10_0000);
        tables.map(leaf(0x1000_0000_0000, Access::Execute, Owner::Machine)).unwrap();
        assert_eq!(walk(&tables, 0x1000_0000_0000).unwrap() & (USER | WRITABLE), 0);
    }

    #[test]
    fn aligned_ranges_take_large_pages() {
        let mut tables = Tables::new(0x10_0000);
        let heap = Leaf { address: 0x1000_0000_0000, physical: 0x4000_0000, len: 1 << 30, access: Access::Write, owner: Owner::Guest };
        tables.map(heap).unwrap();
        assert_eq!(tables.len(), 3 * PAGE_LEN);
        assert_ne!(walk(&tables, 0x1000_0000_0000).unwrap() & LARGE, 0);
    }

    #[test]
    fn entry_offset_is_where_the_walk_ends() {
        let mut tables = Tables::new(0x10_0000);
        tables.map(leaf(0x1000_0000_0000, Access::Read, Owner::Guest)).unwrap();
        let at = tables.entry_offset(0x1000_0000_1000).unwrap();
        let bytes: Vec<u8> = tables.bytes().collect();
        assert_eq!(u64::from_le_bytes(*bytes[at..].first_chunk::<8>().unwrap()), walk(&tables, 0x1000_0000_1000).unwrap());
        assert_eq!(tables.entry_offset(0x3000_0000_0000), None);
    }

    #[test]
    fn endless_tables_are_refused() {
        let mut tables = Tables::new(0x10_0000);
        let huge = Leaf { address: 0, physical: PAGE, len: 1 << 40, access: Access::Write, owner: Owner::Guest };
        assert_eq!(tables.map(huge), Err(TooMany));
    }
}
