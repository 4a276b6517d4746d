//! A traced process, and the requests that the tender makes of it.
//!
//! Invariants: `pid` is an unreaped child that the thread which made this value traces (ptrace binds to a thread, so this value is not
//! `Send`); between two methods the child stands still or is gone. Dropping it kills and reaps the child. It dies with the tracing
//! thread too (PTRACE_O_EXITKILL).

use core::ffi::{c_long, c_void};
use core::marker::PhantomData;
use core::ptr;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::gate::Gate;
use super::spawn::{errno, last_error};
use crate::limits::CALL_STOPS_MAX;

/// A child that stands still, or is gone.
#[derive(Debug)]
pub(super) struct Tracee {
    pid: Pid,
    gone: bool,
    thread: PhantomData<*const ()>,
}

/// How the child stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// At the entry of a system call that the kernel will not run.
    SystemCall,
    /// Before it would have received this signal.
    Signal(i32),
    /// For good, by this signal (0: it ended by itself).
    Gone(i32),
}

/// How the child goes on. The values are ptrace's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resume {
    /// Until its next system call, which is not run.
    Emulated = 31,
    /// For one instruction; if that is a system call, it is run.
    Step = 9,
}

/// The requests that a jailed tender makes, as ptrace numbers them.
pub(super) const REQUESTS: [u64; 6] =
    [Resume::Emulated as u64, Resume::Step as u64, GET_REGISTERS as u64, SET_REGISTERS as u64, GET_CALL as u64, GET_SIGNAL as u64];

const GET_REGISTERS: c_long = 12;
const SET_REGISTERS: c_long = 13;
const SET_OPTIONS: c_long = 0x4200;
const GET_SIGNAL: c_long = 0x4202;
const GET_CALL: c_long = 0x420e;

/// PTRACE_O_TRACESYSGOOD: a stop at a system call is told from a SIGTRAP. PTRACE_O_EXITKILL.
const OPTIONS: usize = 1 | (1 << 20);
const SYSTEM_CALL_STOP: i32 = libc::SIGTRAP | 0x80;

