//! A guest's address space, filled and ready: its memory and its layout.
//!
//! Both machines are built on it: they map what [`Layout::mappings`] says, and hand windows out through here.

use core::ops::Range;

use abi::limits::{BUNDLE_LEN_MAX, FLAG_LEN, HEAP_LEN_MAX, HEAP_LEN_MIN, PAGE_LEN, SEED_LEN};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use zeroize::Zeroizing;

use crate::contest::{Contest, Published};
use crate::fault::{HostFault, LoadFault, Step};
use crate::image::{Access, Image};
use crate::layout::{self, Layout, Mapping, Part, Place};
use crate::memory::Memory;

/// What a cell is given at its start. Consumed by the load, and wiped.
#[derive(Clone)]
pub struct Parcel {
    /// The heap's length in bytes; rounded up to large pages.
    pub heap_len: usize,
    /// The boot seed.
    pub seed: Zeroizing<[u8; SEED_LEN]>,
    /// The boot bundle.
    pub bundle: Zeroizing<Vec<u8>>,
    /// What the layout is drawn from; fresh randomness where nothing is said.
    pub draw: Option<Draw>,
    /// What is there to be won from the guest, if anything.
    pub contest: Option<Contest>,
}

impl core::fmt::Debug for Parcel {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Parcel").field("heap_len", &self.heap_len).field("contest", &self.contest).finish_non_exhaustive()
    }
}

/// The memory of one guest with everything in it that the guest finds at its start.
#[derive(Debug)]
pub struct Space {
    memory: Memory,
    layout: Layout,
    entry: u64,
}

impl Space {
    /// Draws a layout, allocates the memory, and fills it: image (relocated), boot info, seed, bundle, a contest's flag, and `gate`, the machine's code of
    /// the gate. `machine` is what the boot info says of the machine.
    ///
    /// # Errors
    /// [`LoadFault`].
    pub fn load(machine: u32, gate: &[u8], image: &Image, parcel: &Parcel) -> Result<Self, LoadFault> {
        if !(HEAP_LEN_MIN..=HEAP_LEN_MAX).contains(&parcel.heap_len) {
            return Err(LoadFault::ConfigHeap);
        }
        if parcel.bundle.is_empty() || parcel.bundle.len() > BUNDLE_LEN_MAX {
            return Err(LoadFault::ConfigBundle);
        }
        let published = parcel.contest.as_ref().map(Published::of).transpose()?;
        let mut random = match &parcel.draw {
            Some(draw) => Random { draw: draw.clone(), next: 0 },
            None => Random { draw: Draw::fresh()?, next: 0 },
        };
        let layout = Layout::draw(image, parcel.heap_len as u64, parcel.bundle.len() as u64, published, &mut || random.next())?;
        let memory_len = usize::try_from(layout.memory_len()).map_err(|_| LoadFault::ConfigHeap)?;
        let memory = Memory::new(memory_len).map_err(|errno| LoadFault::Host(Step::Memory, errno))?;
        let entry = layout.place(Part::Image).address.saturating_add(image.entry());
        let mut space = Self { memory, layout, entry };
        let filled = space.fill(machine, gate, image, parcel);
        filled.ok_or(LoadFault::Host(Step::Memory, Errno::RANGE)).map(|()| space)
    }

    /// Where everything lies.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The memory behind it.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What the guest may write, by ascending offset, without `left_out`: bytes of the image from its base, in whole pages.
    pub(crate) fn writable(&self, left_out: &Range<u64>) -> Vec<Mapping> {
        let base = self.layout.place(Part::Image).address;
        let hole = base.saturating_add(left_out.start)..base.saturating_add(left_out.end);
        let writable = self.layout.mappings().into_iter().filter(|mapping| mapping.access == Access::Write);
        writable.flat_map(|mapping| without(mapping, &hole)).filter(|mapping| mapping.len > 0).collect()
    }

    /// The memory behind it, all of it.
    pub(crate) fn memory_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// The address of the guest's first instruction.
    #[must_use]
    pub fn entry(&self) -> u64 {
        self.entry
    }

    /// The stack pointer at the guest's start: 16-byte aligned minus 8, as behind a call. The return address there is 0.
    #[must_use]
    pub fn stack_pointer(&self) -> u64 {
        let stack = self.layout.place(Part::Stack);
        stack.address.saturating_add(stack.len).saturating_sub(8)
    }

    /// The bytes of `part`; `None` once it is closed.
    #[must_use]
    pub fn window(&self, part: Part) -> Option<&[u8]> {
        self.memory.bytes(bytes_of(self.layout.place(part))?)
    }

    /// The bytes of `part`, for writing; `None` once it is closed.
    #[must_use]
    pub fn window_mut(&mut self, part: Part) -> Option<&mut [u8]> {
        self.memory.bytes_mut(bytes_of(self.layout.place(part))?)
    }

