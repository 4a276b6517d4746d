//! A cell that is brought back to where it stood, again and again: what tests of the shipped image start from.
//!
//! [`Rewinder::mark`] takes a cell that stands in `wait` and copies what its guest may write, as far as there is anything. [`Rewinder::rewind`] puts back
//! the registers and the pages that were written since, and those alone. `process` knows them (write protection), `kvm` finds them by comparing all that was
//! ever touched (ADR 12). A cell that crashed or ended cannot be brought back: it is loaded anew.
//!
//! What the tender itself writes it puts back itself, but for the control page.

use core::ops::Range;

use abi::limits::PAGE_LEN;
use rustix::io::Errno;

use crate::cell::{Cell, Course, Jailed, Written};
use crate::fault::{HostFault, Step};
use crate::layout::Part;
use crate::memory::Memory;
use crate::space::{Space, pages_of};

/// A cell and what it was when it was marked.
#[derive(Debug)]
pub struct Rewinder {
    cell: Cell<Jailed>,
    pages: Pages,
    control: Range<usize>,
}

impl Rewinder {
    /// Remembers where `cell`, which was loaded by [`Cell::load_rewindable`], stands: right behind a `wait`.
    ///
    /// # Errors
    /// [`HostFault::Over`] for a cell that has ended; `OPNOTSUPP` for one that was not loaded for this.
    pub fn mark(mut cell: Cell<Jailed>) -> Result<Self, HostFault> {
        if cell.is_over() {
            return Err(HostFault::Over);
        }
        let Course::Rewindable(left_out) = cell.course().clone() else { return Err(fault(Errno::OPNOTSUPP)) };
        cell.machine.mark()?;
        let pages = Pages::copy(cell.machine.space(), &left_out).map_err(fault)?;
        let control = pages_of(cell.layout().place(Part::Control)).ok_or(fault(Errno::RANGE))?;
        Ok(Self { cell, pages, control })
    }

    /// The cell.
    #[must_use]
    pub fn cell(&self) -> &Cell<Jailed> {
        &self.cell
    }

    /// The cell, to let it run and to use its windows.
    pub fn cell_mut(&mut self) -> &mut Cell<Jailed> {
        &mut self.cell
    }

    /// The image as it stands in memory, for what counts in it.
    pub fn image_mut(&mut self) -> &mut [u8] {
        self.cell.machine.space_mut().window_mut(Part::Image).unwrap_or_default()
    }

    /// Brings the cell back. Returns how many pages that took.
    ///
    /// # Errors
    /// [`HostFault::Over`] once it has crashed or ended; what the host refused.
    pub fn rewind(&mut self) -> Result<usize, HostFault> {
        if self.cell.is_over() {
            return Err(HostFault::Over);
        }
        let written = self.cell.machine.written()?;
        self.cell.machine.restore()?;
        let memory = self.cell.machine.space_mut().memory_mut();
        let count = match written {
            Written::Pages(ranges) => {
                let pages = ranges.into_iter().chain([self.control.clone()]).flat_map(|range| range.step_by(PAGE_LEN));
                self.pages.put_back(memory, pages)
            }
            Written::Unknown => {
                let touched = self.pages.touched(memory).map_err(fault)?;
                self.pages.put_back(memory, touched)
            }
        };
        count.ok_or(fault(Errno::RANGE))
    }

    /// The pages of all that the guest may write and that is brought back, in order, as they are now: what tells one state from another. Pages of
    /// zeros alone are left out.
    ///
    /// # Errors
    /// What the host refused.
    pub fn for_each_page(&self, each: &mut dyn FnMut(usize, &[u8])) -> Result<(), HostFault> {
        let memory = self.cell.machine.space().memory();
        for at in self.pages.touched(memory).map_err(fault)? {
            let bytes = memory.bytes(at..at.saturating_add(PAGE_LEN)).unwrap_or_default();
            if bytes.iter().any(|byte| *byte != 0) {
                each(at, bytes);
            }
        }
        Ok(())
    }
}

fn fault(errno: Errno) -> HostFault {
    HostFault::Host(Step::Watch, errno)
}

/// The pages that a guest may write, as they were.
#[derive(Debug)]
struct Pages {
    /// By their number in the cell's memory. A page that had never been touched is none, and reads as zeros.
    before: Vec<Option<Box<[u8]>>>,
    /// All that is brought back, as ranges of the cell's memory.
    ranges: Vec<Range<usize>>,
}

impl Pages {
    fn copy(space: &Space, left_out: &Range<u64>) -> Result<Self, Errno> {
        let memory = space.memory();
        let ranges = space.writable(left_out).iter().map(|mapping| bytes(mapping.offset, mapping.len)).collect::<Option<_>>();
        let mut pages = Self { before: vec![None; memory.len() / PAGE_LEN], ranges: ranges.ok_or(Errno::RANGE)? };
        for at in pages.touched(memory)? {
            let bytes = memory.bytes(at..at.saturating_add(PAGE_LEN)).ok_or(Errno::RANGE)?;
            *pages.before.get_mut(at / PAGE_LEN).ok_or(Errno::RANGE)? = Some(bytes.into());
        }
        Ok(pages)
    }

    /// The pages that anybody has touched so far, by their place in the cell's memory.
    fn touched(&self, memory: &Memory) -> Result<Vec<usize>, Errno> {
        let mut pages = Vec::new();
        for range in &self.ranges {
            pages.extend(memory.touched(range.clone())?.into_iter().flat_map(|range| range.step_by(PAGE_LEN)));
        }
        Ok(pages)
    }

    /// Makes these pages what they were. Returns how many were not.
    fn put_back(&self, memory: &mut Memory, pages: impl IntoIterator<Item = usize>) -> Option<usize> {
        const ZEROS: [u8; PAGE_LEN] = [0; PAGE_LEN];
        let mut count = 0_usize;
        for at in pages {
            let now = memory.bytes_mut(at..at.checked_add(PAGE_LEN)?)?;
            let before = self.before.get(at / PAGE_LEN)?.as_deref().unwrap_or(&ZEROS);
            if now != before {
                now.copy_from_slice(before);
                count = count.saturating_add(1);
            }
        }
        Some(count)
    }
}

fn bytes(offset: u64, len: u64) -> Option<Range<usize>> {
    let start = usize::try_from(offset).ok()?;
    Some(start..start.checked_add(usize::try_from(len).ok()?)?)
}
