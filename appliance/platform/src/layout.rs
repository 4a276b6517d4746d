//! The boot info, believed only after it was checked.

use abi::boot::{BootInfo, MAGIC, Region, VERSION};
use abi::limits::{
    BUNDLE_LEN_MAX, FLAG_WINDOW_LEN, HEAP_LEN_MAX, HEAP_LEN_MIN, INBOX_WINDOW_LEN, LINKS, LOG_WINDOW_LEN, OUTBOX_WINDOW_LEN, PAGE_LEN,
    QUEUE_WINDOW_LEN, SEED_WINDOW_LEN, STACK_LEN, WORD_WINDOW_LEN,
};

/// A region whose place and length were checked: page-aligned, not at 0, inside the lower half, apart from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    base: usize,
    len: usize,
}

impl Span {
    /// First address.
    #[must_use]
    pub fn base(self) -> usize {
        self.base
    }

    /// Length in bytes, at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a span is never empty")]
    pub fn len(self) -> usize {
        self.len
    }

    fn end(self) -> usize {
        self.base.saturating_add(self.len)
    }

    fn apart_from(self, other: Self) -> bool {
        self.end() <= other.base || other.end() <= self.base
    }
}

/// Where the guest's memory lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Address of the gate.
    pub gate: usize,
    /// The heap.
    pub heap: Span,
    /// The control page.
    pub control: Span,
    /// The log window.
    pub log: Span,
    /// The seed page.
    pub seed: Span,
    /// The bundle, exactly.
    pub bundle: Span,
    /// Letters from the tender.
    pub inbox: Span,
    /// Letters to the tender.
    pub outbox: Span,
    /// Receive and transmit queue of each link.
    pub links: [(Span, Span); LINKS],
    /// A contest's flag page and word page: both, or none.
    pub contest: Option<(Span, Span)>,
}

/// Why a boot info was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not begin with [`MAGIC`], so that nothing in it can be believed.
    HostMagic,
    /// It was written for another [`VERSION`].
    HostVersion,
    /// The gate has no address.
    HostGate,
    /// A region is not page-aligned, lies at 0 or outside the lower half, or is too short or too long.
    HostRegion,
    /// Two regions overlap.
    HostOverlap,
    /// One of a contest's two windows is there, and the other is not.
    HostContest,
}

/// The first address that is not of the lower half.
const LOWER_HALF_END: u64 = 1 << 47;

impl Layout {
    /// Checks all that can be checked from inside.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn check(boot: &BootInfo) -> Result<Self, Fault> {
        if boot.magic != MAGIC {
            return Err(Fault::HostMagic);
        }
        if boot.version != VERSION {
            return Err(Fault::HostVersion);
        }
        if boot.gate == 0 || boot.gate >= LOWER_HALF_END {
            return Err(Fault::HostGate);
        }
        let stack = span(boot.stack, STACK_LEN, STACK_LEN)?;
        let [front, back] = boot.links;
        let layout = Self {
            gate: usize::try_from(boot.gate).map_err(|_| Fault::HostGate)?,
            heap: span(boot.heap, HEAP_LEN_MIN, HEAP_LEN_MAX)?,
            control: span(boot.control, PAGE_LEN, PAGE_LEN)?,
            log: span(boot.log, LOG_WINDOW_LEN, LOG_WINDOW_LEN)?,
            seed: span(boot.seed, SEED_WINDOW_LEN, SEED_WINDOW_LEN)?,
            bundle: span(boot.bundle, 1, BUNDLE_LEN_MAX)?,
            inbox: span(boot.inbox, INBOX_WINDOW_LEN, INBOX_WINDOW_LEN)?,
            outbox: span(boot.outbox, OUTBOX_WINDOW_LEN, OUTBOX_WINDOW_LEN)?,
            links: [queues(front)?, queues(back)?],
            contest: contest(boot)?,
        };
        layout.check_apart(stack)?;
        Ok(layout)
    }

    fn check_apart(&self, stack: Span) -> Result<(), Fault> {
        let [(rx0, tx0), (rx1, tx1)] = self.links;
        let always = [self.heap, stack, self.control, self.log, self.seed, self.bundle, self.inbox, self.outbox, rx0, tx0, rx1, tx1];
        let (flag, word) = self.contest.unzip();
        let all = || always.into_iter().chain(flag).chain(word);
        let overlap = all().enumerate().any(|(at, one)| all().skip(at + 1).any(|other| !one.apart_from(other)));
        if overlap { Err(Fault::HostOverlap) } else { Ok(()) }
    }
}

