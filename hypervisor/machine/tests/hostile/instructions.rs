//! What becomes of each instruction that a guest must not execute.

use machine::{Cause, Exit, Kind};

use super::cases::attack;
use super::guest::attack::{Attack, Kind as Try, SURVIVED};
use super::guest::good_guest_runs;

macro_rules! instructions {
    ($($name:literal: $($line:literal),+;)*) => { pub(crate) const NAMES: &[&str] = &[$($name),*]; };
}
include!("../../../../tests/hostile-guest/src/instructions.in");

/// Instructions that some hosts let pass, and what they are worth to a guest.
const MAY_PASS_KVM: &[&str] = &[
    // kvm-pvm runs the guest on the host's own CR4: TSD and FSGSBASE are the host's. A clock, and two registers of the guest's own.
    "rdtsc", "rdtscp", "rdfsbase", "wrgsbase",
    // A KVM hypercall from CPL3 gets EPERM (the guest loops for ever at any other answer).
    "vmcall", "vmmcall",
];

/// As above, for a process: two registers of the guest's own; what Linux answers with made-up values where UMIP is on; and what the
/// hypervisor answers, where the host is a virtual machine itself. The clock is not among them.
const MAY_PASS_PROCESS: &[&str] = &["rdfsbase", "wrgsbase", "sgdt", "sidt", "sldt", "str", "smsw", "vmcall", "vmmcall"];

/// Each instruction ends its guest, as the processor's manual says or as a virtual one may differ.
pub(crate) fn each_ends_its_guest(machine: Kind) {
    for (number, name) in (0..).zip(NAMES) {
        attack(machine, Attack { kind: Try::Instruction, target: number, offset: 0 }, |_, exit| match machine {
            Kind::Kvm => judge_kvm(name, exit),
            Kind::Process => judge_process(name, exit),
        });
    }
    good_guest_runs(machine);
}

fn judge_kvm(name: &str, exit: &Exit) {
    let cause = match exit {
        Exit::Exit(SURVIVED) if MAY_PASS_KVM.contains(&name) => return,
        Exit::Crash(crash) => crash.cause,
        other => panic!("{name}: {other:?}"),
    };
    let fits = match (name, cause) {
        ("rep outsb to wait" | "out of 8 bits to wait" | "out of 16 bits to wait" | "in from wait", Cause::ForbiddenPort(0x5b0)) => true,
        ("out between hypercalls", Cause::ForbiddenPort(0x5b1)) => true,
        ("int3", Cause::Exception { vector: 3, .. }) => true,
        ("int1" | "trap flag", Cause::Exception { vector: 1, .. }) => true,
        ("divide by zero", Cause::Exception { vector: 0, .. }) => true,
        // kvm-pvm takes SYSCALL whatever EFER says, and goes to LSTAR, which is 0, in CPL3: nothing is there.
        ("syscall", Cause::Exception { vector: 14, error_code: 0x14 }) => true,
        // The other vendor's hypercall instruction: KVM would patch it in the guest's text, and as that cannot be written, says so.
        ("vmcall" | "vmmcall", Cause::Exception { vector: 14, error_code: 0x7 }) => true,
        ("out across into crash" | "cli" | "sti" | "hlt" | "out imm8" | "in imm8" | "insb", Cause::Exception { vector, .. }) => {
            vector == 13
        }
        (_, Cause::Exception { vector: 13 | 6, .. }) => true,
        _ => false,
    };
    assert!(fits, "{name}: {cause}");
}

fn judge_process(name: &str, exit: &Exit) {
    match exit {
        Exit::Exit(SURVIVED) => assert!(MAY_PASS_PROCESS.contains(&name), "{name} had no effect"),
        Exit::Crash(crash) => {
            let fits = match (name, crash.cause) {
                ("int3", Cause::Exception { vector, .. }) => vector == 3,
                ("int1" | "trap flag", Cause::Exception { vector, .. }) => vector == 1,
                ("divide by zero", Cause::Exception { vector, .. }) => vector == 0,
                (_, Cause::Exception { vector: 13 | 6, .. }) => true,
                ("syscall" | "sysenter" | "int 0x80", Cause::BadHypercall(_)) => true,
                // Intel's processors take SYSENTER in 64-bit code. Before it is a system call Linux reads the stack at the low half of RBP, where a guest has
                // nothing, and sends it to the 32-bit vdso, which is not there.
                ("sysenter", Cause::Exception { vector: 14, error_code: 0x14 }) => true,
                // A host that is a virtual machine itself: its hypervisor would patch the other vendor's instruction, as above.
                ("vmcall" | "vmmcall", Cause::Exception { vector: 14, .. }) => true,
                _ => false,
            };
            assert!(fits, "{name}: {crash}");
        }
        other => panic!("{name}: {other:?}"),
    }
}

/// How far apart the closed ports lie that are tried: a prime, so that every low byte comes. `make soak` sets 1, which tries them all.
const PORT_STEP: &str = "PORT_STEP";

/// Every port but the hypercalls' is closed both ways: the border cases, and every 251st of the rest.
pub(crate) fn closed_ports_fault(machine: Kind) {
    let open = abi::hypercall::WAIT..abi::hypercall::CRASH;
    let around = abi::hypercall::WAIT - 8..abi::hypercall::CRASH + 8;
    let step = std::env::var(PORT_STEP).ok().and_then(|step| step.parse().ok()).unwrap_or(251);
    let ports = (0..65_536).step_by(step).chain(around).chain([0x20, 0x21, 0x60, 0x64, 0x70, 0x80, 0xcf8, 0xcfc, 0x3f8, 0xffff]);
    for port in ports.filter(|port| !open.contains(port)) {
        for kind in [Try::Out, Try::In] {
            attack(machine, Attack { kind, target: port, offset: 0 }, |_, exit| {
                let Exit::Crash(crash) = exit else { panic!("{kind:?} {port:#x}: {exit:?}") };
                assert_eq!(crash.cause, Cause::Exception { vector: 13, error_code: 0 }, "{kind:?} {port:#x}");
            });
        }
    }
    good_guest_runs(machine);
}
