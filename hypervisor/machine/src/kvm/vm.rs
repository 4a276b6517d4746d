//! Making the virtual machine and its one vCPU.
//!
//! No interrupt controller, no timer chip, no device: the guest's only way out is the gate.

use kvm_bindings::{
    CpuId, KVM_API_VERSION, KVM_CAP_DISABLE_QUIRKS2, KVM_CAP_PMU_CAPABILITY, KVM_MAX_CPUID_ENTRIES, KVM_MEM_READONLY, KVM_PMU_CAP_DISABLE,
    KVM_X86_QUIRK_FIX_HYPERCALL_INSN, kvm_dtable, kvm_enable_cap, kvm_regs, kvm_segment, kvm_sregs, kvm_userspace_memory_region, kvm_xcr,
    kvm_xcrs,
};
use kvm_ioctls::{Cap, Kvm, MsrFilterDefaultAction, MsrFilterRange, MsrFilterRangeFlags, SyncReg, VcpuFd, VmFd};
use rustix::io::Errno;

use super::cpuid::{self, Optional, XCR0};
use super::descriptors::{GDT_LEN, GUEST_CODE, GUEST_DATA, IDT_LEN, TASK, TSS_LEN};
use super::own::{Own, READ_ONLY_LEN, physical};
use crate::fault::{Capability, LoadFault, Step};
use crate::image::Access;
use crate::layout::Mapping;
use crate::limits::CREATE_TRIES;
use crate::space::Space;

/// Opens `/dev/kvm` and checks that it has all that is needed.
pub(super) fn open() -> Result<Kvm, LoadFault> {
    let kvm = Kvm::new().map_err(|fault| LoadFault::HostNoKvm(errno(fault)))?;
    let version = kvm.get_api_version();
    if u32::try_from(version) != Ok(KVM_API_VERSION) {
        return Err(LoadFault::HostKvmVersion(version));
    }
    let needed = [
        (Cap::UserMemory, Capability::UserMemory),
        (Cap::ReadonlyMem, Capability::ReadonlyMemory),
        (Cap::SyncRegs, Capability::SyncRegisters),
        (Cap::X86MsrFilter, Capability::MsrFilter),
        (Cap::Xcrs, Capability::Xcrs),
        (Cap::ImmediateExit, Capability::ImmediateExit),
    ];
    match needed.into_iter().find(|(cap, _)| !kvm.check_extension(*cap)) {
        Some((_, capability)) => Err(LoadFault::HostCapability(capability)),
        None => Ok(kvm),
    }
}

/// Makes a virtual machine whose memory is `own` and `space`.
///
/// Both must outlive it: [`super::Kvm`] holds all three and drops the machine first.
pub(super) fn create(kvm: &Kvm, own: &Own, space: &Space) -> Result<VmFd, LoadFault> {
    let vm = retried(|| kvm.create_vm()).map_err(at(Step::CreateVm))?;
    forbid_quirks(&vm);
    deny_msrs(&vm)?;
    for (slot, region) in (0..).zip(regions(own, space)) {
        let region = kvm_userspace_memory_region { slot, ..region };
        // SAFETY: the region is a part of a live mapping (`own` or `space`) that outlives the VM (see above); the regions are disjoint
        // both here and in guest-physical memory (`regions`); no slice into them lives while the guest runs (see `crate::memory`).
        unsafe { vm.set_user_memory_region(region) }.map_err(at(Step::MemorySlot))?;
    }
    Ok(vm)
}

/// Making a virtual machine can be interrupted by any signal to the process, a child's end among them, and then is to be asked for again.
fn retried<T>(mut make: impl FnMut() -> Result<T, kvm_ioctls::Error>) -> Result<T, kvm_ioctls::Error> {
    for _ in 1..CREATE_TRIES {
        match make() {
            Err(fault) if errno(fault) == Errno::INTR => {}
            other => return other,
        }
    }
    make()
}

