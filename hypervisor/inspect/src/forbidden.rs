//! The instructions that an image of ours never holds.
//!
//! What reaches the kernel or the machine, what is privileged, and what would be an input that nobody recorded: time, randomness, the
//! tables' addresses. `cpuid` and `xgetbv` stay: `ring` and `chacha20` choose their code by them, and the machine decides what they say.
//! `ud2` stays: it is how a program says that it will not go on.

use iced_x86::{Code, Instruction, Mnemonic, OpKind, Register};

/// Whether an image must not hold `instruction`.
#[must_use]
pub fn is_forbidden(instruction: &Instruction) -> bool {
    enters_kernel(instruction.mnemonic())
        || does_io(instruction.mnemonic())
        || is_hidden_input(instruction.mnemonic())
        || changes_world(instruction.mnemonic())
        || instruction.is_privileged()
        || is_far(instruction)
        || touches_system_register(instruction)
}

/// Leaves ring 3 on purpose.
fn enters_kernel(mnemonic: Mnemonic) -> bool {
    use Mnemonic::{
        Enclu, Int, Int1, Int3, Into, Iret, Iretd, Iretq, Syscall, Sysenter, Sysexit, Sysexitq, Sysret, Sysretq, Vmcall, Vmfunc, Vmgexit,
        Vmmcall,
    };
    matches!(
        mnemonic,
        Syscall
            | Sysenter
            | Sysexit
            | Sysexitq
            | Sysret
            | Sysretq
            | Int
            | Int1
            | Int3
            | Into
            | Iret
            | Iretd
            | Iretq
            | Vmcall
            | Vmmcall
            | Vmfunc
            | Vmgexit
            | Enclu
    )
}

/// Ports, and what only ring 0 or an open bitmap may do with them.
fn does_io(mnemonic: Mnemonic) -> bool {
    use Mnemonic::{Cli, In, Insb, Insd, Insw, Out, Outsb, Outsd, Outsw, Sti};
    matches!(mnemonic, In | Insb | Insw | Insd | Out | Outsb | Outsw | Outsd | Cli | Sti)
}

/// Time, randomness, and what tells where the machine's tables lie.
fn is_hidden_input(mnemonic: Mnemonic) -> bool {
    use Mnemonic::{Rdpid, Rdpmc, Rdrand, Rdseed, Rdtsc, Rdtscp, Sgdt, Sidt, Sldt, Smsw, Str};
    matches!(mnemonic, Rdtsc | Rdtscp | Rdrand | Rdseed | Rdpmc | Rdpid | Sgdt | Sidt | Sldt | Str | Smsw)
}

/// Changes what the machine has set up, or waits without the gate.
fn changes_world(mnemonic: Mnemonic) -> bool {
    use Mnemonic::{
        Clac, Hlt, Invd, Invlpg, Lgdt, Lidt, Lldt, Lmsw, Ltr, Monitor, Monitorx, Mwait, Mwaitx, Rdfsbase, Rdgsbase, Rdmsr, Rdpkru, Stac,
        Swapgs, Tpause, Umonitor, Umwait, Wbinvd, Wbnoinvd, Wrfsbase, Wrgsbase, Wrmsr, Wrpkru, Xsetbv,
    };
    matches!(
        mnemonic,
        Hlt | Rdmsr
            | Wrmsr
            | Lgdt
            | Lidt
            | Ltr
            | Lldt
            | Lmsw
            | Invlpg
            | Invd
            | Wbinvd
            | Wbnoinvd
            | Swapgs
            | Xsetbv
            | Rdfsbase
            | Rdgsbase
            | Wrfsbase
            | Wrgsbase
            | Rdpkru
            | Wrpkru
            | Clac
            | Stac
            | Monitor
            | Monitorx
            | Mwait
            | Mwaitx
            | Umonitor
            | Umwait
            | Tpause
    )
}

/// A jump, call or return to another code segment.
fn is_far(instruction: &Instruction) -> bool {
    instruction.is_jmp_far()
        || instruction.is_jmp_far_indirect()
        || instruction.is_call_far()
        || instruction.is_call_far_indirect()
        || instruction.mnemonic() == Mnemonic::Retf
}

/// A control, debug or segment register as an operand. `mov` from a segment register is harmless but never emitted, so it is told as well.
fn touches_system_register(instruction: &Instruction) -> bool {
    let is_load = matches!(instruction.code(), Code::Lss_r32_m1632 | Code::Lfs_r32_m1632 | Code::Lgs_r32_m1632);
    let system = |register: Register| register.is_cr() || register.is_dr() || register.is_tr() || register.is_segment_register();
    is_load || (0..instruction.op_count()).any(|n| instruction.op_kind(n) == OpKind::Register && system(instruction.op_register(n)))
}
