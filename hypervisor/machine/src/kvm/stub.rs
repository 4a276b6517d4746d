//! The stub page: how an exception of the guest reaches the tender.
//!
//! The processor pushes its frame on the interrupt stack and goes to the vector's stub. The stub pushes what the frame lacks and makes
//! one `out` to [`hypercall::CRASH`], which the guest itself cannot. Nobody ever lets the guest go on from there.

use abi::hypercall;

use super::descriptors::{GUEST_CODE, VECTORS};
use crate::exit::Registers;

/// Bytes from one vector's stub to the next one's.
pub(super) const STUB_LEN: u64 = 32;

/// Vectors for which the processor pushes an error code (Intel SDM volume 3, table 7-1; AMD APM volume 2, table 8-1).
const WITH_ERROR_CODE: [u8; 10] = [8, 10, 11, 12, 13, 14, 17, 21, 29, 30];

/// The stub page's code.
pub(super) fn code() -> Vec<u8> {
    (0..VECTORS).flat_map(stub).collect()
}

fn stub(vector: u8) -> Vec<u8> {
    let mut code = Vec::new();
    if !WITH_ERROR_CODE.contains(&vector) {
        code.extend([0x6a, 0x00]); // push 0
    }
    code.extend([0x50, 0x52]); // push rax; push rdx
    code.extend([0x0f, 0x20, 0xd0, 0x50]); // mov rax, cr2; push rax
    code.extend([0xb8, vector, 0, 0, 0]); // mov eax, vector
    code.push(0xba); // mov edx, CRASH
    code.extend(hypercall::CRASH.to_le_bytes());
    code.push(0xef); // out dx, eax
    code.extend([0xeb, 0xfd]); // jmp back to the out
    code.resize(usize::try_from(STUB_LEN).unwrap_or(code.len()), 0xcc);
    code
}

/// What lies on the interrupt stack when the stub reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    cr2: u64,
    rdx: u64,
    rax: u64,
    /// 0 where the vector has none.
    pub(super) error_code: u64,
    rip: u64,
    cs: u64,
    rflags: u64,
    rsp: u64,
}

impl Frame {
    /// Reads the frame at the end of the interrupt stack.
    pub(super) fn read(stack: &[u8]) -> Option<Self> {
        let (words, _) = stack.last_chunk::<72>()?.as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let &[cr2, rdx, rax, error_code, rip, cs, rflags, rsp, _ss] = words.as_slice() else { return None };
        Some(Self { cr2, rdx, rax, error_code, rip, cs, rflags, rsp })
    }

    /// Whether it was the guest that was interrupted, and not the stub page itself.
    pub(super) fn is_of_guest(&self) -> bool {
        self.cs == u64::from(GUEST_CODE)
    }

    /// The guest's registers: those that the stub has used from the frame, the others from `now`.
    pub(super) fn registers(&self, now: Registers) -> Registers {
        let Self { cr2, rdx, rax, rip, rflags, rsp, .. } = *self;
        Registers { cr2, rdx, rax, rip, rflags, rsp, ..now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_has_a_stub_that_fits() {
        assert_eq!(code().len(), usize::from(VECTORS) * 32);
        assert!(code().chunks(32).all(|stub| stub.ends_with(&[0xcc])), "a stub that filled its place might have been cut");
    }

    #[test]
    fn frame_is_read_from_the_stack_end() {
        let mut stack = vec![0; 4096];
        let words: [u64; 9] = [2, 3, 1, 7, 0x1000, u64::from(GUEST_CODE), 0x202, 0x8000, 0x1b];
        let bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
        let at = stack.len() - bytes.len();
        stack[at..].copy_from_slice(&bytes);
        let frame = Frame::read(&stack).unwrap();
        assert!(frame.is_of_guest());
        assert_eq!(frame.error_code, 7);
        let registers = frame.registers(Registers { rbx: 9, rax: 14, ..Registers::default() });
        assert_eq!((registers.rax, registers.rbx, registers.rdx, registers.cr2), (1, 9, 3, 2));
        assert_eq!((registers.rip, registers.rsp, registers.rflags), (0x1000, 0x8000, 0x202));
    }

    #[test]
    fn short_stack_is_refused() {
        assert_eq!(Frame::read(&[0; 71]), None);
    }
}
