//! The lock-step loop: guest and tender take turns, and never run at the same time.
//!
//! While the guest stands in `wait`, the tender takes the frames and the log it left, moves what can be moved to and from the host, and only if
//! there is nothing for the guest sleeps in one call, until something comes or somebody's deadline is reached.

use core::mem::ManuallyDrop;
use core::time::Duration;
use std::time::{Instant, SystemTime};

use abi::control;
use machine::{Cause, Cell, Exit, HostFault, Jailed};
use queue::Batch;
use recording::event::Over;
use recording::pcap::Way;

use crate::capture::Capture;
use crate::channel::{Tending, Told};
use crate::ending::Ending;
use crate::journal::Journal;
use crate::limits::{SLEEP_MAX, TURN_BUDGET};
use crate::line::{Line, Speaker};
use crate::log::Log;
use crate::mailbox::{Answer, Full, Letter, Mailbox};
use crate::nets::{Net, Progress};
use crate::order::Update;
use crate::poller::{CHANNEL, Poller};
use crate::recorder::{Recorder, Words};
use crate::report::{self, HostileQueue};
use crate::start::Ward;

/// Runs the guest to its end, and says what it was.
pub(crate) fn run(cell: Cell<Jailed>, ward: Ward, mut speaker: Speaker) -> Ending {
    let Ward { channel, poller, nets, log, journal, capture, recorder, escape: _held, image, digest, started, drain_limit } = ward;
    // A jailed process cannot take a machine apart; the kernel does when it ends.
    let cell = ManuallyDrop::new(cell);
    let mut turns = Turns {
        cell,
        channel,
        poller,
        nets,
        log,
        journal,
        capture,
        recorder,
        told: Words::default(),
        started,
        drain_limit,
        draining: Draining::No,
        news: false,
        mailbox: Mailbox::default(),
    };
    let end = turns.until_end(&mut speaker);
    let closed = turns.recorder.over(end.over());
    turns.relay_log(&mut speaker);
    speaker.say(closed.as_slice());
    let (line, ending) = match end {
        End::Guest(code) => (guest_line(code, &turns.draining), guest_ending(code, &turns.draining)),
        End::Crash(crash) => {
            let ending = if crash.cause == Cause::Hung { Ending::GuestHung } else { Ending::GuestCrash };
            (report::of_crash(&crash, &image, &digest), ending)
        }
        End::Hostile(hostile) => (report::of_queue(hostile, &digest), Ending::GuestCrash),
        End::Host(fault) => (Line::tender("error", "the host failed").with("fault", format!("{fault:?}")), Ending::Host),
        End::Polling(fault) => (Line::tender("error", "the host failed").with("fault", fault.to_string()), Ending::Host),
        End::DrainOver => (Line::tender("warn", "the guest did not drain in time"), Ending::Ended),
        End::Orphaned => (Line::tender("error", "the supervisor is gone"), Ending::Ended),
    };
    speaker.say(&[line]);
    ending
}

/// Why the loop ended.
enum End {
    Guest(u32),
    Crash(Box<machine::Crash>),
    Hostile(HostileQueue),
    Host(HostFault),
    Polling(std::io::Error),
    DrainOver,
    Orphaned,
}

impl End {
    /// How a recording says it.
    fn over(&self) -> Over {
        match self {
            Self::Guest(_) | Self::Crash(_) => Over::Guest,
            Self::Hostile(hostile) => Over::HostileQueue(u8::try_from(hostile.link).unwrap_or(u8::MAX)),
            Self::Host(_) | Self::Polling(_) => Over::Host,
            Self::DrainOver => Over::DrainOver,
            Self::Orphaned => Over::Orphaned,
        }
    }
}

/// Whether the guest was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Draining {
    No,
    Until(Duration),
}

fn guest_line(code: u32, draining: &Draining) -> Line {
    let asked = *draining != Draining::No;
    let level = if code == abi::hypercall::exit::DONE && asked { "info" } else { "error" };
    let words = match code {
        abi::hypercall::exit::DONE => "the guest is done",
        abi::hypercall::exit::PANIC => "the guest panicked",
        abi::hypercall::exit::OUT_OF_MEMORY => "the guest's heap is exhausted",
        abi::hypercall::exit::BAD_BOOT => "the guest refused its boot info or bundle",
        abi::hypercall::exit::NO_SEED => "the guest refused to serve without a seed",
        _ => "the guest ended with a code that means nothing",
    };
    Line::tender(level, words).with("code", code)
}