    /// The bytes of two parts at once, the first of which lies before the second in the cell's memory; `None` once one of them is closed.
    #[must_use]
    pub fn windows_mut(&mut self, [first, second]: [Part; 2]) -> Option<[&mut [u8]; 2]> {
        let (first, second) = (bytes_of(self.layout.place(first))?, bytes_of(self.layout.place(second))?);
        let all = self.memory.bytes_mut(first.start..second.end)?;
        let (front, back) = all.split_at_mut_checked(second.start.checked_sub(first.start)?)?;
        Some([front.get_mut(..first.len())?, back])
    }

    /// Wipes seed and bundle and takes all access to them from this process, for good.
    ///
    /// # Errors
    /// [`HostFault::Host`], also when it was done before.
    pub fn close_secrets(&mut self) -> Result<(), HostFault> {
        for part in [Part::Seed, Part::Bundle] {
            let range = pages_of(self.layout.place(part)).ok_or(HostFault::Host(Step::Seal, Errno::RANGE))?;
            self.memory.close(range).map_err(|errno| HostFault::Host(Step::Seal, errno))?;
        }
        Ok(())
    }

    fn fill(&mut self, machine: u32, gate: &[u8], image: &Image, parcel: &Parcel) -> Option<()> {
        let base = self.layout.place(Part::Image).address;
        image.place(base, self.window_mut(Part::Image)?)?;
        let boot = layout::encode(&self.layout.boot_info(machine));
        self.window_mut(Part::Boot)?.get_mut(..boot.len())?.copy_from_slice(&boot);
        let page = self.window_mut(Part::Gate)?;
        page.fill(INT3);
        page.get_mut(..gate.len())?.copy_from_slice(gate);
        self.window_mut(Part::Seed)?.get_mut(..SEED_LEN)?.copy_from_slice(&parcel.seed[..]);
        self.window_mut(Part::Bundle)?.copy_from_slice(&parcel.bundle);
        if let Some(contest) = &parcel.contest {
            self.window_mut(Part::Flag)?.get_mut(..FLAG_LEN)?.copy_from_slice(&contest.flag[..]);
        }
        Some(())
    }
}

/// What is left of a mapping on both sides of a hole in the guest's address space.
fn without(mapping: Mapping, hole: &Range<u64>) -> [Mapping; 2] {
    let end = mapping.address.saturating_add(mapping.len);
    let piece = |from: u64, to: u64| Mapping {
        address: from,
        offset: mapping.offset.saturating_add(from.saturating_sub(mapping.address)),
        len: to.saturating_sub(from),
        ..mapping
    };
    let (start, stop) = (hole.start.clamp(mapping.address, end), hole.end.clamp(mapping.address, end));
    if start < stop { [piece(mapping.address, start), piece(stop, end)] } else { [mapping, piece(end, end)] }
}

/// What fills the gate page behind its code.
const INT3: u8 = 0xcc;

fn bytes_of(place: Place) -> Option<Range<usize>> {
    let start = usize::try_from(place.offset).ok()?;
    Some(start..start.checked_add(usize::try_from(place.len).ok()?)?)
}

/// The range of whole pages that hold `place`; they hold nothing else.
#[must_use]
pub fn pages_of(place: Place) -> Option<Range<usize>> {
    let bytes = bytes_of(place)?;
    Some(bytes.start..bytes.end.checked_next_multiple_of(PAGE_LEN)?)
}

/// The random words that a layout is drawn from: the same words, image and lengths give the same layout. Wiped on drop, as they tell where everything lies.
#[derive(Clone, PartialEq, Eq)]
pub struct Draw(Zeroizing<[u64; Self::LEN]>);

impl Draw {
    /// Enough for many redraws; were they ever used up, the words would repeat, and the layout be refused.
    pub const LEN: usize = 64;

    /// Words of the host's randomness.
    ///
    /// # Errors
    /// [`LoadFault::Host`].
    pub fn fresh() -> Result<Self, LoadFault> {
        let mut words = Zeroizing::new([0; Self::LEN]);
        for word in words.iter_mut() {
            let mut bytes = [0; 8];
            // Up to 256 bytes come whole once the generator is seeded, and without GRND_NONBLOCK the kernel waits for that.
            let len = getrandom(&mut bytes, GetRandomFlags::empty()).map_err(|errno| LoadFault::Host(Step::Entropy, errno))?;
            if len != bytes.len() {
                return Err(LoadFault::Host(Step::Entropy, Errno::IO));
            }
            *word = u64::from_ne_bytes(bytes);
        }
        Ok(Self(words))
    }

    /// These words, which were another cell's.
    #[must_use]
    pub const fn again(words: Zeroizing<[u64; Self::LEN]>) -> Self {
        Self(words)
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[u64; Self::LEN] {
        &self.0
    }
}

impl core::fmt::Debug for Draw {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("Draw(..)")
    }
}

/// A draw that is being used.
struct Random {
    draw: Draw,
    next: usize,
}

impl Random {
    fn next(&mut self) -> u64 {
        let word = self.draw.words().get(self.next % Draw::LEN).copied().unwrap_or(0);
        self.next = self.next.wrapping_add(1);
        word
    }
}
