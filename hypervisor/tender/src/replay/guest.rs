//! The guest of a replay: the cell, what is put in front of it, and what it leaves.

use core::mem::ManuallyDrop;
use core::time::Duration;

use machine::layout::Part;
use machine::{Allow, Cell, Crash, Exit, HostFault, Image, Jailed, Kind, LoadFault, Parcel};
use queue::Batch;
use recording::event::{Came, Given, How};
use zeroize::Zeroize;

use crate::limits::TURN_BUDGET;
use crate::line::Line;
use crate::order::Lines;
use crate::report;
use crate::witness;

/// A guest that may not run yet.
#[derive(Debug)]
pub(super) struct Loaded {
    cell: Cell<machine::Loaded>,
    image: Image,
    digest: String,
}

/// Brings the image into a traced child.
pub(super) fn load(image: Image, digest: String, parcel: Parcel) -> Result<Loaded, LoadFault> {
    let cell = Cell::load(Kind::Process, &image, parcel)?;
    Ok(Loaded { cell, image, digest })
}

impl Loaded {
    /// See [`Cell::syscalls`].
    pub(super) fn syscalls(&self) -> Vec<Allow> {
        self.cell.syscalls()
    }

    /// See [`Cell::jailed`].
    pub(super) fn jailed<E>(self, jail: impl FnOnce() -> Result<(), E>) -> Result<Guest, E> {
        // As with a tender, the kernel takes the machine apart when this process ends.
        Ok(Guest {
            cell: ManuallyDrop::new(self.cell.jailed(jail)?),
            image: self.image,
            digest: self.digest,
            crash: None,
            has_letter: false,
        })
    }
}

/// A guest that is being replayed.
#[derive(Debug)]
pub(super) struct Guest {
    cell: ManuallyDrop<Cell<Jailed>>,
    image: Image,
    digest: String,
    crash: Option<Box<Crash>>,
    has_letter: bool,
}

impl Guest {
    /// Puts in front of it what it was given. What does not fit was never given, and is left out.
    pub(super) fn give(&mut self, given: &Given) {
        self.cell.set_time(Duration::from_nanos(given.now_ns), Duration::from_nanos(given.unix_ns));
        self.cell.request(given.request);
        if let Some(letter) = &given.letter {
            let [inbox, outbox] = self.cell.mailbox();
            queue::discard(outbox);
            let _posted = queue::post(inbox, letter.kind, |space| {
                if let Some(place) = space.get_mut(..letter.bytes.len()) {
                    place.copy_from_slice(&letter.bytes);
                }
                letter.bytes.len()
            });
        }
        for (link, frames) in given.frames.iter().enumerate() {
            if let Ok(mut batch) = Batch::new(self.cell.rx(link)) {
                for frame in frames {
                    let _fits = batch.push(&frame.bytes, frame.offload);
                }
            }
        }
        self.has_letter = given.letter.is_some();
    }

    /// Lets it run its turn.
    pub(super) fn run(&mut self) -> Result<Came, HostFault> {
        let exit = self.cell.run(TURN_BUDGET)?;
        let came = witness::came(&self.cell, &exit, self.has_letter);
        match exit {
            Exit::Sealed => self.cell.seal()?,
            Exit::Crash(crash) => self.crash = Some(Box::new(crash)),
            Exit::Wait | Exit::Exit(_) => {}
        }
        Ok(came)
    }

    /// The frames that it has left on a link, up to the first that is malformed.
    pub(super) fn sent(&self, link: usize) -> impl Iterator<Item = &[u8]> {
        queue::frames(self.cell.window(Part::Tx(link))).into_iter().flatten().flatten().map(|frame| frame.bytes)
    }

    /// What it has left in its log.
    pub(super) fn log(&self) -> &[u8] {
        self.cell.window(Part::Log)
    }

    /// What its end was, in the words of a tender.
    pub(super) fn last_words(&self, how: &How) -> Option<String> {
        let line = match (how, &self.crash) {
            (How::Exit(code), _) => Line::tender("info", "the guest ended").with("code", *code),
            (How::Crash(_), Some(crash)) => report::of_crash(crash, &self.image, &self.digest),
            _ => return None,
        };
        Some(line.render(Lines::Text).trim_end().to_owned())
    }

    /// Empties its windows, as a tender does when a guest has come back.
    pub(super) fn take(&mut self, given: &Given) {
        for link in 0..abi::limits::LINKS {
            queue::clear(self.cell.tx(link));
        }
        if let Some(header) = self.cell.log().first_chunk_mut::<{ abi::log::HEADER_LEN }>() {
            *header = [0; abi::log::HEADER_LEN];
        }
        if let Some(letter) = &given.letter {
            let [inbox, outbox] = self.cell.mailbox();
            if let Some(used) = inbox.get_mut(..letter.bytes.len().saturating_add(abi::mailbox::HEADER_LEN)) {
                used.zeroize();
            }
            queue::discard(outbox);
        }
    }
}
