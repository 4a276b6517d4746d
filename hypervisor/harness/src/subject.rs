//! The image on a machine, at a stage, as often as wanted.

use core::convert::Infallible;
use core::fmt;
use core::time::Duration;
use std::time::Instant;

use abi::boot::{BACK, FRONT};
use abi::control::{FLUSH, NEVER};
use abi::limits::{LINKS, SEED_LEN};
use abi::log::HEADER_LEN;
use machine::layout::Part;
use machine::{Cell, Contest, Draw, Exit, HostFault, Image, Jailed, Kind, LoadFault, Parcel, Rewinder};
use queue::{Batch, Frame, Offload};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::coverage;
use crate::input::{Act, acts};
use crate::limits::{STAGE_TURNS_MAX, TURN_BUDGET, TURNS_MAX};
use crate::verdict::{Secrets, Verdict};
use crate::wire::{CHECKED, Ends, flag};

/// How far the guest is when an input begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It serves, and nobody has spoken to it.
    Sealed,
    /// A client has a connection, and has said nothing.
    Connected,
}

/// What is to be tested.
#[derive(Debug, Clone)]
pub struct Order {
    /// On which machine.
    pub kind: Kind,
    /// How far it is brought.
    pub stage: Stage,
    /// What its boot seed and the layout of its address space come from.
    pub seed: u64,
    /// The boot bundle.
    pub bundle: Zeroizing<Vec<u8>>,
    /// Its heap, in bytes.
    pub heap_len: usize,
    /// What its clock says at its start, since 1970.
    pub unix: Duration,
    /// Its front link.
    pub ends: Ends,
    /// What is to be won from it, if anything.
    pub contest: Option<Contest>,
}

/// Why there is nothing to test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The image or the machine.
    Load(LoadFault),
    /// The host, on the way.
    Host(HostFault),
    /// The guest did not come as far as it was to; what it did instead.
    Stage(String),
}

impl From<LoadFault> for Fault {
    fn from(fault: LoadFault) -> Self {
        Self::Load(fault)
    }
}

impl From<HostFault> for Fault {
    fn from(fault: HostFault) -> Self {
        Self::Host(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(fault) => write!(out, "the guest cannot be loaded: {fault}"),
            Self::Host(fault) => write!(out, "{fault}"),
            Self::Stage(what) => write!(out, "the guest does not come as far as it is to: {what}"),
        }
    }
}

impl core::error::Error for Fault {}

impl Fault {
    /// Whether it is the image that is at fault: no machine would load it.
    #[must_use]
    pub fn is_of_the_image(&self) -> bool {
        matches!(self, Self::Load(LoadFault::Image(_)))
    }
}

/// The image on a machine, brought to its stage.
#[derive(Debug)]
pub struct Subject {
    order: Order,
    image: Image,
    counters: Option<core::ops::Range<usize>>,
    secrets: Secrets,
    rewinder: Rewinder,
    /// The client's connection at the stage, and as it is now.
    at_stage: Talk,
    talk: Talk,
    now: Duration,
    spent: bool,
}

/// Where the client's connection stands at the mark.
#[derive(Debug, Clone, Copy, Default)]
struct Talk {
    sequence: u32,
    acknowledged: u32,
    up: bool,
}

/// A frame that the guest sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard<'f> {
    pub(crate) link: usize,
    pub(crate) frame: Frame<'f>,
}

/// The clock at the guest's start, and at its stage.
pub(crate) const START: Duration = Duration::from_secs(1);
/// The client's first sequence number.
const FIRST: u32 = 0x1000_0000;

