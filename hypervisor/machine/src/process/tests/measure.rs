//! The numbers of ADR 0004: `cargo test --release -p machine -- --ignored --nocapture measure`.

use std::time::Instant;

use rustix::thread::sched_getaffinity;

use super::*;

const ROUNDS: usize = 60;
const TURNS: u32 = 500;

/// Lowest decile, median, highest decile.
fn deciles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 5, 9].map(|decile| values[values.len() * decile / 10])
}

fn microseconds(since: Instant, turns: u32) -> f64 {
    since.elapsed().as_secs_f64() * 1e6 / f64::from(turns)
}

fn turns(process: &mut Process) -> [f64; 3] {
    let mut round = || {
        let start = Instant::now();
        for _ in 0..TURNS {
            assert_eq!(process.run(BUDGET), Ok(WAITS));
        }
        microseconds(start, TURNS)
    };
    deciles((0..ROUNDS).map(|_| round()).collect())
}

#[test]
#[ignore = "measures, and asserts next to nothing"]
fn measure_load_and_drop() {
    let image = guest::image(waits_for_ever());
    let (mut loads, mut drops) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let process = Process::load(&image, &guest::parcel(), &Course::Forward).unwrap();
        loads.push(microseconds(start, 1));
        let start = Instant::now();
        drop(process);
        drops.push(microseconds(start, 1));
    }
    println!("load: {:.0?} us, drop: {:.0?} us", deciles(loads), deciles(drops));
}

#[test]
#[ignore = "measures, and asserts next to nothing"]
fn measure_round_trip() {
    let all = sched_getaffinity(None).unwrap();
    let mut process = load(waits_for_ever());
    println!("wait, both on one processor: {:.1?} us", turns(&mut process));
    sched_setaffinity(Some(process.tracee.pid()), &all).unwrap();
    sched_setaffinity(None, &all).unwrap();
    println!("wait, wherever the scheduler likes: {:.1?} us", turns(&mut process));
    let mine = sched_getcpu();
    if let Some(other) = (0..CpuSet::MAX_CPU).find(|cpu| all.is_set(*cpu) && *cpu != mine) {
        for (pid, cpu) in [(None, mine), (Some(process.tracee.pid()), other)] {
            let mut one = CpuSet::new();
            one.set(cpu);
            sched_setaffinity(pid, &one).unwrap();
        }
        println!("wait, on two processors: {:.1?} us", turns(&mut process));
    }
}
