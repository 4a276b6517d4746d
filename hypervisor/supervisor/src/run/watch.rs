//! Watching over cells: one after the other, until a signal or an end that is not worth a restart.

use core::time::Duration;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tender::channel::Heard;
use tender::ending::Ending;

use crate::admin::board::{Facts, Wish, Wishes};
use crate::exit::Exit;
use crate::limits::DRAIN_GRACE;
use crate::plan::Restart;
use crate::run::asked::Asked;
use crate::run::backoff::Backoff;
use crate::run::cell::Cell;
use crate::run::challenge::{Challenge, Happened};
use crate::run::opening::Opened;
use crate::run::ready;
use crate::run::refuse;
use crate::run::reload::Reloads;
use crate::run::signals::Signals;
use crate::terminal;

/// What a supervisor watches beside its cells.
#[derive(Debug)]
pub(super) struct Sources {
    /// Signals to stop.
    pub(super) stop: Signals,
    /// Signals to reload.
    pub(super) hangup: Signals,
    /// What the admin interface asks for.
    pub(super) wishes: Wishes,
    pub(super) reloads: Reloads,
    /// The contest, in a box that serves one.
    pub(super) challenge: Option<Challenge>,
}

/// Starts cells and restarts them as the plan says. Returns what the process ends with.
pub(super) fn watch(opened: &mut Opened, sources: &mut Sources) -> Exit {
    let mut backoff = Backoff::new();
    loop {
        let cell = match Cell::start(opened) {
            Ok(cell) => cell,
            Err(fault) => return refuse(Exit::Tender, format!("a tender cannot be started: {fault}")),
        };
        let (ending, life) = match attend(cell, opened, sources) {
            Outcome::Stopped => return Exit::Success,
            Outcome::Ended(ending, life) => (ending, life),
        };
        sources.reloads.cell_has_ended();
        sources.wishes.board().note(|facts| facts.ended(ending));
        sources.challenge.iter().for_each(|challenge| challenge.tell(Happened::Ended(ending)));
        if !is_restarted(sources.reloads.plan().restart, ending) {
            return refuse(Exit::after(ending), format!("the cell ended: {ending:?}"));
        }
        let delay = backoff.after(life);
        terminal::note(format!("the cell ended: {ending:?}; a fresh one starts in {} ms", delay.as_millis()));
        if stopped_within(&sources.stop, delay) {
            return Exit::Success;
        }
        sources.wishes.board().note(Facts::restarted);
    }
}

fn is_restarted(restart: Restart, ending: Ending) -> bool {
    match restart {
        Restart::Always => true,
        Restart::OnFailure => ending.is_worth_a_restart(),
        Restart::Never => false,
    }
}

enum Outcome {
    /// As a signal asked.
    Stopped,
    Ended(Ending, Duration),
}

/// Stays with a cell to its end.
fn attend(cell: Cell, opened: &mut Opened, sources: &mut Sources) -> Outcome {
    let mut attended = Attended { cell, kill_at: None, hearing: true, serving: false, asked: Asked::default() };
    loop {
        let came = attended.wait(sources);
        if came.ended {
            let (ending, life) = attended.cell.join();
            return if attended.kill_at.is_some() { Outcome::Stopped } else { Outcome::Ended(ending, life) };
        }
        if came.said {
            attended.hear(opened, sources);
        }
        let drain = came.wished && attended.fulfil(opened, sources);
        if came.hangup && sources.hangup.came() {
            opened.reopen_access();
            sources.reloads.ask(None);
        }
        if drain || (came.stop && sources.stop.came()) {
            attended.stop(opened, sources);
        }
        attended.go_on(opened, sources);
    }
}

/// A cell, and how far it is on its way.
struct Attended {
    cell: Cell,
    /// When a cell that was asked to stop is killed.
    kill_at: Option<Instant>,
    /// Whether its tender may still say something.
    hearing: bool,
    serving: bool,
    asked: Asked,
}

/// What there is to look at.
struct Came {
    stop: bool,
    hangup: bool,
    wished: bool,
    ended: bool,
    said: bool,
}

