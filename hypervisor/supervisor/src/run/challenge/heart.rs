//! The log's thread: it enters what happened, and has the flags prove that they are there as often as they are to.

use core::time::Duration;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use arbiter::crash::Ending as Word;
use arbiter::{Digest, Tier};
use keeper::evidence::{Evidence, EvidenceKind};
use keeper::{By, Ended, Refused};
use tender::ending::Ending;

use super::desk::Desk;
use super::film::{Film, lock};
use super::{Happened, Kept};
use crate::cli::unix_now;
use crate::terminal;

/// See the module.
#[derive(Debug)]
pub(super) struct Heart {
    desk: Arc<Desk>,
    evidence: Arc<Mutex<Evidence>>,
    film: Option<Film>,
    every: Duration,
    /// When proofs are due, while a cell serves.
    due: Option<Instant>,
    started: bool,
}

/// After a heartbeat that failed, the next is tried this soon.
const AGAIN: Duration = Duration::from_secs(10);
/// With nothing to do, how long to wait for something.
const IDLE: Duration = Duration::from_secs(3600);

impl Heart {
    pub(super) fn new(desk: Arc<Desk>, Kept { evidence, film }: Kept, every: Duration) -> Self {
        Self { desk, evidence, film, every, due: None, started: false }
    }

    /// Until the box stops.
    pub(super) fn beat(mut self, hearing: &Receiver<Happened>) {
        loop {
            let patience = self.due.map_or(IDLE, |due| due.saturating_duration_since(Instant::now()));
            match hearing.recv_timeout(patience) {
                Ok(Happened::Serving) => self.serving(),
                Ok(Happened::Ended(ending)) => self.ended(ending),
                Ok(Happened::Stopping) | Err(RecvTimeoutError::Disconnected) => return self.stopping(),
                Err(RecvTimeoutError::Timeout) => self.prove(),
            }
        }
    }

    fn serving(&mut self) {
        if !self.started {
            self.started = self.enter("start", |desk| desk.keeper().started(now()));
        }
        self.due = Some(Instant::now());
    }

    fn prove(&mut self) {
        let Some(due) = self.due.filter(|due| *due <= Instant::now()) else { return };
        let next = match self.desk.heartbeat() {
            Ok(missed) => {
                if !missed.is_empty() {
                    let missed: Vec<&str> = missed.into_iter().map(Tier::name).collect();
                    terminal::note(format!("warning: a heartbeat in the log lacks flags that did not answer: {}", missed.join(", ")));
                }
                self.every
            }
            Err(why) => {
                terminal::note(format!("warning: no heartbeat in the log: {why}"));
                AGAIN.min(self.every)
            }
        };
        self.due = due.max(Instant::now().checked_sub(next).unwrap_or(due)).checked_add(next);
    }

    /// A cell has ended: what is known of it is kept, and the record of it is signed.
    fn ended(&mut self, ending: Ending) {
        self.due = None;
        let (word, by) = told(ending);
        let detail = format!("{ending:?}");
        let led_to_it = self.film.as_ref().map(Film::so_far).unwrap_or_default();
        let evidence = match lock(&self.evidence).keep(EvidenceKind::Restart, now(), &led_to_it) {
            Ok(kept) => kept.digest,
            Err(fault) => {
                terminal::note(format!("warning: what led to a restart is not kept: {fault}"));
                Digest::of(&[&led_to_it])
            }
        };
        let ended = Ended { ending: word, by, detail: &detail, evidence };
        self.enter("restart", |desk| desk.keeper().ended(now(), &ended).map(|_| 0));
    }

    fn stopping(&mut self) {
        self.film.take().into_iter().for_each(Film::close);
        if self.started {
            self.enter("stop", |desk| desk.keeper().stopped(now()));
        }
    }

    fn enter(&self, what: &str, enter: impl FnOnce(&Desk) -> Result<u64, Refused>) -> bool {
        match enter(&self.desk) {
            Ok(_) => true,
            Err(refused) => {
                terminal::note(format!("warning: the log did not take a {what}: {refused}"));
                false
            }
        }
    }
}

/// How a record says it. Only what the tender itself says of its guest is the guest's: a killed tender, a host without memory or a failing net is nobody's win.
const fn told(ending: Ending) -> (Word, By) {
    match ending {
        Ending::GuestCrash => (Word::Crash, By::Guest),
        Ending::GuestHung => (Word::Hung, By::Guest),
        Ending::GuestExit => (Word::Exit, By::Guest),
        Ending::Ended => (Word::Exit, By::Other),
        Ending::Usage | Ending::Bundle | Ending::Image | Ending::Machine | Ending::Net | Ending::Jail | Ending::Host | Ending::Unknown => {
            (Word::Crash, By::Other)
        }
    }
}

fn now() -> u64 {
    unix_now().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Unknown` is a tender that was killed, by a person or for want of memory.
    #[test]
    fn only_an_ending_of_the_guest_is_somebodys_win() {
        let all = (0..=255).map(Ending::from_code);
        let mut guests: Vec<Ending> = all.filter(|ending| told(*ending).1 == By::Guest).collect();
        guests.dedup();
        assert_eq!(guests, [Ending::GuestExit, Ending::GuestCrash, Ending::GuestHung]);
        assert_eq!(told(Ending::Unknown), (Word::Crash, By::Other));
    }
}