impl Subject {
    /// Loads the image and brings it to its stage. `secrets` is what must never leave it.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn start(order: Order, image: &[u8], secrets: Secrets) -> Result<Self, Fault> {
        let parsed = Image::parse(image).map_err(LoadFault::from)?;
        let counters = coverage::counters(image);
        let (rewinder, at_stage) = bring(&order, &parsed, counters.as_ref())?;
        Ok(Self { order, image: parsed, counters, secrets, rewinder, at_stage, talk: at_stage, now: START, spent: false })
    }

    /// Where the image lies, for reports.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The machine that it runs on.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.order.kind
    }

    /// What its clock said at its start, since 1970.
    #[must_use]
    pub fn unix(&self) -> Duration {
        self.order.unix
    }

    /// What the guest has counted since its stage, or since [`clear_counters`](Self::clear_counters); empty for an image that counts nothing.
    #[must_use]
    pub fn counters(&self) -> &[u8] {
        let image = self.rewinder.cell().window(Part::Image);
        self.counters.clone().and_then(|range| image.get(range)).unwrap_or_default()
    }

    /// Sets all counters to zero.
    pub fn clear_counters(&mut self) {
        clear(&mut self.rewinder, self.counters.as_ref());
    }

    /// Tries the first `acts_max` acts of an input on a guest that stands at its stage; brings it back there first where that was not done since the last.
    ///
    /// # Errors
    /// What the host refused.
    pub fn run(&mut self, input: &[u8], acts_max: usize) -> Result<Verdict, Fault> {
        self.begin()?;
        for act in acts(input).take(acts_max) {
            let verdict = self.act(act, &mut |_| {})?;
            if !verdict.is_sound() {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Sound)
    }

    /// The same, and then asks the guest as somebody who never came before. One that is sound and does not answer him is [deaf](Verdict::Deaf).
    ///
    /// # Errors
    /// What the host refused.
    pub fn run_and_ask(&mut self, input: &[u8], acts_max: usize) -> Result<Verdict, Fault> {
        match self.run(input, acts_max)? {
            Verdict::Sound => self.ask(),
            verdict => Ok(verdict),
        }
    }

    /// Asks it so.
    pub(crate) fn ask(&mut self) -> Result<Verdict, Fault> {
        let (stranger, question) = (self.stranger(), self.question());
        let mut is_answered = false;
        let verdict = self.act(Act::Front(&question), &mut |heard| is_answered |= stranger.syn_ack(heard.frame.bytes).is_some())?;
        Ok(if verdict.is_sound() && !is_answered { Verdict::Deaf } else { verdict })
    }

    /// The frame that asks it.
    pub(crate) fn question(&self) -> Vec<u8> {
        self.stranger().segment(0, 0, flag::SYN, &[])
    }

    fn stranger(&self) -> Ends {
        let mut ends = self.order.ends;
        let [a, b, c, _] = ends.client.0.octets();
        ends.client = ([a, b, c, 250].into(), 9);
        ends
    }

    /// From now on it is not at its stage any more.
    pub(crate) fn begin(&mut self) -> Result<(), Fault> {
        if self.spent {
            self.reset()?;
        }
        self.spent = true;
        (self.now, self.talk) = (START, self.at_stage);
        Ok(())
    }

    /// What the order said of it.
    pub(crate) fn order(&self) -> &Order {
        &self.order
    }

    /// What its clock says: since its start, and [`START`] at its stage.
    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    /// When it wants to go on by itself.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let deadline = self.rewinder.cell().deadline();
        (deadline != NEVER).then(|| Duration::from_nanos(deadline))
    }

    /// Brings the guest back to its stage, by loading it anew where nothing else helps. Returns how long it took.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn reset(&mut self) -> Result<Duration, Fault> {
        let begun = Instant::now();
        match self.rewinder.rewind() {
            Ok(_) => {}
            Err(HostFault::Over) => {
                (self.rewinder, self.at_stage) = bring(&self.order, &self.image, self.counters.as_ref())?;
            }
            Err(fault) => return Err(fault.into()),
        }
        self.spent = false;
        Ok(begun.elapsed())
    }

    /// SHA-256 of all that the guest may write, but for its counters.
    ///
    /// # Errors
    /// What the host refused.
    pub fn state(&self) -> Result<[u8; 32], Fault> {
        let mut digest = Sha256::new();
        self.rewinder.for_each_page(&mut |at, bytes| {
            digest.update((at as u64).to_le_bytes());
            digest.update(bytes);
        })?;
        Ok(digest.finalize().into())
    }

    /// Lets something happen, and the guest go on until it sleeps. `heard` is told what it sent.
    pub(crate) fn act(&mut self, act: Act<'_>, heard: &mut dyn FnMut(Heard<'_>)) -> Result<Verdict, Fault> {
        let ends = self.order.ends;
        match act {
            Act::Front(bytes) => self.give(FRONT, bytes),
            Act::Back(bytes) => self.give(BACK, bytes),
            Act::Bytes(bytes) if self.talk.up => {
                let frame = ends.segment(self.talk.sequence, self.talk.acknowledged, flag::ACK | flag::PSH, bytes);
                self.talk.sequence = self.talk.sequence.wrapping_add(u32::try_from(bytes.len()).unwrap_or(0));
                self.give(FRONT, &frame);
            }
            Act::Bytes(bytes) | Act::Packet(bytes) => self.give(FRONT, &ends.frame(bytes)),
            Act::Pass(ms) => self.now = self.now.saturating_add(Duration::from_millis(ms.into())),
        }
        let judged = settle(self.rewinder.cell_mut(), self.order.unix, self.now, &self.secrets, heard);
        for link in [FRONT, BACK] {
            forget(self.rewinder.cell_mut().rx(link), act);
        }
        judged
    }

    fn give(&mut self, link: usize, frame: &[u8]) {
        give(self.rewinder.cell_mut(), link, frame, CHECKED);
    }
}

