//! Where plans come from: the configuration file, what the command line says beyond it, and the addresses that backends have had so far.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tender::order::Backend;
use zeroize::Zeroizing;

use crate::addresses::Book;
use crate::cli::unix_now;
use crate::plan::{MachineKind, Plan, Restart};
use crate::report::Report;
use crate::run::opening;
use crate::{challenge, config};

/// See the module. A clone is the same source.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) machine: Option<MachineKind>,
    pub(super) restart: Option<Restart>,
    pub(super) image: Option<PathBuf>,
    pub(super) book: Arc<Mutex<Book>>,
}

/// A plan with all that a running cell is sent of it.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) plan: Plan,
    pub(super) bundle: Zeroizing<Vec<u8>>,
    /// Their names are resolved.
    pub(super) backends: Vec<Backend>,
}

impl Source {
    /// This file, with nothing said beyond it.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, machine: None, restart: None, image: None, book: Arc::default() }
    }

    /// Reads everything anew.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn plan(&self) -> Result<Plan, Report> {
        // Before a secret is read: the words alone say whether those of a contest are among them. What is wrong with them is said below.
        if config::read(&self.path, &mut Report::default()).is_some_and(|config| config.challenge.is_some()) {
            challenge::leave_no_core();
        }
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let mut plan = config::load_again(&self.path, unix_now(), &mut book)?;
        plan.machine = self.machine.unwrap_or(plan.machine);
        plan.restart = self.restart.unwrap_or(plan.restart);
        plan.image = self.image.clone().or(plan.image);
        Ok(plan)
    }

    /// The same for a cell that runs, resolved and encoded; or why not, in lines.
    pub(super) fn load(&self) -> Result<Loaded, String> {
        let plan = self.plan().map_err(|report| report.lines().collect::<Vec<_>>().join("\n"))?;
        let backends = opening::backends(&plan)?;
        let bundle = plan.bundle.encode().map_err(|fault| format!("the bundle is unsound: {fault}"))?;
        Ok(Loaded { plan, bundle: bundle.into_zeroizing(), backends })
    }
}
