//! A cell: one guest on one machine. Only a jailed cell runs.

use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;
use core::time::Duration;

use abi::control::offset;
use abi::hypercall::{EXIT, SEALED, WAIT};

use crate::exit::{Cause, Crash, Exit, Registers};
use crate::fault::{HostFault, LoadFault};
use crate::image::Image;
use crate::kvm::Kvm;
use crate::layout::{Layout, Part};
use crate::process::Process;
use crate::space::{Parcel, Space};

/// Which machine runs the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Hardware virtualisation by `/dev/kvm`.
    Kvm,
    /// A traced child process.
    Process,
}

/// Where a cell's life may lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Course {
    /// Forward: how guests serve.
    Forward,
    /// Back to where it was marked, see [`crate::rewind`]. Writes to these bytes of the image (offsets from its base, whole pages) are not watched.
    Rewindable(Range<u64>),
}

/// A system call that the machine needs after the jail has been put up; all others may be forbidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Its number on x86-64.
    pub number: i64,
    /// Arguments (0 to 5) that must have exactly this value.
    pub args: Vec<(u8, u64)>,
}

/// A wall round the guest that the machine would have put up and the host did not allow. The guest runs without; the tender says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingWall {
    /// `process`: namespaces of the guest's own.
    Namespaces,
    /// `process`: the same, and a user other than the tender's.
    NamespacesAndUser,
}

/// The guest is in memory; its first instruction is still to come.
#[derive(Debug)]
pub struct Loaded;

/// The process that holds the cell has jailed itself: the guest may run.
#[derive(Debug)]
pub struct Jailed;

/// One guest on one machine. It stays on the thread that loaded it.
pub struct Cell<S> {
    pub(crate) machine: Box<dyn Machine>,
    course: Course,
    sealed: bool,
    over: bool,
    state: PhantomData<S>,
}

/// What a machine does for a cell. Lock-step rests on `run` taking it by `&mut`, and with it the [`Space`].
pub(crate) trait Machine {
    /// The guest's address space, which the machine owns.
    fn space(&self) -> &Space;
    /// See [`Machine::space`].
    fn space_mut(&mut self) -> &mut Space;
    /// Lets the guest go on until it stops; when this returns, the guest stands still. What a contest has to answer is answered meanwhile, in the same turn.
    fn run(&mut self, budget: Duration) -> Result<Stop, HostFault>;
    /// The registers at the last stop.
    fn registers(&mut self) -> Result<Registers, HostFault>;
    /// Takes seed and bundle out of the guest's address space and out of the host's ([`Space::close_secrets`]).
    fn seal(&mut self) -> Result<(), HostFault>;
    /// What `run`, `registers` and `seal` need of the host.
    fn syscalls(&self) -> Vec<Allow>;
    /// Remembers the registers, and begins to watch which pages the guest writes. Only for a machine that was loaded as [`Course::Rewindable`].
    fn mark(&mut self) -> Result<(), HostFault>;
    /// What the guest has written since `mark` or the last call, of what is watched.
    fn written(&mut self) -> Result<Written, HostFault>;
    /// Puts the registers back to what they were at `mark`. Not after a crash.
    fn restore(&mut self) -> Result<(), HostFault>;
    /// See [`Cell::missing`].
    fn missing(&self) -> Option<MissingWall> {
        None
    }
}

/// What a machine knows of the pages that its guest has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// These, as ranges of the cell's memory, in whole pages.
    Pages(Vec<Range<usize>>),
    /// Nothing: whoever wants to know has to compare.
    Unknown,
}

/// Why a machine stopped, before the cell has judged it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The guest went through the gate, or claims to.
    Hypercall {
        /// As the guest gave it.
        number: u32,
        /// As the guest gave it.
        value: u32,
    },
    /// The guest is to be stopped for good.
    Crash(Cause),
}

impl Cell<Loaded> {
    /// Brings `image` into a fresh address space of a fresh machine. The parcel is wiped before this returns.
    ///
    /// # Errors
    /// [`LoadFault`].
    pub fn load(kind: Kind, image: &Image, parcel: Parcel) -> Result<Self, LoadFault> {
        Self::load_for(Course::Forward, kind, image, parcel)
    }

    /// Loads a cell for [`Rewinder::mark`](crate::rewind::Rewinder::mark). Its guest's memory is all the tender's to see, and (`process`) it may hold
    /// descriptors before it is enclosed: for tests of a guest, not for one that serves. `left_out`: bytes of the image, from its base, whole pages, that are
    /// not brought back.
    ///
    /// # Errors
    /// [`LoadFault`].
    pub fn load_rewindable(kind: Kind, image: &Image, parcel: Parcel, left_out: Range<u64>) -> Result<Self, LoadFault> {
        Self::load_for(Course::Rewindable(left_out), kind, image, parcel)
    }

    fn load_for(course: Course, kind: Kind, image: &Image, parcel: Parcel) -> Result<Self, LoadFault> {
        let machine: Box<dyn Machine> = match kind {
            Kind::Kvm => Box::new(Kvm::load(image, &parcel)?),
            Kind::Process => Box::new(Process::load(image, &parcel, &course)?),
        };
        drop(parcel);
        Ok(Self { machine, course, sealed: false, over: false, state: PhantomData })
    }

    /// The system calls that the machine needs from now on, for the jail's filter. Dropping the cell needs more: a jailed process ends
    /// without.
    #[must_use]
    pub fn syscalls(&self) -> Vec<Allow> {
        self.machine.syscalls()
    }

