//! The guest's memory as Rust values, before and after start-up is over.
//!
//! Tender and guest take turns. Whatever the tender may write is borrowed from `&self` or `&mut self`, and [`Platform::wait`], in which the
//! tender's turn falls, takes `&mut self`: no borrow of shared memory outlives a turn.

use core::time::Duration;

use abi::control::{self, offset};
use abi::limits::{FLAG_LEN, LINKS, SEED_LEN};

use crate::clock;
use crate::drbg::Drbg;
use crate::gate::Gate;
use crate::window::{Contest, View, Window};

/// What the tender says the time is. It stands still during a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Since the cell's start, on the tender's monotonic clock.
    pub mono: Duration,
    /// Since 1970-01-01 00:00 UTC.
    pub unix: Duration,
}

/// How long [`Platform::wait`] may sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Not at all: take the frames, bring new ones.
    Flush,
    /// Until a frame comes or this much time has passed since the cell's start.
    At(Duration),
    /// Until a frame comes.
    Never,
}

/// What the operator asks of the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Serve.
    Run,
    /// Accept nothing new, finish what runs, then end.
    Drain,
}

/// What a turn begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// The time.
    pub now: Now,
    /// The operator's wish.
    pub request: Request,
}

/// The two queues of one link, for one turn.
#[derive(Debug)]
pub struct LinkWindows<'t> {
    /// Frames from the tender.
    pub rx: &'t [u8],
    /// Frames to the tender.
    pub tx: &'t mut [u8],
}

/// The mailbox, for one turn. What stands in the outbox at the turn's end is the answer to what stood in the inbox; see [`abi::mailbox`].
#[derive(Debug)]
pub struct MailboxWindows<'t> {
    /// A letter from the tender.
    pub inbox: &'t [u8],
    /// A letter to the tender.
    pub outbox: &'t mut [u8],
}

/// The guest during start-up: it holds the bundle and a generator, and cannot wait.
#[derive(Debug)]
pub struct Start {
    platform: Platform,
    bundle: View,
    drbg: Drbg,
}

impl Start {
    /// A guest that starts with these.
    #[must_use]
    pub fn new(platform: Platform, bundle: View, drbg: Drbg) -> Self {
        clock::set(platform.load(offset::NOW_NS));
        Self { platform, bundle, drbg }
    }

    /// The boot bundle.
    #[must_use]
    pub fn bundle(&self) -> &[u8] {
        self.bundle.bytes()
    }

    /// A seed for a generator that is to run on its own.
    pub fn seed(&mut self) -> [u8; SEED_LEN] {
        let mut seed = [0; SEED_LEN];
        self.drbg.fill(&mut seed);
        seed
    }

    /// The time at which the tender started the guest.
    #[must_use]
    pub fn now(&self) -> Now {
        self.platform.now()
    }

    /// See [`Platform::flag`].
    #[must_use]
    pub fn flag(&self) -> Option<&[u8; FLAG_LEN]> {
        self.platform.flag()
    }

    /// See [`Platform::words`].
    #[must_use]
    pub fn words(&self) -> Option<[u64; 2]> {
        self.platform.words()
    }

    /// Ends start-up: the tender wipes bundle and seed page, which the guest can only read, and takes them away.
    #[must_use]
    pub fn seal(self) -> Platform {
        let Self { platform, bundle: _, drbg: _ } = self;
        platform.gate.sealed();
        platform
    }
}

/// The guest while it serves.
#[derive(Debug)]
pub struct Platform {
    gate: Gate,
    control: Window,
    mailbox: (View, Window),
    links: [(View, Window); LINKS],
    contest: Option<Contest>,
}

impl Platform {
    /// A guest's windows and the way out of it. `mailbox` is the inbox and the outbox.
    #[must_use]
    pub fn new(gate: Gate, control: Window, mailbox: (View, Window), links: [(View, Window); LINKS], contest: Option<Contest>) -> Self {
        Self { gate, control, mailbox, links, contest }
    }

    /// Ends the turn: hands over what stands in the transmit queues and the log, sleeps as told, and returns with new frames.
    pub fn wait(&mut self, until: Until) -> Turn {
        let deadline = self.control.bytes_mut().get_mut(offset::DEADLINE_NS..).and_then(<[u8]>::first_chunk_mut::<8>);
        if let Some(deadline) = deadline {
            *deadline = deadline_ns(until).to_le_bytes();
        }
        self.gate.wait();
        clock::set(self.load(offset::NOW_NS));
        Turn { now: self.now(), request: self.request() }
    }

    /// The queues of the [front](abi::boot::FRONT) and the [back](abi::boot::BACK) link, until the next [`wait`](Self::wait).
    pub fn links(&mut self) -> [LinkWindows<'_>; LINKS] {
        self.links.each_mut().map(|(rx, tx)| LinkWindows { rx: rx.bytes(), tx: tx.bytes_mut() })
    }

    /// The mailbox, until the next [`wait`](Self::wait).
    pub fn mailbox(&mut self) -> MailboxWindows<'_> {
        let (inbox, outbox) = &mut self.mailbox;
        MailboxWindows { inbox: inbox.bytes(), outbox: outbox.bytes_mut() }
    }

    /// The flag of `read`, which lies at an address that everybody knows; `None` where there is no contest.
    #[must_use]
    pub fn flag(&self) -> Option<&[u8; FLAG_LEN]> {
        self.contest.as_ref()?.flag.bytes().first_chunk()
    }

    /// The word of `write` and the one behind it, as they stand at this moment; 0 until somebody has written where nobody should. `None` where there is no
    /// contest.
    #[must_use]
    pub fn words(&self) -> Option<[u64; 2]> {
        self.contest.as_ref()?.words.words()
    }

    fn now(&self) -> Now {
        let at = |offset| Duration::from_nanos(self.load(offset));
        Now { mono: at(offset::NOW_NS), unix: at(offset::UNIX_NS) }
    }

    /// What is no known request means: go on.
    fn request(&self) -> Request {
        let field = self.control.bytes().get(offset::REQUEST..).and_then(<[u8]>::first_chunk::<4>);
        match field.map(|field| u32::from_le_bytes(*field)) {
            Some(control::DRAIN) => Request::Drain,
            _ => Request::Run,
        }
    }

    fn load(&self, offset: usize) -> u64 {
        let field = self.control.bytes().get(offset..).and_then(<[u8]>::first_chunk::<8>);
        field.map_or(0, |field| u64::from_le_bytes(*field))
    }
}

/// A deadline of 0 or beyond what 64 bits of nanoseconds hold is not mistaken for [`control::FLUSH`] or [`control::NEVER`].
fn deadline_ns(until: Until) -> u64 {
    match until {
        Until::Flush => control::FLUSH,
        Until::Never => control::NEVER,
        Until::At(mono) => u64::try_from(mono.as_nanos()).unwrap_or(u64::MAX).clamp(control::FLUSH + 1, control::NEVER - 1),
    }
}

#[cfg(test)]
mod tests;
