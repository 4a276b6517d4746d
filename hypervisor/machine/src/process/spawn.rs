//! Making the guest's process: clone, execute the gate program, stop.
//!
//! Between `clone` and `execveat` the child shares the tender's memory, and the tender stands still (CLONE_VM, CLONE_VFORK); nothing is
//! copied, so no page of the tender is ever the child's own. In that time the child only makes the system calls that the tender has
//! written down for it ([`Errand`]): it allocates nothing, locks nothing, takes no signal. So this is sound in a process with threads.

use core::ffi::{CStr, c_char, c_int, c_long, c_void};
use core::ptr;
use core::sync::atomic::{AtomicI32, Ordering};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::MemfdFlags;
use rustix::io::Errno;
use rustix::process::Pid;

use crate::cell::Course;
use crate::limits::ERRAND_STACK_LEN;

/// What a process list shows as the guest's name.
const NAME: &CStr = c"bountybox-guest";

/// Signals that the process must notice: those that its own instructions raise, and the timer's. All others it holds back for ever.
const SIGNALS: [c_int; 7] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGSYS, libc::SIGPROF];

/// Where the process stands: how far it is from the rest of the host, should it ever make a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// A privileged tender's: namespaces of its own (process ids, network, mounts, IPC, host name, control groups), and nobody's user id.
    OwnAsNobody,
    /// An unprivileged tender's: the same namespaces, inside a user namespace of its own.
    OwnWithUser,
    /// The host allows no namespaces, but a user id that owns nothing.
    SharedAsNobody,
    /// The host allows neither. The process makes no system call, so this takes a wall, not the ground.
    Shared,
}

impl Ground {
    /// In the order in which they are tried.
    const ALL: [Self; 4] = [Self::OwnAsNobody, Self::OwnWithUser, Self::SharedAsNobody, Self::Shared];

    fn flags(self) -> c_int {
        let own =
            libc::CLONE_NEWPID | libc::CLONE_NEWNET | libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWCGROUP;
        match self {
            Self::OwnAsNobody => own,
            Self::OwnWithUser => own | libc::CLONE_NEWUSER,
            Self::SharedAsNobody | Self::Shared => 0,
        }
    }

    /// How the process gives its user away, and with it every capability.
    fn calls(self) -> &'static [Call] {
        const TO_NOBODY: [Call; 3] = [
            (libc::SYS_setgroups, [0; 5]),
            (libc::SYS_setresgid, [NOBODY, NOBODY, NOBODY, 0, 0]),
            (libc::SYS_setresuid, [NOBODY, NOBODY, NOBODY, 0, 0]),
        ];
        match self {
            Self::OwnAsNobody | Self::SharedAsNobody => &TO_NOBODY,
            Self::OwnWithUser | Self::Shared => &[],
        }
    }
}

/// The user and group that own nothing.
const NOBODY: c_long = 65_534;

/// A child that waits, traced, before the first instruction of its program, or has died on the way. Its parent must reap it.
pub(super) struct Child {
    pub(super) pid: Pid,
    pub(super) ground: Ground,
}

/// Starts `program`, an ELF file, traced by the calling thread, as far from the host as that allows. Of this process' descriptors the child
/// keeps only `memory`, and may make no other but on a course that leads back: the tender watches its memory by one.
///
/// # Errors
/// What the kernel said to `clone`, or to one of the child's calls; the child is reaped then.
pub(super) fn spawn(program: &[u8], memory: BorrowedFd<'_>, course: &Course) -> Result<Child, Errno> {
    let program = executable(program)?;
    let argv = [NAME.as_ptr(), ptr::null()];
    let envp = [ptr::null::<c_char>()];
    let mut calls = calls(program.as_fd(), memory, &argv, &envp).to_vec();
    if *course != Course::Forward {
        calls.retain(|(number, args)| (*number, args[1]) != (libc::SYS_prlimit64, c_long::from(libc::RLIMIT_NOFILE)));
    }
    let mut last = Errno::PERM;
    for ground in Ground::ALL {
        let errand = Errand { calls: [ground.calls(), &calls].concat(), failed: AtomicI32::new(0) };
        match with_signals_blocked(|| send(&errand, ground.flags())) {
            Ok(pid) => return Ok(Child { pid, ground }),
            Err(errno) => last = errno,
        }
    }
    Err(last)
}

/// Clones and lets the child go on its errand. Reaps it if it fails.
fn send(errand: &Errand, namespaces: c_int) -> Result<Pid, Errno> {
    let pid = clone(errand, namespaces)?;
    let Some(errno) = errno(errand.failed.load(Ordering::Relaxed)) else { return Ok(pid) };
    let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
    Err(errno)
}

/// The system calls of the child, in order. The last does not return.
struct Errand {
    calls: Vec<Call>,
    /// The error of the first that failed, or 0.
    failed: AtomicI32,
}

/// Number and arguments of a system call.
type Call = (c_long, [c_long; 5]);