    /// The wall that this host did not allow, if any.
    #[must_use]
    pub fn missing(&self) -> Option<MissingWall> {
        self.machine.missing()
    }

    /// Runs `jail`, which takes from this process all that it no longer needs, and makes the cell one that may run.
    ///
    /// # Errors
    /// What `jail` says; the cell is gone then.
    pub fn jailed<E>(self, jail: impl FnOnce() -> Result<(), E>) -> Result<Cell<Jailed>, E> {
        jail()?;
        Ok(Cell { machine: self.machine, course: self.course, sealed: self.sealed, over: self.over, state: PhantomData })
    }
}

impl Cell<Jailed> {
    /// Lets the guest go on until it stops. A guest that runs for longer than `budget` in one turn is stopped for good, as
    /// [`Cause::Hung`]. After [`Exit::Exit`] and [`Exit::Crash`] it can never run again.
    ///
    /// # Errors
    /// [`HostFault::Over`], or what the host refused.
    pub fn run(&mut self, budget: Duration) -> Result<Exit, HostFault> {
        if self.over {
            return Err(HostFault::Over);
        }
        let exit = match self.machine.run(budget)? {
            Stop::Hypercall { number: WAIT, value: 0 } => Exit::Wait,
            Stop::Hypercall { number: SEALED, value: 0 } if !self.sealed => Exit::Sealed,
            Stop::Hypercall { number: EXIT, value } => Exit::Exit(value),
            Stop::Hypercall { number, .. } => self.crash(Cause::BadHypercall(u64::from(number)))?,
            Stop::Crash(cause) => self.crash(cause)?,
        };
        self.sealed |= exit == Exit::Sealed;
        self.over = matches!(exit, Exit::Exit(_) | Exit::Crash(_));
        Ok(exit)
    }

    /// Where its life may lead.
    pub(crate) fn course(&self) -> &Course {
        &self.course
    }

    /// Whether it has crashed or ended.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes seed and bundle out of the guest's address space and wipes them. The answer to [`Exit::Sealed`].
    ///
    /// # Errors
    /// What the host refused; also when it was done before.
    pub fn seal(&mut self) -> Result<(), HostFault> {
        self.machine.seal()
    }

    /// Tells the guest the time: since the cell's start, and since 1970 in UTC.
    pub fn set_time(&mut self, now: Duration, unix: Duration) {
        self.set_control(offset::NOW_NS, &nanoseconds(now).to_le_bytes());
        self.set_control(offset::UNIX_NS, &nanoseconds(unix).to_le_bytes());
    }

    /// Asks something of the guest: [`abi::control::RUN`] or [`abi::control::DRAIN`].
    pub fn request(&mut self, request: u32) {
        self.set_control(offset::REQUEST, &request.to_le_bytes());
    }

    /// When the guest wants to go on at the latest, see [`abi::control`].
    #[must_use]
    pub fn deadline(&self) -> u64 {
        let control = self.machine.space().window(Part::Control);
        let field = control.and_then(|control| control.get(offset::DEADLINE_NS..)).and_then(<[u8]>::first_chunk::<8>);
        field.map_or(abi::control::FLUSH, |field| u64::from_le_bytes(*field))
    }

    /// The window of frames towards the guest; empty for a link that there is not.
    pub fn rx(&mut self, link: usize) -> &mut [u8] {
        self.machine.space_mut().window_mut(Part::Rx(link)).unwrap_or_default()
    }

    /// The window of frames from the guest; empty for a link that there is not.
    pub fn tx(&mut self, link: usize) -> &mut [u8] {
        self.machine.space_mut().window_mut(Part::Tx(link)).unwrap_or_default()
    }

    /// The windows of letters to the guest and from it.
    pub fn mailbox(&mut self) -> [&mut [u8]; 2] {
        self.machine.space_mut().windows_mut([Part::Inbox, Part::Outbox]).unwrap_or_default()
    }

    /// The log window.
    pub fn log(&mut self) -> &mut [u8] {
        self.machine.space_mut().window_mut(Part::Log).unwrap_or_default()
    }

    fn set_control(&mut self, at: usize, bytes: &[u8]) {
        let control = self.machine.space_mut().window_mut(Part::Control).unwrap_or_default();
        if let Some(field) = control.get_mut(at..at.saturating_add(bytes.len())) {
            field.copy_from_slice(bytes);
        }
    }

    fn crash(&mut self, cause: Cause) -> Result<Exit, HostFault> {
        let registers = self.machine.registers()?;
        Ok(Exit::Crash(Crash { cause, registers, image_base: self.image_base() }))
    }
}

impl<S> Cell<S> {
    /// What stands in a part of the guest's memory, to be looked at; empty once it is closed, and for a contest's parts, which are the guest's alone.
    #[must_use]
    pub fn window(&self, part: Part) -> &[u8] {
        match part {
            Part::Flag | Part::Word => &[],
            _ => self.machine.space().window(part).unwrap_or_default(),
        }
    }

    /// Where everything lies in the guest; a crash report may say which region an address lies in or beside.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        self.machine.space().layout()
    }

    /// Where the image lies in the guest.
    #[must_use]
    pub fn image_base(&self) -> u64 {
        self.machine.space().layout().place(Part::Image).address
    }
}

impl<S> fmt::Debug for Cell<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cell").field("sealed", &self.sealed).field("over", &self.over).finish_non_exhaustive()
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
