//! The machine for hosts without `/dev/kvm`: the same image in a traced child process.
//!
//! The child's address space holds the guest's regions and nothing else. It makes no system call: ptrace (SYSEMU) stops it at each, and
//! the kernel never runs one; the gate's `syscall` is the hypercall. So every stop is a real stop, however the guest lies, and lock-step
//! holds as it does on `kvm`. Behind that stand seccomp filters, no descriptors, no resources, namespaces of its own, and no clock.
//! ADR 0004 has the decision and its numbers.
//!
//! - `gate`: the program that the process is made from; `filter`: its seccomp filters;
//! - `spawn`: making the process; `tracee`: ruling it; `enclosure`: shutting it in;
//! - `watch`: which pages the guest writes, for a cell that is brought back;
//! - `verdict`: what a signal says about the guest.
//!
//! It never copies the tender into the child, starts no thread, and handles no signal.

mod enclosure;
mod filter;
mod gate;
mod spawn;
mod tracee;
mod verdict;
mod watch;

use core::time::Duration;

use abi::boot::MACHINE_PROCESS;
use abi::hypercall::PRIZE_REGISTERS;
use rustix::io::Errno;
use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};

use crate::cell::{Allow, Course, Machine, MissingWall, Stop, Written};
use crate::contest::Prize;
use crate::exit::{Cause, Registers};
use crate::fault::{HostFault, LoadFault, Step};
use crate::image::Image;
use crate::layout::{Mapping, Part};
use crate::limits::{TICK, TURN_STOPS_MAX};
use crate::space::{Parcel, Space};
use gate::Gate;
use spawn::Ground;
use tracee::{Halt, NO_CALL, SystemCall, Tracee, UserRegisters};
use watch::Watch;

/// One guest in its process. The process is declared first, so that it is gone before its memory is.
#[derive(Debug)]
pub(crate) struct Process {
    tracee: Tracee,
    gate: Gate,
    ground: Ground,
    fault_address: u64,
    space: Space,
    prize: Prize,
    watch: Option<Watch>,
}

impl Process {
    pub(crate) fn load(image: &Image, parcel: &Parcel, course: &Course) -> Result<Self, LoadFault> {
        let space = Space::load(MACHINE_PROCESS, &gate::CODE, image, parcel)?;
        let gate = Gate::new(space.layout().place(Part::Gate).address);
        pin();
        let host = |step| move |errno| LoadFault::Host(step, errno);
        let child = spawn::spawn(&gate.program(), space.memory().file(), course).map_err(host(Step::Spawn))?;
        let mut tracee = Tracee::adopt(child.pid).map_err(host(Step::Spawn))?;
        enclosure::map(&mut tracee, gate, &space, course).map_err(host(Step::Trace))?;
        let watch = match course {
            Course::Forward => None,
            Course::Rewindable(left_out) => Some(Watch::begin(&mut tracee, gate, &space, left_out).map_err(host(Step::Watch))?),
        };
        enclosure::close(&mut tracee, gate, &space).map_err(host(Step::Trace))?;
        let prize = Prize::of(parcel.contest.as_ref());
        Ok(Self { tracee, gate, ground: child.ground, fault_address: 0, space, prize, watch })
    }

    fn watch(&mut self) -> Result<&mut Watch, HostFault> {
        self.watch.as_mut().ok_or(HostFault::Host(Step::Watch, Errno::OPNOTSUPP))
    }

    /// What the guest's stop means; `None` where it may go on.
    fn judge(&mut self, halt: Halt, ticks: &mut Ticks) -> Result<Option<Stop>, Errno> {
        match halt {
            Halt::SystemCall => {
                let stop = hypercall(self.gate, &self.tracee.system_call()?);
                match self.prize.answer(stop) {
                    Ok(words) => self.answer(words).map(|()| None),
                    Err(stop) => Ok(Some(stop)),
                }
            }
            Halt::Signal(libc::SIGPROF) => Ok(ticks.count().map(Stop::Crash)),
            Halt::Signal(_) => self.judge_signal(),
            Halt::Gone(signal) => Ok(Some(Stop::Crash(Cause::Signal(signal)))),
        }
    }

    /// Puts these words into [`PRIZE_REGISTERS`], as if the emulated call had returned them.
    fn answer(&mut self, [rax, rcx, rdx, rsi]: [u64; PRIZE_REGISTERS.len()]) -> Result<(), Errno> {
        let before = self.tracee.registers()?;
        // No call any more: else the kernel might take the first word for one that is to be made again.
        self.tracee.set_registers(&UserRegisters { rax, rcx, rdx, rsi, orig_rax: NO_CALL, ..before })
    }

    fn judge_signal(&mut self) -> Result<Option<Stop>, Errno> {
        let info = match self.tracee.signal() {
            // A stop of job control, which is not the guest's doing.
            Err(Errno::INVAL) => return Ok(None),
            other => other?,
        };
        self.fault_address = verdict::fault_address(&info);
        let rip = self.tracee.registers()?.rip;
        Ok(verdict::cause(&info, rip).map(Stop::Crash))
    }
}

impl Machine for Process {
    fn space(&self) -> &Space {
        &self.space
    }

    fn space_mut(&mut self) -> &mut Space {
        &mut self.space
    }

