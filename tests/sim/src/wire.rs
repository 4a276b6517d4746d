//! A link: frames in flight, both ways, with the faults that a seed throws.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use net::Offload;

use crate::rng::Rng;
use crate::trace::Trace;

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
    in_flight: BTreeMap<(Duration, u64), Frame>,
    sent: u64,
    mute: BTreeSet<Ipv4Addr>,
    forbidden: Vec<Vec<u8>>,
    leaked: Option<usize>,
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
        Self {
            latency,
            faults,
            rng,
            in_flight: BTreeMap::new(),
            sent: 0,
            mute: BTreeSet::new(),
            forbidden: Vec::new(),
            leaked: None,
            trace: Trace::default(),
        }
    }

    /// From now on no frame may hold any of these.
    pub fn forbid(&mut self, patterns: Vec<Vec<u8>>) {
        self.forbidden = patterns;
    }

    /// Which of the forbidden patterns went by, if any did.
    #[must_use]
    pub fn leaked(&self) -> Option<usize> {
        self.leaked
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
        let holds = |pattern: &Vec<u8>| memchr::memmem::find(&frame.bytes, pattern).is_some();
        self.leaked = self.leaked.or_else(|| self.forbidden.iter().position(holds));
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
        self.sent += 1;
        self.in_flight.insert((now + self.latency * (1 + late), self.sent), frame);
    }

    /// The next frame that has arrived.
    pub fn arrived(&mut self, now: Duration) -> Option<Frame> {
        let first = self.in_flight.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// When the next frame arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Duration> {
        self.in_flight.first_key_value().map(|((at, _), _)| *at)
    }
}
