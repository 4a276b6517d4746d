//! The appliance between its two links, with real queues in windows of its own for wires: what the tender and the guest do on shared memory.

use core::time::Duration;
use std::collections::VecDeque;

use abi::limits::{FRAME_LEN_MAX, QUEUE_WINDOW_LEN};
use appliance::{Appliance, Deadline, Link, Now, ReloadFault, Report, Room, Wires};
use keys::bundle::Bundle;
use memmap2::MmapMut;
use queue::{Batch, Frames};

use crate::heap::{self, Heap};
use crate::wire::{Frame, Lane};

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
    /// What it allocates.
    pub heap: Heap,
    deadline: Deadline,
    front: Port,
    back: Port,
}

/// One link's windows. As in a real one, what stood in a window stays there until something else is written over it.
#[derive(Debug)]
struct Port {
    /// What has arrived and found no room in a batch yet.
    waiting: VecDeque<Frame>,
    rx: MmapMut,
    tx: MmapMut,
}

/// Both links' queues for one step.
struct Batches<'c> {
    front: (Frames<'c>, Batch<'c>),
    back: (Frames<'c>, Batch<'c>),
}

impl Cell {
    /// Takes an appliance that has not been stepped.
    #[must_use]
    pub fn new(make: impl FnOnce() -> Appliance) -> Self {
        let mut heap = Heap::default();
        Self {
            appliance: heap.during(make),
            reports: Vec::new(),
            steps: 0,
            wall_error_s: 0,
            heap,
            deadline: Deadline::Flush,
            front: Port::new(),
            back: Port::new(),
        }
    }

    /// Whether the guest has ended, because an allocation failed. What it was about to send and to report has gone with it.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.heap.has_refused()
    }

    /// When it wants to be called.
    #[must_use]
    pub fn next(&self, now: Duration) -> Option<Duration> {
        match self.deadline {
            _ if self.is_lost() => None,
            // The guest ends when it has handed over its last frames.
            Deadline::Flush if self.appliance.drained() => None,
            _ if !self.front.waiting.is_empty() || !self.back.waiting.is_empty() => Some(now),
            Deadline::Flush => Some(now),
            Deadline::At(at) => Some(at.max(now)),
            Deadline::Never => None,
        }
    }

    /// What its wall clock shows.
    #[must_use]
    pub fn unix(&self, now: Duration) -> Duration {
        at(now, self.wall_error_s).unix
    }

    /// Steps it, if a frame has come or its time has.
    pub fn run(&mut self, now: Duration, front: (&mut Lane, &mut Lane), back: (&mut Lane, &mut Lane)) {
        if self.is_lost() {
            // Nobody is there who takes them.
            [front.0, back.0].into_iter().for_each(|lane| while lane.arrived(now).is_some() {});
            return;
        }
        let due = self.next(now).is_some_and(|at| at <= now);
        let arrived = self.front.arrive(front.0, now) + self.back.arrive(back.0, now);
        if !due && arrived == 0 {
            return;
        }
        self.steps += 1;
        let mut batches = Batches { front: self.front.open(), back: self.back.open() };
        self.deadline = self.heap.during(|| self.appliance.step(at(now, self.wall_error_s), &mut batches));
        if self.is_lost() {
            return;
        }
        self.front.leave(front.1, now);
        self.back.leave(back.1, now);
        self.tell();
    }

    /// Takes what it reports, which is copied, as it is into the log.
    fn tell(&mut self) {
        let Self { appliance, reports, heap, .. } = self;
        heap.during(|| {
            while let Some(report) = appliance.poll_report() {
                heap::outside(|| reports.push(report.clone()));
            }
        });
    }

    /// Takes another bundle for new connections.
    ///
    /// # Errors
    /// Why the appliance refuses it.
    pub fn reload(&mut self, bundle: &Bundle, now: Duration) -> Result<(), ReloadFault> {
        self.deadline = Deadline::Flush;
        self.heap.during(|| self.appliance.reload(bundle, at(now, self.wall_error_s)))
    }

    /// Begins a drain.
    pub fn drain(&mut self, now: Duration) {
        self.appliance.drain(at(now, self.wall_error_s));
        self.deadline = Deadline::Flush;
    }
}

/// Unix time at the start of a run: some day in 2026.
const BOOT_S: u64 = 1_790_000_000;

/// What a wall clock shows that is right.
pub(crate) fn wall(now: Duration) -> Duration {
    now + Duration::from_secs(BOOT_S)
}

/// The cell's wall clock may be wrong by so much.
fn at(now: Duration, wall_error_s: i64) -> Now {
    Now { mono: now, unix: now + Duration::from_secs(BOOT_S.saturating_add_signed(wall_error_s)) }
}

impl Port {
    fn new() -> Self {
        Self { waiting: VecDeque::new(), rx: window(), tx: window() }
    }

    /// Fills the receive window, as the tender does; how many frames are in it.
    fn arrive(&mut self, lane: &mut Lane, now: Duration) -> usize {
        self.waiting.extend(core::iter::from_fn(|| lane.arrived(now)));
        let mut batch = Batch::new(&mut self.rx).expect("a window of the right size");
        while let Some(frame) = self.waiting.front() {
            if batch.room() < frame.bytes.len() {
                break;
            }
            batch.push(&frame.bytes, of_queue(frame.offload)).expect("a frame of a length that there is, and room for it");
            self.waiting.pop_front();
        }
        batch.len()
    }

    fn open(&mut self) -> (Frames<'_>, Batch<'_>) {
        (queue::frames(&self.rx).expect("a batch of ours"), Batch::new(&mut self.tx).expect("a window of the right size"))
    }

    fn leave(&self, lane: &mut Lane, now: Duration) {
        for frame in queue::frames(&self.tx).expect("a window of the right size") {
            let frame = frame.expect("a batch that the guest filled by the queue's own means");
            lane.send(Frame { bytes: frame.bytes.to_vec(), offload: of_net(frame.offload) }, now);
        }
    }
}

/// Zeros, of which only those cost something that are ever touched.
fn window() -> MmapMut {
    MmapMut::map_anon(QUEUE_WINDOW_LEN).expect("there is memory")
}

impl<'c> Batches<'c> {
    fn link(&mut self, link: Link) -> &mut (Frames<'c>, Batch<'c>) {
        match link {
            Link::Front => &mut self.front,
            Link::Back => &mut self.back,
        }
    }
}

impl Wires for Batches<'_> {
    fn receive(&mut self, link: Link) -> Option<(&[u8], net::Offload)> {
        let frame = self.link(link).0.next()?.expect("a batch that the tender filled by the queue's own means");
        Some((frame.bytes, of_net(frame.offload)))
    }

    fn transmit(&mut self, link: Link, fill: &mut dyn FnMut(&mut [u8]) -> Option<(usize, net::Offload)>) -> Room {
        let tx = &mut self.link(link).1;
        if tx.room() < FRAME_LEN_MAX {
            return Room::Full;
        }
        tx.fill(FRAME_LEN_MAX, |space| fill(space).map(|(len, offload)| (len, of_queue(offload))))
            .expect("a frame of a length that there is");
        Room::Left
    }
}

fn of_net(offload: queue::Offload) -> net::Offload {
    let queue::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = offload;
    net::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset }
}

fn of_queue(offload: net::Offload) -> queue::Offload {
    let net::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = offload;
    queue::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset }
}
