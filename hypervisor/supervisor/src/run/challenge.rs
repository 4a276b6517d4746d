//! The contest of a box that serves one: its log, its page, and the questions that only the guest can answer.
//!
//! The log is kept by a thread of its own (`heart`), which hears from the watching thread what happened and from the clock when proofs are due. The page's
//! threads ask it for judgements and receipts. The watching thread never waits for any of them: it passes questions on to the guest, and answers back.

mod desk;
mod effort;
mod film;
mod heart;
mod page;
mod promise;

use std::net::TcpListener;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use arbiter::Digest;
use bounty_page::Contest;
use keeper::Keeper;
use keeper::evidence::Evidence;
use tender::ending::Ending;

use crate::admin::board::Board;
use crate::cli::unix_now;
use crate::config::read_bounded;
use crate::exit::Exit;
use crate::limits::{ARBITER_LEN_MAX, HAPPENED_WAITING_MAX};
use crate::plan;
use crate::run::refuse;
use crate::terminal;
use desk::Desk;
pub(super) use film::Film;
use page::Page;
pub(super) use promise::keep as keep_promise;

/// See the module.
#[derive(Debug)]
pub(super) struct Challenge {
    happened: SyncSender<Happened>,
    heart: JoinHandle<()>,
    page: Page,
}

/// What is kept as evidence.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) evidence: Arc<Mutex<Evidence>>,
    /// What the public link carries, on its way there.
    pub(super) film: Option<Film>,
}

/// What the log's thread is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Happened {
    /// A cell serves.
    Serving,
    /// A cell has ended, and was not asked to.
    Ended(Ending),
    /// The box stops.
    Stopping,
}

impl Challenge {
    /// Opens the log, serves the page, and begins to keep the log. `image` is the digest of what the guest runs.
    pub(super) fn open(plan: &plan::Challenge, image: Digest, board: &Arc<Board>, kept: Kept) -> Result<Self, Exit> {
        let cannot =
            |what: &str, why: &dyn core::fmt::Display| refuse(Exit::Challenge, format!("{}: {what}: {why}", plan.folder.path().display()));
        let keeper = Keeper::open(&plan.folder, unix_now().as_secs()).map_err(|fault| cannot("the log cannot be kept", &fault))?;
        let keeper = Arc::new(Mutex::new(keeper));
        let desk = Arc::new(Desk::new(plan, image, Arc::clone(&keeper), Arc::clone(board)));
        let arbiter = plan.arbiter.as_ref().map(|file| (file, read_bounded(file, ARBITER_LEN_MAX)));
        let arbiter = match arbiter {
            None => None,
            Some((_, Ok(bytes))) => Some(bytes),
            Some((file, Err(fault))) => {
                return Err(refuse(Exit::Config, format!("{}: the arbiter cannot be read: {fault}", file.display())));
            }
        };
        let listeners = [Some(plan.page), plan.plain].into_iter().flatten().map(listen).collect::<Result<Vec<_>, _>>()?;
        let plain = usize::from(plan.plain.is_some());
        let order = crate::page::Order { base: plan.base.clone(), arbiter, named: 1, plain, json: terminal::speaks_json() };
        let page = Page::open(listeners, order, Arc::clone(&desk) as Arc<dyn Contest>);
        let page = page.map_err(|fault| refuse(Exit::Challenge, format!("the page is not served: {fault}")))?;
        let (happened, hearing) = sync_channel(HAPPENED_WAITING_MAX);
        let heart = heart::Heart::new(desk, kept, plan.heartbeat);
        let heart = thread::Builder::new().name("heart".into()).spawn(move || heart.beat(&hearing));
        let heart = heart.map_err(|fault| refuse(Exit::Internal, format!("no thread for the log: {fault}")))?;
        tell(plan);
        Ok(Self { happened, heart, page })
    }

    /// Says what happened. The log's thread is never waited for: if it is so far behind, it has nothing to say of this.
    pub(super) fn tell(&self, happened: Happened) {
        if self.happened.try_send(happened).is_err() {
            terminal::note(format!("warning: the log is too far behind to take note of this: {happened:?}"));
        }
    }

    /// The box has stopped: the log says so.
    pub(super) fn close(self) {
        let Self { happened, heart, page } = self;
        page.close();
        let _gone = happened.send(Happened::Stopping);
        let _ended = heart.join();
    }
}

/// Says where everything is, for people.
fn tell(plan: &plan::Challenge) {
    let ceremony::PerDoor { server, call_back, reverse } = plan.doors;
    terminal::note(format!(
        "contest: {} ({}); doors: server {server}, call-back {call_back} (it calls back at port {}), reverse {reverse}; page {}",
        plan.folder.digest(),
        plan.folder.mode().word(),
        plan.folder.ports().dials,
        plan.base
    ));
}

fn listen(address: core::net::SocketAddr) -> Result<TcpListener, Exit> {
    TcpListener::bind(address).map_err(|fault| refuse(Exit::Net, format!("the page cannot be served on {address}: {fault}")))
}
