//! `run`, `demo`, and the hidden `tender`: the processes of a cell.
//!
//! The supervisor opens what a cell needs (`opening`), starts a tender, hands it everything over one socket (`cell`), and watches it
//! (`watch`). It keeps listeners and TAPs open itself, so that nobody is turned away while a fresh cell starts.

pub(crate) mod access_file;
mod asked;
mod backend;
mod backoff;
mod cell;
mod challenge;
mod demo;
mod files;
mod opening;
mod ready;
mod recordings;
pub(crate) mod reload;
mod seen;
mod signals;
mod source;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::admin::Admin;
use crate::admin::board::Board;
use crate::cli::RunArgs;
use crate::exit::Exit;
use crate::plan::MachineKind;
use crate::{image, terminal};
use challenge::Challenge;
use reload::Reloads;
use source::Source;
use watch::Sources;

pub(crate) use demo::demo;
pub(crate) use signals::Signals;

/// `bountybox run`
pub(crate) fn run(args: &RunArgs) -> Exit {
    if args.json {
        terminal::speak_json();
    }
    let lines = if args.json { tender::order::Lines::Json } else { tender::order::Lines::Text };
    let RunArgs { machine, restart, image, .. } = args.clone();
    serve(Source { machine, restart, image, ..Source::new(args.config.clone()) }, lines)
}

/// `bountybox challenge --lab`: what was minted, as any other configuration.
pub(crate) fn run_lab(config: PathBuf, machine: MachineKind, image: Option<PathBuf>) -> Exit {
    serve(Source { machine: Some(machine), image, ..Source::new(config) }, tender::order::Lines::Text)
}

/// Serves as planned, until a signal or an end that is not worth a restart.
fn serve(source: Source, lines: tender::order::Lines) -> Exit {
    let plan = match source.plan() {
        Ok(plan) => plan,
        Err(report) => {
            report.lines().for_each(terminal::note);
            return report.exit();
        }
    };
    plan.warnings.lines().for_each(terminal::note);
    let served = image::read_to_run(plan.image.as_deref()).and_then(|image| {
        let promised = plan.challenge.as_ref().map(|contest| challenge::keep_promise(contest, &image)).transpose()?;
        let uncaught = |fault| refuse(Exit::Internal, format!("signals cannot be caught: {fault}"));
        let (stop, hangup) = (Signals::to_stop().map_err(uncaught)?, Signals::to_reload().map_err(uncaught)?);
        let admin = Admin::open(&plan.admin)?;
        let mut opened = opening::open(&plan, &image, lines)?;
        let cannot = |fault: std::io::Error| refuse(Exit::Internal, format!("the admin interface cannot be started: {fault}"));
        let (board, wishes) = Board::new(seen::facts(&plan, &opened)).map_err(cannot)?;
        admin.answer(&board).map_err(cannot)?;
        if let Some(address) = admin.address() {
            terminal::note(format!("admin: http://{address}/metrics"));
        }
        let contest = plan.challenge.as_ref().zip(promised).zip(opened.kept.take());
        let challenge = contest.map(|((challenge, image), kept)| Challenge::open(challenge, image, &board, kept)).transpose()?;
        let reloads = Reloads::new(source, plan, board);
        let reloads = reloads.map_err(|fault| refuse(Exit::Internal, format!("reloads cannot be had: {fault}")))?;
        let mut sources = Sources { stop, hangup, wishes, reloads, challenge };
        let exit = watch::watch(&mut opened, &mut sources);
        opened.close();
        if let Some(challenge) = sources.challenge {
            challenge.close();
        }
        Ok(exit)
    });
    served.unwrap_or_else(|exit| exit)
}

/// `bountybox tender`
pub(crate) fn tender() -> ExitCode {
    tender::tend().code().into()
}

/// Says why, and gives back what the process ends with.
pub(crate) fn refuse(exit: Exit, why: impl core::fmt::Display) -> Exit {
    terminal::note(format!("error: {why}"));
    exit
}
