//! The memory that the machine keeps from the guest: descriptor tables, stub page, interrupt stack, page tables.
//!
//! In guest-physical memory it lies from 0 on, below the cell's memory:
//! first what the processor only reads (a read-only slot), then the interrupt stack and the page tables, which on some processors must
//! not lie in a read-only slot, because a walk counts as a write there.

use abi::limits::PAGE_LEN;
use rustix::io::Errno;

use super::descriptors::{self, GDT_LEN, TSS_LEN};
use super::stub::{self, STUB_LEN};
use super::tables::{Leaf, Owner, Tables};
use crate::contest::Prize;
use crate::fault::{LoadFault, Step};
use crate::image::Access;
use crate::layout::{Layout, Mapping};
use crate::limits::{MACHINE_LEN, TABLES_MAX};
use crate::memory::Memory;

const PAGE: u64 = PAGE_LEN as u64;

/// GDT (and behind it the IDT), one page.
const DESCRIPTORS: u64 = 0;
/// The IDT's place in that page.
const IDT: u64 = 1024;
/// The TSS, three pages.
const TSS: u64 = PAGE;
/// The stub page.
const STUBS: u64 = 4 * PAGE;
/// Bytes of what is only read, from the start.
pub(super) const READ_ONLY_LEN: u64 = 5 * PAGE;
/// The interrupt stack, one page: behind an unmapped one, so that it cannot grow into the stubs.
const STACK: u64 = 6 * PAGE;
/// The page tables; in physical memory only.
const TABLES: u64 = 7 * PAGE;

/// Where the cell's memory begins in guest-physical memory.
pub(super) const CELL: u64 = 2 << 20;

const _: () = assert!(TABLES + (TABLES_MAX as u64) * PAGE <= CELL, "the machine's own memory lies below the cell's");
const _: () = assert!(TABLES <= MACHINE_LEN && TSS + TSS_LEN as u64 <= STUBS && GDT_LEN as u64 <= IDT, "nothing overlaps");

/// The machine's own memory, filled.
#[derive(Debug)]
pub(super) struct Own {
    memory: Memory,
    tables: Tables,
    address: u64,
}

impl Own {
    /// Builds the tables for what the layout maps, and all that the processor needs beside.
    pub(super) fn new(layout: &Layout, prize: &Prize) -> Result<Self, LoadFault> {
        let address = layout.machine();
        let too_large = |_| LoadFault::Host(Step::Memory, Errno::NOBUFS);
        let mut tables = Tables::new(TABLES);
        for leaf in layout.mappings().iter().map(guest_leaf).chain(own_leaves(address)) {
            tables.map(leaf).map_err(too_large)?;
        }
        let len = usize::try_from(TABLES).map_err(|_| LoadFault::HostLayout)?.saturating_add(tables.len());
        let memory = Memory::new(len).map_err(|errno| LoadFault::Host(Step::Memory, errno))?;
        let mut own = Self { memory, tables, address };
        own.fill(prize).ok_or(LoadFault::Host(Step::Memory, Errno::RANGE))?;
        Ok(own)
    }

    /// The memory behind it.
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The root of the page tables, in guest-physical memory.
    pub(super) fn root(&self) -> u64 {
        TABLES
    }

    /// Address of the GDT.
    pub(super) fn gdt(&self) -> u64 {
        self.address.saturating_add(DESCRIPTORS)
    }

    /// Address of the IDT.
    pub(super) fn idt(&self) -> u64 {
        self.address.saturating_add(DESCRIPTORS).saturating_add(IDT)
    }

    /// Address of the TSS.
    pub(super) fn tss(&self) -> u64 {
        self.address.saturating_add(TSS)
    }

    /// The interrupt stack's bytes.
    pub(super) fn stack(&self) -> &[u8] {
        let start = usize::try_from(STACK).unwrap_or(0);
        self.memory.bytes(start..start.saturating_add(PAGE_LEN)).unwrap_or_default()
    }

    /// Takes the pages of `mapping` out of the guest's address space. What the processor or KVM remembers of them is the caller's.
    pub(super) fn unmap(&mut self, mapping: &Mapping) {
        for at in (0..mapping.len).step_by(PAGE_LEN) {
            let entry = self.tables.entry_offset(mapping.address.saturating_add(at));
            let start = entry.and_then(|entry| entry.checked_add(usize::try_from(TABLES).ok()?));
            let bytes = start.and_then(|start| self.memory.bytes_mut(start..start.checked_add(8)?));
            bytes.unwrap_or_default().fill(0);
        }
    }

    fn fill(&mut self, prize: &Prize) -> Option<()> {
        let (tss, stubs) = (self.tss(), self.address.checked_add(STUBS)?);
        let stack_end = self.address.checked_add(STACK)?.checked_add(PAGE)?;
        self.put(DESCRIPTORS, &descriptors::gdt(tss))?;
        self.put(DESCRIPTORS.checked_add(IDT)?, &descriptors::idt(stubs, STUB_LEN))?;
        self.put(TSS, &descriptors::tss(stack_end, prize))?;
        self.put(STUBS, &stub::code())?;
        let tables: Vec<u8> = self.tables.bytes().collect();
        self.put(TABLES, &tables)
    }

    fn put(&mut self, at: u64, bytes: &[u8]) -> Option<()> {
        let start = usize::try_from(at).ok()?;
        self.memory.bytes_mut(start..start.checked_add(bytes.len())?)?.copy_from_slice(bytes);
        Some(())
    }
}

/// Where the byte at `offset` of the cell's memory lies in guest-physical memory.
pub(super) fn physical(offset: u64) -> u64 {
    CELL.saturating_add(offset)
}

fn guest_leaf(mapping: &Mapping) -> Leaf {
    let Mapping { address, offset, len, access, .. } = *mapping;
    Leaf { address, physical: physical(offset), len, access, owner: Owner::Guest }
}

fn own_leaves(address: u64) -> [Leaf; 3] {
    let leaf = |at: u64, len, access| Leaf { address: address.saturating_add(at), physical: at, len, access, owner: Owner::Machine };
    [leaf(DESCRIPTORS, STUBS, Access::Read), leaf(STUBS, PAGE, Access::Execute), leaf(STACK, PAGE, Access::Write)]
}
