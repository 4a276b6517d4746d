//! `make sim SEEDS=1000`: many runs, each thrown by one seed; a failing one is shrunk, and told how it is run again.
#![forbid(unsafe_code)]

use core::ops::Range;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::collections::{BTreeMap, BTreeSet};
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
    /// Each of the seeds so many times: they must be equal to the last byte.
    #[arg(long, conflicts_with = "seed")]
    reruns: Option<u64>,
    /// A seed that fails is told and not shrunk.
    #[arg(long)]
    brief: bool,
    /// Of that seed, these acts only.
    #[arg(long, value_delimiter = ',', requires = "seed")]
    acts: Option<Vec<usize>>,
}

/// Runs that shrinking may take.
const SHRINKING_RUNS: usize = 300;
/// About one seed in ten is calm, and one in four drains: of so many seeds some do, or what holds then is not judged.
const SEEDS_UNJUDGED_MAX: u64 = 100;

fn main() -> ExitCode {
    // A panic is a complaint, and is told as one.
    std::panic::set_hook(Box::new(|_| {}));
    let arguments = Arguments::parse();
    let seeds = arguments.from..arguments.from.saturating_add(arguments.seeds);
    match (arguments.seed, arguments.reruns) {
        (Some(seed), _) => one(seed, arguments.acts.as_deref()),
        (None, Some(reruns)) => again(seeds, reruns),
        (None, None) => many(seeds, if arguments.brief { Telling::Brief } else { Telling::Shrunk }),
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
    say(&format!("{:?} {:?} offload {}", scenario.memory, scenario.limits, scenario.offload));
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

/// How much is said of a seed that fails.
#[derive(Debug, Clone, Copy)]
enum Telling {
    Brief,
    Shrunk,
}

fn many(seeds: Range<u64>, telling: Telling) -> ExitCode {
    let (sum, start) = (Mutex::new(Logbook::default()), Instant::now());
    let run = |seed| match run(&throw(seed), None) {
        Ok(logbook) => {
            locked(&sum).add(&logbook);
            true
        }
        Err(complaint) => {
            say(&format!("seed {seed} of {}: {complaint}", seed - seeds.start + 1));
            if matches!(telling, Telling::Shrunk) {
                shrink_and_tell(seed, &complaint);
            }
            false
        }
    };
    let (done, held) = each(seeds.end - seeds.start, |index| run(seeds.start + index));
    let sum = locked(&sum);
    say(&format!("{done} runs in {:.1?}; {}", start.elapsed(), told(&sum, start)));
    let unjudged = unjudged(&sum, seeds.end - seeds.start).filter(|_| held);
    unjudged.into_iter().for_each(say);
    if held && unjudged.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What never came to be judged, in a campaign that is long enough for it.
fn unjudged(sum: &Logbook, seeds: u64) -> Option<&'static str> {
    match (sum.owed, sum.drains) {
        _ if seeds < SEEDS_UNJUDGED_MAX => None,
        (0, _) => Some("no calm run, or no visit in one: nobody had to be served"),
        (_, 0) => Some("no drain while clients were there"),
        _ => None,
    }
}

/// Each seed so often, and how many hashes they gave.
fn again(seeds: Range<u64>, reruns: u64) -> ExitCode {
    let (hashes, start) = (Mutex::new(BTreeMap::<u64, BTreeSet<u64>>::new()), Instant::now());
    let run = |seed| match run(&throw(seed), None) {
        Ok(logbook) => {
            let mut hashes = locked(&hashes);
            let of_seed = hashes.entry(seed).or_default();
            of_seed.insert(logbook.hash);
            of_seed.len() == 1
        }
        Err(complaint) => {
            say(&format!("seed {seed}: {complaint}"));
            false
        }
    };
    let (done, held) = each((seeds.end - seeds.start) * reruns, |index| run(seeds.start + index / reruns));
    for (seed, hashes) in &*locked(&hashes) {
        let list: Vec<String> = hashes.iter().map(|hash| format!("{hash:016x}")).collect();
        say(&format!("seed {seed}: {}", list.join(" ")));
    }
    let counts: usize = locked(&hashes).values().map(BTreeSet::len).sum();
    say(&format!("{done} runs of {} seeds in {:.1?}: {counts} hashes", seeds.end - seeds.start, start.elapsed()));
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs `count` of them on all cores, until one does not hold; how many were run, and whether all held.
fn each(count: u64, run: impl Fn(u64) -> bool + Sync) -> (u64, bool) {
    let (next, done, failed) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..cores() {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count || failed.load(Ordering::Relaxed) {
                        return;
                    }
                    if !run(index) {
                        failed.store(true, Ordering::Relaxed);
                    }
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, count);
                }
            });
        }
    });
    (done.into_inner(), !failed.into_inner())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn progress(done: u64, of: u64) {
    if std::io::stderr().is_terminal() {
        let _gone = write!(std::io::stderr(), "\r{done}/{of}");
    }
}

fn shrink_and_tell(seed: u64, complaint: &Complaint) {
    let scenario = throw(seed);
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
fn told(sum: &Logbook, start: Instant) -> String {
    let Logbook { turns, ms, accepted, handshakes, resumptions, whole, calm, owed, drains, exhausted, hash, ends } = sum;
    let hours = ms / 3_600_000;
    let core_ms = start.elapsed().as_millis().max(1) * u128::try_from(cores()).unwrap_or(1);
    let rate = |count: u64| u128::from(count) * 1000 / core_ms;
    let (rate, whole_rate) = (rate(*handshakes), rate(*whole));
    let ends: String = ends.iter().map(|(end, count)| format!("\n{count:>8} {end}")).collect();
    format!(
        "{hours} virtual hours, {turns} turns, {accepted} connections, {handshakes} handshakes, {resumptions} resumed, {whole} whole; \
         {calm} calm runs, {owed} visits that had to be served in them; {drains} drains with clients there; {exhausted} cells lost for want of memory; {rate} TLS connections a second and core, {whole_rate} of them whole; hash {hash:016x}{ends}"
    )
}

#[cfg(test)]
mod tests {
    use sim::campaign::What;

    use super::*;

    #[test]
    fn a_long_campaign_in_which_nobody_had_to_be_served_or_none_drained_fails() {
        let holds = |owed, drains, seeds| unjudged(&Logbook { owed, drains, ..Logbook::default() }, seeds).is_none();
        assert!(holds(0, 0, 99) && holds(80, 9, 100));
        assert!(!holds(0, 9, 100) && !holds(80, 0, 100));
    }

    /// There is no such route.
    #[test]
    fn a_panic_is_a_complaint() {
        let mut scenario = throw(1);
        for act in &mut scenario.acts {
            if let What::Visit(visit) = &mut act.what {
                visit.route = usize::MAX;
            }
        }
        assert_eq!(run(&scenario, None).unwrap_err().rule, Rule::NoPanic);
    }
}
