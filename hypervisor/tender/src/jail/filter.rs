//! The system-call filter: a list of what a jailed tender still does, arguments included. Anything else ends the process.

use std::collections::BTreeMap;
use std::os::fd::RawFd;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use crate::jail::{Crew, JailFault, Needs, Readiness, Sockets};

/// What arguments must be. An empty list of conditions allows the call with any.
type Conditions = Vec<(u8, SeccompCmpOp, u64)>;

/// Memory that is writable may come and go; none is ever executable.
const MMAP_PROT_FORBIDDEN: u64 = libc::PROT_EXEC as u64;
const STDERR: RawFd = 2;

/// Puts the filter on this thread, which is the only one.
pub(super) fn install(needs: &Needs) -> Result<(), JailFault> {
    let program = compile(needs).map_err(|_| JailFault::Filter)?;
    seccompiler::apply_filter(&program).map_err(|_| JailFault::Filter)
}

/// Puts the filter on all threads of this process.
pub(super) fn install_for_all(crew: &Crew) -> Result<(), JailFault> {
    let mut list = Allowed::default();
    list.process();
    list.threads();
    list.connections(&crew.listeners);
    let program = list.compile().map_err(|_| JailFault::Filter)?;
    seccompiler::apply_filter_all_threads(&program).map_err(|_| JailFault::Filter)
}

fn compile(needs: &Needs) -> Result<BpfProgram, BackendError> {
    let mut list = Allowed::default();
    list.process();
    if let Some(readiness) = needs.readiness {
        list.readiness(readiness);
    }
    for written in needs.access_pipe.iter().chain(&needs.writes) {
        list.only(libc::SYS_write, vec![equal_fd(0, *written)]);
    }
    for read in &needs.reads {
        list.only(libc::SYS_read, vec![equal_fd(0, *read)]);
    }
    // At a place of its own choosing: a position would be shared with every other cell that has the file.
    if let Some(escape) = needs.escape {
        list.only(libc::SYS_pread64, vec![equal_fd(0, escape)]);
    }
    for tap in &needs.taps {
        list.only(libc::SYS_readv, vec![equal_fd(0, *tap)]);
        list.only(libc::SYS_writev, vec![equal_fd(0, *tap)]);
    }
    if needs.sockets != Sockets::None {
        list.sockets(&needs.listeners);
    }
    for allow in &needs.machine_calls {
        list.only(allow.number, allow.args.iter().map(|(index, value)| equal(*index, *value)).collect());
    }
    list.compile()
}

#[derive(Debug, Default)]
struct Allowed {
    calls: BTreeMap<i64, Vec<Conditions>>,
}

impl Allowed {
    /// With any arguments.
    fn any(&mut self, number: i64) {
        self.only(number, Vec::new());
    }

    /// With these arguments, or those of another such entry.
    fn only(&mut self, number: i64, conditions: Conditions) {
        self.calls.entry(number).or_default().push(conditions);
    }

    /// Memory, time, the end, and the log.
    fn process(&mut self) {
        let anonymous = u64::try_from(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS).unwrap_or(0);
        self.only(libc::SYS_mmap, vec![(2, SeccompCmpOp::MaskedEq(MMAP_PROT_FORBIDDEN), 0), equal(3, anonymous)]);
        for number in [libc::SYS_munmap, libc::SYS_mremap, libc::SYS_brk, libc::SYS_clock_gettime, libc::SYS_sigaltstack] {
            self.any(number);
        }
        let madvise = u64::try_from(libc::MADV_DONTNEED).unwrap_or(0);
        self.only(libc::SYS_madvise, vec![equal(2, madvise)]);
        self.any(libc::SYS_exit_group);
        self.any(libc::SYS_close);
        // The standard library looks whether a descriptor is open before it closes it, in builds with debug assertions.
        self.only(libc::SYS_fcntl, vec![equal_fd(1, libc::F_GETFD)]);
        self.only(libc::SYS_write, vec![equal_fd(0, STDERR)]);
        self.only(libc::SYS_poll, vec![equal(1, 1)]);
        self.only(libc::SYS_ppoll, vec![equal(1, 1)]);
    }

    fn readiness(&mut self, Readiness { epoll, channel }: Readiness) {
        self.only(libc::SYS_epoll_pwait2, vec![equal_fd(0, epoll)]);
        self.only(libc::SYS_recvfrom, vec![equal_fd(0, channel), equal(4, 0)]);
        self.only(libc::SYS_sendto, vec![equal_fd(0, channel), equal(4, 0)]);
        self.only(libc::SYS_epoll_ctl, vec![equal_fd(0, epoll)]);
    }

