//! The machine on hardware virtualisation: one vCPU that never leaves CPL3.
//!
//! The guest has no kernel. Its page tables, descriptor tables and the stub page that reports its exceptions are the machine's own memory,
//! which its address space does not hold. It gets out only by a 32-bit `out` through the gate to one of [`hypercall::ALL`] (and, in a contest's cell, to
//! [`hypercall::PRIZE`]), which its TSS opens; all else faults. When it has started no ioctl is needed but `KVM_RUN`: exits and registers are read from the vCPU's
//! shared page, and seed and bundle are unmapped by plain writes to the page tables.

mod cpuid;
mod descriptors;
mod own;
mod stub;
mod tables;
mod ticker;
mod vm;

use core::time::Duration;
use std::os::fd::AsRawFd;

use abi::boot::MACHINE_KVM;
use abi::hypercall::{self, CRASH, PRIZE, PRIZE_REGISTERS};
use abi::limits::PAGE_LEN;
use kvm_bindings::{KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_MEMORY_FAULT, kvm_regs};
use kvm_ioctls::{SyncReg, VcpuExit, VcpuFd, VmFd};
use rustix::io::Errno;

use crate::cell::{Allow, Machine, Stop, Written};
use crate::contest::Prize;
use crate::exit::{Cause, Registers};
use crate::fault::{HostFault, LoadFault, Step};
use crate::image::Image;
use crate::layout::{Layout, Mapping, Part};
use crate::space::{Parcel, Space};
use own::Own;
use stub::Frame;
use ticker::{Signals, Ticker};

/// The gate: `mov edx, edi; mov eax, esi; out dx, eax; ret`.
const GATE: [u8; 6] = [0x89, 0xfa, 0x89, 0xf0, 0xef, 0xc3];

/// `KVM_RUN`, as `linux/kvm.h` has it.
const KVM_RUN: u64 = 0xae80;
/// `KVM_SET_SIGNAL_MASK`.
const KVM_SET_SIGNAL_MASK: libc::c_ulong = 0x4004_ae8b;

/// A guest on a vCPU. The order of the fields is the order of their end: the virtual machine goes before the memory that it uses.
pub(crate) struct Kvm {
    vcpu: VcpuFd,
    _vm: VmFd,
    ticker: Ticker,
    own: Own,
    space: Space,
    prize: Prize,
    reported: bool,
    marked: Option<kvm_regs>,
}

impl Kvm {
    /// Sets up a virtual machine with `image` in it, and tries its gate.
    pub(crate) fn load(image: &Image, parcel: &Parcel) -> Result<Self, LoadFault> {
        let kvm = vm::open()?;
        let space = Space::load(MACHINE_KVM, &GATE, image, parcel)?;
        let prize = Prize::of(parcel.contest.as_ref());
        let own = Own::new(space.layout(), &prize)?;
        let vm = vm::create(&kvm, &own, &space)?;
        let vcpu = vm::create_vcpu(&kvm, &vm, &own)?;
        let ticker = Ticker::start()?;
        block_signals(&vcpu, ticker.blocked_in_run())?;
        let mut machine = Self { vcpu, _vm: vm, ticker, own, space, prize, reported: false, marked: None };
        machine.probe()?;
        let boot = machine.space.layout().place(Part::Boot).address;
        machine.set_registers(&vm::registers(machine.space.entry(), machine.space.stack_pointer(), boot, 0))?;
        Ok(machine)
    }

    /// Lets the vCPU go through the gate, from CPL3, once.
    fn probe(&mut self) -> Result<(), LoadFault> {
        let gate = self.space.layout().place(Part::Gate).address;
        self.set_registers(&vm::registers(gate, self.space.stack_pointer(), u64::from(hypercall::WAIT), PROBE.into()))?;
        let stop = self.run(PROBE_BUDGET)?;
        if stop != (Stop::Hypercall { number: hypercall::WAIT, value: PROBE }) {
            return Err(LoadFault::HostGate);
        }
        self.finish_out()
    }

