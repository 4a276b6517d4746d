//! What is put round the guest's process before the guest's first instruction.
//!
//! The kernel has just executed the gate program, so the process holds that page, a stack, and the kernel's own pages. All but the gate
//! is unmapped; then come the guest's mappings, each with one kind of access; then every way back is closed: descriptors, the
//! clock, system calls. The tender does it from outside, in the process' name, and knows of each step that it was done.

use core::ffi::{c_int, c_long};

use rustix::fd::AsRawFd;
use rustix::io::Errno;

use super::gate::Gate;
use super::tracee::{FLAGS, NO_CALL, Tracee, UserRegisters};
use crate::cell::Course;
use crate::image::Access;
use crate::layout::{Mapping, Part};
use crate::space::Space;

/// The end of what a process may map: the lower half less its last page.
const USER_END: u64 = (1 << 47) - 4096;

/// Empties the process and puts the guest's regions in.
///
/// # Errors
/// What the kernel said to the first step that it refused.
pub(super) fn map(tracee: &mut Tracee, gate: Gate, space: &Space, course: &Course) -> Result<(), Errno> {
    unmap_all_but(tracee, gate)?;
    for mapping in space.layout().mappings().iter().filter(|mapping| mapping.part != Part::Gate) {
        map_one(tracee, gate, space, mapping, course)?;
    }
    Ok(())
}

/// Closes every way back and puts the guest at its entry.
///
/// # Errors
/// What the kernel said to the first step that it refused.
pub(super) fn close(tracee: &mut Tracee, gate: Gate, space: &Space) -> Result<(), Errno> {
    for (number, args) in last_calls(gate) {
        tracee.call(gate, number, args)?;
    }
    enter(tracee, space)
}

/// Takes seed and bundle out of the process, and the last system calls.
///
/// # Errors
/// What the kernel said to the first step that it refused.
pub(super) fn seal(tracee: &mut Tracee, gate: Gate, space: &Space) -> Result<(), Errno> {
    let before = tracee.registers()?;
    for mapping in secrets(space) {
        tracee.call(gate, libc::SYS_munmap, [mapping.address, mapping.len, 0, 0, 0, 0])?;
    }
    tracee.call(gate, libc::SYS_seccomp, set_filter(gate.sealed_filter()))?;
    tracee.set_registers(&UserRegisters { orig_rax: NO_CALL, ..before })
}

/// What `seal` takes.
pub(super) fn secrets(space: &Space) -> Vec<Mapping> {
    space.layout().mappings().into_iter().filter(|mapping| matches!(mapping.part, Part::Seed | Part::Bundle)).collect()
}

fn unmap_all_but(tracee: &mut Tracee, gate: Gate) -> Result<(), Errno> {
    for (start, end) in [(0, gate.base()), (gate.end(), USER_END)] {
        tracee.call(gate, libc::SYS_munmap, [start, end.saturating_sub(start), 0, 0, 0, 0])?;
    }
    Ok(())
}

fn map_one(tracee: &mut Tracee, gate: Gate, space: &Space, mapping: &Mapping, course: &Course) -> Result<(), Errno> {
    let access = match mapping.access {
        Access::Read => libc::PROT_READ,
        Access::Write => libc::PROT_READ | libc::PROT_WRITE,
        Access::Execute => libc::PROT_READ | libc::PROT_EXEC,
    };
    let (kind, file, offset) = match mapping.part {
        // Nobody but the guest ever needs these, so they are the process' own and the tender cannot even see them; but one that brings the guest back must.
        Part::Stack | Part::Heap if *course == Course::Forward => (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0),
        _ => (libc::MAP_SHARED, space.memory().file().as_raw_fd(), mapping.offset),
    };
    let flags = kind | libc::MAP_FIXED_NOREPLACE | libc::MAP_NORESERVE;
    let args = [mapping.address, mapping.len, word(access), word(flags), word(file), offset];
    // A kernel that does not know MAP_FIXED_NOREPLACE may map elsewhere.
    if tracee.call(gate, libc::SYS_mmap, args)? == mapping.address { Ok(()) } else { Err(Errno::EXIST) }
}

fn last_calls(gate: Gate) -> [(c_long, [u64; 6]); 6] {
    let prctl = |option, value| (libc::SYS_prctl, [word(option), word(value), 0, 0, 0, 0]);
    [
        (libc::SYS_close_range, [0, u64::from(u32::MAX), 0, 0, 0, 0]),
        // No READ_IMPLIES_EXEC, no compatibility layout: whatever the tender was started with.
        (libc::SYS_personality, [0; 6]),
        // Nobody else may look inside, and it leaves no core.
        prctl(libc::PR_SET_DUMPABLE, 0),
        // `rdtsc` faults: the guest's only clock is what `wait` tells it.
        prctl(libc::PR_SET_TSC, libc::PR_TSC_SIGSEGV),
        // Against a guest that does not end its turn: see `Process::run`.
        (libc::SYS_setitimer, [word(libc::ITIMER_PROF), gate.timer(), 0, 0, 0, 0]),
        (libc::SYS_seccomp, set_filter(gate.sealing_filter())),
    ]
}

fn set_filter(address: u64) -> [u64; 6] {
    [u64::from(libc::SECCOMP_SET_MODE_FILTER), 0, address, 0, 0, 0]
}

fn enter(tracee: &mut Tracee, space: &Space) -> Result<(), Errno> {
    let UserRegisters { cs, ss, ds, es, fs, gs, .. } = tracee.registers()?;
    let rdi = space.layout().place(Part::Boot).address;
    let (rip, rsp) = (space.entry(), space.stack_pointer());
    let clean = UserRegisters { cs, ss, ds, es, fs, gs, ..UserRegisters::default() };
    tracee.set_registers(&UserRegisters { rip, rsp, rdi, eflags: FLAGS, orig_rax: NO_CALL, ..clean })
}

/// An `int` as it is passed to a system call.
fn word(value: c_int) -> u64 {
    i64::from(value).cast_unsigned()
}
