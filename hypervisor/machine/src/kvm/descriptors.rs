//! What the processor needs to know beside page tables: GDT, TSS with its I/O-permission bitmap, and IDT, as bytes.
//!
//! All gates have DPL 0, so the guest's own `int` faults; all use the one interrupt stack; the bitmap opens the hypercalls that this cell has and nothing
//! else.

use abi::hypercall;

use crate::contest::Prize;

/// CPL0 code: the stub page.
pub(super) const MACHINE_CODE: u16 = 0x08;
/// CPL3 data and stack.
pub(super) const GUEST_DATA: u16 = 0x18 | 3;
/// CPL3 code.
pub(super) const GUEST_CODE: u16 = 0x20 | 3;
/// The task state.
pub(super) const TASK: u16 = 0x28;

/// Exceptions that the processor can raise. `int` with a larger number is beyond the IDT's limit and faults.
pub(super) const VECTORS: u8 = 32;

/// Length of the GDT in bytes: five descriptors of 8 bytes, one of 16.
pub(super) const GDT_LEN: u16 = 56;
/// Length of the IDT in bytes.
pub(super) const IDT_LEN: u16 = 16 * VECTORS as u16;

/// Where the I/O-permission bitmap begins in the TSS.
const BITMAP_OFFSET: u16 = 104;
/// One bit for each of the 65,536 ports.
const BITMAP_LEN: u16 = 8192;
/// Length of the TSS in bytes: with the bitmap, and the closing byte that must be all ones and inside the limit.
pub(super) const TSS_LEN: u16 = BITMAP_OFFSET + BITMAP_LEN + 1;

/// Ports that one 32-bit `out` covers.
const PORT_WIDTH: u32 = 4;

/// The GDT, for a TSS at `tss`. The descriptors are marked as accessed and busy already, so nobody needs to write them.
pub(super) fn gdt(tss: u64) -> Vec<u8> {
    const MACHINE_CODE_64: u64 = 0x00af_9b00_0000_ffff;
    const MACHINE_DATA: u64 = 0x00cf_9300_0000_ffff;
    const GUEST_DATA_64: u64 = 0x00cf_f300_0000_ffff;
    const GUEST_CODE_64: u64 = 0x00af_fb00_0000_ffff;
    const BUSY_TSS: u64 = 0x0000_8b00_0000_0000;
    let limit = u64::from(TSS_LEN - 1);
    let low = BUSY_TSS | limit | ((tss & 0x00ff_ffff) << 16) | ((tss & 0xff00_0000) << 32);
    let words = [0, MACHINE_CODE_64, MACHINE_DATA, GUEST_DATA_64, GUEST_CODE_64, low, tss >> 32];
    words.into_iter().flat_map(u64::to_le_bytes).collect()
}

/// The TSS. `stack_top` is the end of the interrupt stack; the call for the prize is open where there is one.
pub(super) fn tss(stack_top: u64, prize: &Prize) -> Vec<u8> {
    const RSP0: usize = 4;
    const IST1: usize = 36;
    const BITMAP_FIELD: usize = 102;
    let mut tss = vec![0; usize::from(BITMAP_OFFSET)];
    for at in [RSP0, IST1] {
        put(&mut tss, at, &stack_top.to_le_bytes());
    }
    put(&mut tss, BITMAP_FIELD, &BITMAP_OFFSET.to_le_bytes());
    tss.extend(bitmap(prize));
    tss.push(0xff);
    tss
}

/// The IDT. The stub of vector n lies at `stubs + n * stub_len`.
pub(super) fn idt(stubs: u64, stub_len: u64) -> Vec<u8> {
    (0..VECTORS).flat_map(|vector| gate(stubs.saturating_add(u64::from(vector).saturating_mul(stub_len)))).collect()
}

/// Bit p is clear where port p is open to the guest.
fn bitmap(prize: &Prize) -> Vec<u8> {
    let mut bitmap = vec![0xff; usize::from(BITMAP_LEN)];
    let calls = hypercall::ALL.into_iter().chain(prize.is_there().then_some(hypercall::PRIZE));
    for port in calls.flat_map(|first| first..first.saturating_add(PORT_WIDTH)) {
        if let Some(byte) = usize::try_from(port / 8).ok().and_then(|index| bitmap.get_mut(index)) {
            *byte &= !(1_u8 << (port % 8));
        }
    }
    bitmap
}

/// A 64-bit interrupt gate: DPL 0, interrupt stack 1.
fn gate(handler: u64) -> [u8; 16] {
    const PRESENT_INTERRUPT_GATE: u8 = 0x8e;
    const IST: u8 = 1;
    let [h0, h1, h2, h3, h4, h5, h6, h7] = handler.to_le_bytes();
    let [s0, s1] = MACHINE_CODE.to_le_bytes();
    [h0, h1, s0, s1, IST, PRESENT_INTERRUPT_GATE, h2, h3, h4, h5, h6, h7, 0, 0, 0, 0]
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(field) = bytes.get_mut(at..at.saturating_add(value.len())) {
        field.copy_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::Contest;

    #[test]
    fn bitmap_opens_the_hypercalls_and_nothing_else() {
        let contest = Contest { flag: [1; 32].into(), flag_address: 0, word_address: 0, prize: [2; 32].into() };
        for (contest, more) in [(None, None), (Some(&contest), Some(hypercall::PRIZE))] {
            let tss = tss(0, &Prize::of(contest));
            assert_eq!(tss.len(), usize::from(TSS_LEN));
            assert_eq!(tss.last(), Some(&0xff));
            let bitmap = &tss[usize::from(BITMAP_OFFSET)..];
            let open: Vec<u32> = (0..65_536).filter(|port| bitmap[*port as usize / 8] & (1 << (port % 8)) == 0).collect();
            let hypercalls: Vec<u32> = hypercall::ALL.into_iter().chain(more).flat_map(|first| first..first + 4).collect();
            assert_eq!(open, hypercalls);
            assert!(!open.contains(&hypercall::CRASH));
        }
    }

    #[test]
    fn every_gate_is_closed_to_the_guest_and_has_its_own_stack() {
        let idt = idt(0x1234_5678_9000, 32);
        assert_eq!(idt.len(), usize::from(IDT_LEN));
        for (vector, gate) in idt.chunks(16).enumerate() {
            assert_eq!((gate[4], gate[5]), (1, 0x8e), "vector {vector}");
        }
    }

    #[test]
    fn task_descriptor_covers_the_bitmap_and_its_closing_byte() {
        let gdt = gdt(0x1122_3344_5566);
        assert_eq!(gdt.len(), usize::from(GDT_LEN));
        assert_eq!(u16::from_le_bytes([gdt[40], gdt[41]]), TSS_LEN - 1);
        assert_eq!([gdt[42], gdt[43], gdt[44], gdt[47], gdt[48], gdt[49]], [0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
    }
}
