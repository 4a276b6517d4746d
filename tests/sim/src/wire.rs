//! A link: frames in flight, both ways, with the faults that a seed throws.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use net::Offload;

use crate::rng::Rng;
use crate::trace::Trace;
use crate::watch::{Ending, Finding, Numbers, Watch};

/// What may befall a frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Lost, in a thousand.
    pub loss: u16,
    /// Arrives twice, in a thousand.
    pub duplicate: u16,
    /// Held back, in a thousand, by up to eight times the latency, so that others overtake it.
    pub late: u16,
    /// One bit of it is another, in a thousand.
    pub corrupt: u16,
}

/// One direction of a link.
#[derive(Debug)]
pub struct Lane {
    latency: Duration,
    faults: Faults,
    rng: Rng,
    /// By when they arrive, and those that arrive together in the order in which they were sent.
    in_flight: VecDeque<(Duration, Frame)>,
    mute: BTreeSet<Ipv4Addr>,
    watch: Watch,
    /// What went in, for comparing runs.
    pub trace: Trace,
}

/// A frame and what is left to do to it.
#[derive(Debug, Clone)]
pub struct Frame {
    /// From the Ethernet header on.
    pub bytes: Vec<u8>,
    /// See [`Offload`].
    pub offload: Offload,
}

impl Lane {
    /// An empty one.
    #[must_use]
    pub fn new(latency: Duration, faults: Faults, rng: Rng) -> Self {
        Self { latency, faults, rng, in_flight: VecDeque::new(), mute: BTreeSet::new(), watch: Watch::default(), trace: Trace::default() }
    }

    /// From now on no frame may hold any of these, which have this name.
    pub fn forbid(&mut self, name: &str, patterns: &[&[u8]]) {
        self.watch.forbid(name, patterns);
    }

    /// From now on what only a broken stack sends is looked for, too.
    pub(crate) fn suspect_the_sender(&mut self, numbers: Numbers) {
        self.watch.suspect_the_sender(numbers);
    }

    /// From now on it is noted who ends connections here.
    pub fn note_endings(&mut self) {
        self.watch.note_endings();
    }

    /// Those that were noted since this was last asked.
    pub fn take_endings(&mut self) -> Vec<Ending> {
        self.watch.take_endings()
    }

    /// These have gone the other way.
    pub(crate) fn hear_endings(&mut self, endings: &[Ending]) {
        self.watch.hear_endings(endings);
    }

    /// What went by and should not have, if anything did.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        self.watch.finding()
    }

    /// From now on frames to this address vanish.
    pub fn mute(&mut self, address: Ipv4Addr) {
        self.mute.insert(address);
    }

    /// From now on frames to this address arrive again.
    pub fn unmute(&mut self, address: Ipv4Addr) {
        self.mute.remove(&address);
    }

    /// Changes what befalls frames from now on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Sends a frame on its way.
    pub fn send(&mut self, frame: Frame, now: Duration) {
        self.trace.note(now, &frame.bytes);
        self.watch.look(&frame.bytes, now);
        let to = frame.bytes.get(30..34).and_then(|to| <[u8; 4]>::try_from(to).ok());
        let muted = frame.bytes.get(12..14) == Some(&[8, 0]) && to.is_some_and(|to| self.mute.contains(&Ipv4Addr::from(to)));
        if muted || self.rng.chance(self.faults.loss) {
            return;
        }
        if self.rng.chance(self.faults.duplicate) {
            self.put(frame.clone(), now);
        }
        self.put(frame, now);
    }

    fn put(&mut self, mut frame: Frame, now: Duration) {
        if self.rng.chance(self.faults.corrupt) {
            let bits = u64::try_from(frame.bytes.len()).unwrap_or(0) * 8;
            let bit = usize::try_from(self.rng.below(bits)).unwrap_or(0);
            frame.bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let late = if self.rng.chance(self.faults.late) { u32::try_from(self.rng.below(8)).unwrap_or(0) } else { 0 };
        let at = now + self.latency * (1 + late);
        let before = self.in_flight.iter().rposition(|(other, _)| *other <= at);
        self.in_flight.insert(before.map_or(0, |before| before + 1), (at, frame));
    }

    /// The next frame that has arrived.
    pub fn arrived(&mut self, now: Duration) -> Option<Frame> {
        self.in_flight.pop_front_if(|(at, _)| *at <= now).map(|(_, frame)| frame)
    }

    /// The first bytes of the frames that were sent last and are on their way, for finding out what goes round and round.
    #[must_use]
    pub fn latest(&self) -> Vec<&[u8]> {
        const SHOWN: usize = 58;
        self.in_flight.iter().rev().take(3).map(|(_, frame)| frame.bytes.get(..SHOWN).unwrap_or(&frame.bytes)).collect()
    }

    /// When the next frame arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Duration> {
        self.in_flight.front().map(|(at, _)| *at)
    }
}
