//! Measures bountybox beside nginx, HAProxy, hitch and stunnel, in one run, and writes a table and a plot.
//!
//! The server under test has core 0; the generator and the plain backend share core 1. Each subject terminates TLS 1.3 with the same ECDSA
//! P-256 certificate and relays to the same plain TCP backend. Rounds go through all subjects in turn, so that a noisy minute hits them alike;
//! the table gives medians and the ratio to nginx of the same rounds. How busy each core was is printed beside each rate: a rate counts for the
//! server only where the generator's core still had time left, and the generator's own ceiling is the rate divided by its share.
//!
//! - [`subject`], [`peers`]: the servers; [`backend`]: what stands behind them; [`generator`], [`tickets`]: the clients;
//! - [`job`]: what is measured; [`cpu`]: cores and their use; [`report`], [`plot`]: table and plot.
#![forbid(unsafe_code)]

mod backend;
mod connection;
mod cpu;
mod generator;
mod job;
mod peers;
mod plot;
mod report;
mod subject;
mod tickets;

use std::io::Write as _;
use std::process::ExitCode;

/// What went wrong, in words.
type Outcome<T = ()> = Result<T, Box<dyn core::error::Error + Send + Sync>>;

/// Rounds, unless `BENCH_ROUNDS` says otherwise: medians want at least five.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            say(&format!("bench: {fault}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome {
    let rounds = std::env::var("BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    let only = std::env::var("BENCH_SUBJECTS").unwrap_or_default();
    let place = subject::Place::prepare()?;
    let subjects: Vec<_> = subject::all()
        .into_iter()
        .filter(|subject| if only.is_empty() { subject.is_usual } else { only.split(',').any(|name| name == subject.name) })
        .collect();
    cpu::pin(cpu::GENERATOR)?;
    let backend = backend::Backend::start()?;
    let mut table = report::Table::new(&subjects);
    for round in 1..=rounds {
        for subject in &subjects {
            say(&format!("round {round}/{rounds}: {}", subject.name));
            for (job, measure) in job::ALL {
                match measure(&place, subject, &backend) {
                    Ok(value) => table.add(subject.name, job, value),
                    Err(fault) => return Err(format!("{}: {}: {fault}", subject.name, job.name).into()),
                }
            }
        }
    }
    let text = table.markdown(rounds);
    say(&text);
    if let Some(recording) = table.recording(rounds) {
        report::write_recording(&recording)?;
    }
    // What is kept compares all of them.
    if only.is_empty() { report::write(&text, &table.svg()) } else { Ok(()) }
}

/// A line of progress or result, on standard error.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
