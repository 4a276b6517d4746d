//! What RFC 9293 asks of a TCP, as far as it shows on the wire; and transfers over a wire that is no good, byte for byte, both ways. By the box on each
//! machine, and by Linux's own TCP, to compare. `make tcp` runs it and writes `docs/tcp.md`; with `short` it moves little, and writes nothing.
//!
//! - [`musts`]: the list, a function each; [`opposite`]: whom they are asked of;
//! - [`mod@bench`]: a client, a wire, and what is at its other end, each in a network namespace of its own;
//! - [`stream`]: bytes that anybody can check;
//! - [`page`]: what came of it.
#![forbid(unsafe_code)]

mod bench;
mod musts;
mod opposite;
mod page;
mod stream;

use core::time::Duration;
use std::io::Write as _;
use std::process::ExitCode;
use std::thread;

use bench::{Bench, Subject};
use e2e::{Machine, Net, Outcome};
use musts::Finding;
use rawnet::relay::Impairment;
use stream::Direction;

/// 1 % loss, 50 ms there and back, 10 % out of order, 10 % twice.
const IMPAIRMENT: Impairment = Impairment {
    delay: Duration::from_millis(25),
    lost_per_mille: 10,
    late_per_mille: 100,
    late_by: Duration::from_millis(5),
    twice_per_mille: 100,
    bytes_per_s: None,
    seed: 4,
};

/// How much over how many connections at a time.
#[derive(Debug, Clone, Copy)]
struct Load {
    connections: usize,
    bytes: usize,
}

/// All that is moved in each direction, and what one connection alone moves.
const FULL: [Load; 2] = [Load { connections: 32, bytes: 100 << 20 }, Load { connections: 1, bytes: 4 << 20 }];
const SHORT: [Load; 1] = [Load { connections: 8, bytes: 2 << 20 }];

/// One measurement.
#[derive(Debug, Clone)]
struct Measured {
    subject: &'static str,
    direction: Direction,
    load: Load,
    took: Duration,
}

impl Measured {
    fn bytes_per_s(&self) -> f64 {
        f64::from(u32::try_from(self.load.bytes).unwrap_or(u32::MAX)) / self.took.as_secs_f64()
    }
}

fn main() -> ExitCode {
    let short = std::env::args().any(|word| word.trim_start_matches("--") == "short");
    let loads: &[Load] = if short { &SHORT } else { &FULL };
    let (mut kept, mut all) = (Vec::new(), Vec::new());
    for subject in [Subject::Linux, Subject::Box(Machine::Kvm), Subject::Box(Machine::Process)] {
        if let Some(reason) = subject.missing() {
            say(&format!("skipped: {reason}: {}", subject.name()));
            continue;
        }
        match on_a_thread(subject, loads) {
            Ok((found, measured)) => {
                kept.push((subject, found));
                all.extend(measured);
            }
            Err(fault) => {
                say(&format!("{}: {fault}", subject.name()));
                return ExitCode::FAILURE;
            }
        }
    }
    let broken = |(subject, found): &(Subject, Vec<Finding>)| {
        *subject != Subject::Linux && found.iter().any(|finding| matches!(finding, Finding::Broken(_)))
    };
    if kept.iter().any(broken) {
        return ExitCode::FAILURE;
    }
    match if short { Ok(()) } else { page::write(&kept, &all, &IMPAIRMENT) } {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            say(&format!("docs/tcp.md: {fault}"));
            ExitCode::FAILURE
        }
    }
}

/// The bench's place takes the thread along.
fn on_a_thread(subject: Subject, loads: &[Load]) -> Outcome<(Vec<Finding>, Vec<Measured>)> {
    let asked = || musts::ask(&Bench::new(subject, None)?.opposite(subject)?, subject);
    let found = thread::scope(|scope| scope.spawn(asked).join()).map_err(|_| "the asking panicked")??;
    let run = || -> Outcome<Vec<Measured>> {
        let bench = Bench::new(subject, Some(IMPAIRMENT))?;
        let mut all = Vec::new();
        for load in loads {
            for direction in [Direction::Down, Direction::Up] {
                let took = bench.transfer(direction, *load)?;
                let measured = Measured { subject: subject.name(), direction, load: *load, took };
                say(&format!("{}: {:.0} KiB/s, exact: {measured:?}", subject.name(), measured.bytes_per_s() / 1024.0));
                all.push(measured);
            }
        }
        say(&format!("{}: {:?}", subject.name(), bench.done()));
        Ok(all)
    };
    Ok((found, thread::scope(|scope| scope.spawn(run).join()).map_err(|_| "the bench panicked")??))
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Linux => "Linux, plain TCP",
            Self::Box(Machine::Kvm) => "box on kvm, TLS",
            Self::Box(Machine::Process) => "box on process, TLS",
        }
    }

    fn missing(self) -> Option<&'static str> {
        match self {
            Self::Linux => Net::Tap.missing(),
            Self::Box(machine) => machine.missing().or(Net::Tap.missing()),
        }
    }
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
