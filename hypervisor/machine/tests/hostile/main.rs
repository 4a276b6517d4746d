//! The hostile guest: each attack ends its cell with the expected report, and the next guest runs as if nothing had been.
//!
//! One list of attacks for both machines. Where there is no `/dev/kvm`, the tests of that machine say so on standard error.
#![expect(clippy::panic, clippy::print_stderr, reason = "tests speak and fail this way")]

mod cases;
mod guest;
mod instructions;

use core::time::Duration;
use std::time::Instant;

use guest::attack::{Attack, Kind as Try};
use guest::{BUDGET, kvm_or_skip};
use machine::Exit;
use machine::Kind::Kvm;

macro_rules! attacks {
    ($($module:ident::$case:ident;)*) => {
        mod kvm {
            $(#[test] fn $case() { if crate::kvm_or_skip() { crate::$module::$case(machine::Kind::Kvm); } })*
        }
    };
}

attacks! {
    cases::read_only_memory_cannot_be_written;
    cases::data_cannot_be_executed;
    cases::pages_outside_regions_are_not_mapped;
    cases::sealed_guest_has_no_seed_and_no_bundle;
    cases::stack_overflow_meets_the_guard;
    cases::bad_hypercalls_end_the_guest;
    cases::guest_that_hangs_is_stopped;
    cases::wild_queues_are_refused_by_the_reader;
    cases::return_from_the_entry_faults;
    cases::guest_finds_what_it_was_given;
    instructions::each_ends_its_guest;
    instructions::closed_ports_fault;
}

/// kvm-pvm runs the guest's CPUID and XGETBV on the processor itself, so the guest sees what the host sees. What the *host* has of
/// virtualisation or counters would be shown there; it could not be used, since all of it is CPL0's.
#[test]
fn guest_sees_no_feature_that_it_must_not_have() {
    if !kvm_or_skip() {
        return;
    }
    let mut cell = guest::load(Kvm, Attack { kind: Try::Cpuid, target: 0, offset: 0 });
    let Exit::Exit(shown) = guest::finish(&mut cell, BUDGET) else { panic!("the guest exits") };
    if std::path::Path::new("/sys/module/kvm_pvm").exists() {
        println!("kvm-pvm: CPUID is the host's own, bits shown: {shown:#b}");
        assert_eq!(shown & 0b10_1001, 0, "VMX, SVM, performance counters");
    } else {
        assert_eq!(shown, 0);
    }
}

/// Prints what a load and a round trip cost; it bounds them only where something must be wrong.
#[test]
fn load_and_round_trip_are_measured() {
    if !kvm_or_skip() {
        return;
    }
    let wait = Attack { kind: Try::Wait, target: 0, offset: 0 };
    guest::good_guest_runs(Kvm);
    let mut loads: Vec<Duration> = (0..21).map(|_| load_time(wait)).collect();
    loads.sort_unstable();
    let mut cell = guest::load(Kvm, wait);
    let start = Instant::now();
    for _ in 0..2000 {
        assert_eq!(cell.run(BUDGET), Ok(Exit::Wait));
    }
    let round_trip = start.elapsed() / 2000;
    println!("kvm: load {:?} (median of 21), wait round trip {round_trip:?} (mean of 2000)", loads[10]);
    assert!(loads[10] < Duration::from_secs(1) && round_trip < Duration::from_millis(10));
}

fn load_time(attack: Attack) -> Duration {
    let start = Instant::now();
    let cell = guest::load(Kvm, attack);
    let elapsed = start.elapsed();
    drop(cell);
    elapsed
}