/// Makes the vCPU, in CPL3 from its first instruction on.
pub(super) fn create_vcpu(kvm: &Kvm, vm: &VmFd, own: &Own) -> Result<VcpuFd, LoadFault> {
    let mut vcpu = vm.create_vcpu(0).map_err(at(Step::CreateVcpu))?;
    let optional = tell_features(kvm, &vcpu)?;
    vcpu.set_sregs(&system_registers(own, optional)).map_err(at(Step::Registers))?;
    if optional.xsave {
        vcpu.set_xcrs(&extended_control()).map_err(at(Step::Registers))?;
    }
    vcpu.set_sync_valid_reg(SyncReg::Register);
    Ok(vcpu)
}

/// Tells the vCPU what of the processor its guest may see, and says what of that is optional.
fn tell_features(kvm: &Kvm, vcpu: &VcpuFd) -> Result<Optional, LoadFault> {
    let supported = kvm.get_supported_cpuid(KVM_MAX_CPUID_ENTRIES).map_err(at(Step::Cpuid))?;
    let allowed = cpuid::allowed(&supported);
    let cpuid = CpuId::from_entries(&allowed).map_err(|_| LoadFault::Host(Step::Cpuid, Errno::NOBUFS))?;
    vcpu.set_cpuid2(&cpuid).map_err(at(Step::Cpuid))?;
    Ok(cpuid::optional(&allowed))
}

/// The general registers of a guest that is to go to `rip`; RFLAGS has nothing set but the bit that is always set.
pub(super) fn registers(rip: u64, rsp: u64, rdi: u64, rsi: u64) -> kvm_regs {
    kvm_regs { rip, rsp, rdi, rsi, rflags: 2, ..kvm_regs::default() }
}

/// What KVM said, as an `errno`.
pub(super) fn errno(fault: kvm_ioctls::Error) -> Errno {
    Errno::from_raw_os_error(fault.errno())
}

fn at(step: Step) -> impl Fn(kvm_ioctls::Error) -> LoadFault {
    move |fault| LoadFault::Host(step, errno(fault))
}

/// Turns off what KVM does beyond the processor. Older kernels lack these; then the guest sees a little more of KVM, no less isolation.
fn forbid_quirks(vm: &VmFd) {
    // Do not rewrite a guest's VMCALL into the other vendor's.
    let quirks =
        kvm_enable_cap { cap: KVM_CAP_DISABLE_QUIRKS2, args: [u64::from(KVM_X86_QUIRK_FIX_HYPERCALL_INSN), 0, 0, 0], ..Default::default() };
    let _ = vm.enable_cap(&quirks);
    let counters = kvm_enable_cap { cap: KVM_CAP_PMU_CAPABILITY, args: [u64::from(KVM_PMU_CAP_DISABLE), 0, 0, 0], ..Default::default() };
    let _ = vm.enable_cap(&counters);
}

/// Denies every model-specific register. (KVM refuses an empty list of ranges, so one denies what is denied anyway.)
fn deny_msrs(vm: &VmFd) -> Result<(), LoadFault> {
    let flags = MsrFilterRangeFlags::READ | MsrFilterRangeFlags::WRITE;
    let nothing = MsrFilterRange { flags, base: 0, msr_count: 8, bitmap: &[0] };
    vm.set_msr_filter(MsrFilterDefaultAction::DENY, &[nothing]).map_err(at(Step::Msr))
}

/// The slots: the machine's own memory, read-only and not; then the runs of the cell's memory that the guest may or may not write.
fn regions(own: &Own, space: &Space) -> Vec<kvm_userspace_memory_region> {
    let own_len = own.memory().len() as u64;
    let own_base = own.memory().address();
    let region = |physical, memory_size, userspace_addr, flags| kvm_userspace_memory_region {
        slot: 0,
        flags,
        guest_phys_addr: physical,
        memory_size,
        userspace_addr,
    };
    let mut regions = vec![
        region(0, READ_ONLY_LEN, own_base, KVM_MEM_READONLY),
        region(READ_ONLY_LEN, own_len.saturating_sub(READ_ONLY_LEN), own_base.saturating_add(READ_ONLY_LEN), 0),
    ];
    let base = space.memory().address();
    for run in runs(&space.layout().mappings()) {
        let flags = if run.writable { 0 } else { KVM_MEM_READONLY };
        regions.push(region(physical(run.offset), run.len, base.saturating_add(run.offset), flags));
    }
    regions
}