impl Tracee {
    /// Takes over a child that [`spawn`](super::spawn::spawn) made, and waits until it stands before its program's first instruction.
    ///
    /// # Errors
    /// `NOEXEC` where the child died on the way; what the kernel says.
    pub(super) fn adopt(pid: Pid) -> Result<Self, Errno> {
        let mut tracee = Self { pid, gone: false, thread: PhantomData };
        match tracee.wait()? {
            Halt::Signal(libc::SIGTRAP) => tracee.request(SET_OPTIONS, OPTIONS).map(|()| tracee),
            _ => Err(Errno::NOEXEC),
        }
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Lets the child go on until it stops at a system call, which is not run, or at a signal, which it does not receive.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn run(&mut self) -> Result<Halt, Errno> {
        self.resume(Resume::Emulated)
    }

    /// Makes a system call in the child's name, by the gate's instruction. The child's registers are not the same afterwards.
    ///
    /// # Errors
    /// What the call returned; `PERM` where a filter refused it; `FAULT` where the child did anything else.
    pub(super) fn call(&mut self, gate: Gate, number: c_long, args: [u64; 6]) -> Result<u64, Errno> {
        let [rdi, rsi, rdx, r10, r8, r9] = args;
        let rax = number.cast_unsigned();
        let before = self.registers()?;
        let call = UserRegisters { rip: gate.syscall(), rax, rdi, rsi, rdx, r10, r8, r9, ..before };
        self.set_registers(&UserRegisters { orig_rax: NO_CALL, eflags: FLAGS, ..call })?;
        for _ in 0..CALL_STOPS_MAX {
            let halt = self.resume(Resume::Step)?;
            let after = self.registers()?;
            match halt {
                Halt::Signal(libc::SIGTRAP) if after.rip == gate.behind_syscall() => return returned(after.rax),
                Halt::Signal(libc::SIGSYS) => return Err(Errno::PERM),
                // The stop that ends an emulated call, or the timer, came first.
                Halt::Signal(libc::SIGTRAP | libc::SIGPROF) if after.rip == gate.syscall() => {}
                _ => return Err(Errno::FAULT),
            }
        }
        Err(Errno::AGAIN)
    }

    /// The child's registers.
    ///
    /// # Errors
    /// `SRCH` where it is gone.
    pub(super) fn registers(&self) -> Result<UserRegisters, Errno> {
        let mut registers = UserRegisters::default();
        // SAFETY: PTRACE_GETREGS writes a `struct user_regs_struct`, which `UserRegisters` is.
        unsafe { self.exchange(GET_REGISTERS, 0, (&raw mut registers).cast()) }?;
        Ok(registers)
    }

    /// Sets the child's registers.
    ///
    /// # Errors
    /// `SRCH` where it is gone; `IO` where a value is none that user mode may have.
    pub(super) fn set_registers(&mut self, registers: &UserRegisters) -> Result<(), Errno> {
        // SAFETY: PTRACE_SETREGS reads a `struct user_regs_struct`, which `UserRegisters` is, and does not write it.
        unsafe { self.exchange(SET_REGISTERS, 0, ptr::from_ref(registers).cast_mut().cast()) }
    }

    /// The system call at which the child stands.
    ///
    /// # Errors
    /// `SRCH` where it is gone.
    pub(super) fn system_call(&self) -> Result<SystemCall, Errno> {
        let mut call = SystemCall::default();
        // SAFETY: PTRACE_GET_SYSCALL_INFO writes at most as many bytes of `struct ptrace_syscall_info` as its address argument says.
        unsafe { self.exchange(GET_CALL, size_of::<SystemCall>(), (&raw mut call).cast()) }?;
        Ok(call)
    }

    /// What the kernel says of the signal at which the child stands.
    ///
    /// # Errors
    /// `SRCH` where it is gone; `INVAL` where it does not stand at a signal.
    pub(super) fn signal(&self) -> Result<SignalInfo, Errno> {
        let mut info = SignalInfo::default();
        // SAFETY: PTRACE_GETSIGINFO writes a `siginfo_t`: 128 bytes, which `SignalInfo` is.
        unsafe { self.exchange(GET_SIGNAL, 0, (&raw mut info).cast()) }?;
        Ok(info)
    }

    fn resume(&mut self, how: Resume) -> Result<Halt, Errno> {
        match self.request(how as c_long, 0) {
            // Killed while it stood; waiting says by what.
            Err(Errno::SRCH) if !self.gone => self.wait(),
            other => other.and_then(|()| self.wait()),
        }
    }

    fn wait(&mut self) -> Result<Halt, Errno> {
        let awaited = rustix::io::retry_on_intr(|| waitpid(Some(self.pid), WaitOptions::empty()))?;
        let (_, status) = awaited.ok_or(Errno::CHILD)?;
        self.gone = !status.stopped();
        Ok(match status.stopping_signal() {
            Some(SYSTEM_CALL_STOP) => Halt::SystemCall,
            Some(signal) => Halt::Signal(signal),
            None => Halt::Gone(status.terminating_signal().unwrap_or(0)),
        })
    }

    /// A request that has no pointer.
    fn request(&self, request: c_long, data: usize) -> Result<(), Errno> {
        // SAFETY: none of the requests made here (resume, options) takes `data` for a pointer.
        unsafe { self.exchange(request, 0, ptr::without_provenance_mut(data)) }
    }

    /// # Safety
    /// `data` is what `request` reads or writes through it, if anything.
    unsafe fn exchange(&self, request: c_long, address: usize, data: *mut c_void) -> Result<(), Errno> {
        let pid = c_long::from(self.pid.as_raw_nonzero().get());
        // SAFETY: the kernel touches memory of this process only through `data`, as the caller vouches.
        let result = unsafe { libc::syscall(libc::SYS_ptrace, request, pid, address, data) };
        if result == -1 { Err(last_error()) } else { Ok(()) }
    }
}

impl Drop for Tracee {
    /// Nothing can be done about an error here: the child dies with this thread at the latest.
    fn drop(&mut self) {
        if self.gone || kill_process(self.pid, Signal::KILL).is_err() {
            return;
        }
        while !self.gone && self.wait().is_ok() {}
    }
}

/// A kernel's answer: the last page of values are errors.
fn returned(rax: u64) -> Result<u64, Errno> {
    i32::try_from(rax.wrapping_neg()).ok().and_then(errno).map_or(Ok(rax), Err)
}

/// `orig_rax` of a process that is in no system call.
pub(super) const NO_CALL: u64 = u64::MAX;

/// Interrupts on, and the bit that is always 1: no other flag.
pub(super) const FLAGS: u64 = 0x202;

/// `struct user_regs_struct` of `<sys/user.h>`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(super) struct UserRegisters {
    pub(super) r15: u64,
    pub(super) r14: u64,
    pub(super) r13: u64,
    pub(super) r12: u64,
    pub(super) rbp: u64,
    pub(super) rbx: u64,
    pub(super) r11: u64,
    pub(super) r10: u64,
    pub(super) r9: u64,
    pub(super) r8: u64,
    pub(super) rax: u64,
    pub(super) rcx: u64,
    pub(super) rdx: u64,
    pub(super) rsi: u64,
    pub(super) rdi: u64,
    pub(super) orig_rax: u64,
    pub(super) rip: u64,
    pub(super) cs: u64,
    pub(super) eflags: u64,
    pub(super) rsp: u64,
    pub(super) ss: u64,
    pub(super) fs_base: u64,
    pub(super) gs_base: u64,
    pub(super) ds: u64,
    pub(super) es: u64,
    pub(super) fs: u64,
    pub(super) gs: u64,
}

/// `struct ptrace_syscall_info` of `<linux/ptrace.h>`, for a stop at a call's entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(super) struct SystemCall {
    /// Where the process stands, if at a call at all.
    pub(super) kind: u8,
    reserved: [u8; 3],
    pub(super) architecture: u32,
    /// Behind the instruction that made the call.
    pub(super) rip: u64,
    pub(super) rsp: u64,
    pub(super) number: u64,
    pub(super) args: [u64; 6],
    rest: u64,
}

/// The front of a `siginfo_t`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(super) struct SignalInfo {
    pub(super) signal: i32,
    error: i32,
    /// Why the kernel raised it; not positive where a process sent it.
    pub(super) code: i32,
    padding: i32,
    /// SIGSEGV, SIGBUS, SIGILL, SIGFPE: the address that faulted.
    pub(super) address: u64,
    /// SIGSYS: the number of the call.
    pub(super) call: i32,
    rest: [i32; 25],
}

const _: () = assert!(size_of::<UserRegisters>() == size_of::<libc::user_regs_struct>(), "what the kernel writes");
const _: () = assert!(size_of::<SystemCall>() == 88, "what the kernel writes");
const _: () = assert!(size_of::<SignalInfo>() == size_of::<libc::siginfo_t>(), "what the kernel writes");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_page_of_values_is_an_error() {
        assert_eq!(returned(0), Ok(0));
        assert_eq!(returned(0x7fff_ffff_f000), Ok(0x7fff_ffff_f000));
        assert_eq!(returned(u64::MAX), Err(Errno::PERM));
        assert_eq!(returned(4095u64.wrapping_neg()), Err(Errno::from_raw_os_error(4095)));
        assert_eq!(returned(4096u64.wrapping_neg()), Ok(4096u64.wrapping_neg()));
    }
}
