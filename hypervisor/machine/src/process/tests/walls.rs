//! What stands round the guest's process, as the kernel shows it to those who may look: root, or the owner of its user namespace.

use std::fs;

use rustix::process::{PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::*;
use crate::image::Access;

fn read(process: &Process, name: &str) -> String {
    let path = format!("/proc/{}/{name}", process.tracee.pid().as_raw_nonzero());
    fs::read_to_string(path).expect("to look into the process takes root or user namespaces")
}

/// The value of a field in `/proc/PID/status`.
fn status(process: &Process, field: &str) -> String {
    let status = read(process, "status");
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

/// Start, end and access of every mapping that the kernel knows, but for its vsyscall page, which every process has.
fn maps(process: &Process) -> Vec<(u64, u64, String)> {
    let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
    let line = |line: &str| {
        let (range, rest) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        (number(start), number(end), rest[..3].to_owned())
    };
    read(process, "maps").lines().filter(|text| !text.ends_with("[vsyscall]")).map(line).collect()
}

fn expected(process: &Process) -> Vec<(u64, u64, String)> {
    let access = |access| match access {
        Access::Read => "r--",
        Access::Write => "rw-",
        Access::Execute => "r-x",
    };
    let mappings = process.space().layout().mappings();
    let mut expected: Vec<_> = mappings.iter().map(|m| (m.address, m.address + m.len, access(m.access).to_owned())).collect();
    expected.sort();
    expected
}

#[test]
fn address_space_holds_exactly_the_guests_regions() {
    let process = load(waits_for_ever());
    assert_eq!(maps(&process), expected(&process));
}

#[test]
fn sealed_address_space_lacks_seed_and_bundle_only() {
    let mut process = load(waits_for_ever());
    assert_eq!(process.run(BUDGET), Ok(WAITS));
    process.seal().unwrap();
    let secrets = [Part::Seed, Part::Bundle].map(|part| process.space().layout().place(part).address);
    let mut expected = expected(&process);
    expected.retain(|(start, ..)| !secrets.contains(start));
    assert_eq!(maps(&process), expected);
}

#[test]
fn process_has_no_descriptor() {
    let process = load(waits_for_ever());
    let handle = pidfd_open(process.tracee.pid(), PidfdFlags::empty()).unwrap();
    for descriptor in 0..1024 {
        let taken = pidfd_getfd(&handle, descriptor, PidfdGetfdFlags::empty());
        assert_eq!(taken.err(), Some(Errno::BADF), "{descriptor}");
    }
}

#[test]
fn process_may_nothing() {
    let mut process = load(waits_for_ever());
    assert_eq!((status(&process, "NoNewPrivs").as_str(), status(&process, "Seccomp").as_str()), ("1", "2"));
    assert_eq!(status(&process, "Seccomp_filters"), "1");
    assert_eq!(process.run(BUDGET), Ok(WAITS));
    process.seal().unwrap();
    assert_eq!(status(&process, "Seccomp_filters"), "2");
    for line in read(&process, "limits").lines() {
        let none = ["Max core file size", "Max file size", "Max locked memory", "Max open files", "Max processes"];
        if none.iter().any(|name| line.starts_with(name)) {
            let values: Vec<_> = line.split_whitespace().rev().skip(1).take(2).collect();
            assert_eq!(values, ["0", "0"], "{line}");
        }
    }
}

// The filters behind SYSEMU: here the tender lets the process really make its calls, as a mistake of ours would.
#[test]
fn filters_leave_the_calls_of_seal_and_then_none() {
    let mut process = load(waits_for_ever());
    assert_eq!(process.run(BUDGET), Ok(WAITS));
    let gate = process.gate;
    let refused = [libc::SYS_getpid, libc::SYS_write, libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_execve, libc::SYS_exit, 5000];
    for number in refused {
        assert_eq!(process.tracee.call(gate, number, [0; 6]), Err(Errno::PERM), "{number}");
    }
    assert_eq!(process.tracee.call(gate, libc::SYS_munmap, [1, 0, 0, 0, 0, 0]), Err(Errno::INVAL), "the kernel's own answer");
    process.seal().unwrap();
    for number in refused.into_iter().chain([libc::SYS_munmap, libc::SYS_seccomp]) {
        assert_eq!(process.tracee.call(gate, number, [0; 6]), Err(Errno::PERM), "{number}");
    }
}

#[test]
fn process_has_namespaces_of_its_own_where_the_host_allows_them() {
    let process = load(waits_for_ever());
    let own = |name: &str| {
        let of = |who: &str| fs::read_link(format!("/proc/{who}/ns/{name}")).unwrap();
        of(&process.tracee.pid().as_raw_nonzero().to_string()) != of("self")
    };
    let expected = matches!(process.ground, Ground::OwnAsNobody | Ground::OwnWithUser);
    assert!(["pid", "net", "mnt", "ipc", "uts", "cgroup"].into_iter().all(|name| own(name) == expected), "{:?}", process.ground);
    assert_eq!(own("user"), process.ground == Ground::OwnWithUser);
}

#[test]
fn process_has_no_capability_and_owns_nothing() {
    let process = load(waits_for_ever());
    let ids = |field| status(&process, field).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    if matches!(process.ground, Ground::OwnAsNobody | Ground::SharedAsNobody) {
        assert_eq!((ids("Uid"), ids("Gid")), (vec!["65534".to_owned(); 4], vec!["65534".to_owned(); 4]));
        assert!(ids("Groups").is_empty());
    }
    // The last resort of a root that may change nothing about itself keeps what it had; the tender reports it.
    let stuck = process.ground == Ground::Shared && rustix::process::geteuid().is_root();
    for field in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert!(stuck || ids(field) == ["0000000000000000"], "{field}, {:?}", process.ground);
    }
}

#[test]
fn process_runs_on_the_tenders_processor() {
    let process = load(waits_for_ever());
    let mine = rustix::thread::sched_getaffinity(None).unwrap();
    let its = rustix::thread::sched_getaffinity(Some(process.tracee.pid())).unwrap();
    assert_eq!((mine.count(), mine), (1, its));
}

#[test]
fn layout_is_drawn_anew_for_each_process() {
    let (one, other) = (load(waits_for_ever()), load(waits_for_ever()));
    let starts = |process: &Process| process.space().layout().mappings().iter().map(|m| m.address).collect::<Vec<_>>();
    assert!(starts(&one).iter().all(|start| !starts(&other).contains(start)));
}