/// A guest that is done without having been asked has given up.
fn guest_ending(code: u32, draining: &Draining) -> Ending {
    match (Ending::of_guest(code), draining) {
        (Ending::Ended, Draining::No) => Ending::GuestExit,
        (ending, _) => ending,
    }
}

struct Turns {
    cell: ManuallyDrop<Cell<Jailed>>,
    channel: Tending,
    poller: Poller,
    nets: [Box<dyn Net>; abi::limits::LINKS],
    log: Log,
    journal: Journal,
    capture: Capture,
    recorder: Recorder,
    /// What the guest was told last.
    told: Words,
    started: Instant,
    drain_limit: Duration,
    draining: Draining,
    /// The request has changed, and the guest has not seen it yet.
    news: bool,
    mailbox: Mailbox,
}

impl Turns {
    fn until_end(&mut self, speaker: &mut Speaker) -> End {
        self.tell_time();
        loop {
            let asked = self.mailbox.is_with_guest();
            speaker.say(self.recorder.go(&self.cell, self.told, asked).as_slice());
            self.capture.take(&self.cell, Way::ToGuest, self.told.unix);
            let exit = self.cell.run(TURN_BUDGET);
            speaker.say(self.recorder.came(&self.cell, exit.as_ref().ok(), asked).as_slice());
            self.capture.take(&self.cell, Way::FromGuest, self.told.unix);
            self.capture.tell(speaker);
            let step = match exit {
                Ok(Exit::Wait) => self.turn(speaker),
                Ok(Exit::Sealed) => self.seal(),
                Ok(Exit::Exit(code)) => Err(End::Guest(code)),
                Ok(Exit::Crash(crash)) => Err(End::Crash(Box::new(crash))),
                Err(fault) => Err(End::Host(fault)),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    fn seal(&mut self) -> Result<(), End> {
        self.cell.seal().map_err(End::Host)?;
        self.channel.serving();
        self.tell_time();
        Ok(())
    }

    /// What happens while the guest stands in `wait`.
    fn turn(&mut self, speaker: &mut Speaker) -> Result<(), End> {
        // Before the frames: a new bundle's first connection may be among them.
        self.take_answer();
        self.take_frames()?;
        self.relay_log(speaker);
        let wake_at = self.guest_deadline();
        let mut patience = Duration::ZERO;
        loop {
            self.poll(patience)?;
            let now = self.now();
            let progress = self.nets.each_mut().map(|net| net.turn(&self.poller, now));
            let brought = self.bring_frames(now)?;
            if self.is_drain_over(now) {
                return Err(End::DrainOver);
            }
            if brought || wake_at <= now || self.mailbox.is_waiting() || core::mem::take(&mut self.news) {
                self.post();
                self.tell_time();
                return Ok(());
            }
            patience = if progress.contains(&Progress::More) { Duration::ZERO } else { self.sleep_time(wake_at, now) };
        }
    }

    /// Takes what the guest queued. Frames whose offload fields contradict them are lost, as frames may be; a queue that is malformed is the
    /// end of the guest.
    fn take_frames(&mut self) -> Result<(), End> {
        let now = self.now();
        for (link, net) in self.nets.iter_mut().enumerate() {
            let window = self.cell.tx(link);
            let hostile = |fault| End::Hostile(HostileQueue { link, fault });
            for frame in queue::frames(window).map_err(hostile)? {
                let frame = frame.map_err(hostile)?;
                if frame.offload.fits(frame.bytes.len()) {
                    net.transmit(frame, now);
                }
            }
            queue::clear(window);
        }
        Ok(())
    }

    fn bring_frames(&mut self, now: Duration) -> Result<bool, End> {
        let mut brought = false;
        for (link, net) in self.nets.iter_mut().enumerate() {
            let mut batch = Batch::new(self.cell.rx(link)).map_err(|fault| End::Hostile(HostileQueue { link, fault }))?;
            net.receive(&mut batch, now);
            brought |= !batch.is_empty();
        }
        Ok(brought)
    }

    fn poll(&mut self, patience: Duration) -> Result<(), End> {
        let count = self.poller.poll(patience).map_err(End::Polling)?;
        for index in 0..count {
            let Some((token, readiness)) = self.poller.event(index) else { continue };
            if token.owner == CHANNEL {
                self.hear()?;
            } else if let Some(net) = self.nets.get_mut(usize::from(token.owner)) {
                net.ready(token, readiness);
            }
        }
        Ok(())
    }

    fn hear(&mut self) -> Result<(), End> {
        self.channel.flush();
        loop {
            match self.channel.hear() {
                Told::Nothing => return Ok(()),
                Told::Gone => return Err(End::Orphaned),
                Told::Drain => self.drain(),
                Told::Status => self.take_letter(Letter::Status),
                Told::Ask(number, ask) => self.take_letter(Letter::Contest(number, ask)),
                Told::Reload(update, bundle) => self.take_letter(Letter::Reload(update, bundle)),
            }
        }
    }

    fn drain(&mut self) {
        if self.draining == Draining::No {
            self.draining = Draining::Until(self.now().saturating_add(self.drain_limit));
            self.cell.request(control::DRAIN);
            self.told.request = control::DRAIN;
            self.news = true;
            self.nets.iter_mut().for_each(|net| net.drain());
        }
    }

    fn take_letter(&mut self, letter: Letter) {
        const FULL: &str = "too many letters wait for the guest";
        match self.mailbox.take(letter) {
            Ok(()) => {}
            Err(Full(Letter::Reload(..))) => self.channel.refused(FULL),
            Err(Full(Letter::Status)) => self.channel.status(&[]),
            Err(Full(Letter::Contest(number, _))) => self.channel.answer(number, &Err(FULL.into())),
        }
    }

    fn post(&mut self) {
        if self.mailbox.is_waiting() {
            let [inbox, outbox] = self.cell.mailbox();
            self.mailbox.post(inbox, outbox);
        }
    }

    /// Tells the supervisor what came of the letter that the guest had, and makes a reload good for this process as well.
    fn take_answer(&mut self) {
        if !self.mailbox.is_with_guest() {
            return;
        }
        let [inbox, outbox] = self.cell.mailbox();
        match self.mailbox.answer(inbox, outbox) {
            None => {}
            Some(Answer::Reloaded(update)) => {
                self.update(&update);
                self.channel.reloaded();
            }
            Some(Answer::Refused(why)) => self.channel.refused(&why),
            Some(Answer::Status(bytes)) => self.channel.status(&bytes),
            Some(Answer::Contest(number, answer)) => self.channel.answer(number, &answer),
        }
    }

    fn update(&mut self, update: &Update) {
        let now = self.now();
        let linger = Duration::from_millis(update.linger_ms);
        self.nets.iter_mut().for_each(|net| net.reload(&update.backends, linger, now));
        self.drain_limit = Duration::from_millis(update.drain_ms);
    }

    fn relay_log(&mut self, speaker: &mut Speaker) {
        let now = self.started.elapsed();
        let Self { log, journal, cell, nets, .. } = self;
        let [_, back] = nets;
        let lines = log.take(cell.log(), &mut |record| journal.take(record, now, |guest| back.real(guest)));
        journal.flush(speaker);
        if !lines.is_empty() {
            speaker.relay(lines, now);
        }
    }

    fn guest_deadline(&self) -> Duration {
        match self.cell.deadline() {
            control::FLUSH => Duration::ZERO,
            nanoseconds => Duration::from_nanos(nanoseconds),
        }
    }

    fn sleep_time(&self, wake_at: Duration, now: Duration) -> Duration {
        let drain = match self.draining {
            Draining::No => None,
            Draining::Until(time) => Some(time),
        };
        let nets = self.nets.iter().filter_map(|net| net.deadline());
        let wake = nets.chain(drain).fold(wake_at, Duration::min);
        wake.saturating_sub(now).min(SLEEP_MAX)
    }

    fn is_drain_over(&self, now: Duration) -> bool {
        matches!(self.draining, Draining::Until(time) if time <= now)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn tell_time(&mut self) {
        let now = self.now();
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.cell.set_time(now, unix);
        self.told.now = now;
        self.told.unix = unix;
    }
}
