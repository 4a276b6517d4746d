//! Where everything lies in the guest's address space, drawn anew for each boot.
//!
//! Each region gets a random page-aligned address in the lower half, at least [`GUARD_LEN`] from every other and from both ends; but for a contest's two pages, which
//! lie where they were published. In the cell's memory (the memfd) the regions lie packed: first what the guest may not write, then what it may, the heap last.

use core::ops::Range;

use abi::boot::{BootInfo, Link, MAGIC, Region, VERSION};
use abi::limits::{
    FLAG_WINDOW_LEN, INBOX_WINDOW_LEN, LINKS, LOG_WINDOW_LEN, OUTBOX_WINDOW_LEN, PAGE_LEN, QUEUE_WINDOW_LEN, SEED_WINDOW_LEN, STACK_LEN,
    WORD_WINDOW_LEN,
};

use crate::contest::Published;
use crate::fault::LoadFault;
use crate::image::{Access, Image};
use crate::limits::{ADDRESS_MAX, ADDRESS_MIN, DRAWS_MAX, GUARD_LEN, HEAP_ALIGN, IMAGE_ALIGN, MACHINE_LEN};

const PAGE: u64 = PAGE_LEN as u64;

/// What a region is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The gate's code.
    Gate,
    /// The boot info.
    Boot,
    /// The boot seed.
    Seed,
    /// The boot bundle.
    Bundle,
    /// Letters towards the guest.
    Inbox,
    /// Frames towards the guest, of this link.
    Rx(usize),
    /// A contest's flag of `read`.
    Flag,
    /// The image.
    Image,
    /// The control page.
    Control,
    /// The log window.
    Log,
    /// Letters from the guest.
    Outbox,
    /// Frames from the guest, of this link.
    Tx(usize),
    /// A contest's word of `write`.
    Word,
    /// The stack.
    Stack,
    /// The heap.
    Heap,
}

/// Every part, in the order in which they lie in the cell's memory.
const PARTS: [Part; 17] = [
    Part::Gate,
    Part::Boot,
    Part::Seed,
    Part::Bundle,
    Part::Inbox,
    Part::Rx(0),
    Part::Rx(1),
    Part::Flag,
    Part::Image,
    Part::Control,
    Part::Log,
    Part::Outbox,
    Part::Tx(0),
    Part::Tx(1),
    Part::Word,
    Part::Stack,
    Part::Heap,
];
const _: () = assert!(LINKS == 2, "PARTS names each link's queues");

/// A part's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What lies there.
    pub part: Part,
    /// Its first address in the guest.
    pub address: u64,
    /// Its length in bytes as the guest is told.
    pub len: u64,
    /// Its first byte in the cell's memory; a multiple of the page length.
    pub offset: u64,
}

/// Whole pages with one kind of access, all of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// The part that they belong to.
    pub part: Part,
    /// First address in the guest; a multiple of the page length (heap: of [`HEAP_ALIGN`]).
    pub address: u64,
    /// First byte in the cell's memory; aligned as `address`.
    pub offset: u64,
    /// Length in bytes; a multiple of the page length (heap: of [`HEAP_ALIGN`]).
    pub len: u64,
    /// What the guest may do with it.
    pub access: Access,
}

/// The layout of one cell.
#[derive(Debug, Clone)]
pub struct Layout {
    machine: u64,
    /// A contest's parts are among them where there is one.
    places: Vec<Place>,
    image_segments: Vec<crate::image::Segment>,
}

impl Layout {
    /// Draws a layout round what is `published`. `random` gives uniformly random words.
    ///
    /// # Errors
    /// [`LoadFault::HostLayout`] where `random` is not random at all.
    pub fn draw(
        image: &Image,
        heap_len: u64,
        bundle_len: u64,
        published: Option<Published>,
        random: &mut impl FnMut() -> u64,
    ) -> Result<Self, LoadFault> {
        let mut taken: Vec<Range<u64>> = published.into_iter().flat_map(Published::ranges).collect();
        let machine = free_address(MACHINE_LEN, PAGE, &taken, random).ok_or(LoadFault::HostLayout)?;
        taken.push(machine..machine.saturating_add(MACHINE_LEN));
        let (mut places, mut offset) = (Vec::with_capacity(PARTS.len()), 0);
        for part in PARTS {
            let len = part_len(part, image, heap_len, bundle_len);
            let address = match (part, published) {
                (Part::Flag | Part::Word, None) => continue,
                (Part::Flag, Some(published)) => published.flag(),
                (Part::Word, Some(published)) => published.word(),
                _ => free_address(len, part_align(part), &taken, random).ok_or(LoadFault::HostLayout)?,
            };
            taken.push(address..address.saturating_add(pages_len(len)));
            let place =
                Place { part, address, len, offset: u64::next_multiple_of(offset, if part == Part::Heap { HEAP_ALIGN } else { PAGE }) };
            offset = place.offset.saturating_add(pages_len(len));
            places.push(place);
        }
        Ok(Self { machine, places, image_segments: image.segments().to_vec() })
    }

    /// Where `part` lies.
    #[must_use]
    pub fn place(&self, part: Part) -> Place {
        let found = self.places.iter().find(|place| place.part == part);
        // A link that there is not has an empty place, and so have a contest's parts where there is none.
        found.copied().unwrap_or(Place { part, address: 0, len: 0, offset: 0 })
    }