    /// Lets KVM finish the `out` at which the vCPU stands, without running the guest.
    fn finish_out(&mut self) -> Result<(), LoadFault> {
        self.vcpu.set_kvm_immediate_exit(1);
        let interrupted = self.vcpu.run().map(drop);
        self.vcpu.set_kvm_immediate_exit(0);
        match interrupted {
            Err(fault) if vm::errno(fault) == Errno::INTR => Ok(()),
            _ => Err(LoadFault::HostGate),
        }
    }

    fn set_registers(&self, registers: &kvm_regs) -> Result<(), LoadFault> {
        self.vcpu.set_regs(registers).map_err(|fault| LoadFault::Host(Step::Registers, vm::errno(fault)))
    }

    /// Has KVM put these words into [`PRIZE_REGISTERS`] when it lets the guest go on. It takes them from the vCPU's shared page, so this needs no ioctl; all other
    /// registers stand there as they were at the exit, and the `out` is finished as any is.
    fn answer(&mut self, [rax, rcx, rdx, rsi]: [u64; PRIZE_REGISTERS.len()]) {
        let registers = &mut self.vcpu.sync_regs_mut().regs;
        *registers = kvm_regs { rax, rcx, rdx, rsi, ..*registers };
        self.vcpu.set_sync_dirty_reg(SyncReg::Register);
    }

    /// What the stub page has reported.
    fn exception(&mut self, vector: u8) -> Stop {
        self.reported = true;
        match Frame::read(self.own.stack()) {
            Some(frame) if frame.is_of_guest() => Stop::Crash(Cause::Exception { vector, error_code: frame.error_code }),
            _ => Stop::Crash(Cause::Machine(KVM_EXIT_INTERNAL_ERROR)),
        }
    }
}

/// The value that the probe sends through the gate.
const PROBE: u32 = 0x6761_7465;
/// How long the probe may take.
const PROBE_BUDGET: Duration = Duration::from_secs(1);

impl Machine for Kvm {
    fn space(&self) -> &Space {
        &self.space
    }

    fn space_mut(&mut self) -> &mut Space {
        &mut self.space
    }

    fn run(&mut self, budget: Duration) -> Result<Stop, HostFault> {
        let mut ticks = Ticker::ticks(budget);
        self.prize.begin_turn();
        loop {
            let fault = match self.vcpu.run() {
                Ok(VcpuExit::IoOut(port, data)) => {
                    let out = Out::new(port, data);
                    if let Some(vector) = out.vector() {
                        return Ok(self.exception(vector));
                    }
                    let stop = out.judge(&self.prize);
                    match self.prize.answer(stop) {
                        Ok(words) => self.answer(words),
                        Err(stop) => return Ok(stop),
                    }
                    continue;
                }
                Ok(VcpuExit::IoIn(port, _)) => return Ok(Stop::Crash(Cause::ForbiddenPort(port))),
                Ok(VcpuExit::Intr) => Errno::INTR,
                Ok(VcpuExit::MemoryFault { .. }) => Errno::FAULT,
                Ok(_) => return Ok(Stop::Crash(Cause::Machine(self.vcpu.get_kvm_run().exit_reason))),
                Err(fault) => vm::errno(fault),
            };
            match fault {
                Errno::INTR if !self.ticker.take() => {}
                Errno::INTR if ticks == 0 => return Ok(Stop::Crash(Cause::Hung)),
                Errno::INTR => ticks = ticks.saturating_sub(1),
                Errno::FAULT => return Ok(Stop::Crash(Cause::Machine(KVM_EXIT_MEMORY_FAULT))),
                errno => return Err(HostFault::Host(Step::Run, errno)),
            }
        }
    }

    fn registers(&mut self) -> Result<Registers, HostFault> {
        let now = general(&self.vcpu.sync_regs().regs);
        let frame = Frame::read(self.own.stack()).filter(|_| self.reported);
        Ok(frame.map_or(now, |frame| frame.registers(now)))
    }

    fn seal(&mut self) -> Result<(), HostFault> {
        for mapping in secrets(self.space.layout()) {
            self.own.unmap(&mapping);
        }
        // Closing takes the pages from this process, at which KVM forgets all it has cached of them; the next walk finds them unmapped.
        self.space.close_secrets()
    }

