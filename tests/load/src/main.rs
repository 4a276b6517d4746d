//! Full size: what a crowd costs everybody else, measured on the built command. `make load` runs it and writes `docs/load.md`.
//!
//! Each case is a box of its own, in a network namespace of its own, with a crowd of real connections: 50,000 that are idle, 5,000 that are slow
//! in their hello or in their stream, 10,000 that begin a handshake and do not go on, 500 that never read. It asks what a connection takes, how
//! long honest clients wait meanwhile, and whether the metrics say what happened. The machine decides how fast all of this is; the ratios are what
//! must hold on any.
//!
//! - [`case`]: the cases; [`course`]: how one goes; [`verdict`]: what it must show; [`report`], [`kept`], [`say`]: table, page, progress;
//! - [`field`]: the namespace; [`honest`]: the clients that matter; [`ledger`]: what the box counts;
//! - [`crowd`]: child processes, which are this program again ([`orders`], [`voice`]): [`visiting`] with many a [`visitor`], or [`serving`].
#![forbid(unsafe_code)]

mod case;
mod course;
mod crowd;
mod field;
mod honest;
mod kept;
mod ledger;
mod limits;
mod orders;
mod report;
mod say;
mod serving;
mod verdict;
mod visiting;
mod visitor;
mod voice;

use std::process::ExitCode;
use std::thread;

use case::{ALL, Case, Size};
use clap::Parser;
use e2e::{Machine, Net, Outcome};
use kept::Kept;
use limits::{ATTEMPTS_MAX, NICENESS};
use orders::Orders;
use rustix::process::setpriority_process;
use say::{Line, aside, out};
use verdict::Row;

/// What a crowd costs everybody else: 50,000 idle connections, slow clients, half-open handshakes, readers that never read.
#[derive(Debug, Parser)]
struct Arguments {
    /// One JSON object for each case instead of a table.
    #[arg(long)]
    json: bool,
    /// A crowd of one part in so many, to try things out; docs/load.md is left as it is.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    part: u32,
    /// Only on this machine: kvm or process.
    #[arg(long)]
    machine: Option<String>,
    /// Only cases of these names.
    cases: Vec<String>,
    /// What a child process is to do.
    #[arg(long, hide = true)]
    child: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.child {
        Some(orders) => child(orders).map(|()| true),
        None => all(&arguments),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            aside(&format!("load: {fault}"));
            ExitCode::FAILURE
        }
    }
}

/// A crowd would have machines of its own: here it takes what the box and honest clients leave, and its counts say whether that was enough.
fn child(orders: &str) -> Outcome {
    setpriority_process(None, NICENESS)?;
    match serde_json::from_str(orders)? {
        Orders::Visit(orders) => visiting::run(&orders),
        Orders::Serve(orders) => serving::run(&orders),
    }
}

/// Runs what is asked for. Whether all of it holds; what this host cannot run does not.
fn all(arguments: &Arguments) -> Outcome<bool> {
    let (size, kept) = (Size { part: arguments.part }, Kept::of_this_build()?);
    let (mut rows, mut wanted) = (Vec::new(), 0);
    for (machine, case) in chosen(arguments)? {
        wanted += 1;
        if let Some(reason) = machine.missing().or(Net::Tap.missing()) {
            aside(&format!("skipped: {reason}: {}/{}", machine.name(), case.name));
            continue;
        }
        match tried(machine, case, size) {
            Ok(row) => {
                tell(&row, arguments.json)?;
                if size.part == 1 {
                    kept.take(&row)?;
                }
                rows.push(row);
            }
            Err(fault) => aside(&format!("FAILED {}/{}: {fault}", machine.name(), case.name)),
        }
    }
    if !arguments.json {
        out(&report::table(&rows.iter().map(report::cells).collect::<Vec<_>>()));
    }
    if let Some(whole) = kept.whole()? {
        report::write(&whole)?;
        aside("docs/load.md is written");
    }
    Ok(rows.len() == wanted && rows.iter().all(Row::holds))
}

fn chosen(arguments: &Arguments) -> Outcome<Vec<(Machine, &'static Case)>> {
    let named = |case: &&Case| arguments.cases.is_empty() || arguments.cases.iter().any(|name| name == case.name);
    let machines = [Machine::Kvm, Machine::Process].into_iter();
    let machines = machines.filter(|machine| arguments.machine.as_ref().is_none_or(|name| name == machine.name()));
    let chosen: Vec<_> = machines.flat_map(|machine| ALL.iter().filter(named).map(move |case| (machine, case))).collect();
    if chosen.is_empty() { Err("no such case or machine".into()) } else { Ok(chosen) }
}

/// A case whose one complaint is the time that honest clients wait is measured again: the host may have been busy with something else.
fn tried(machine: Machine, case: &'static Case, size: Size) -> Outcome<Row> {
    let mut row = one(machine, case, size)?;
    for attempt in 2..=ATTEMPTS_MAX {
        if row.holds() || !row.only_waited() {
            break;
        }
        aside(&format!("{}/{}: once more, as {}", row.machine, row.case, row.complaints.join("; ")));
        row = Row { attempt, ..one(machine, case, size)? };
    }
    Ok(row)
}

/// A case in a thread of its own, which moves into the case's namespace.
fn one(machine: Machine, case: &'static Case, size: Size) -> Outcome<Row> {
    let line = Line::new(format!("{}/{}", machine.name(), case.name));
    thread::spawn(move || {
        let row = course::run(case, machine, size, &line);
        line.clear();
        row
    })
    .join()
    .map_err(|_| "the case panicked")?
}

fn tell(row: &Row, json: bool) -> Outcome {
    if json {
        out(&serde_json::to_string(row)?);
    }
    let verdict = if row.holds() { "ok".to_owned() } else { format!("FAILED: {}", row.complaints.join("; ")) };
    aside(&format!("{}/{}: {verdict}", row.machine, row.case));
    Ok(())
}