/// Neighbours in the cell's memory of which the guest may write all or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    offset: u64,
    len: u64,
    writable: bool,
}

fn runs(mappings: &[Mapping]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for mapping in mappings {
        let writable = mapping.access == Access::Write;
        match runs.last_mut() {
            Some(run) if run.writable == writable && run.offset.saturating_add(run.len) == mapping.offset => {
                run.len = run.len.saturating_add(mapping.len);
            }
            _ => runs.push(Run { offset: mapping.offset, len: mapping.len, writable }),
        }
    }
    runs
}

fn system_registers(own: &Own, optional: Optional) -> kvm_sregs {
    let data = segment(GUEST_DATA, 3, false);
    let table = |base, len: u16| kvm_dtable { base, limit: len.saturating_sub(1), padding: [0; 3] };
    kvm_sregs {
        cs: segment(GUEST_CODE, 0xb, true),
        ds: data,
        es: data,
        fs: data,
        gs: data,
        ss: data,
        tr: kvm_segment {
            base: own.tss(),
            limit: u32::from(TSS_LEN - 1),
            selector: TASK,
            type_: 0xb,
            present: 1,
            ..kvm_segment::default()
        },
        ldt: kvm_segment { type_: 2, unusable: 1, ..kvm_segment::default() },
        gdt: table(own.gdt(), GDT_LEN),
        idt: table(own.idt(), IDT_LEN),
        cr0: control::CR0,
        cr3: own.root(),
        cr4: control::cr4(optional),
        efer: control::EFER,
        apic_base: 0,
        ..kvm_sregs::default()
    }
}

/// A flat segment for CPL3.
fn segment(selector: u16, type_: u8, code: bool) -> kvm_segment {
    let (l, db) = if code { (1, 0) } else { (0, 1) };
    kvm_segment { base: 0, limit: u32::MAX, selector, type_, present: 1, dpl: 3, db, s: 1, l, g: 1, ..kvm_segment::default() }
}

fn extended_control() -> kvm_xcrs {
    let mut xcrs = kvm_xcrs { nr_xcrs: 1, ..kvm_xcrs::default() };
    if let Some(first) = xcrs.xcrs.first_mut() {
        *first = kvm_xcr { xcr: 0, value: XCR0, ..kvm_xcr::default() };
    }
    xcrs
}

/// Control registers.
mod control {
    use super::Optional;

    /// Protected mode, coprocessor, native errors, write protection, paging.
    pub(super) const CR0: u64 = 1 | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 16 | 1 << 31;
    /// Long mode, no-execute. System calls are off.
    pub(super) const EFER: u64 = 1 << 8 | 1 << 10 | 1 << 11;

    const TIME_STAMP_DISABLE: u64 = 1 << 2;
    const PHYSICAL_ADDRESS_EXTENSION: u64 = 1 << 5;
    const FXSR: u64 = 1 << 9;
    const SIMD_EXCEPTIONS: u64 = 1 << 10;
    const UMIP: u64 = 1 << 11;
    const OSXSAVE: u64 = 1 << 18;
    const SMEP: u64 = 1 << 20;
    const SMAP: u64 = 1 << 21;

