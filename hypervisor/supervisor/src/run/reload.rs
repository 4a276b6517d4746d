//! Reloads: another configuration for a cell that runs. All of it is good for the cell, or none of it is.
//!
//! A reload is read and checked, and its backends' names are resolved, in a thread of its own, because names may take their time; then it is
//! held against what a running cell cannot change; then the guest is asked. Only when the guest has agreed it is the configuration, for cells
//! that are started later as well. Until then, and if anything is wrong, the last good one stays. Whoever asks while one is under way
//! gets the next one.

use core::time::Duration;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Instant;

use tender::order::{Back, Update};

use crate::admin::board::Board;
use crate::cli::unix_now;
use crate::limits::{DRAIN_ALLOWANCE_MS, FILES_INTERVAL, RELOAD_TIMEOUT};
use crate::plan::Plan;
use crate::run::cell::Cell;
use crate::run::files::{Before, Files};
use crate::run::opening::Opened;
use crate::run::seen;
use crate::run::source::{Loaded, Source};
use crate::terminal;

/// What came of a reload: it holds, or why nothing has changed, in lines for people.
pub(crate) type Outcome = Result<(), String>;

/// Whoever asked for a reload and waits to hear of it; it may be gone when the answer comes.
pub(crate) type Asker = SyncSender<Outcome>;

/// See the module.
#[derive(Debug)]
pub(super) struct Reloads {
    source: Source,
    board: Arc<Board>,
    /// The configuration that holds.
    plan: Plan,
    files: Files,
    look_at: Instant,
    wanted: bool,
    askers: Vec<Asker>,
    stage: Stage,
    /// A loader that is done writes a byte here, and it is read there.
    done: UnixStream,
    woken: UnixStream,
}

/// How far a reload has come. Those who asked for it wait for its end.
#[derive(Debug)]
enum Stage {
    Idle,
    Loading(Vec<Asker>, Receiver<Result<Box<Loaded>, String>>, Before),
    /// The guest has it, and is given until then to answer.
    Sent(Vec<Asker>, Box<Loaded>, Before, Instant),
}

impl Reloads {
    /// `plan` came from `source` and holds now.
    ///
    /// # Errors
    /// What socketpair(2) says.
    pub(super) fn new(source: Source, plan: Plan, board: Arc<Board>) -> std::io::Result<Self> {
        let (done, woken) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        let mut files = Files::default();
        files.watch(&plan.files, &Before::default());
        let look_at = Instant::now();
        Ok(Self { source, board, plan, files, look_at, wanted: false, askers: Vec::new(), stage: Stage::Idle, done, woken })
    }

    /// The configuration that holds.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Asks for a reload: SIGHUP, a watched file, or somebody who wants to hear what comes of it.
    pub(super) fn ask(&mut self, asker: Option<Asker>) {
        self.wanted = true;
        self.askers.extend(asker);
    }

    /// Says no to all who ask: the box is stopping.
    pub(super) fn stop(&mut self) {
        self.wanted = false;
        let askers = core::mem::take(&mut self.askers);
        tell(askers, &Err("the box is stopping; nothing has changed".into()));
    }

