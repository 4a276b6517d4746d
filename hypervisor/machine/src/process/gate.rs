//! The program of the guest's process: one page, the gate.
//!
//! The kernel executes it instead of a copy of the tender, so nothing of the tender is ever in the process. The page holds the gate's
//! code, whose `syscall` also serves the tender while it builds the enclosure, and the few constants that this takes (filters, timer).
//! It is mapped readable and executable; the ELF header before it is mapped nowhere. Nothing here is secret or writable.

use abi::limits::PAGE_LEN;

use super::filter;
use crate::limits::TICK;

/// `mov eax, edi; mov edi, esi; syscall; ret`
pub(super) const CODE: [u8; 7] = [0x89, 0xf8, 0x89, 0xf7, 0x0f, 0x05, 0xc3];
/// Where `syscall` lies in [`CODE`], and what follows it.
const SYSCALL: u64 = 4;
const BEHIND_SYSCALL: u64 = 6;

/// What fills the page: a trap.
const INT3: u8 = 0xcc;

/// Where the constants begin, from the page's start.
const TIMER: usize = 2048;
const SEALING: usize = TIMER + 64;
const SEALED: usize = SEALING + 128;

/// The addresses inside the gate page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gate {
    base: u64,
}

impl Gate {
    pub(super) fn new(base: u64) -> Self {
        Self { base }
    }

    /// The page's first address.
    pub(super) fn base(self) -> u64 {
        self.base
    }

    /// The first address behind the page.
    pub(super) fn end(self) -> u64 {
        self.at(PAGE_LEN as u64)
    }

    /// The address of the one `syscall` instruction.
    pub(super) fn syscall(self) -> u64 {
        self.at(SYSCALL)
    }

    /// The address behind it, where a stopped hypercall stands.
    pub(super) fn behind_syscall(self) -> u64 {
        self.at(BEHIND_SYSCALL)
    }

    /// A `struct itimerval` of [`TICK`], again and again.
    pub(super) fn timer(self) -> u64 {
        self.at(TIMER as u64)
    }

    /// A `struct sock_fprog` of [`filter::SEALING`].
    pub(super) fn sealing_filter(self) -> u64 {
        self.at(SEALING as u64)
    }

    /// A `struct sock_fprog` of [`filter::SEALED`].
    pub(super) fn sealed_filter(self) -> u64 {
        self.at(SEALED as u64)
    }

    /// The executable file: an ELF header that loads exactly the gate page, and the page.
    pub(super) fn program(self) -> Vec<u8> {
        let mut file = self.header();
        file.resize(PAGE_LEN, 0);
        file.extend(self.page());
        file
    }

    fn at(self, offset: u64) -> u64 {
        self.base.wrapping_add(offset)
    }

    /// `Elf64_Ehdr` and two `Elf64_Phdr` (System V gABI, chapters 4 and 5).
    fn header(self) -> Vec<u8> {
        const IDENT: [u8; 16] = [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        const HEADER_LEN: u16 = 64;
        const ENTRY_LEN: u16 = 56;
        let page = PAGE_LEN as u64;
        let mut out = IDENT.to_vec();
        let mut put = |bytes: &[u8]| out.extend_from_slice(bytes);
        // ET_EXEC, EM_X86_64, EV_CURRENT, entry, program headers, no section headers, no flags.
        put(&2u16.to_le_bytes());
        put(&62u16.to_le_bytes());
        put(&1u32.to_le_bytes());
        [self.base, u64::from(HEADER_LEN), 0].iter().for_each(|word| put(&word.to_le_bytes()));
        put(&0u32.to_le_bytes());
        [HEADER_LEN, ENTRY_LEN, 2, 0, 0, 0].iter().for_each(|half| put(&half.to_le_bytes()));
        // PT_LOAD, readable and executable: offset, address twice, length twice, alignment.
        put(&1u32.to_le_bytes());
        put(&5u32.to_le_bytes());
        [page, self.base, self.base, page, page, page].iter().for_each(|word| put(&word.to_le_bytes()));
        // PT_GNU_STACK, not executable: without it the kernel may make all that is readable executable.
        put(&0x6474_e551u32.to_le_bytes());
        put(&6u32.to_le_bytes());
        [0, 0, 0, 0, 0, 16u64].iter().for_each(|word| put(&word.to_le_bytes()));
        out
    }

    fn page(self) -> Vec<u8> {
        let mut page = CODE.to_vec();
        page.resize(TIMER, INT3);
        let seconds = TICK.as_secs();
        let microseconds = u64::from(TICK.subsec_micros());
        page.extend([seconds, microseconds, seconds, microseconds].into_iter().flat_map(u64::to_le_bytes));
        page.resize(SEALING, INT3);
        page.extend(filter::encode(&filter::SEALING, self.sealing_filter()));
        page.resize(SEALED, INT3);
        page.extend(filter::encode(&filter::SEALED, self.sealed_filter()));
        page.resize(PAGE_LEN, INT3);
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_loads_the_gate_page_and_nothing_else() {
        let gate = Gate::new(0x5000_0000);
        let file = gate.program();
        let elf = elf::ElfBytes::<elf::endian::LittleEndian>::minimal_parse(&file).unwrap();
        let loads: Vec<_> = elf.segments().unwrap().iter().filter(|header| header.p_type == elf::abi::PT_LOAD).collect();
        assert_eq!(loads.len(), 1);
        assert_eq!((loads[0].p_vaddr, loads[0].p_memsz, loads[0].p_offset), (gate.base(), 4096, 4096));
        assert_eq!(loads[0].p_flags, elf::abi::PF_R | elf::abi::PF_X);
        assert_eq!(file.len(), 8192);
    }

    #[test]
    fn page_has_one_syscall_instruction_where_the_tender_expects_it() {
        let gate = Gate::new(0x1234_5000);
        let page = gate.page();
        let found: Vec<_> = page.windows(2).enumerate().filter(|(_, pair)| pair == &[0x0f, 0x05]).map(|(at, _)| at as u64).collect();
        assert_eq!(found, [gate.syscall() - gate.base()]);
        assert_eq!(gate.behind_syscall(), gate.syscall() + 2);
    }

    #[test]
    fn constants_do_not_overlap() {
        let page = Gate::new(0x1000).page();
        assert_eq!(page.len(), PAGE_LEN);
        // Behind each constant the page is filled, so each fits its place.
        assert!([SEALING - 1, SEALED - 1, PAGE_LEN - 1].iter().all(|at| page[*at] == INT3));
    }
}
