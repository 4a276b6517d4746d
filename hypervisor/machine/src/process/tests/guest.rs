//! Guests of a few instructions, and the smallest image that holds one.

use core::slice;

use abi::limits::{HEAP_LEN_MIN, SEED_LEN};
use zeroize::Zeroizing;

use crate::image::Image;
use crate::space::Parcel;

/// Machine code for a guest: position-independent, entered with the boot info in `r15`.
pub(in crate::process) type Guest = &'static [u8];

/// Defines a function that returns the machine code of the given lines, which may use the labels 2 to 9 and name the hypercalls. `[r15 + GATE]` is the gate;
/// the other fields of the boot info have names as well.
macro_rules! guest {
    ($name:ident, $($line:literal),+) => {
        fn $name() -> $crate::process::tests::guest::Guest {
            let (start, end): (*const u8, *const u8);
            // SAFETY: what runs here takes two addresses, and touches neither memory nor flags; the guest's lines lie in another section.
            unsafe {
                core::arch::asm!(
                    "lea {start}, [rip + 77f]",
                    "lea {end}, [rip + 78f]",
                    ".pushsection .rodata.guest,\"a\"",
                    ".set WAIT, {wait}",
                    ".set EXIT, {exit}",
                    ".set SEALED, {sealed}",
                    ".set GATE, {gate}",
                    ".set MACHINE, {machine}",
                    ".set HEAP, {heap}",
                    ".set SEED, {seed}",
                    ".set BUNDLE, {bundle}",
                    ".set RX, {rx}",
                    ".set TX, {tx}",
                    "77:",
                    "mov r15, rdi",
                    $($line,)+
                    "78:",
                    ".popsection",
                    start = out(reg) start, end = out(reg) end,
                    wait = const abi::hypercall::WAIT, exit = const abi::hypercall::EXIT, sealed = const abi::hypercall::SEALED,
                    gate = const core::mem::offset_of!(abi::boot::BootInfo, gate),
                    machine = const core::mem::offset_of!(abi::boot::BootInfo, machine),
                    heap = const core::mem::offset_of!(abi::boot::BootInfo, heap),
                    seed = const core::mem::offset_of!(abi::boot::BootInfo, seed),
                    bundle = const core::mem::offset_of!(abi::boot::BootInfo, bundle),
                    rx = const core::mem::offset_of!(abi::boot::BootInfo, links),
                    tx = const core::mem::offset_of!(abi::boot::BootInfo, links) + core::mem::size_of::<abi::boot::Region>(),
                    options(nomem, nostack, preserves_flags)
                );
            }
            $crate::process::tests::guest::between(start, end)
        }
    };
}
pub(in crate::process) use guest;

/// The bytes between two labels.
pub(in crate::process) fn between(start: *const u8, end: *const u8) -> Guest {
    // SAFETY: both are labels of one read-only section of this program, `end` behind `start` (the macro above).
    unsafe { slice::from_raw_parts(start, end.addr() - start.addr()) }
}

/// An image whose only segments are `guest`'s code and a page of data behind it.
pub(in crate::process) fn image(guest: Guest) -> Image {
    assert!(guest.len() <= 4096);
    let note_at = 64 + 56 * 3;
    let note = [10, 4, 1u32].iter().flat_map(|word| word.to_le_bytes()).chain(*b"bountybox\0\0\0").chain(abi::boot::VERSION.to_le_bytes());
    let mut file = header();
    for segment in [[1, 5, 4096, 4096, guest.len() as u64], [1, 6, 0, 8192, 0], [4, 4, note_at, 0, 28]] {
        file.extend(program_header(segment));
    }
    file.extend(note);
    file.resize(4096, 0);
    file.extend(guest);
    Image::parse(&file).unwrap()
}

/// The smallest heap, a seed of sevens, and a short bundle.
pub(in crate::process) fn parcel() -> Parcel {
    Parcel {
        heap_len: HEAP_LEN_MIN,
        seed: Zeroizing::new([7; SEED_LEN]),
        bundle: Zeroizing::new(b"bundle".to_vec()),
        draw: None,
        contest: None,
    }
}

fn header() -> Vec<u8> {
    let mut out = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    out.extend([3u16, 62].iter().flat_map(|half| half.to_le_bytes()));
    out.extend(1u32.to_le_bytes());
    out.extend([4096, 64, 0u64].iter().flat_map(|word| word.to_le_bytes()));
    out.extend(0u32.to_le_bytes());
    out.extend([64, 56, 3, 0, 0, 0u16].iter().flat_map(|half| half.to_le_bytes()));
    out
}

fn program_header([kind, flags, offset, address, file_len]: [u64; 5]) -> Vec<u8> {
    let memory_len = file_len.max(if kind == 1 { 4096 } else { 0 });
    let align = if kind == 1 { 4096 } else { 4 };
    let mut out = Vec::from((kind | (flags << 32)).to_le_bytes());
    out.extend([offset, address, address, file_len, memory_len, align].iter().flat_map(|word| word.to_le_bytes()));
    out
}