/// Both windows, or none: a region whose base and length are 0 is none.
fn contest(boot: &BootInfo) -> Result<Option<(Span, Span)>, Fault> {
    let is_there = |region: Region| (region.base, region.len) != (0, 0);
    match (is_there(boot.flag), is_there(boot.word)) {
        (false, false) => Ok(None),
        (true, true) => {
            let (flag, word) = (span(boot.flag, FLAG_WINDOW_LEN, FLAG_WINDOW_LEN)?, span(boot.word, WORD_WINDOW_LEN, WORD_WINDOW_LEN)?);
            Ok(Some((flag, word)))
        }
        _ => Err(Fault::HostContest),
    }
}

fn queues(link: abi::boot::Link) -> Result<(Span, Span), Fault> {
    Ok((span(link.rx, QUEUE_WINDOW_LEN, QUEUE_WINDOW_LEN)?, span(link.tx, QUEUE_WINDOW_LEN, QUEUE_WINDOW_LEN)?))
}

fn span(region: Region, len_min: usize, len_max: usize) -> Result<Span, Fault> {
    let base = usize::try_from(region.base).map_err(|_| Fault::HostRegion)?;
    let len = usize::try_from(region.len).map_err(|_| Fault::HostRegion)?;
    let end = region.base.checked_add(region.len).ok_or(Fault::HostRegion)?;
    let placed = base != 0 && base.is_multiple_of(PAGE_LEN) && end <= LOWER_HALF_END;
    if placed && (len_min..=len_max).contains(&len) { Ok(Span { base, len }) } else { Err(Fault::HostRegion) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::boot::{Link, MACHINE_KVM};

    fn region(base: u64, len: usize) -> Region {
        Region { base, len: len as u64 }
    }

    fn boot() -> BootInfo {
        let queue = |base| region(base, QUEUE_WINDOW_LEN);
        BootInfo {
            magic: MAGIC,
            version: VERSION,
            machine: MACHINE_KVM,
            gate: 0x10_0000,
            heap: region(0x4000_0000, HEAP_LEN_MIN),
            stack: region(0x20_0000, STACK_LEN),
            control: region(0x30_0000, PAGE_LEN),
            log: region(0x40_0000, LOG_WINDOW_LEN),
            seed: region(0x50_0000, SEED_WINDOW_LEN),
            bundle: region(0x60_0000, 1000),
            inbox: region(0x600_0000, INBOX_WINDOW_LEN),
            outbox: region(0x70_0000, OUTBOX_WINDOW_LEN),
            links: [Link { rx: queue(0x100_0000), tx: queue(0x200_0000) }, Link { rx: queue(0x300_0000), tx: queue(0x500_0000) }],
            flag: NONE,
            word: NONE,
        }
    }

    const NONE: Region = Region { base: 0, len: 0 };

    fn with_contest(boot: &mut BootInfo) {
        (boot.flag, boot.word) = (region(0x1_0000_0000, FLAG_WINDOW_LEN), region(0x2_0000_0000, WORD_WINDOW_LEN));
    }

    fn refused(change: impl FnOnce(&mut BootInfo)) -> Option<Fault> {
        let mut boot = boot();
        change(&mut boot);
        Layout::check(&boot).err()
    }

    #[test]
    fn a_sound_boot_info_is_believed() {
        let layout = Layout::check(&boot()).unwrap();
        assert_eq!((layout.gate, layout.bundle.len()), (0x10_0000, 1000));
    }

    #[test]
    fn another_magic_version_or_gate_is_refused() {
        assert_eq!(refused(|boot| boot.magic ^= 1), Some(Fault::HostMagic));
        assert_eq!(refused(|boot| boot.version += 1), Some(Fault::HostVersion));
        assert_eq!(refused(|boot| boot.gate = 0), Some(Fault::HostGate));
        assert_eq!(refused(|boot| boot.gate = LOWER_HALF_END), Some(Fault::HostGate));
    }

    #[test]
    fn a_region_misplaced_or_of_wrong_length_is_refused() {
        let region_fault = Some(Fault::HostRegion);
        assert_eq!(refused(|boot| boot.heap.base = 0), region_fault);
        assert_eq!(refused(|boot| boot.log.base += 8), region_fault);
        assert_eq!(refused(|boot| boot.seed.base = u64::MAX - 4095), region_fault);
        assert_eq!(refused(|boot| boot.control.base = LOWER_HALF_END), region_fault);
        assert_eq!(refused(|boot| boot.heap.len = HEAP_LEN_MIN as u64 - 1), region_fault);
        assert_eq!(refused(|boot| boot.bundle.len = 0), region_fault);
        assert_eq!(refused(|boot| boot.bundle.len = BUNDLE_LEN_MAX as u64 + 1), region_fault);
        assert_eq!(refused(|boot| boot.inbox.len -= 1), region_fault);
        assert_eq!(refused(|boot| boot.outbox.len += 4096), region_fault);
        assert_eq!(refused(|boot| boot.links[1].tx.len -= 1), region_fault);
    }

    #[test]
    fn a_contest_has_both_of_its_windows_or_none() {
        assert_eq!(Layout::check(&boot()).unwrap().contest, None);
        let mut full = boot();
        with_contest(&mut full);
        let (flag, word) = Layout::check(&full).unwrap().contest.unwrap();
        assert_eq!((flag.base(), flag.len(), word.base(), word.len()), (0x1_0000_0000, PAGE_LEN, 0x2_0000_0000, PAGE_LEN));
        let refused = |change: fn(&mut BootInfo)| {
            refused(|boot| {
                with_contest(boot);
                change(boot);
            })
        };
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|boot| boot.flag = NONE), Some(Fault::HostContest));
        assert_eq!(refused(|boot| boot.word = NONE), Some(Fault::HostContest));
        assert_eq!(refused(|boot| boot.word.len = 0), Some(Fault::HostRegion));
        assert_eq!(refused(|boot| boot.flag.len += 1), Some(Fault::HostRegion));
        assert_eq!(refused(|boot| boot.flag.base += 8), Some(Fault::HostRegion));
        assert_eq!(refused(|boot| boot.word.base = LOWER_HALF_END), Some(Fault::HostRegion));
        assert_eq!(refused(|boot| boot.word.base = 0), Some(Fault::HostRegion));
        assert_eq!(refused(|boot| boot.word = boot.flag), Some(Fault::HostOverlap));
        assert_eq!(refused(|boot| boot.flag.base = boot.links[0].tx.base), Some(Fault::HostOverlap));
    }

    #[test]
    fn regions_that_touch_are_apart_and_one_page_more_is_overlap() {
        let below = (0x100_0000 - STACK_LEN) as u64;
        assert_eq!(refused(|boot| boot.stack.base = below), None);
        assert_eq!(refused(|boot| boot.stack.base = below + PAGE_LEN as u64), Some(Fault::HostOverlap));
        assert_eq!(refused(|boot| boot.links[1].rx = boot.links[0].tx), Some(Fault::HostOverlap));
        assert_eq!(refused(|boot| boot.outbox.base = boot.inbox.base), Some(Fault::HostOverlap));
    }
}