    /// What every guest has, and what the processor has of the rest. RDTSC faults.
    pub(super) fn cr4(optional: Optional) -> u64 {
        let pick = |has: bool, bit: u64| if has { bit } else { 0 };
        TIME_STAMP_DISABLE
            | PHYSICAL_ADDRESS_EXTENSION
            | FXSR
            | SIMD_EXCEPTIONS
            | pick(optional.umip, UMIP)
            | pick(optional.xsave, OSXSAVE)
            | pick(optional.smep, SMEP)
            | pick(optional.smap, SMAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Part;

    #[test]
    fn neighbours_of_one_kind_share_a_slot_and_others_do_not() {
        let mapping = |offset, access| Mapping { part: Part::Image, address: 0, offset, len: 4096, access };
        let mappings =
            [mapping(0, Access::Execute), mapping(4096, Access::Read), mapping(8192, Access::Write), mapping(16384, Access::Write)];
        let expected = [(0, 8192, false), (8192, 4096, true), (16384, 4096, true)];
        assert_eq!(runs(&mappings), expected.map(|(offset, len, writable)| Run { offset, len, writable }));
    }

    #[test]
    fn an_interrupted_creation_is_tried_again_a_bounded_number_of_times() {
        let interrupted = || kvm_ioctls::Error::new(libc::EINTR);
        let mut calls = 0;
        let third = retried(|| {
            calls += 1;
            if calls < 3 { Err(interrupted()) } else { Ok(calls) }
        });
        assert_eq!(third.ok(), Some(3));
        let mut calls = 0;
        let never: Result<(), _> = retried(|| {
            calls += 1;
            Err(interrupted())
        });
        assert_eq!((never.map_err(errno), calls), (Err(Errno::INTR), CREATE_TRIES));
        let mut calls = 0;
        let refused: Result<(), _> = retried(|| {
            calls += 1;
            Err(kvm_ioctls::Error::new(libc::ENOMEM))
        });
        assert_eq!((refused.map_err(errno), calls), (Err(Errno::NOMEM), 1));
    }

    /// A guest shows this by CPUID (`tests/hostile`), but not on kvm-pvm, where its CPUID is the processor's own: so KVM is asked what it was told.
    /// Seen to fail: `tests/hostile/planted/all-features-told.patch`.
    #[test]
    fn a_vcpu_is_told_of_no_feature_that_its_guest_must_not_have() {
        if !std::path::Path::new("/dev/kvm").exists() {
            eprintln!("skipped: no /dev/kvm");
            return;
        }
        let kvm = open().unwrap();
        let vm = retried(|| kvm.create_vm()).unwrap();
        let vcpu = vm.create_vcpu(0).unwrap();
        tell_features(&kvm, &vcpu).unwrap();
        let told = vcpu.get_cpuid2(KVM_MAX_CPUID_ENTRIES).unwrap();
        let leaf =
            |function| told.as_slice().iter().find(|entry| (entry.function, entry.index) == (function, 0)).copied().unwrap_or_default();
        assert_ne!(leaf(1).edx, 0, "KVM says what it was told");
        let shown = [
            ("VMX", leaf(1).ecx >> 5 & 1),
            ("x2APIC", leaf(1).ecx >> 21 & 1),
            ("RDRAND", leaf(1).ecx >> 30 & 1),
            ("hypervisor", leaf(1).ecx >> 31 & 1),
            ("AVX-512", leaf(7).ebx >> 16 & 1),
            ("performance counters", leaf(0xa).eax & 0xff),
            ("KVM", leaf(0x4000_0000).eax),
            ("SVM", leaf(0x8000_0001).ecx >> 2 & 1),
        ];
        // kvm-pvm cannot hide these two of the processor's, and adds them to what it was told.
        let unhidden: &[&str] = if std::path::Path::new("/sys/module/kvm_pvm").exists() { &["RDRAND", "AVX-512"] } else { &[] };
        let shown = shown.into_iter().filter(|(name, bits)| *bits != 0 && !unhidden.contains(name));
        let shown: Vec<_> = shown.map(|(name, _)| name).collect();
        assert!(shown.is_empty(), "told of {shown:?}");
    }

    #[test]
    fn system_calls_stay_off_and_write_protection_on() {
        assert_eq!(control::EFER & 1, 0);
        assert_ne!(control::CR0 & (1 << 16), 0);
    }
}