    /// The budget is counted in processor time of the guest's, by a timer that rings in its own process: the tender needs neither a
    /// timer nor a signal handler, and a host that is short of processors makes no guest look hung.
    fn run(&mut self, budget: Duration) -> Result<Stop, HostFault> {
        let host = |errno| HostFault::Host(Step::Run, errno);
        let mut ticks = Ticks::new(budget);
        self.prize.begin_turn();
        for _ in 0..TURN_STOPS_MAX {
            let halt = self.tracee.run().map_err(host)?;
            if let Some(stop) = self.judge(halt, &mut ticks).map_err(host)? {
                return Ok(stop);
            }
        }
        Ok(Stop::Crash(Cause::Hung))
    }

    fn registers(&mut self) -> Result<Registers, HostFault> {
        match self.tracee.registers() {
            Ok(registers) => Ok(report(&registers, self.fault_address)),
            // Killed from outside: there are none any more.
            Err(Errno::SRCH) => Ok(Registers::default()),
            Err(errno) => Err(HostFault::Host(Step::Run, errno)),
        }
    }

    fn seal(&mut self) -> Result<(), HostFault> {
        enclosure::seal(&mut self.tracee, self.gate, &self.space).map_err(|errno| HostFault::Host(Step::Seal, errno))?;
        self.space.close_secrets()
    }

    fn mark(&mut self) -> Result<(), HostFault> {
        let registers = self.tracee.registers().map_err(|errno| HostFault::Host(Step::Watch, errno))?;
        self.watch()?.mark(registers).map_err(|errno| HostFault::Host(Step::Watch, errno))
    }

    fn written(&mut self) -> Result<Written, HostFault> {
        self.watch()?.written().map_err(|errno| HostFault::Host(Step::Watch, errno))
    }

    fn restore(&mut self) -> Result<(), HostFault> {
        let registers = self.watch()?.registers();
        let restored = registers.and_then(|registers| self.tracee.set_registers(&registers));
        restored.map_err(|errno| HostFault::Host(Step::Watch, errno))
    }

    fn syscalls(&self) -> Vec<Allow> {
        let pid = u64::from(self.tracee.pid().as_raw_nonzero().get().unsigned_abs());
        let ptrace = |request| Allow { number: libc::SYS_ptrace, args: vec![(0, request), (1, pid)] };
        let wait = Allow { number: libc::SYS_wait4, args: vec![(0, pid), (2, 0), (3, 0)] };
        let kill = Allow { number: libc::SYS_kill, args: vec![(0, pid), (1, u64::from(libc::SIGKILL.unsigned_abs()))] };
        let base = self.space.memory().address();
        let close = |mapping: Mapping| Allow {
            number: libc::SYS_mprotect,
            args: vec![(0, base.saturating_add(mapping.offset)), (1, mapping.len), (2, 0)],
        };
        let secrets = enclosure::secrets(&self.space).into_iter().map(close);
        tracee::REQUESTS.into_iter().map(ptrace).chain([wait, kill]).chain(secrets).collect()
    }

    fn missing(&self) -> Option<MissingWall> {
        match self.ground {
            Ground::OwnAsNobody | Ground::OwnWithUser => None,
            Ground::SharedAsNobody => Some(MissingWall::Namespaces),
            Ground::Shared => Some(MissingWall::NamespacesAndUser),
        }
    }
}

/// The guest's processor time in this turn, in whole ticks.
struct Ticks {
    left: u64,
}

impl Ticks {
    /// The first tick of a turn may come at once, so one more than the budget holds is the guest's last.
    fn new(budget: Duration) -> Self {
        Self { left: u64::try_from(budget.as_nanos().div_ceil(TICK.as_nanos())).unwrap_or(u64::MAX) }
    }

    fn count(&mut self) -> Option<Cause> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                None
            }
            None => Some(Cause::Hung),
        }
    }
}

/// A stop at a system call: a hypercall, if it came through the gate.
fn hypercall(gate: Gate, call: &SystemCall) -> Stop {
    /// `AUDIT_ARCH_X86_64`: not the 32-bit entry.
    const ARCHITECTURE: u32 = 0xc000_003e;
    /// `PTRACE_SYSCALL_INFO_ENTRY`.
    const ENTRY: u8 = 1;
    let through_gate = call.kind == ENTRY && call.architecture == ARCHITECTURE && call.rip == gate.behind_syscall();
    match (u32::try_from(call.number), u32::try_from(call.args[0])) {
        (Ok(number), Ok(value)) if through_gate => Stop::Hypercall { number, value },
        _ => Stop::Crash(Cause::BadHypercall(call.number)),
    }
}

fn report(registers: &UserRegisters, cr2: u64) -> Registers {
    let UserRegisters { rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, rip, .. } = *registers;
    let UserRegisters { r8, r9, r10, r11, r12, r13, r14, r15, eflags: rflags, .. } = *registers;
    Registers { rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15, rip, rflags, cr2 }
}

/// Binds this thread, and so the child, to the processor that it runs on. Only one of them runs at a time, and a hand-over on one
/// processor costs a fraction of one between two. Best effort: it is about speed alone.
fn pin() {
    let cpu = sched_getcpu();
    if cpu < CpuSet::MAX_CPU {
        let mut set = CpuSet::new();
        set.set(cpu);
        let _ = sched_setaffinity(None, &set);
    }
}

#[cfg(test)]
mod tests;