impl Attended {
    /// Takes what the tender says.
    fn hear(&mut self, opened: &mut Opened, sources: &mut Sources) {
        self.cell.flush();
        loop {
            match self.cell.hear() {
                Heard::Nothing => return,
                Heard::Serving => {
                    self.serving = true;
                    sources.wishes.board().note(Facts::serving);
                    sources.challenge.iter().for_each(|challenge| challenge.tell(Happened::Serving));
                    ready::announce(opened);
                }
                Heard::Reloaded => sources.reloads.answered(Ok(()), opened),
                Heard::Refused(why) => sources.reloads.answered(Err(why), opened),
                Heard::Status(bytes) => sources.wishes.board().take_status(&bytes),
                Heard::Answer(number, answer) => self.asked.answered(number, answer),
                Heard::Noise => {}
                Heard::Gone => {
                    self.hearing = false;
                    return;
                }
            }
        }
    }

    /// Does what is wished for. Says whether a drain is.
    fn fulfil(&mut self, opened: &Opened, sources: &mut Sources) -> bool {
        let mut drain = false;
        for wish in sources.wishes.take() {
            match wish {
                Wish::Status => self.cell.ask_status(),
                Wish::Reload(asker) => {
                    opened.reopen_access();
                    sources.reloads.ask(Some(asker));
                }
                Wish::Ask(ask, asker) => {
                    // Without an answer the asker hears that nobody serves.
                    let number = self.asked.number();
                    if self.serving && self.cell.ask(number, &ask).is_ok() {
                        self.asked.wait(number, asker);
                    }
                }
                Wish::Drain => drain = true,
            }
        }
        drain
    }

    /// Asks the cell to finish what runs; at the second time there is no asking.
    fn stop(&mut self, opened: &mut Opened, sources: &mut Sources) {
        if self.kill_at.is_some() {
            self.cell.kill();
            return;
        }
        self.cell.drain();
        sources.wishes.board().note(Facts::draining);
        opened.stop_listening();
        sources.reloads.stop();
        self.kill_at = Instant::now().checked_add(Duration::from_millis(opened.order.drain_ms).saturating_add(DRAIN_GRACE));
    }

    fn go_on(&mut self, opened: &Opened, sources: &mut Sources) {
        match self.kill_at {
            Some(time) if time <= Instant::now() => self.cell.kill(),
            Some(_) => sources.reloads.stop(),
            None if self.serving => sources.reloads.step(&mut self.cell, opened),
            None => {}
        }
    }

    /// Waits until there is something to look at, or a time has come.
    fn wait(&self, sources: &Sources) -> Came {
        let (ended, channel) = (self.cell.ended(), self.cell.channel());
        let mut interest = if self.hearing { PollFlags::IN } else { PollFlags::empty() };
        interest.set(PollFlags::OUT, self.hearing && self.cell.is_waiting());
        let mut polled = [
            PollFd::new(&sources.stop, PollFlags::IN),
            PollFd::new(&sources.hangup, PollFlags::IN),
            PollFd::new(&sources.wishes, PollFlags::IN),
            PollFd::new(&ended, PollFlags::IN),
            PollFd::new(&channel, interest),
            PollFd::new(&sources.reloads, PollFlags::IN),
        ];
        let until = if self.kill_at.is_some() { self.kill_at } else { sources.reloads.deadline().filter(|_| self.serving) };
        let timeout = until.map(|time| time.saturating_duration_since(Instant::now()).max(Duration::from_millis(1)));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // An interruption is a signal, which has put a byte on its socket.
        let _count = poll(&mut polled, timeout.as_ref());
        let [stop, hangup, wished, ended, said, _loaded] = polled.map(|fd| !fd.revents().is_empty());
        Came { stop, hangup, wished, ended, said: said && self.hearing }
    }
}

/// Waits for `delay`, or for a signal to stop.
fn stopped_within(stop: &Signals, delay: Duration) -> bool {
    let timeout = Timespec::try_from(delay).unwrap_or_default();
    let _count = poll(&mut [PollFd::new(stop, PollFlags::IN)], Some(&timeout));
    stop.came()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_follow_the_policy() {
        let rows = [
            (Restart::Always, Ending::Ended, true),
            (Restart::Always, Ending::GuestCrash, true),
            (Restart::OnFailure, Ending::GuestCrash, true),
            (Restart::OnFailure, Ending::GuestHung, true),
            (Restart::OnFailure, Ending::Unknown, true),
            (Restart::OnFailure, Ending::Image, false),
            (Restart::OnFailure, Ending::Ended, false),
            (Restart::Never, Ending::GuestCrash, false),
        ];
        for (restart, ending, expected) in rows {
            assert_eq!(is_restarted(restart, ending), expected, "{restart:?} {ending:?}");
        }
    }
}
