//! What CPUID tells the guest: only what its code can use, nothing of how it is run.
//!
//! Hidden, among others: virtualisation (VMX, SVM), performance counters, x2APIC and topology, RDRAND and RDSEED (the image takes its
//! randomness from the seed), SYSCALL and SYSENTER (off), AVX-512 (its state is not enabled), and the hypervisor's own leaves.

use kvm_bindings::{CpuId, kvm_cpuid_entry2};

/// The x87, SSE and AVX states: all that the guest may use.
pub(super) const XCR0: u64 = 7;

/// A register's bits that may be seen, as a list of their numbers.
const fn bits<const N: usize>(numbers: [u32; N]) -> u32 {
    let mut mask = 0;
    let mut index = 0;
    while index < N {
        mask |= 1 << numbers[index];
        index += 1;
    }
    mask
}

/// SSE3 PCLMULQDQ SSSE3 FMA CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE OSXSAVE AVX F16C.
const LEAF_1_ECX: u32 = bits([0, 1, 9, 12, 13, 19, 20, 22, 23, 25, 26, 27, 28, 29]);
/// FPU DE PSE PAE CX8 PGE CMOV PAT CLFSH MMX FXSR SSE SSE2.
const LEAF_1_EDX: u32 = bits([0, 2, 3, 6, 8, 13, 15, 16, 19, 23, 24, 25, 26]);
/// BMI1 AVX2 SMEP BMI2 ERMS ADX SMAP SHA.
const LEAF_7_EBX: u32 = bits([3, 5, 7, 8, 9, 19, 20, 29]);
/// UMIP GFNI VAES VPCLMULQDQ.
const LEAF_7_ECX: u32 = bits([2, 8, 9, 10]);
/// FSRM.
const LEAF_7_EDX: u32 = bits([4]);
/// XSAVEOPT XSAVEC XGETBV(1).
const LEAF_D1_EAX: u32 = bits([0, 1, 2]);
/// LAHF ABM.
const LEAF_8000_0001_ECX: u32 = bits([0, 5]);
/// FPU and its kin as in leaf 1; NX and LM.
const LEAF_8000_0001_EDX: u32 = bits([0, 2, 3, 6, 8, 13, 15, 16, 20, 23, 24, 29]);

/// Control register bits that only some processors have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Optional {
    /// CR4.SMEP.
    pub(super) smep: bool,
    /// CR4.SMAP.
    pub(super) smap: bool,
    /// CR4.UMIP.
    pub(super) umip: bool,
    /// CR4.OSXSAVE, and XCR0.
    pub(super) xsave: bool,
}

/// Cuts what KVM supports down to what the guest is told.
pub(super) fn allowed(supported: &CpuId) -> Vec<kvm_cpuid_entry2> {
    supported.as_slice().iter().filter_map(|entry| allow(*entry)).collect()
}

/// What of the optional features `entries` name.
pub(super) fn optional(entries: &[kvm_cpuid_entry2]) -> Optional {
    let leaf = |function, pick: fn(&kvm_cpuid_entry2) -> u32| {
        entries.iter().find(|entry| entry.function == function && entry.index == 0).map_or(0, pick)
    };
    let (ebx, ecx) = (leaf(7, |entry| entry.ebx), leaf(7, |entry| entry.ecx));
    let xsave = leaf(1, |entry| entry.ecx) & bits([26]) != 0 && u64::from(leaf(0xd, |entry| entry.eax)) == XCR0;
    Optional { smep: ebx & bits([7]) != 0, smap: ebx & bits([20]) != 0, umip: ecx & bits([2]) != 0, xsave }
}

fn allow(entry: kvm_cpuid_entry2) -> Option<kvm_cpuid_entry2> {
    let kvm_cpuid_entry2 { eax, ebx, ecx, edx, .. } = entry;
    let [eax, ebx, ecx, edx] = match (entry.function, entry.index) {
        (0, _) => [eax.min(0xd), ebx, ecx, edx],
        // EBX: the cache line's length; one processor, of number 0.
        (1, _) => [eax, (ebx & 0xff00) | (1 << 16), ecx & LEAF_1_ECX, edx & LEAF_1_EDX],
        (7, 0) => [0, ebx & LEAF_7_EBX, ecx & LEAF_7_ECX, edx & LEAF_7_EDX],
        (0xd, 0) => [eax & 7, ebx, 832, 0],
        (0xd, 1) => [eax & LEAF_D1_EAX, 0, 0, 0],
        (0xd, 2) => [eax, ebx, ecx, edx],
        (0x8000_0000, _) => [eax.min(0x8000_0008), ebx, ecx, edx],
        (0x8000_0001, _) => [eax, 0, ecx & LEAF_8000_0001_ECX, edx & LEAF_8000_0001_EDX],
        // Widths of addresses.
        (0x8000_0008, _) => [eax & 0xffff, 0, 0, 0],
        _ => return None,
    };
    Some(kvm_cpuid_entry2 { eax, ebx, ecx, edx, ..entry })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_ones(function: u32, index: u32) -> kvm_cpuid_entry2 {
        kvm_cpuid_entry2 { function, index, eax: !0, ebx: !0, ecx: !0, edx: !0, ..Default::default() }
    }

    #[test]
    fn virtualisation_randomness_and_topology_are_hidden() {
        let leaf = allow(all_ones(1, 0)).unwrap();
        for (what, bit) in [("VMX", 5), ("x2APIC", 21), ("RDRAND", 30), ("hypervisor", 31), ("PDCM", 15)] {
            assert_eq!(leaf.ecx & (1 << bit), 0, "{what}");
        }
        assert_eq!(leaf.edx & (1 << 11 | 1 << 4 | 1 << 5), 0, "SEP, TSC, MSR");
        assert_eq!(allow(all_ones(7, 0)).unwrap().ebx & (1 << 18 | 1 << 16), 0, "RDSEED, AVX-512");
        assert_eq!(allow(all_ones(0x8000_0001, 0)).unwrap().ecx & (1 << 2), 0, "SVM");
        for function in [4, 0xa, 0xb, 0x4000_0000, 0x4000_0001, 0x8000_001d] {
            assert!(allow(all_ones(function, 0)).is_none(), "{function:#x}");
        }
    }

    #[test]
    fn what_the_cryptography_wants_is_kept() {
        let leaf = allow(all_ones(1, 0)).unwrap();
        for (what, bit) in [("PCLMULQDQ", 1), ("SSSE3", 9), ("SSE4.1", 19), ("AES", 25), ("AVX", 28), ("MOVBE", 22)] {
            assert_ne!(leaf.ecx & (1 << bit), 0, "{what}");
        }
        let leaf = allow(all_ones(7, 0)).unwrap();
        for (what, bit) in [("BMI1", 3), ("AVX2", 5), ("BMI2", 8), ("ADX", 19), ("SHA", 29)] {
            assert_ne!(leaf.ebx & (1 << bit), 0, "{what}");
        }
    }

    #[test]
    fn avx_state_is_enabled_only_where_all_of_it_is_there() {
        let entry = |function, eax, ecx| kvm_cpuid_entry2 { function, eax, ecx, ..Default::default() };
        assert!(optional(&[entry(1, 0, 1 << 26), entry(0xd, 7, 0)]).xsave);
        assert!(!optional(&[entry(1, 0, 1 << 26), entry(0xd, 3, 0)]).xsave);
        assert!(!optional(&[entry(1, 0, 0), entry(0xd, 7, 0)]).xsave);
    }
}
