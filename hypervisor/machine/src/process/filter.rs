//! The seccomp filters of the guest's process: the wall behind PTRACE_SYSEMU.
//!
//! The tender sees every `syscall`, `sysenter` and `int 0x80` of the guest before the kernel acts on it, and never lets one through. The
//! filters stand for what SYSEMU does not cover: a call into the legacy vsyscall page, which the kernel serves from the page fault, and
//! any later mistake of ours. They are stacked, so the second only takes away: [`SEALING`] leaves the calls that `seal` makes in the
//! guest's name, [`SEALED`] leaves none. What is refused raises SIGSYS, at which the process stops with its registers.

/// `struct sock_filter`: operation, jumps, operand.
pub(super) type Instruction = (u16, u8, u8, u32);

const LOAD_WORD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
const SYS_MUNMAP: u32 = 11;
const SYS_SECCOMP: u32 = 317;
const TRAP: u32 = 0x0003_0000;
const ALLOW: u32 = 0x7fff_0000;

/// `munmap` and `seccomp`.
pub(super) const SEALING: [Instruction; 7] = [
    (LOAD_WORD, 0, 0, ARCHITECTURE),
    (JUMP_EQUAL, 0, 3, AUDIT_ARCH_X86_64),
    (LOAD_WORD, 0, 0, NUMBER),
    (JUMP_EQUAL, 2, 0, SYS_MUNMAP),
    (JUMP_EQUAL, 1, 0, SYS_SECCOMP),
    (RETURN, 0, 0, TRAP),
    (RETURN, 0, 0, ALLOW),
];

/// Nothing.
pub(super) const SEALED: [Instruction; 1] = [(RETURN, 0, 0, TRAP)];

/// `filter` behind a `struct sock_fprog` that points at it, as both are to lie at `address`.
pub(super) fn encode(filter: &[Instruction], address: u64) -> Vec<u8> {
    const HEADER_LEN: u64 = 16;
    let header = [filter.len() as u64, address.wrapping_add(HEADER_LEN)].into_iter().flat_map(u64::to_le_bytes);
    header.chain(filter.iter().flat_map(encode_one)).collect()
}

fn encode_one(&(operation, if_true, if_false, operand): &Instruction) -> [u8; 8] {
    let ([o0, o1], [k0, k1, k2, k3]) = (operation.to_le_bytes(), operand.to_le_bytes());
    [o0, o1, if_true, if_false, k0, k1, k2, k3]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel's interpreter would make of `filter`.
    fn verdict(filter: &[Instruction], architecture: u32, number: u32) -> u32 {
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let (operation, if_true, if_false, operand) = filter[at];
            at += 1;
            match operation {
                LOAD_WORD => accumulator = if operand == NUMBER { number } else { architecture },
                JUMP_EQUAL => at += usize::from(if accumulator == operand { if_true } else { if_false }),
                _ => return operand,
            }
        }
    }

    #[test]
    fn sealing_leaves_exactly_two_calls_of_the_64_bit_table() {
        for number in 0..1024 {
            let expected = if number == SYS_MUNMAP || number == SYS_SECCOMP { ALLOW } else { TRAP };
            assert_eq!(verdict(&SEALING, AUDIT_ARCH_X86_64, number), expected, "{number}");
            // The 32-bit table has other calls behind the same numbers; x32 sets a high bit.
            assert_eq!(verdict(&SEALING, 0x4000_0003, number), TRAP, "{number}");
            assert_eq!(verdict(&SEALING, AUDIT_ARCH_X86_64, number | 0x4000_0000), TRAP, "{number}");
        }
        assert_eq!((i64::from(SYS_MUNMAP), i64::from(SYS_SECCOMP)), (libc::SYS_munmap, libc::SYS_seccomp));
    }

    #[test]
    fn sealed_leaves_nothing() {
        assert!((0..1024).all(|number| verdict(&SEALED, AUDIT_ARCH_X86_64, number) == TRAP));
    }

    #[test]
    fn encoded_filter_points_at_itself() {
        let bytes = encode(&SEALED, 0x1000);
        assert_eq!(bytes[..16], [1, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x10, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[16..], [6, 0, 0, 0, 0, 0, 3, 0]);
    }
}
