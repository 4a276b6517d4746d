//! The board: what the supervisor knows about itself and its cell, and what others wish of it.
//!
//! The watching thread writes and fulfils; the admin interface's threads read and wish. Nobody waits for anything else while holding a lock.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use status::Status;
use tender::ending::Ending;
use tender::mailbox::Ask;

use crate::limits::{STATUS_FRESH, WISHES_MAX};
use crate::run::access_file::Written;

/// See the module.
#[derive(Debug)]
pub struct Board {
    facts: Mutex<Facts>,
    /// Whenever a status has come.
    arrived: Condvar,
    wishes: Mutex<VecDeque<Wish>>,
    bell: UnixStream,
}

/// What the supervisor knows.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When the supervisor started.
    pub started: Instant,
    /// The same, since 1970.
    pub started_unix: Duration,
    /// `kvm` or `process`.
    pub machine: &'static str,
    /// `user` or `tap`, and what the backends are reached over.
    pub net: &'static str,
    /// Where clients connect to.
    pub addresses: Vec<String>,
    /// What the configuration calls each backend, by the address that the guest knows it under.
    pub backends: BTreeMap<SocketAddr, String>,
    /// The certificates in use.
    pub certificates: Vec<Expiry>,
    /// The cell that runs.
    pub cell: Cell,
    /// Cells that were started after one had ended.
    pub restarts: u64,
    /// Cells that have ended, by how.
    pub exits: BTreeMap<&'static str, u64>,
    /// Reloads so far.
    pub reloads: Reloads,
    /// Statuses that the guest sent and that were none.
    pub statuses_refused: u64,
    /// The last sound one of the running cell, and when it came.
    pub status: Option<(Arc<Status>, Instant)>,
    /// What the access log's file has taken.
    pub access: Option<Arc<Written>>,
}

/// What the running cell does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// It does not serve yet, or a fresh one is about to be started.
    Starting,
    /// It serves since then.
    Serving(Instant),
    /// It finishes what runs.
    Draining,
}

/// When a certificate ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// The chain's file.
    pub file: String,
    /// The first of its names.
    pub name: String,
    /// Seconds since 1970.
    pub not_after: i64,
}

/// Reloads so far.
#[derive(Debug, Clone, Default)]
pub struct Reloads {
    /// Those that took effect.
    pub done: u64,
    /// Those that changed nothing.
    pub refused: u64,
    /// The last one: when, since 1970, and why not.
    pub last: Option<(Duration, Result<(), String>)>,
}

/// What somebody wants of the watching thread.
#[derive(Debug)]
pub enum Wish {
    /// A fresh status.
    Status,
    /// Read the configuration again; the answer is why not.
    Reload(SyncSender<Result<(), String>>),
    /// Ask the guest of a contest for something.
    Ask(Ask, SyncSender<Answer>),
    /// Finish what runs, and end.
    Drain,
}

/// What the guest of a contest has made, or why it has not.
pub type Answer = Result<Vec<u8>, String>;

/// The watching thread's end: readable when there are wishes.
#[derive(Debug)]
pub struct Wishes {
    board: Arc<Board>,
    bell: UnixStream,
}

