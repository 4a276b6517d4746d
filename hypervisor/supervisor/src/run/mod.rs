//! `run`, `demo`, and the hidden `tender`: the processes of a cell.
//!
//! The supervisor opens what a cell needs (`opening`), starts a tender, hands it everything over one socket (`cell`), and watches it
//! (`watch`). It keeps listeners and TAPs open itself, so that nobody is turned away while a fresh cell starts.

mod backend;
mod backoff;
mod cell;
mod demo;
mod opening;
mod ready;
mod signals;
mod watch;

use std::process::ExitCode;

use crate::cli::{RunArgs, unix_now};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::{config, image, terminal};

pub(crate) use demo::demo;

/// `bountybox run`
pub(crate) fn run(args: &RunArgs) -> Exit {
    let mut plan = match config::load(&args.config, unix_now()) {
        Ok(plan) => plan,
        Err(report) => {
            report.lines().for_each(terminal::note);
            return report.exit();
        }
    };
    plan.machine = args.machine.unwrap_or(plan.machine);
    plan.restart = args.restart.unwrap_or(plan.restart);
    plan.image = args.image.clone().or(plan.image);
    let lines = if args.json { tender::order::Lines::Json } else { tender::order::Lines::Text };
    serve(&plan, lines)
}

/// Serves as planned, until a signal or an end that is not worth a restart.
fn serve(plan: &Plan, lines: tender::order::Lines) -> Exit {
    plan.warnings.lines().for_each(terminal::note);
    let served = image::read_to_run(plan.image.as_deref()).and_then(|image| {
        let signals = signals::Signals::catch().map_err(|fault| refuse(Exit::Internal, format!("signals cannot be caught: {fault}")))?;
        let opened = opening::open(plan, &image, lines)?;
        Ok(watch::watch(&opened, &signals, plan.restart))
    });
    served.unwrap_or_else(|exit| exit)
}

/// `bountybox tender`
pub(crate) fn tender() -> ExitCode {
    tender::tend().code().into()
}

/// Says why, and gives back what the process ends with.
fn refuse(exit: Exit, why: impl core::fmt::Display) -> Exit {
    terminal::note(format!("error: {why}"));
    exit
}
