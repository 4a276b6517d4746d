//! The timer against guests that hang.
//!
//! It ticks every [`TICK`] of *CPU time of this thread*, and its signal is blocked but inside `KVM_RUN`. So a cell that sleeps costs
//! nothing, a turn costs no system call, and a guest that never ends its turn burns CPU time until a tick takes the thread out of it.
//! No handler ever runs: the signal stays pending until [`Ticker::take`] takes it. A tick from the tender's own time between two turns
//! can make the next turn begin with a false alarm; therefore one tick too many is allowed, and a guest is called hung between one
//! and two ticks late.

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;
use core::time::Duration;

use rustix::io::Errno;

use crate::fault::{HostFault, Step};
use crate::limits::TICK;

/// The signal of the tick. It means CPU time elsewhere, too, and nothing else in a tender uses it.
const SIGNAL: libc::c_int = libc::SIGVTALRM;

/// A running timer of the thread that made it. It must not leave that thread.
#[derive(Debug)]
pub(super) struct Ticker {
    timer: libc::timer_t,
    signals: Signals,
    thread: PhantomData<*const ()>,
}

/// A set of signals as the kernel takes it: bit n-1 is signal n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signals(pub(super) u64);

impl Ticker {
    /// Blocks the tick's signal in this thread and arms the timer.
    pub(super) fn start() -> Result<Self, HostFault> {
        let before = block()?;
        let timer = create().map_err(|errno| HostFault::Host(Step::Timer, errno))?;
        let ticker = Self { timer, signals: before, thread: PhantomData };
        ticker.arm().map_err(|errno| HostFault::Host(Step::Timer, errno))?;
        Ok(ticker)
    }

    /// The signals that are to be blocked inside `KVM_RUN`: those that were blocked before, without the tick's.
    pub(super) fn blocked_in_run(&self) -> Signals {
        Signals(self.signals.0 & !bit(SIGNAL))
    }

    /// How many ticks a turn may see that may last `budget`.
    pub(super) fn ticks(budget: Duration) -> u128 {
        budget.as_nanos().div_ceil(TICK.as_nanos()).saturating_add(1)
    }

    /// Takes the pending tick. Says whether there was one.
    pub(super) fn take(&self) -> bool {
        let set = kernel_set(SIGNAL);
        let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: both pointers are to live, initialised values; a null `info` is allowed; the call does not keep them.
        let taken = unsafe { libc::sigtimedwait(&raw const set, ptr::null_mut(), &raw const none) };
        taken == SIGNAL
    }

    fn arm(&self) -> Result<(), Errno> {
        let tick = libc::timespec { tv_sec: 0, tv_nsec: i64::from(TICK.subsec_nanos()) };
        let every = libc::itimerspec { it_interval: tick, it_value: tick };
        // SAFETY: `timer` is live (deleted only on drop); `every` is initialised; a null old value is allowed.
        let result = unsafe { libc::timer_settime(self.timer, 0, &raw const every, ptr::null_mut()) };
        if result == 0 { Ok(()) } else { Err(last_errno()) }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // SAFETY: `timer` was made by `create` and is deleted only here.
        unsafe { libc::timer_delete(self.timer) };
    }
}

/// A timer of this thread's CPU time, whose signal goes to this thread.
fn create() -> Result<libc::timer_t, Errno> {
    // SAFETY: `sigevent` is a plain C structure for which all zeros are a value (SIGEV_SIGNAL, signal 0).
    let mut event: libc::sigevent = unsafe { MaybeUninit::zeroed().assume_init() };
    event.sigev_notify = libc::SIGEV_THREAD_ID;
    event.sigev_signo = SIGNAL;
    event.sigev_notify_thread_id = rustix::thread::gettid().as_raw_nonzero().get();
    let mut timer: libc::timer_t = ptr::null_mut();
    // SAFETY: both pointers are to live values; the kernel reads `event` and writes `timer`.
    let result = unsafe { libc::timer_create(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut event, &raw mut timer) };
    if result == 0 { Ok(timer) } else { Err(last_errno()) }
}

/// Blocks the tick's signal in this thread; returns what was blocked before.
fn block() -> Result<Signals, HostFault> {
    let set = kernel_set(SIGNAL);
    let mut before = kernel_set(SIGNAL);
    // SAFETY: both pointers are to live, initialised sets.
    let result = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before) };
    if result != 0 {
        return Err(HostFault::Host(Step::Signal, Errno::from_raw_os_error(result)));
    }
    Ok(Signals((1..=64).filter(|signal| is_member(&before, *signal)).map(bit).fold(0, |set, bit| set | bit)))
}

fn kernel_set(signal: libc::c_int) -> libc::sigset_t {
    // SAFETY: `sigset_t` is a plain array of words, for which all zeros (the empty set) are a value.
    let mut set: libc::sigset_t = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: the pointer is to a live, initialised set.
    unsafe { libc::sigaddset(&raw mut set, signal) };
    set
}

fn is_member(set: &libc::sigset_t, signal: libc::c_int) -> bool {
    // SAFETY: the pointer is to a live, initialised set.
    unsafe { libc::sigismember(ptr::from_ref(set), signal) == 1 }
}

fn bit(signal: libc::c_int) -> u64 {
    u32::try_from(signal).ok().and_then(|signal| 1_u64.checked_shl(signal.checked_sub(1)?)).unwrap_or(0)
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn busy_thread_gets_ticks_and_an_idle_one_none() {
        // A thread of its own, so that the blocked signal is the test's alone.
        std::thread::spawn(|| {
            let ticker = Ticker::start().unwrap();
            std::thread::sleep(TICK * 4);
            assert!(!ticker.take(), "sleeping is no CPU time");
            let start = Instant::now();
            while !ticker.take() {
                assert!(start.elapsed() < Duration::from_secs(20), "no tick");
            }
        })
        .join()
        .unwrap();
    }

    #[test]
    fn one_false_alarm_is_allowed_beyond_the_budget() {
        assert_eq!(Ticker::ticks(Duration::ZERO), 1);
        assert_eq!(Ticker::ticks(TICK), 2);
        assert_eq!(Ticker::ticks(TICK + Duration::from_nanos(1)), 3);
        assert!(Ticker::ticks(Duration::MAX) > 1 << 60);
    }
}
