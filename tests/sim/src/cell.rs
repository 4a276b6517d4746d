//! The appliance between its two links, with vectors for wires.

use core::time::Duration;

use appliance::{Appliance, Deadline, Link, Now, ReloadFault, Report, Room, Wires};
use keys::bundle::Bundle;
use net::Offload;

use crate::wire::{Frame, Lane};

/// Frames that one step may send on one link before it must hand them over, as a queue's batch has it.
const BATCH: usize = 256;

/// One appliance and when it wants to be called.
#[derive(Debug)]
pub struct Cell {
    /// The thing itself.
    pub appliance: Appliance,
    /// All that it has reported.
    pub reports: Vec<Report>,
    /// Steps so far.
    pub steps: u64,
    /// By how many seconds its wall clock is wrong.
    pub wall_error_s: i64,
    deadline: Deadline,
    front: Port,
    back: Port,
    buf: Vec<u8>,
}

/// One link's batches.
#[derive(Debug, Default)]
struct Port {
    arrived: Vec<Frame>,
    taken: usize,
    sent: Vec<Frame>,
}

struct Batches<'c> {
    front: &'c mut Port,
    back: &'c mut Port,
    buf: &'c mut [u8],
}

impl Cell {
    /// Takes an appliance that has not been stepped.
    #[must_use]
    pub fn new(appliance: Appliance) -> Self {
        let buf = vec![0; net::limits::FRAME_LEN_MAX];
        Self {
            appliance,
            reports: Vec::new(),
            steps: 0,
            wall_error_s: 0,
            deadline: Deadline::Flush,
            front: Port::default(),
            back: Port::default(),
            buf,
        }
    }

    /// When it wants to be called.
    #[must_use]
    pub fn next(&self, now: Duration) -> Option<Duration> {
        match self.deadline {
            // The guest ends when it has handed over its last frames.
            Deadline::Flush if self.appliance.drained() => None,
            Deadline::Flush => Some(now),
            Deadline::At(at) => Some(at.max(now)),
            Deadline::Never => None,
        }
    }

    /// Steps it, if a frame has come or its time has.
    pub fn run(&mut self, now: Duration, front: (&mut Lane, &mut Lane), back: (&mut Lane, &mut Lane)) {
        self.front.arrive(front.0, now);
        self.back.arrive(back.0, now);
        let due = self.next(now).is_some_and(|at| at <= now);
        if !due && self.front.arrived.is_empty() && self.back.arrived.is_empty() {
            return;
        }
        self.steps += 1;
        let mut batches = Batches { front: &mut self.front, back: &mut self.back, buf: &mut self.buf };
        self.deadline = self.appliance.step(at(now, self.wall_error_s), &mut batches);
        self.front.leave(front.1, now);
        self.back.leave(back.1, now);
        self.reports.extend(core::iter::from_fn(|| self.appliance.poll_report()));
    }

    /// Takes another bundle for new connections.
    ///
    /// # Errors
    /// Why the appliance refuses it.
    pub fn reload(&mut self, bundle: &Bundle, now: Duration) -> Result<(), ReloadFault> {
        self.deadline = Deadline::Flush;
        self.appliance.reload(bundle, at(now, self.wall_error_s))
    }

    /// Begins a drain.
    pub fn drain(&mut self, now: Duration) {
        self.appliance.drain(at(now, self.wall_error_s));
        self.deadline = Deadline::Flush;
    }
}

/// The simulated wall clock shows 2026, or what is wrong by so much.
fn at(now: Duration, wall_error_s: i64) -> Now {
    const BOOT_S: u64 = 1_790_000_000;
    Now { mono: now, unix: now + Duration::from_secs(BOOT_S.saturating_add_signed(wall_error_s)) }
}

impl Port {
    fn arrive(&mut self, lane: &mut Lane, now: Duration) {
        self.arrived.clear();
        self.taken = 0;
        self.arrived.extend(core::iter::from_fn(|| lane.arrived(now)).take(BATCH));
    }

    fn leave(&mut self, lane: &mut Lane, now: Duration) {
        for frame in self.sent.drain(..) {
            lane.send(frame, now);
        }
    }
}

impl Batches<'_> {
    fn port(&mut self, link: Link) -> &mut Port {
        match link {
            Link::Front => self.front,
            Link::Back => self.back,
        }
    }
}

impl Wires for Batches<'_> {
    fn receive(&mut self, link: Link) -> Option<(&[u8], Offload)> {
        let port = self.port(link);
        let frame = port.arrived.get(port.taken)?;
        port.taken += 1;
        Some((&frame.bytes, frame.offload))
    }

    fn transmit(&mut self, link: Link, fill: &mut dyn FnMut(&mut [u8]) -> Option<(usize, Offload)>) -> Room {
        if self.port(link).sent.len() >= BATCH {
            return Room::Full;
        }
        if let Some((len, offload)) = fill(self.buf) {
            let bytes = self.buf[..len].to_vec();
            self.port(link).sent.push(Frame { bytes, offload });
        }
        Room::Left
    }
}
