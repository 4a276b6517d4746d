//! The machine inside a jail that allows what it asked for and next to nothing else.

use std::collections::BTreeMap;

use rustix::process::{Gid, Uid};
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch};

use super::*;

/// What the end of a test's thread takes, whatever it did.
const OF_THE_THREAD: [i64; 8] = [
    libc::SYS_exit,
    libc::SYS_futex,
    libc::SYS_madvise,
    libc::SYS_munmap,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_rseq,
    libc::SYS_close,
];

fn rule(allow: &Allow) -> SeccompRule {
    let condition = |(index, value): &(u8, u64)| SeccompCondition::new(*index, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, *value).unwrap();
    SeccompRule::new(allow.args.iter().map(condition).collect()).unwrap()
}

/// Forbids this thread all that is neither `allowed` nor the thread's own.
fn jail(allowed: &[Allow]) {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = OF_THE_THREAD.into_iter().map(|number| (number, Vec::new())).collect();
    for allow in allowed {
        rules.entry(allow.number).or_default().push(rule(allow));
    }
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, TargetArch::x86_64).unwrap();
    seccompiler::apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
}

/// Stops this thread being root, if it is and may, as a tender does.
fn become_nobody() {
    let (user, group) = (Uid::from_raw(65_534), Gid::from_raw(65_534));
    let _ = rustix::thread::set_thread_res_gid(group, group, group);
    let _ = rustix::thread::set_thread_res_uid(user, user, user);
}

/// What a whole life of `guest` looks like from inside a jail: seal, wait, then whatever it ends with. And the registers then.
fn jailed_life(guest: Guest) -> (Vec<Result<Stop, HostFault>>, Result<Registers, HostFault>) {
    let life = move || {
        let mut process = load(guest);
        become_nobody();
        jail(&process.syscalls());
        let mut stops = vec![process.run(BUDGET)];
        assert_eq!(process.seal(), Ok(()));
        stops.extend([process.run(BUDGET), process.run(Duration::from_millis(60))]);
        (stops, process.registers())
    };
    std::thread::spawn(life).join().unwrap()
}

guest!(
    seals_waits_and_faults,
    "mov edi, SEALED; xor esi, esi; call [r15 + GATE]; mov edi, WAIT; xor esi, esi; call [r15 + GATE]; mov al, [0x123]"
);
guest!(
    seals_waits_and_hangs,
    "mov edi, SEALED; xor esi, esi; call [r15 + GATE]; mov edi, WAIT; xor esi, esi; call [r15 + GATE]; 2: jmp 2b"
);

#[test]
fn machine_lives_on_the_system_calls_that_it_lists() {
    let (stops, registers) = jailed_life(seals_waits_and_faults());
    let fault = Stop::Crash(Cause::Exception { vector: 14, error_code: 4 });
    assert_eq!(stops, [Ok(SEALS), Ok(WAITS), Ok(fault)]);
    assert_eq!(registers.unwrap().cr2, 0x123);
    let (stops, registers) = jailed_life(seals_waits_and_hangs());
    assert_eq!(stops, [Ok(SEALS), Ok(WAITS), Ok(Stop::Crash(Cause::Hung))]);
    assert!(registers.unwrap().rip != 0);
}

#[test]
fn every_listed_call_names_the_child_or_the_memory_exactly() {
    let process = load(waits_for_ever());
    let pid = u64::from(process.tracee.pid().as_raw_nonzero().get().unsigned_abs());
    for allow in process.syscalls() {
        let argument = |index| allow.args.iter().find(|(at, _)| *at == index).map(|(_, value)| *value);
        let names_child = match allow.number {
            libc::SYS_ptrace => argument(1) == Some(pid) && argument(0).is_some(),
            libc::SYS_wait4 | libc::SYS_kill => argument(0) == Some(pid),
            _ => argument(0).is_some() && argument(1).is_some() && argument(2) == Some(0),
        };
        assert!(names_child, "{allow:?}");
    }
}

#[test]
fn drop_in_a_jail_that_forbids_the_kill_does_not_block() {
    let life = || {
        let process = load(waits_for_ever());
        let pid = process.tracee.pid().as_raw_nonzero();
        jail(&[]);
        drop(process);
        pid
    };
    let pid = Pid::from_raw(std::thread::spawn(life).join().unwrap().get()).unwrap();
    let (_, status) = waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap();
    assert_eq!(status.terminating_signal(), Some(libc::SIGKILL));
}