    /// TCP and nothing else; `sendto` and `recvfrom` without addresses, so they only serve connections.
    fn sockets(&mut self, listeners: &[RawFd]) {
        for listener in listeners {
            self.only(libc::SYS_accept4, vec![equal_fd(0, *listener)]);
        }
        let kind = u64::try_from(libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC).unwrap_or(0);
        for family in [libc::AF_INET, libc::AF_INET6] {
            let family = u64::try_from(family).unwrap_or(0);
            self.only(libc::SYS_socket, vec![equal(0, family), equal(1, kind), equal_fd(2, libc::IPPROTO_TCP)]);
        }
        self.any(libc::SYS_connect);
        self.any(libc::SYS_shutdown);
        self.only(libc::SYS_recvfrom, vec![equal(4, 0)]);
        self.only(libc::SYS_sendto, vec![equal(4, 0)]);
        self.only(libc::SYS_setsockopt, vec![equal_fd(1, libc::IPPROTO_TCP), equal_fd(2, libc::TCP_NODELAY)]);
        self.only(libc::SYS_setsockopt, vec![equal_fd(1, libc::SOL_SOCKET), equal_fd(2, libc::SO_LINGER)]);
        self.only(libc::SYS_getsockopt, vec![equal_fd(1, libc::SOL_SOCKET), equal_fd(2, libc::SO_ERROR)]);
    }

    /// Several of them: waiting for each other, memory of their own, hash tables' seeds, the end of one.
    fn threads(&mut self) {
        let arena = u64::try_from(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE).unwrap_or(0);
        self.only(libc::SYS_mmap, vec![(2, SeccompCmpOp::MaskedEq(MMAP_PROT_FORBIDDEN), 0), equal(3, arena)]);
        self.only(libc::SYS_mprotect, vec![(2, SeccompCmpOp::MaskedEq(MMAP_PROT_FORBIDDEN), 0)]);
        for number in [libc::SYS_futex, libc::SYS_getrandom, libc::SYS_sched_yield, libc::SYS_exit, libc::SYS_rt_sigprocmask] {
            self.any(number);
        }
    }

    /// Those that come, and streams that are there; readiness of both. No socket is made, and none connected.
    fn connections(&mut self, listeners: &[RawFd]) {
        for listener in listeners {
            self.only(libc::SYS_accept4, vec![equal_fd(0, *listener)]);
        }
        for number in [libc::SYS_epoll_wait, libc::SYS_epoll_pwait, libc::SYS_epoll_ctl, libc::SYS_shutdown] {
            self.any(number);
        }
        // Of what is open besides, there is standard error, and the event loop's own way to be woken.
        for number in [libc::SYS_read, libc::SYS_write, libc::SYS_readv, libc::SYS_writev] {
            self.any(number);
        }
        self.only(libc::SYS_recvfrom, vec![equal(4, 0)]);
        self.only(libc::SYS_sendto, vec![equal(4, 0)]);
    }

    fn compile(self) -> Result<BpfProgram, BackendError> {
        SeccompFilter::new(self.rules()?, SeccompAction::KillProcess, SeccompAction::Allow, TargetArch::x86_64)?.try_into()
    }

    /// An entry without conditions wins over those with, as the compiler takes an empty list of rules for "any".
    fn rules(self) -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
        let rules = self.calls.into_iter().map(|(number, entries)| {
            if entries.iter().any(Vec::is_empty) {
                return Ok((number, Vec::new()));
            }
            Ok((number, entries.into_iter().map(rule).collect::<Result<_, _>>()?))
        });
        rules.collect()
    }
}

fn rule(conditions: Conditions) -> Result<SeccompRule, BackendError> {
    let conditions =
        conditions.into_iter().map(|(index, operator, value)| SeccompCondition::new(index, SeccompCmpArgLen::Qword, operator, value));
    SeccompRule::new(conditions.collect::<Result<_, _>>()?)
}

fn equal(index: u8, value: u64) -> (u8, SeccompCmpOp, u64) {
    (index, SeccompCmpOp::Eq, value)
}

/// Descriptors and the kernel's small constants; never negative.
fn equal_fd(index: u8, value: i32) -> (u8, SeccompCmpOp, u64) {
    equal(index, u64::try_from(value).unwrap_or(u64::MAX))
}