    /// The first of [`MACHINE_LEN`] bytes of the address space, in no region, for what the machine itself must map; never for the guest.
    #[must_use]
    pub fn machine(&self) -> u64 {
        self.machine
    }

    /// Every place, in the order of the cell's memory.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// What is to be mapped for the guest and how, by ascending offset, without overlap.
    #[must_use]
    pub fn mappings(&self) -> Vec<Mapping> {
        self.places.iter().flat_map(|place| self.mappings_of(place)).collect()
    }

    /// Bytes of the cell's memory.
    #[must_use]
    pub fn memory_len(&self) -> u64 {
        let heap = self.place(Part::Heap);
        heap.offset.saturating_add(heap.len)
    }

    /// The boot info, as the guest reads it.
    #[must_use]
    pub fn boot_info(&self, machine: u32) -> BootInfo {
        let region = |part| {
            let place = self.place(part);
            Region { base: place.address, len: place.len }
        };
        BootInfo {
            magic: MAGIC,
            version: VERSION,
            machine,
            gate: self.place(Part::Gate).address,
            heap: region(Part::Heap),
            stack: region(Part::Stack),
            control: region(Part::Control),
            log: region(Part::Log),
            seed: region(Part::Seed),
            bundle: region(Part::Bundle),
            inbox: region(Part::Inbox),
            outbox: region(Part::Outbox),
            links: core::array::from_fn(|link| Link { rx: region(Part::Rx(link)), tx: region(Part::Tx(link)) }),
            flag: region(Part::Flag),
            word: region(Part::Word),
        }
    }

    fn mappings_of(&self, place: &Place) -> Vec<Mapping> {
        let Place { part, address, offset, len } = *place;
        if part != Part::Image {
            return vec![Mapping { part, address, offset, len: pages_len(len), access: part_access(part) }];
        }
        let piece = |segment: &crate::image::Segment| Mapping {
            part,
            address: address.saturating_add(segment.range.start),
            offset: offset.saturating_add(segment.range.start),
            len: segment.range.end.saturating_sub(segment.range.start),
            access: segment.access,
        };
        self.image_segments.iter().map(piece).collect()
    }
}

/// `info` as it lies in memory (`repr(C)`, little-endian, no padding).
#[must_use]
pub fn encode(info: &BootInfo) -> Vec<u8> {
    let region = |region: Region| [region.base, region.len];
    let ids = u64::from(info.version) | (u64::from(info.machine) << 32);
    let fixed =
        [info.heap, info.stack, info.control, info.log, info.seed, info.bundle, info.inbox, info.outbox].into_iter().flat_map(region);
    let links = info.links.iter().flat_map(|link| [link.rx, link.tx]).flat_map(region);
    let contest = [info.flag, info.word].into_iter().flat_map(region);
    [info.magic, ids, info.gate].into_iter().chain(fixed).chain(links).chain(contest).flat_map(u64::to_le_bytes).collect()
}

fn part_len(part: Part, image: &Image, heap_len: u64, bundle_len: u64) -> u64 {
    match part {
        Part::Gate | Part::Boot | Part::Control => PAGE,
        Part::Seed => SEED_WINDOW_LEN as u64,
        Part::Bundle => bundle_len,
        Part::Flag => FLAG_WINDOW_LEN as u64,
        Part::Word => WORD_WINDOW_LEN as u64,
        Part::Inbox => INBOX_WINDOW_LEN as u64,
        Part::Outbox => OUTBOX_WINDOW_LEN as u64,
        Part::Rx(_) | Part::Tx(_) => QUEUE_WINDOW_LEN as u64,
        Part::Image => image.span_len(),
        Part::Log => LOG_WINDOW_LEN as u64,
        Part::Stack => STACK_LEN as u64,
        Part::Heap => heap_len.next_multiple_of(HEAP_ALIGN),
    }
}

fn part_align(part: Part) -> u64 {
    match part {
        Part::Image => IMAGE_ALIGN,
        Part::Heap => HEAP_ALIGN,
        _ => PAGE,
    }
}

fn part_access(part: Part) -> Access {
    match part {
        Part::Gate => Access::Execute,
        Part::Boot | Part::Seed | Part::Bundle | Part::Inbox | Part::Rx(_) | Part::Flag | Part::Image => Access::Read,
        Part::Control | Part::Log | Part::Outbox | Part::Tx(_) | Part::Word | Part::Stack | Part::Heap => Access::Write,
    }
}

/// A random address for `len` bytes, at least a guard away from all that is taken.
fn free_address(len: u64, align: u64, taken: &[Range<u64>], random: &mut impl FnMut() -> u64) -> Option<u64> {
    let first = ADDRESS_MIN.next_multiple_of(align);
    let choices = ADDRESS_MAX.checked_sub(pages_len(len))?.checked_sub(first)? / align;
    (0..DRAWS_MAX).find_map(|_| {
        // The remainder's bias is below 2^-28.
        let address = first.saturating_add(random().checked_rem(choices)?.saturating_mul(align));
        let end = address.saturating_add(pages_len(len)).saturating_add(GUARD_LEN);
        let free = taken.iter().all(|other| end <= other.start || other.end.saturating_add(GUARD_LEN) <= address);
        free.then_some(address)
    })
}

fn pages_len(len: u64) -> u64 {
    len.next_multiple_of(PAGE)
}

#[cfg(test)]
mod tests;