fn calls(program: BorrowedFd<'_>, memory: BorrowedFd<'_>, argv: &[*const c_char; 2], envp: &[*const c_char; 1]) -> [Call; 13] {
    let fd = |fd: BorrowedFd<'_>| c_long::from(fd.as_raw_fd());
    let address = |pointer: *const c_void| pointer.addr().cast_signed() as c_long;
    let nothing = address((&raw const NOTHING).cast());
    let limit = |resource| (libc::SYS_prlimit64, [0, c_long::from(resource), nothing, 0, 0]);
    let close_on_exec = c_long::from(libc::CLOSE_RANGE_CLOEXEC.cast_signed());
    [
        // No terminal's Ctrl-C, and no job control, reaches the guest.
        (libc::SYS_setsid, [0; 5]),
        (libc::SYS_prctl, [c_long::from(libc::PR_SET_PDEATHSIG), c_long::from(libc::SIGKILL), 0, 0, 0]),
        (libc::SYS_prctl, [c_long::from(libc::PR_SET_NO_NEW_PRIVS), 1, 0, 0, 0]),
        (libc::SYS_close_range, [0, c_long::from(u32::MAX), close_on_exec, 0, 0]),
        (libc::SYS_fcntl, [fd(memory), c_long::from(libc::F_SETFD), 0, 0, 0]),
        limit(libc::RLIMIT_CORE),
        limit(libc::RLIMIT_FSIZE),
        limit(libc::RLIMIT_MEMLOCK),
        limit(libc::RLIMIT_NOFILE),
        limit(libc::RLIMIT_NPROC),
        (libc::SYS_rt_sigprocmask, [c_long::from(libc::SIG_SETMASK), address((&raw const MASK).cast()), 0, SIGSET_LEN, 0]),
        (libc::SYS_ptrace, [c_long::from(libc::PTRACE_TRACEME), 0, 0, 0, 0]),
        (
            libc::SYS_execveat,
            [
                fd(program),
                address(c"".as_ptr().cast()),
                address(argv.as_ptr().cast()),
                address(envp.as_ptr().cast()),
                c_long::from(libc::AT_EMPTY_PATH),
            ],
        ),
    ]
}

/// What the process may have from then on: no core dump, no file, no locked page, no further descriptor, no child.
static NOTHING: libc::rlimit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };

/// The kernel's `sigset_t`: bit 0 is signal 1.
static MASK: u64 = mask();
const SIGSET_LEN: c_long = 8;

const fn mask() -> u64 {
    let mut open = 0;
    let mut index = 0;
    while index < SIGNALS.len() {
        open |= 1 << (SIGNALS[index] - 1);
        index += 1;
    }
    !open
}

/// The child's whole life before its program.
extern "C" fn run(errand: *mut c_void) -> c_int {
    // SAFETY: `clone` below passes a pointer to an `Errand` that lives until the child has executed or ended, and that is only read, but
    // for its atomic.
    let errand = unsafe { &*errand.cast::<Errand>() };
    for (number, [a, b, c, d, e]) in &errand.calls {
        // SAFETY: the calls that `calls` lists touch no memory of this process but read what their pointers name: `MASK`, `NOTHING`, constants,
        // and `spawn`'s locals, all alive.
        if unsafe { libc::syscall(*number, *a, *b, *c, *d, *e) } == -1 {
            errand.failed.store(last_error().raw_os_error(), Ordering::Relaxed);
            break;
        }
    }
    // SAFETY: ends this process alone, without running anything of the parent's (no atexit, no destructors).
    unsafe { libc::_exit(1) }
}

/// Clones. Returns once the child has executed its program or ended.
fn clone(errand: &Errand, namespaces: c_int) -> Result<Pid, Errno> {
    let mut stack = vec![0u128; ERRAND_STACK_LEN / size_of::<u128>()];
    let top = stack.as_mut_ptr_range().end;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD | namespaces;
    // SAFETY: `top` is the 16-byte aligned end of a stack that nobody else uses; CLONE_VFORK suspends this thread until the child no
    // longer uses this memory, so stack and errand outlive it; `run` needs no thread-local state but errno, of this standing thread.
    let pid = unsafe { libc::clone(run, top.cast(), flags, ptr::from_ref(errand).cast_mut().cast()) };
    Pid::from_raw(pid.max(0)).ok_or_else(last_error)
}

/// Runs `f` with every signal held back, so that no handler of this process runs in the child.
fn with_signals_blocked<R>(f: impl FnOnce() -> R) -> R {
    let all = u64::MAX;
    let mut before = 0;
    set_mask(&all, Some(&mut before));
    let result = f();
    set_mask(&before, None);
    result
}

fn set_mask(mask: &u64, before: Option<&mut u64>) {
    let before = before.map_or(ptr::null_mut(), ptr::from_mut);
    // SAFETY: both pointers name 8 bytes (or none), the length that is passed. The call cannot fail then.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, ptr::from_ref(mask), before, SIGSET_LEN) };
}

/// A file of `bytes` that may be executed.
fn executable(bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let file = match rustix::fs::memfd_create(NAME, MemfdFlags::CLOEXEC | MemfdFlags::EXEC) {
        // Linux before 6.3 does not know EXEC.
        Err(Errno::INVAL) => rustix::fs::memfd_create(NAME, MemfdFlags::CLOEXEC)?,
        other => other?,
    };
    let written = rustix::io::write(&file, bytes)?;
    if written == bytes.len() { Ok(file) } else { Err(Errno::IO) }
}

/// `errno`, as the last call of libc's left it.
pub(super) fn last_error() -> Errno {
    std::io::Error::last_os_error().raw_os_error().and_then(errno).unwrap_or(Errno::IO)
}

/// A number of the kernel's as an error; `None` where it is none (for which [`Errno`] would panic).
pub(super) fn errno(number: i32) -> Option<Errno> {
    (1..4096).contains(&number).then(|| Errno::from_raw_os_error(number))
}
