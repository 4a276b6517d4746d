//! `make sim SEEDS=1000`: many runs, each thrown by one seed; a failing one is shrunk, and told how it is run again.
#![forbid(unsafe_code)]

use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::io::{IsTerminal, Write};
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use clap::Parser;
use sim::campaign::{Complaint, Logbook, Rule, Scenario, sail, shrink, throw};

/// Runs of the simulator, each thrown by one seed.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// One seed, told act by act.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Of that seed, these acts only.
    #[arg(long, value_delimiter = ',', requires = "seed")]
    acts: Option<Vec<usize>>,
}

/// Runs that shrinking may take.
const SHRINKING_RUNS: usize = 300;

fn main() -> ExitCode {
    // A panic is a complaint, and is told as one.
    std::panic::set_hook(Box::new(|_| {}));
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => one(seed, arguments.acts.as_deref()),
        None => many(arguments.from, arguments.seeds),
    }
}

/// A run; a panic is a complaint.
fn run(scenario: &Scenario, acts: Option<&[usize]>) -> Result<Logbook, Complaint> {
    let kept = |index| acts.is_none_or(|acts| acts.contains(&index));
    catch_unwind(AssertUnwindSafe(|| sail(scenario, kept))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Complaint { rule: Rule::NoPanic, words: text.unwrap_or_default(), at: core::time::Duration::ZERO })
    })
}

fn say(text: &str) {
    let _gone = writeln!(std::io::stdout(), "{text}");
}

fn one(seed: u64, acts: Option<&[usize]>) -> ExitCode {
    let scenario = throw(seed);
    for (index, act) in scenario.acts.iter().enumerate().filter(|(index, _)| acts.is_none_or(|acts| acts.contains(index))) {
        say(&format!("{index:>4} {act}"));
    }
    match run(&scenario, acts) {
        Ok(logbook) => {
            say(&format!("all holds: {logbook:?}"));
            ExitCode::SUCCESS
        }
        Err(complaint) => {
            say(&format!("seed {seed}: {complaint}"));
            ExitCode::FAILURE
        }
    }
}

fn many(from: u64, seeds: u64) -> ExitCode {
    let (next, done, failed, start) = (AtomicU64::new(from), AtomicU64::new(0), AtomicBool::new(false), Instant::now());
    let sum = Mutex::new(Logbook::default());
    let end = from.saturating_add(seeds);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || failed.load(Ordering::Relaxed) {
                        return;
                    }
                    match run(&throw(seed), None) {
                        Ok(logbook) => sum.lock().unwrap_or_else(PoisonError::into_inner).add(&logbook),
                        Err(complaint) => {
                            failed.store(true, Ordering::Relaxed);
                            fail(seed, &complaint);
                        }
                    }
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, seeds);
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    say(&format!("{} runs in {:.1?}; {}", done.into_inner(), start.elapsed(), told(&sum)));
    if failed.into_inner() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn progress(done: u64, of: u64) {
    if std::io::stderr().is_terminal() {
        let _gone = write!(std::io::stderr(), "\r{done}/{of}");
    }
}

fn fail(seed: u64, complaint: &Complaint) {
    let scenario = throw(seed);
    say(&format!("seed {seed}: {complaint}"));
    let same = |acts: &[usize]| run(&scenario, Some(acts)).is_err_and(|other| other.rule == complaint.rule);
    let acts = shrink(scenario.acts.len(), SHRINKING_RUNS, same);
    for index in &acts {
        if let Some(act) = scenario.acts.get(*index) {
            say(&format!("{index:>4} {act}"));
        }
    }
    let list: Vec<String> = acts.iter().map(ToString::to_string).collect();
    say(&format!("again: make sim SEED={seed} ACTS={}", list.join(",")));
}

/// What all runs together were.
fn told(sum: &Logbook) -> String {
    let Logbook { turns, ms, accepted, handshakes, resumptions, whole, ends } = sum;
    let hours = ms / 3_600_000;
    let ends: String = ends.iter().map(|(end, count)| format!("\n{count:>8} {end}")).collect();
    format!(
        "{hours} virtual hours, {turns} turns, {accepted} connections, {handshakes} handshakes, {resumptions} resumed, {whole} whole{ends}"
    )
}
