//! `run`, `demo`, and the hidden `tender`: the processes of a cell.

use crate::cli::{DemoArgs, RunArgs, unix_now};
use crate::exit::Exit;
use crate::{config, image, terminal};

/// `bountybox run`
pub(crate) fn run(args: &RunArgs) -> Exit {
    let plan = match config::load(&args.config, unix_now()) {
        Ok(plan) => plan,
        Err(report) => {
            report.lines().for_each(terminal::note);
            return report.exit();
        }
    };
    plan.warnings.lines().for_each(terminal::note);
    match image::read(args.image.as_deref().or(plan.image.as_deref())) {
        Ok(_) => Exit::Internal,
        Err(exit) => exit,
    }
}

/// `bountybox demo`
pub(crate) fn demo(args: &DemoArgs) -> Exit {
    image::read(args.image.as_deref()).map_or_else(|exit| exit, |_| Exit::Internal)
}

/// `bountybox tender`
pub(crate) fn tender() -> Exit {
    Exit::Internal
}
