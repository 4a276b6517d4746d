//! Watching over cells: one after the other, until a signal or an end that is not worth a restart.

use core::time::Duration;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tender::channel::Heard;
use tender::ending::Ending;

use crate::admin::board::{Board, Facts, Wish, Wishes};
use crate::exit::Exit;
use crate::limits::DRAIN_GRACE;
use crate::plan::Restart;
use crate::run::backoff::Backoff;
use crate::run::cell::Cell;
use crate::run::opening::Opened;
use crate::run::ready;
use crate::run::refuse;
use crate::run::signals::Signals;
use crate::terminal;

/// Starts cells and restarts them as `restart` says. Returns what the process ends with.
pub(super) fn watch(opened: &Opened, signals: &Signals, wishes: &Wishes, restart: Restart) -> Exit {
    let mut backoff = Backoff::new();
    loop {
        let cell = match Cell::start(opened) {
            Ok(cell) => cell,
            Err(fault) => return refuse(Exit::Tender, format!("a tender cannot be started: {fault}")),
        };
        let (ending, life) = match attend(cell, opened, signals, wishes) {
            Outcome::Stopped => return Exit::Success,
            Outcome::Ended(ending, life) => (ending, life),
        };
        wishes.board().note(|facts| facts.ended(ending));
        if !is_restarted(restart, ending) {
            return refuse(Exit::after(ending), format!("the cell ended: {ending:?}"));
        }
        let delay = backoff.after(life);
        terminal::note(format!("the cell ended: {ending:?}; a fresh one starts in {} ms", delay.as_millis()));
        if stopped_within(signals, delay) {
            return Exit::Success;
        }
        wishes.board().note(Facts::restarted);
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
fn attend(mut cell: Cell, opened: &Opened, signals: &Signals, wishes: &Wishes) -> Outcome {
    let mut kill_at: Option<Instant> = None;
    let mut channel_open = true;
    loop {
        let [signalled, ended, said, wished] = wait(&cell, signals, wishes, kill_at, channel_open);
        if ended {
            let (ending, life) = cell.join();
            return if kill_at.is_some() { Outcome::Stopped } else { Outcome::Ended(ending, life) };
        }
        if said {
            channel_open = listen(&mut cell, opened, wishes.board());
        }
        let drain = wished && fulfil(&mut cell, opened, wishes);
        if drain || (signalled && signals.came()) {
            // The second signal is impatience.
            if kill_at.is_some() {
                cell.kill();
            }
            cell.drain();
            wishes.board().note(Facts::draining);
            kill_at = kill_at.or(Instant::now().checked_add(Duration::from_millis(opened.order.drain_ms).saturating_add(DRAIN_GRACE)));
        }
        if kill_at.is_some_and(|time| time <= Instant::now()) {
            cell.kill();
        }
    }
}

/// Takes what the tender says. Whether it may say more.
fn listen(cell: &mut Cell, opened: &Opened, board: &Board) -> bool {
    loop {
        match cell.hear() {
            Heard::Nothing => return true,
            Heard::Serving => {
                board.note(Facts::serving);
                ready::announce(opened);
            }
            Heard::Status(bytes) => board.take_status(&bytes),
            Heard::Reloaded | Heard::Refused(_) | Heard::Noise => {}
            Heard::Gone => return false,
        }
    }
}

/// Does what is wished for. Says whether a drain is.
fn fulfil(cell: &mut Cell, opened: &Opened, wishes: &Wishes) -> bool {
    let mut drain = false;
    for wish in wishes.take() {
        match wish {
            Wish::Status => cell.ask_status(),
            Wish::Reload(answer) => {
                opened.reopen_access();
                // Who asked may be gone.
                let _unheard = answer.try_send(Err("a new configuration cannot be taken yet; the access log was opened anew".into()));
            }
            Wish::Drain => drain = true,
        }
    }
    drain
}

/// Whether a signal came, the cell ended, the tender said something, somebody wishes for something. Returns early at `until`.
fn wait(cell: &Cell, signals: &Signals, wishes: &Wishes, until: Option<Instant>, channel_open: bool) -> [bool; 4] {
    let ended = cell.ended();
    let channel = cell.channel();
    let interest = if channel_open { PollFlags::IN } else { PollFlags::empty() };
    let mut polled = [
        PollFd::new(signals, PollFlags::IN),
        PollFd::new(&ended, PollFlags::IN),
        PollFd::new(&channel, interest),
        PollFd::new(wishes, PollFlags::IN),
    ];
    let timeout = until.map(|time| time.saturating_duration_since(Instant::now()).max(Duration::from_millis(1)));
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    // An interruption is a signal, which has put a byte on its socket.
    let _count = poll(&mut polled, timeout.as_ref());
    let [signals, ended, channel, wishes] = polled.map(|fd| !fd.revents().is_empty());
    [signals, ended, channel && channel_open, wishes]
}

/// Waits for `delay`, or for a signal.
fn stopped_within(signals: &Signals, delay: Duration) -> bool {
    let timeout = Timespec::try_from(delay).unwrap_or_default();
    let _count = poll(&mut [PollFd::new(signals, PollFlags::IN)], Some(&timeout));
    signals.came()
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
