//! A tender's life: open -> load -> attach -> jail -> run. Each step consumes the one before, so none can be left out or done twice.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Instant;

use machine::{Cell, Draw, Image, Jailed, Kind, Loaded};
use rustix::process::{Resource, getrlimit};
use rustix::rand::{GetRandomFlags, getrandom};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::capture::Capture;
use crate::channel::{Parcel, Tending};
use crate::contest::{self, Escape};
use crate::egress::{Calls, Egress, Link};
use crate::ending::Ending;
use crate::jail::{self, Applied, Needs, Readiness, Sockets};
use crate::journal::Journal;
use crate::limits::{DESCRIPTORS_RESERVED, IMAGE_LEN_MAX, PIPES_MAX};
use crate::line::{Line, Speaker};
use crate::log::Log;
use crate::nets::Net;
use crate::nets::tap::Tap;
use crate::nets::user::User;
use crate::order::{Back, Front, Lines, Order};
use crate::poller::{CHANNEL, Poller, Token};
use crate::recorder::Recorder;
use crate::run;

/// Runs one cell to its end. The channel to the supervisor is this process's standard input.
#[must_use]
pub fn tend() -> Ending {
    // For people who list processes; the name of the executable says nothing there.
    let _unnamed = rustix::thread::set_name(c"bountybox-cell");
    let opened = open();
    let lines = opened.as_ref().map_or(Lines::Text, |opened| opened.parcel.order.lines);
    let mut speaker = Speaker::new(lines);
    let jailed = opened.and_then(Opened::load).and_then(Loading::attach).and_then(|attached| attached.jail(&mut speaker));
    match jailed {
        Ok((cell, ward)) => run::run(cell, ward, speaker),
        Err(stop) => {
            speaker.say(&[Line::tender("error", stop.reason)]);
            stop.ending
        }
    }
}

/// Why a step was not taken.
#[derive(Debug)]
struct Stop {
    ending: Ending,
    reason: String,
}

fn stop(ending: Ending, what: &str, fault: impl core::fmt::Debug) -> Stop {
    Stop { ending, reason: format!("{what}: {fault:?}") }
}

/// The parcel is here.
struct Opened {
    parcel: Parcel,
    channel: Tending,
}

fn open() -> Result<Opened, Stop> {
    let usage = |fault: &dyn core::fmt::Debug| stop(Ending::Usage, "no parcel from a supervisor", fault);
    let stdin = std::io::stdin();
    let socket = stdin.as_fd().try_clone_to_owned().map_err(|fault| usage(&fault))?;
    let null = std::fs::File::open("/dev/null").map_err(|fault| usage(&fault))?;
    rustix::stdio::dup2_stdin(&null).map_err(|fault| usage(&fault))?;
    let (channel, parcel) = Tending::receive(socket).map_err(|fault| usage(&fault))?;
    Ok(Opened { parcel, channel })
}

/// The guest is in memory.
struct Loading {
    cell: Cell<Loaded>,
    order: Order,
    descriptors: Vec<OwnedFd>,
    channel: Tending,
    image: Image,
    log: Log,
    digest: String,
    recorder: Recorder,
    escape: Option<Escape>,
    notes: Vec<Line>,
}

impl Opened {
    fn load(self) -> Result<Loading, Stop> {
        let Parcel { order, bundle, image: file, mut descriptors } = self.parcel;
        let bytes = read_image(file)?;
        let image = Image::parse(&bytes).map_err(|fault| stop(Ending::Image, "the image is refused", fault))?;
        if image.gives_secrets_away() {
            return Err(stop(Ending::Image, "the image is refused", "it gives its secrets away"));
        }
        let (log, table_fault) = Log::new(&bytes);
        let notes = table_fault.map(|fault| Line::tender("warn", "the guest's log cannot be decoded").with("reason", format!("{fault:?}")));
        let sha256: [u8; 32] = Sha256::digest(&bytes).into();
        let digest = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let taken =
            contest::take(&order, &mut descriptors).map_err(|fault| stop(Ending::Usage, "the contest's files are refused", fault))?;
        let (contest, escape) = taken.unzip();
        let heap_len = usize::try_from(order.heap_len).unwrap_or(usize::MAX);
        let draw = Draw::fresh().map_err(|fault| stop(Ending::Machine, "the machine cannot be made", fault))?;
        let parcel = machine::Parcel { heap_len, seed: seed()?, bundle, draw: Some(draw), contest };
        let (recorder, unrecorded) = Recorder::of_order(&order, &mut descriptors, &parcel, sha256);
        let kind = match order.machine {
            crate::order::Machine::Kvm => Kind::Kvm,
            crate::order::Machine::Process => Kind::Process,
        };
        let cell = Cell::load(kind, &image, parcel).map_err(|fault| stop(Ending::Machine, "the machine cannot be made", fault))?;
        let missing = cell
            .missing()
            .map(|wall| Line::tender("warn", "the host does not allow a wall round the guest").with("missing", format!("{wall:?}")));
        let notes = notes.into_iter().chain(missing).chain(unrecorded).collect();
        Ok(Loading { cell, order, descriptors, channel: self.channel, image, log, digest, recorder, escape, notes })
    }
}