    /// Takes a step, if there is one to take; to be called with a cell that serves.
    pub(super) fn step(&mut self, cell: &mut Cell, opened: &Opened) {
        self.look();
        let _woken = (&self.woken).read(&mut [0; 16]);
        match core::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle if self.wanted => self.begin(),
            Stage::Idle => {}
            Stage::Loading(askers, loading, before) => match loading.try_recv() {
                Err(TryRecvError::Empty) => self.stage = Stage::Loading(askers, loading, before),
                Err(TryRecvError::Disconnected) => self.fail(askers, "reading the configuration failed".into()),
                Ok(Err(why)) => self.fail(askers, why),
                Ok(Ok(loaded)) => self.send(askers, loaded, before, cell, opened),
            },
            Stage::Sent(askers, _, _, until) if until <= Instant::now() => self.fail(askers, "the guest gave no answer in time".into()),
            sent @ Stage::Sent(..) => self.stage = sent,
        }
    }

    /// What the guest has said to the reload that it was sent.
    pub(super) fn answered(&mut self, answer: Outcome, opened: &mut Opened) {
        let (askers, loaded, before) = match core::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Sent(askers, loaded, before, _) => (askers, loaded, before),
            // An answer that nobody waits for any more.
            other => return self.stage = other,
        };
        if let Err(why) = answer {
            return self.fail(askers, format!("the guest refused: {why}"));
        }
        let Loaded { plan, bundle, backends } = *loaded;
        plan.warnings.lines().for_each(terminal::note);
        opened.adopt(bundle, backends, drain_ms(&plan));
        self.files.watch(&plan.files, &before);
        self.board.note(|facts| {
            facts.backends = seen::backends(&plan);
            facts.certificates = seen::certificates(&plan);
            facts.reloaded(unix_now(), Ok(()));
        });
        self.plan = plan;
        terminal::note("reloaded: new connections are served as configured now");
        tell(askers, &Ok(()));
    }

    /// The cell is gone, and with it what it was sent.
    pub(super) fn cell_has_ended(&mut self) {
        if let Stage::Sent(askers, ..) = core::mem::replace(&mut self.stage, Stage::Idle) {
            self.fail(askers, "the cell ended before it could answer".into());
        }
    }

    /// When [`Reloads::step`] wants to be called, if nothing else happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let answer = match &self.stage {
            Stage::Sent(.., until) => Some(*until),
            Stage::Idle | Stage::Loading(..) => None,
        };
        let look = self.plan.reload.watch.then_some(self.look_at);
        answer.into_iter().chain(look).min()
    }

    fn look(&mut self) {
        let now = Instant::now();
        if !self.plan.reload.watch || now < self.look_at {
            return;
        }
        self.look_at = now.checked_add(FILES_INTERVAL).unwrap_or(now);
        if self.files.have_changed() {
            terminal::note("a certificate or key file has changed");
            self.wanted = true;
        }
    }

    fn begin(&mut self) {
        self.wanted = false;
        let (sender, loading) = sync_channel(1);
        let source = self.source.clone();
        let before = self.files.before();
        let askers = core::mem::take(&mut self.askers);
        let Ok(mut done) = self.done.try_clone() else {
            return self.fail(askers, "no descriptor is left to read the configuration".into());
        };
        let thread = std::thread::Builder::new().name("reload".into()).spawn(move || {
            let _heard = sender.send(source.load().map(Box::new));
            let _woken = done.write(&[1]);
        });
        match thread {
            Ok(_) => self.stage = Stage::Loading(askers, loading, before),
            Err(fault) => self.fail(askers, format!("no thread to read the configuration: {fault}")),
        }
    }

    fn send(&mut self, askers: Vec<Asker>, loaded: Box<Loaded>, before: Before, cell: &mut Cell, opened: &Opened) {
        if let Err(why) = self.applies(&loaded, cell.open_ports(), opened) {
            return self.fail(askers, why);
        }
        let update = Update { backends: loaded.backends.clone(), linger_ms: linger_ms(&self.plan), drain_ms: drain_ms(&loaded.plan) };
        match cell.reload(&update, &loaded.bundle) {
            Ok(()) => {
                let now = Instant::now();
                self.stage = Stage::Sent(askers, loaded, before, now.checked_add(RELOAD_TIMEOUT).unwrap_or(now));
            }
            Err(fault) => self.fail(askers, format!("the cell cannot be told: {fault:?}")),
        }
    }

    /// Whether a running cell can have this.
    fn applies(&self, loaded: &Loaded, open_ports: Option<&BTreeSet<u16>>, opened: &Opened) -> Result<(), String> {
        let restart = self.plan.needs_restart(&loaded.plan);
        if !restart.is_empty() {
            return Err(format!("{} changed, which a running box cannot; restart it, or put that back", restart.join(", ")));
        }
        let is_user = matches!(opened.order.back, Back::User { .. });
        let ports = loaded.backends.iter().flat_map(|backend| &backend.host).map(core::net::SocketAddr::port);
        let closed: BTreeSet<u16> = ports.filter(|port| open_ports.is_some_and(|open| is_user && !open.contains(port))).collect();
        if closed.is_empty() {
            return Ok(());
        }
        let closed: Vec<String> = closed.iter().map(ToString::to_string).collect();
        Err(format!(
            "no backend had port {} when the box was started, and its jail was closed over the ports it had; restart it, and name ports that \
             later backends may have in [reload] backend_ports",
            closed.join(", ")
        ))
    }

    fn fail(&mut self, askers: Vec<Asker>, why: String) {
        why.lines().for_each(terminal::note);
        terminal::note("error: nothing was reloaded; the last good configuration stays");
        self.board.note(|facts| facts.reloaded(unix_now(), Err(why.clone())));
        tell(askers, &Err(why));
    }
}

impl AsFd for Reloads {
    /// Readable when a loader is done.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }
}

fn tell(askers: Vec<Asker>, outcome: &Outcome) {
    for asker in askers {
        let _gone = asker.try_send(outcome.clone());
    }
}

fn drain_ms(plan: &Plan) -> u64 {
    plan.bundle.limits.drain_timeout_ms.saturating_add(DRAIN_ALLOWANCE_MS)
}

/// How long a connection of this plan may take until it has its backend, at most: so long the backends of this plan stay within reach.
fn linger_ms(plan: &Plan) -> u64 {
    const ALLOWANCE: Duration = Duration::from_secs(1);
    let limits = &plan.bundle.limits;
    let search = plan.bundle.routes.iter().map(|route| {
        let attempts = u64::from(route.upstream.retries).saturating_add(1);
        route.upstream.queue_timeout_ms.saturating_add(limits.connect_timeout_ms).saturating_mul(attempts)
    });
    let allowance = u64::try_from(ALLOWANCE.as_millis()).unwrap_or(u64::MAX);
    limits.handshake_timeout_ms.saturating_add(search.max().unwrap_or(0)).saturating_add(allowance)
}
