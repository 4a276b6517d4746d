//! A cell inside a jail that allows what its machine has asked for and next to nothing else.

use std::collections::BTreeMap;

use machine::{Allow, Cause, Cell, Exit, Kind, Parcel};
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch};

use super::contest::contest_is_brought_back_with_its_cell;
use super::guest::attack::{Attack, Kind as Try, Place};
use super::guest::{BUDGET, contested, image, parcel};

/// What the end of a thread takes, whatever it did, and the drop of a cell.
const OF_THE_THREAD: [i64; 10] = [
    libc::SYS_exit,
    libc::SYS_futex,
    libc::SYS_madvise,
    libc::SYS_munmap,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_rseq,
    libc::SYS_close,
    libc::SYS_timer_delete,
    libc::SYS_clock_gettime,
];

fn rule(allow: &Allow) -> SeccompRule {
    let condition = |(index, value): &(u8, u64)| SeccompCondition::new(*index, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, *value);
    let conditions: Result<Vec<_>, _> = allow.args.iter().map(condition).collect();
    SeccompRule::new(conditions.expect("arguments 0 to 5")).expect("at least one argument")
}

/// Forbids this thread all that is neither `allowed` nor the thread's own.
fn jail(allowed: &[Allow]) {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = OF_THE_THREAD.into_iter().map(|number| (number, Vec::new())).collect();
    for allow in allowed {
        let rules = rules.entry(allow.number).or_default();
        if !allow.args.is_empty() {
            rules.push(rule(allow));
        }
    }
    filter(rules, SeccompAction::Errno(libc::EPERM.unsigned_abs()), SeccompAction::Allow);
}

/// Does `matched` with the calls that `rules` have and `otherwise` with the others, of this thread and all that it starts.
fn filter(rules: BTreeMap<i64, Vec<SeccompRule>>, otherwise: SeccompAction, matched: SeccompAction) {
    let filter = SeccompFilter::new(rules, otherwise, matched, TargetArch::x86_64).expect("a filter");
    let program = BpfProgram::try_from(filter).expect("a program");
    seccompiler::apply_filter(&program).expect("the kernel takes it");
}

/// On a kernel that cannot watch pages (before Linux 6.7, and Debian 12 has 6.1) a cell is brought back all the same.
pub(crate) fn old_kernels_bring_a_cell_back(kind: Kind) {
    let life = move || {
        let missing = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
        filter(BTreeMap::from([(libc::SYS_userfaultfd, Vec::new())]), SeccompAction::Allow, missing);
        contest_is_brought_back_with_its_cell(kind);
    };
    std::thread::spawn(life).join().expect("the thread ends");
}

/// How a guest ends that seals, waits and then does its worst, all from inside the jail.
fn jailed_end(kind: Kind, parcel: Parcel) -> Exit {
    let image = image();
    let life = move || {
        let cell = Cell::load(kind, image, parcel).expect("the cell loads");
        let allowed = cell.syscalls();
        let put_up = || {
            jail(&allowed);
            Ok::<(), ()>(())
        };
        let mut cell = cell.jailed(put_up).expect("the jail is put up");
        assert_eq!(cell.run(BUDGET), Ok(Exit::Sealed));
        cell.seal().expect("sealed from inside");
        assert_eq!(cell.run(BUDGET), Ok(Exit::Wait));
        cell.run(core::time::Duration::from_millis(100)).expect("the host plays along")
    };
    std::thread::spawn(life).join().expect("the thread ends")
}

/// Turns, sealing, a crash's report and a hung guest's end need no system call that is not listed.
pub(crate) fn machine_lives_on_the_system_calls_that_it_lists(kind: Kind) {
    let crash = jailed_end(kind, parcel(Attack { kind: Try::ReadAfterSeal, target: Place::Seed as u32, offset: 0 }));
    let Exit::Crash(crash) = crash else { panic!("{crash:?}") };
    assert_eq!(crash.cause, Cause::Exception { vector: 14, error_code: 4 });
    assert_ne!(crash.registers.cr2, 0);
    let hung = jailed_end(kind, parcel(Attack { kind: Try::HangAfterSeal, target: 0, offset: 0 }));
    let Exit::Crash(hung) = hung else { panic!("{hung:?}") };
    assert_eq!(hung.cause, Cause::Hung);
}

/// No listed call could be turned against another descriptor, another address or another request.
pub(crate) fn every_listed_call_with_a_descriptor_or_an_address_names_it(kind: Kind) {
    let cell = Cell::load(kind, image(), parcel(Attack { kind: Try::Behave, target: 0, offset: 0 })).expect("the cell loads");
    for allow in cell.syscalls() {
        let named: Vec<u8> = allow.args.iter().map(|(index, _)| *index).collect();
        let wanted: &[u8] = match allow.number {
            libc::SYS_ioctl => &[0, 1],
            libc::SYS_mprotect => &[0, 1, 2],
            libc::SYS_rt_sigtimedwait => &[],
            _ => &[0],
        };
        assert!(wanted.iter().all(|index| named.contains(index)), "{allow:?}");
    }
}

/// The prize is given from inside the jail, and takes no call that a cell without a contest has not.
pub(crate) fn contest_costs_the_jail_nothing(kind: Kind) {
    let prize = Attack { kind: Try::Prize, target: 3, offset: 0 };
    assert_eq!(jailed_end(kind, contested(prize)), Exit::Wait, "it was answered, and has gone on");
    let calls = |parcel: Parcel| {
        let calls = Cell::load(kind, image(), parcel).expect("the cell loads").syscalls();
        calls.into_iter().map(|allow| (allow.number, allow.args.len())).collect::<Vec<_>>()
    };
    assert_eq!(calls(contested(prize)), calls(parcel(prize)));
}