impl Board {
    /// A board, and the end of it that fulfils.
    ///
    /// # Errors
    /// What socketpair(2) says.
    pub fn new(facts: Facts) -> io::Result<(Arc<Self>, Wishes)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        let board = Self { facts: Mutex::new(facts), arrived: Condvar::new(), wishes: Mutex::default(), bell: theirs };
        let board = Arc::new(board);
        Ok((Arc::clone(&board), Wishes { board, bell: ours }))
    }

    /// A copy of what is known.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.lock().clone()
    }

    /// Takes note of something.
    pub fn note(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.lock());
    }

    /// Takes a status that the guest has made; what is none is counted and forgotten.
    pub fn take_status(&self, bytes: &[u8]) {
        let status = Status::decode(bytes);
        let mut facts = self.lock();
        match status {
            Ok(status) => facts.status = Some((Arc::new(status), Instant::now())),
            Err(_) => facts.statuses_refused = facts.statuses_refused.saturating_add(1),
        }
        drop(facts);
        self.arrived.notify_all();
    }

    /// What is known, with a status that has just been made if the guest answers within `patience`; else with the last one.
    #[must_use]
    pub fn ask(&self, patience: Duration) -> Facts {
        let is_fresh = |facts: &Facts| facts.status.as_ref().is_some_and(|(_, came)| came.elapsed() <= STATUS_FRESH);
        let facts = self.lock();
        if is_fresh(&facts) || !matches!(facts.cell, Cell::Serving(_) | Cell::Draining) {
            return facts.clone();
        }
        let before = facts.status.as_ref().map(|(_, came)| *came);
        drop(facts);
        self.wish(Wish::Status);
        let unchanged = |facts: &mut Facts| facts.status.as_ref().map(|(_, came)| *came) == before;
        let waited = self.arrived.wait_timeout_while(self.lock(), patience, unchanged).unwrap_or_else(PoisonError::into_inner);
        waited.0.clone()
    }

    /// Wishes for a reload; the answer comes by the receiver. `None` if too many wishes wait.
    #[must_use]
    pub fn wish_reload(&self) -> Option<Receiver<Result<(), String>>> {
        let (answer, receiver) = sync_channel(1);
        self.wish(Wish::Reload(answer)).then_some(receiver)
    }

    /// Asks the guest of a contest, and waits for its answer for so long.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ask_guest(&self, ask: Ask, patience: Duration) -> Answer {
        let (sender, answer) = sync_channel(1);
        if !self.wish(Wish::Ask(ask, sender)) {
            return Err("too much is asked of the box at once".into());
        }
        match answer.recv_timeout(patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err("the guest gave no answer in time".into()),
            Err(RecvTimeoutError::Disconnected) => Err("no guest serves".into()),
        }
    }

    /// Puts a wish on the board. False if there is no room: then as much is wished already.
    pub fn wish(&self, wish: Wish) -> bool {
        let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        if wishes.len() >= WISHES_MAX {
            return false;
        }
        wishes.push_back(wish);
        drop(wishes);
        // A bell that cannot be rung any more is ringing.
        let _ringing = (&self.bell).write(&[1]);
        true
    }

    fn lock(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wishes {
    /// The board.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// All that is wished, in order.
    #[must_use]
    pub fn take(&self) -> VecDeque<Wish> {
        let mut rung = [0; WISHES_MAX];
        while matches!((&self.bell).read(&mut rung), Ok(count) if count > 0) {}
        core::mem::take(&mut self.board.wishes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AsFd for Wishes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

impl Facts {
    /// A supervisor that starts now.
    #[must_use]
    pub fn new(started_unix: Duration) -> Self {
        Self {
            started: Instant::now(),
            started_unix,
            machine: "",
            net: "",
            addresses: Vec::new(),
            backends: BTreeMap::new(),
            certificates: Vec::new(),
            cell: Cell::Starting,
            restarts: 0,
            exits: BTreeMap::new(),
            reloads: Reloads::default(),
            statuses_refused: 0,
            status: None,
            access: None,
        }
    }

    /// What the configuration calls a backend.
    #[must_use]
    pub fn backend(&self, guest: SocketAddr) -> String {
        self.backends.get(&guest).cloned().unwrap_or_else(|| guest.to_string())
    }

    /// A cell serves.
    pub fn serving(&mut self) {
        self.cell = Cell::Serving(Instant::now());
    }

    /// A drain has begun.
    pub fn draining(&mut self) {
        self.cell = Cell::Draining;
    }

    /// A fresh cell takes the place of one that has ended.
    pub fn restarted(&mut self) {
        self.restarts = self.restarts.saturating_add(1);
    }

    /// The cell has ended: what it said of itself is of the past.
    pub fn ended(&mut self, ending: Ending) {
        self.cell = Cell::Starting;
        self.status = None;
        let count = self.exits.entry(reason(ending)).or_default();
        *count = count.saturating_add(1);
    }

    /// A reload took effect, or changed nothing.
    pub fn reloaded(&mut self, unix: Duration, outcome: Result<(), String>) {
        let count = if outcome.is_ok() { &mut self.reloads.done } else { &mut self.reloads.refused };
        *count = count.saturating_add(1);
        self.reloads.last = Some((unix, outcome));
    }

    /// Why no clients should be sent here: nothing, if all is well.
    #[must_use]
    pub fn hindrances(&self) -> Vec<String> {
        let mut found = Vec::new();
        match self.cell {
            Cell::Starting => found.push("no guest serves".to_owned()),
            Cell::Draining => found.push("it is being drained".to_owned()),
            Cell::Serving(_) => {}
        }
        let Some((status, came)) = &self.status else {
            found.push("the guest has not said how it stands".to_owned());
            return found;
        };
        if came.elapsed() > crate::limits::STATUS_STALE {
            found.push(format!("the guest has not answered for {} s", came.elapsed().as_secs()));
        }
        if status.phase != status::Phase::Serving {
            found.push(format!("the guest is {}", status.phase.name()));
        }
        let dead = |route: &&status::Route| route.backends.iter().all(|backend| backend.state == status::BackendState::Down);
        found.extend(status.routes.iter().filter(dead).map(|route| format!("route {} has no backend that is up", route.name)));
        found
    }
}

/// The ending as a label.
fn reason(ending: Ending) -> &'static str {
    match ending {
        Ending::Ended => "ended",
        Ending::Usage => "usage",
        Ending::Bundle => "bundle",
        Ending::Image => "image",
        Ending::Machine => "machine",
        Ending::Net => "net",
        Ending::Jail => "jail",
        Ending::GuestExit => "guest_exit",
        Ending::GuestCrash => "guest_crash",
        Ending::GuestHung => "guest_hung",
        Ending::Host => "host",
        Ending::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn board() -> (Arc<Board>, Wishes) {
        Board::new(Facts::new(Duration::ZERO)).unwrap()
    }

    fn serving(routes: Vec<status::Route>) -> Facts {
        let mut facts = Facts::new(Duration::ZERO);
        facts.serving();
        facts.status = Some((Arc::new(Status { routes, ..Status::default() }), Instant::now()));
        facts
    }

    fn backend(state: status::BackendState) -> status::Backend {
        status::Backend {
            address: "100.64.0.1:80".parse().unwrap(),
            state,
            active: 0,
            connections: 0,
            failures: 0,
            checked: false,
            checks_passed: 0,
            checks_failed: 0,
        }
    }

    #[test]
    fn a_status_that_is_wished_for_arrives() {
        let (board, wishes) = board();
        board.note(Facts::serving);
        let asking = thread::spawn({
            let board = Arc::clone(&board);
            move || board.ask(Duration::from_secs(10))
        });
        while !wishes.take().iter().any(|wish| matches!(wish, Wish::Status)) {
            thread::yield_now();
        }
        board.take_status(&Status { uptime_ms: 7, ..Status::default() }.encode());
        assert_eq!(asking.join().unwrap().status.unwrap().0.uptime_ms, 7);
    }

    #[test]
    fn a_guest_that_is_silent_costs_no_more_than_the_patience_and_the_last_status_stays() {
        let (board, _wishes) = board();
        board.note(|facts| *facts = serving(Vec::new()));
        board.note(|facts| facts.status = facts.status.take().map(|(status, came)| (status, came - Duration::from_secs(9))));
        let facts = board.ask(Duration::from_millis(20));
        assert!(facts.status.is_some_and(|(_, came)| came.elapsed() >= Duration::from_secs(9)));
    }

    #[test]
    fn what_a_guest_makes_up_is_counted_and_changes_nothing() {
        let (board, _wishes) = board();
        board.note(|facts| *facts = serving(Vec::new()));
        board.take_status(&[0xff; 100]);
        let facts = board.facts();
        assert!(facts.statuses_refused == 1 && facts.status.is_some());
    }

    #[test]
    fn wishes_are_bounded() {
        let (board, wishes) = board();
        let taken = (0..WISHES_MAX * 3).filter(|_| board.wish(Wish::Status)).count();
        assert_eq!((taken, wishes.take().len(), wishes.take().len()), (WISHES_MAX, WISHES_MAX, 0));
        assert!(board.wish(Wish::Drain), "there is room again");
    }

    #[test]
    fn readiness_wants_a_guest_that_serves_and_a_backend_for_each_route() {
        let (up, down, ejected) = (status::BackendState::Up, status::BackendState::Down, status::BackendState::Ejected);
        let route = |name: &str, states: &[status::BackendState]| status::Route {
            name: name.into(),
            queued: 0,
            backends: states.iter().map(|state| backend(*state)).collect(),
        };
        assert!(serving(vec![route("a", &[down, up]), route("b", &[ejected])]).hindrances().is_empty());
        assert_eq!(serving(vec![route("a", &[up]), route("b", &[down, down])]).hindrances(), ["route b has no backend that is up"]);
        let mut draining = serving(Vec::new());
        draining.cell = Cell::Draining;
        assert_eq!(draining.hindrances(), ["it is being drained"]);
        assert_eq!(Facts::new(Duration::ZERO).hindrances().len(), 2);
    }
}