    fn mark(&mut self) -> Result<(), HostFault> {
        self.finish_out().map_err(|_| HostFault::Host(Step::Watch, Errno::IO))?;
        let registers = self.vcpu.get_regs().map_err(|fault| HostFault::Host(Step::Watch, vm::errno(fault)))?;
        self.marked = Some(registers);
        Ok(())
    }

    /// KVM could log them, but each fault that this takes costs a way through the host: comparing all is faster (ADR 12).
    fn written(&mut self) -> Result<Written, HostFault> {
        Ok(Written::Unknown)
    }

    /// The vCPU stands behind an `out` that KVM may still have to finish, which must not fall into what is put back.
    fn restore(&mut self) -> Result<(), HostFault> {
        self.finish_out().map_err(|_| HostFault::Host(Step::Watch, Errno::IO))?;
        let registers = self.marked.ok_or(HostFault::Host(Step::Watch, Errno::INVAL))?;
        self.vcpu.set_regs(&registers).map_err(|fault| HostFault::Host(Step::Watch, vm::errno(fault)))
    }

    fn syscalls(&self) -> Vec<Allow> {
        let descriptor = u64::try_from(self.vcpu.as_raw_fd()).unwrap_or(u64::MAX);
        let run = Allow { number: libc::SYS_ioctl, args: vec![(0, descriptor), (1, KVM_RUN), (2, 0)] };
        let tick = Allow { number: libc::SYS_rt_sigtimedwait, args: Vec::new() };
        let base = self.space.memory().address();
        let close = |mapping: Mapping| Allow {
            number: libc::SYS_mprotect,
            args: vec![(0, base.saturating_add(mapping.offset)), (1, mapping.len), (2, 0)],
        };
        [run, tick].into_iter().chain(secrets(self.space.layout()).map(close)).collect()
    }
}

/// One `out` of the vCPU.
#[derive(Debug, Clone, Copy)]
struct Out {
    port: u16,
    /// `None` where it was not one `out` of 32 bits.
    value: Option<u32>,
}

impl Out {
    fn new(port: u16, data: &[u8]) -> Self {
        Self { port, value: data.try_into().ok().map(u32::from_le_bytes) }
    }

    /// The vector, where it was the stub page that reported. The guest cannot reach that port: its bit in the bitmap is set.
    fn vector(self) -> Option<u8> {
        let value = self.value.filter(|_| u32::from(self.port) == CRASH)?;
        u8::try_from(value).ok()
    }

    fn judge(self, prize: &Prize) -> Stop {
        let number = u32::from(self.port);
        match self.value {
            Some(value) if hypercall::ALL.contains(&number) || number == PRIZE && prize.is_there() => Stop::Hypercall { number, value },
            _ => Stop::Crash(Cause::ForbiddenPort(self.port)),
        }
    }
}

fn secrets(layout: &Layout) -> impl Iterator<Item = Mapping> {
    layout.mappings().into_iter().filter(|mapping| matches!(mapping.part, Part::Seed | Part::Bundle))
}

fn general(regs: &kvm_regs) -> Registers {
    let kvm_regs { rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rip, rflags } = *regs;
    Registers { rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15, rip, rflags, cr2: 0 }
}

/// Says which signals are blocked inside `KVM_RUN`.
fn block_signals(vcpu: &VcpuFd, signals: Signals) -> Result<(), LoadFault> {
    /// `struct kvm_signal_mask` with its set behind it.
    #[repr(C)]
    struct SignalMask {
        len: u32,
        set: [u8; 8],
    }
    let mask = SignalMask { len: 8, set: signals.0.to_le_bytes() };
    // SAFETY: the descriptor is a live vCPU's; the kernel reads `len` and then that many bytes of `set`, which are all there.
    let result = unsafe { libc::ioctl(vcpu.as_raw_fd(), KVM_SET_SIGNAL_MASK, &raw const mask) };
    if result == 0 { Ok(()) } else { Err(LoadFault::Host(Step::Signal, Errno::INVAL)) }
}

const _: () = assert!(GATE.len() <= PAGE_LEN, "the gate fits its page");
