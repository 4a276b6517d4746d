//! What a program without a standard library must bring: the note, the memory functions, the panic handler; and two port instructions.

use core::arch::{asm, global_asm};

/// Marks the image as one of ours, built for this version of the ABI.
#[repr(C)]
struct Note {
    name_len: u32,
    desc_len: u32,
    kind: u32,
    name: [u8; 12],
    version: u32,
}

#[used]
#[unsafe(link_section = ".note.bountybox")]
static NOTE: Note = Note { name_len: 10, desc_len: 4, kind: 1, name: *b"bountybox\0\0\0", version: abi::boot::VERSION };

global_asm!(
    ".globl memcpy, memmove, memset, memcmp, bcmp, rust_eh_personality",
    "memcpy: mov rax, rdi",
    "mov rcx, rdx",
    "rep movsb",
    "ret",
    "memmove: mov rax, rdi",
    "mov rcx, rdx",
    "mov r8, rdi",
    "sub r8, rsi",
    "cmp r8, rdx",
    "jb 2f",
    "rep movsb",
    "ret",
    "2: lea rdi, [rdi + rcx - 1]",
    "lea rsi, [rsi + rcx - 1]",
    "std",
    "rep movsb",
    "cld",
    "ret",
    "memset: mov r8, rdi",
    "mov eax, esi",
    "mov rcx, rdx",
    "rep stosb",
    "mov rax, r8",
    "ret",
    "bcmp:",
    "memcmp: xor eax, eax",
    "mov rcx, rdx",
    "test rcx, rcx",
    "jz 3f",
    "repe cmpsb",
    "movzx eax, byte ptr [rdi - 1]",
    "movzx ecx, byte ptr [rsi - 1]",
    "sub ecx, eax",
    "mov eax, ecx",
    "3: ret",
    "rust_eh_personality: ud2",
);

unsafe extern "C" {
    static __ehdr_start: u8;
    static _end: u8;
}

/// First and last address of the image.
pub fn image() -> (u64, u64) {
    ((&raw const __ehdr_start) as u64, (&raw const _end) as u64)
}

/// One 32-bit `out`.
pub fn out(port: u16, value: u32) {
    // SAFETY: none needed of the guest: whether this faults is the question. What may be answered comes in registers that are given up.
    unsafe { asm!("out dx, eax", inout("rdx") u64::from(port) => _, inout("rax") u64::from(value) => _, out("rcx") _, out("rsi") _) };
}

/// Asks the gate at this address for the prize.
pub fn prize(gate: u64) -> [u64; 4] {
    let (rax, rcx, rdx, rsi): (u64, u64, u64, u64);
    // SAFETY: the boot info says that this is the gate's address; the call gives up what a call may.
    unsafe {
        asm!("call r12", in("r12") gate, inout("rdi") u64::from(abi::hypercall::PRIZE) => _, inout("rsi") 0_u64 => rsi, out("rax") rax, out("rcx") rcx,
            out("rdx") rdx, clobber_abi("sysv64"));
    }
    [rax, rcx, rdx, rsi]
}

/// One 8-bit `in`.
pub fn input(port: u16) {
    // SAFETY: none needed of the guest: whether this faults is the question.
    unsafe { asm!("in al, dx", in("dx") port, out("al") _) };
}

/// 40 + 2, by AVX.
pub fn vector() -> u32 {
    let mut sum: u32;
    // SAFETY: AVX is what the test asks for; the registers are given up.
    unsafe {
        asm!("vmovd xmm0, {a:e}", "vmovd xmm1, {b:e}", "vpaddd ymm2, ymm0, ymm1", "vmovd {sum:e}, xmm2", "vzeroupper",
            a = in(reg) 40_u32, b = in(reg) 2_u32, sum = out(reg) sum, out("xmm0") _, out("xmm1") _, out("xmm2") _);
    }
    sum
}

/// Bits of what shows and must not: 1 VMX, 2 RDRAND, 4 x2APIC, 8 SVM, 16 AVX-512, 32 performance counters, 64 XCR0 beyond AVX.
pub fn cpuid() -> u32 {
    use core::arch::x86_64::__cpuid_count;
    let (one, seven, counters, extended) = (__cpuid_count(1, 0), __cpuid_count(7, 0), __cpuid_count(0xa, 0), __cpuid_count(0x8000_0001, 0));
    let shows = [
        one.ecx >> 5 & 1,
        one.ecx >> 30 & 1,
        one.ecx >> 21 & 1,
        extended.ecx >> 2 & 1,
        seven.ebx >> 16 & 1,
        u32::from(counters.eax & 0xff != 0),
        u32::from(xcr0() & !7 != 0),
    ];
    shows.into_iter().enumerate().fold(0, |bits, (at, shows)| bits | shows << at)
}

fn xcr0() -> u32 {
    let low: u32;
    // SAFETY: XSAVE is enabled, which the test of AVX shows.
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _) };
    low
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        // SAFETY: ends the guest with #UD, which no test of a panic expects.
        unsafe { asm!("ud2") };
    }
}