/// Puts a frame where the guest will look for it. One that no link carries is none.
fn give(cell: &mut Cell<Jailed>, link: usize, frame: &[u8], offload: Offload) {
    if let Ok(mut batch) = Batch::new(cell.rx(link)) {
        let _ = batch.push(frame, offload);
    }
}

/// Takes an act's bytes out of a window again, so that the guest's memory is after each reset what it was.
fn forget(window: &mut [u8], act: Act<'_>) {
    /// Longer than the headers that stand before an act's bytes.
    const HEADERS_LEN: usize = 256;
    let len = match act {
        Act::Front(bytes) | Act::Back(bytes) | Act::Bytes(bytes) | Act::Packet(bytes) => bytes.len(),
        Act::Pass(_) => 0,
    };
    let used = abi::queue::DATA_OFFSET.saturating_add(HEADERS_LEN).saturating_add(len).min(window.len());
    let (head, data) = window.split_at_mut(abi::queue::DATA_OFFSET.min(used));
    if let Some(first) = head.get_mut(..abi::queue::HEADER_LEN.saturating_add(abi::queue::SLOT_LEN)) {
        first.fill(0);
    }
    if let Some(data) = data.get_mut(..used.saturating_sub(abi::queue::DATA_OFFSET)) {
        data.fill(0);
    }
}