/// From the start: the supervisor's descriptor is the same open file for every cell.
fn read_image(file: std::fs::File) -> Result<Vec<u8>, Stop> {
    use std::io::{Seek, SeekFrom};
    let mut bytes = Vec::new();
    let limit = u64::try_from(IMAGE_LEN_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let read = (&file).seek(SeekFrom::Start(0)).and_then(|_| file.take(limit).read_to_end(&mut bytes));
    read.map_err(|fault| stop(Ending::Image, "the image cannot be read", fault))?;
    if bytes.len() > IMAGE_LEN_MAX { Err(stop(Ending::Image, "the image is too long", bytes.len())) } else { Ok(bytes) }
}

/// Fresh randomness from the host's kernel, or no cell.
fn seed() -> Result<Zeroizing<[u8; 32]>, Stop> {
    let mut seed = Zeroizing::new([0; 32]);
    match getrandom(&mut seed[..], GetRandomFlags::empty()) {
        Ok(32) => Ok(seed),
        short => Err(stop(Ending::Machine, "the host has no randomness", short)),
    }
}

/// The links have their other ends.
struct Attached {
    loading: Loading,
    poller: Poller,
    nets: [Box<dyn Net>; abi::limits::LINKS],
    journal: Journal,
    capture: Capture,
    needs: Needs,
    started: Instant,
}

impl Loading {
    fn attach(mut self) -> Result<Attached, Stop> {
        let fault = |fault: &dyn core::fmt::Debug| stop(Ending::Net, "a link cannot be attached", fault);
        let started = Instant::now();
        let poller = Poller::new().map_err(|io| fault(&io))?;
        let token = Token { owner: CHANNEL, kind: 0, serial: 0, index: 0 };
        poller.watch(&self.channel, token).map_err(|io| fault(&io))?;
        let descriptors_max = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let pipes_max = pipes_max(descriptors_max);
        let mut needs = Needs {
            wish: self.order.jail,
            machine: self.order.machine,
            machine_calls: self.cell.syscalls(),
            readiness: Some(Readiness { epoll: poller.as_fd().as_raw_fd(), channel: self.channel.as_fd().as_raw_fd() }),
            listeners: Vec::new(),
            taps: Vec::new(),
            access_pipe: None,
            reads: Vec::new(),
            escape: self.escape.as_ref().map(Escape::descriptor),
            writes: self.recorder.descriptor().into_iter().collect(),
            file_len_max: self.recorder.descriptor().and(self.order.record).map_or(0, |record| record.len_max),
            sockets: Sockets::None,
            descriptors_max: u64::try_from(pipes_max.saturating_mul(2).saturating_add(DESCRIPTORS_RESERVED))
                .unwrap_or(u64::MAX)
                .min(descriptors_max),
        };
        let descriptors = core::mem::take(&mut self.descriptors);
        let mut descriptors = descriptors.into_iter();
        let front = front(&self.order.front, &mut descriptors, &poller, pipes_max, &mut needs)?;
        let back = back(&self.order.back, &mut descriptors, &poller, pipes_max, &mut needs)?;
        let pipe = descriptors.by_ref().take(self.order.access.to.descriptors()).next();
        needs.access_pipe = pipe.as_ref().map(AsRawFd::as_raw_fd);
        let journal = Journal::new(self.order.access, pipe);
        let capture = Capture::new(descriptors.by_ref().take(usize::from(self.order.capture)).next());
        needs.writes.extend(capture.descriptor());
        Ok(Attached { loading: self, poller, nets: [front, back], journal, capture, needs, started })
    }
}

/// Each link gets half of what is not reserved.
fn pipes_max(descriptors_max: u64) -> usize {
    let descriptors = usize::try_from(descriptors_max).unwrap_or(usize::MAX);
    (descriptors.saturating_sub(DESCRIPTORS_RESERVED) / 2).clamp(1, PIPES_MAX)
}

fn front(
    front: &Front,
    descriptors: &mut impl Iterator<Item = OwnedFd>,
    poller: &Poller,
    pipes_max: usize,
    needs: &mut Needs,
) -> Result<Box<dyn Net>, Stop> {
    match front {
        Front::User { ends, doors, call_back } => {
            let doors: Vec<_> = descriptors.by_ref().take(doors.len()).zip(doors.iter().copied()).collect();
            needs.listeners = doors.iter().map(|(listener, _)| listener.as_raw_fd()).collect();
            needs.sockets.connect_to(call_back.map(|call_back| call_back.port));
            let user = User::front(ends, doors, *call_back, *seed()?, pipes_max, Duration::ZERO)
                .map_err(|fault| stop(Ending::Net, "front link", fault))?;
            user.watch(poller).map_err(|fault| stop(Ending::Net, "front link", fault))?;
            Ok(Box::new(user))
        }
        Front::Tap { wire, ports, call_back } => {
            let egress = Egress::new(wire.clone(), Link::Front { ports: ports.clone(), calls: call_back.map(Calls::new) });
            tap(abi::boot::FRONT, descriptors, egress, poller, needs)
        }
    }
}

fn back(
    back: &Back,
    descriptors: &mut impl Iterator<Item = OwnedFd>,
    poller: &Poller,
    pipes_max: usize,
    needs: &mut Needs,
) -> Result<Box<dyn Net>, Stop> {
    match back {
        Back::User { ends, backends, later_ports } => {
            let ports = backends.iter().flat_map(|backend| &backend.host).map(SocketAddr::port);
            needs.sockets.connect_to(ports.chain(later_ports.iter().copied()));
            let user = User::back(ends, backends.clone(), *seed()?, pipes_max, Duration::ZERO)
                .map_err(|fault| stop(Ending::Net, "back link", fault))?;
            Ok(Box::new(user))
        }
        Back::Tap { wire, backends } => {
            let egress = Egress::new(wire.clone(), Link::Back { backends: backends.clone(), retired: Vec::new() });
            tap(abi::boot::BACK, descriptors, egress, poller, needs)
        }
    }
}

fn tap(
    link: usize,
    descriptors: &mut impl Iterator<Item = OwnedFd>,
    egress: Egress,
    poller: &Poller,
    needs: &mut Needs,
) -> Result<Box<dyn Net>, Stop> {
    let descriptor = descriptors.next().ok_or_else(|| stop(Ending::Usage, "a TAP's descriptor is missing", link))?;
    needs.taps.push(descriptor.as_raw_fd());
    let tap = Tap::new(descriptor, egress);
    tap.watch(poller, u8::try_from(link).unwrap_or(u8::MAX)).map_err(|fault| stop(Ending::Net, "TAP", fault))?;
    Ok(Box::new(tap))
}

/// What the loop works with, beside the cell.
#[derive(Debug)]
pub(crate) struct Ward {
    pub(crate) channel: Tending,
    pub(crate) poller: Poller,
    pub(crate) nets: [Box<dyn Net>; abi::limits::LINKS],
    pub(crate) log: Log,
    pub(crate) journal: Journal,
    pub(crate) capture: Capture,
    pub(crate) recorder: Recorder,
    /// Held until the end, and never read.
    pub(crate) escape: Option<Escape>,
    pub(crate) image: Image,
    pub(crate) digest: String,
    pub(crate) started: Instant,
    pub(crate) drain_limit: Duration,
}

impl Attached {
    fn jail(self, speaker: &mut Speaker) -> Result<(Cell<Jailed>, Ward), Stop> {
        let Self { loading, poller, nets, journal, capture, needs, started } = self;
        let Loading { cell, order, channel, image, log, digest, recorder, escape, notes, .. } = loading;
        speaker.say(&notes);
        if let Some(wall) = cell.missing() {
            speaker.say(&[Line::tender("warn", "this host does not allow a wall of the machine").with("missing", format!("{wall:?}"))]);
        }
        let mut applied = Applied::default();
        let cell = cell
            .jailed(|| jail::close(&needs).map(|done| applied = done))
            .map_err(|fault| stop(Ending::Jail, "the jail cannot be put up", fault))?;
        speaker.say(&[applied.line()]);
        let drain_limit = Duration::from_millis(order.drain_ms);
        Ok((cell, Ward { channel, poller, nets, log, journal, capture, recorder, escape, image, digest, started, drain_limit }))
    }
}