/// Lets the guest go on until it sleeps, and looks at what it leaves.
fn settle(
    cell: &mut Cell<Jailed>,
    unix: Duration,
    now: Duration,
    secrets: &Secrets,
    heard: &mut dyn FnMut(Heard<'_>),
) -> Result<Verdict, Fault> {
    for _ in 0..TURNS_MAX {
        cell.set_time(now, unix.saturating_add(now));
        match cell.run(TURN_BUDGET)? {
            Exit::Wait => {}
            Exit::Exit(code) => return Ok(Verdict::Ended(code)),
            Exit::Crash(crash) => return Ok(Verdict::Crash(crash)),
            Exit::Sealed => return Ok(Verdict::Restless),
        }
        if let Some(verdict) = look(cell, secrets, heard) {
            return Ok(verdict);
        }
        (0..LINKS).for_each(|link| queue::clear(cell.rx(link)));
        if !is_restless(cell, now) {
            return Ok(Verdict::Sound);
        }
    }
    Ok(Verdict::Restless)
}

/// Whether the guest wants to go on at once: to be rid of its frames, or for a time that is there already.
fn is_restless(cell: &Cell<Jailed>, now: Duration) -> bool {
    let deadline = cell.deadline();
    deadline == FLUSH || u128::from(deadline) <= now.as_nanos()
}

/// What the guest left, taken.
fn look(cell: &mut Cell<Jailed>, secrets: &Secrets, heard: &mut dyn FnMut(Heard<'_>)) -> Option<Verdict> {
    for link in 0..LINKS {
        match queue::frames(cell.tx(link)) {
            Ok(frames) => {
                for frame in frames {
                    let leak = match frame {
                        Ok(frame) => {
                            heard(Heard { link, frame });
                            secrets.found_in(frame.bytes)
                        }
                        Err(fault) => return Some(Verdict::Queue(fault)),
                    };
                    if let Some(name) = leak {
                        return Some(Verdict::Leak(name));
                    }
                }
            }
            Err(fault) => return Some(Verdict::Queue(fault)),
        }
        queue::clear(cell.tx(link));
    }
    let log = cell.log();
    let len = log.first_chunk::<4>().map_or(0, |field| u32::from_le_bytes(*field));
    let written = log.get(HEADER_LEN..).and_then(|rest| rest.get(..usize::try_from(len).ok()?)).unwrap_or_default();
    let leak = secrets.found_in(written).map(Verdict::Leak);
    if let Some(header) = log.get_mut(..HEADER_LEN) {
        header.fill(0);
    }
    leak
}

/// A cell at its stage.
fn bring(order: &Order, image: &Image, counters: Option<&core::ops::Range<usize>>) -> Result<(Rewinder, Talk), Fault> {
    let parcel = Parcel {
        heap_len: order.heap_len,
        seed: Zeroizing::new(boot_seed(order.seed)),
        bundle: order.bundle.clone(),
        draw: Some(draw(order.seed)),
        contest: order.contest.clone(),
    };
    let cell = Cell::load_rewindable(order.kind, image, parcel, coverage::pages(counters))?;
    let Ok(mut cell) = cell.jailed(|| Ok::<(), Infallible>(()));
    cell.set_time(START, order.unix);
    match cell.run(TURN_BUDGET)? {
        Exit::Sealed => cell.seal()?,
        other => return Err(Fault::Stage(format!("instead of starting it says {other:?}"))),
    }
    let nothing = Secrets::default();
    let reach = |cell: &mut Cell<Jailed>| match settle(cell, order.unix, START, &nothing, &mut |_| {})? {
        Verdict::Sound => Ok(()),
        other => Err(Fault::Stage(other.to_string())),
    };
    reach(&mut cell)?;
    let mut talk = Talk::default();
    if order.stage == Stage::Connected {
        talk = connect(&mut cell, order)?;
        reach(&mut cell)?;
    }
    for link in 0..LINKS {
        cell.rx(link).fill(0);
    }
    let mut rewinder = Rewinder::mark(cell)?;
    // No input did what was counted on the way.
    clear(&mut rewinder, counters);
    Ok((rewinder, talk))
}

fn clear(rewinder: &mut Rewinder, counters: Option<&core::ops::Range<usize>>) {
    let Some(range) = counters.cloned() else { return };
    if let Some(counters) = rewinder.image_mut().get_mut(range) {
        counters.fill(0);
    }
}

/// The client's handshake, RFC 9293 section 3.5.
fn connect(cell: &mut Cell<Jailed>, order: &Order) -> Result<Talk, Fault> {
    let ends = order.ends;
    give(cell, FRONT, &ends.segment(FIRST, 0, flag::SYN, &[]), CHECKED);
    for _ in 0..STAGE_TURNS_MAX {
        cell.set_time(START, order.unix);
        if cell.run(TURN_BUDGET)? != Exit::Wait {
            return Err(Fault::Stage("it ends at a SYN".into()));
        }
        queue::clear(cell.rx(FRONT));
        let answer = queue::frames(cell.tx(FRONT)).ok().and_then(|frames| frames.flatten().find_map(|frame| ends.syn_ack(frame.bytes)));
        (0..LINKS).for_each(|link| queue::clear(cell.tx(link)));
        if let Some(theirs) = answer {
            let talk = Talk { sequence: FIRST.wrapping_add(1), acknowledged: theirs.wrapping_add(1), up: true };
            give(cell, FRONT, &ends.segment(talk.sequence, talk.acknowledged, flag::ACK, &[]), CHECKED);
            return Ok(talk);
        }
        if !is_restless(cell, START) {
            break;
        }
    }
    Err(Fault::Stage("it does not answer a SYN".into()))
}

/// The boot seed that `seed` stands for. Never all zeros.
fn boot_seed(seed: u64) -> [u8; SEED_LEN] {
    let mut digest = Sha256::new();
    digest.update(b"bountybox fuzz: boot seed");
    digest.update(seed.to_le_bytes());
    let bytes: [u8; 32] = digest.finalize().into();
    core::array::from_fn(|at| bytes.get(at % bytes.len()).copied().unwrap_or(1))
}

/// What the layout is drawn from: `SplitMix64`.
fn draw(seed: u64) -> Draw {
    let mut state = seed;
    Draw::again(Zeroizing::new(core::array::from_fn(|_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })))
}
