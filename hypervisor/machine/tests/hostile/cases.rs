//! The attacks and how each must end, on either machine.

use machine::layout::{Layout, Part};
use machine::{Cause, Cell, Crash, Exit, Kind, LoadFault, Parcel};

use super::guest::attack::{Attack, Kind as Try, PLACES, Place, SURVIVED};
use super::guest::{BUDGET, finish, good_guest_runs, image, load, load_parcel, parcel};

pub(crate) const PAGE: i64 = 4096;

/// Runs one attack. The verdict on how it ended is `judge`'s, which gets the layout, too.
pub(crate) fn attack(kind: Kind, attack: Attack, judge: impl FnOnce(&Layout, &Exit)) {
    attack_with(parcel, kind, attack, judge);
}

/// The same, on a guest that is given this.
pub(crate) fn attack_with(parcel: fn(Attack) -> Parcel, kind: Kind, attack: Attack, judge: impl FnOnce(&Layout, &Exit)) {
    let mut cell = load_parcel(kind, parcel(attack));
    let exit = finish(&mut cell, BUDGET);
    judge(cell.layout(), &exit);
    if !matches!(exit, Exit::Wait) {
        assert!(cell.run(BUDGET).is_err(), "a guest that has ended never runs again");
    }
}

/// The address of a place, where it is a window's.
fn address(layout: &Layout, place: Place, offset: i64) -> Option<u64> {
    let part = |part| Some((part, false));
    let end = |part| Some((part, true));
    let (part, at_end) = match place {
        Place::Absolute => return Some(0_u64.wrapping_add_signed(offset)),
        Place::Text | Place::Constants | Place::Relocated | Place::Data => None,
        Place::Image => part(Part::Image),
        Place::ImageEnd => end(Part::Image),
        Place::Gate => part(Part::Gate),
        Place::GateEnd => end(Part::Gate),
        Place::Boot => part(Part::Boot),
        Place::BootEnd => end(Part::Boot),
        Place::Heap => part(Part::Heap),
        Place::HeapEnd => end(Part::Heap),
        Place::Stack => part(Part::Stack),
        Place::StackEnd => end(Part::Stack),
        Place::Control => part(Part::Control),
        Place::ControlEnd => end(Part::Control),
        Place::Log => part(Part::Log),
        Place::LogEnd => end(Part::Log),
        Place::Seed => part(Part::Seed),
        Place::SeedEnd => end(Part::Seed),
        Place::Bundle => part(Part::Bundle),
        Place::BundleEnd => end(Part::Bundle),
        Place::Rx0 => part(Part::Rx(0)),
        Place::Rx0End => end(Part::Rx(0)),
        Place::Tx0 => part(Part::Tx(0)),
        Place::Tx0End => end(Part::Tx(0)),
        Place::Rx1 => part(Part::Rx(1)),
        Place::Rx1End => end(Part::Rx(1)),
        Place::Tx1 => part(Part::Tx(1)),
        Place::Tx1End => end(Part::Tx(1)),
        Place::Inbox => part(Part::Inbox),
        Place::InboxEnd => end(Part::Inbox),
        Place::Outbox => part(Part::Outbox),
        Place::OutboxEnd => end(Part::Outbox),
        Place::Flag => part(Part::Flag),
        Place::FlagEnd => end(Part::Flag),
        Place::Word => part(Part::Word),
        Place::WordEnd => end(Part::Word),
    }?;
    let place = layout.place(part);
    let pages_len = if at_end { place.len.next_multiple_of(PAGE.unsigned_abs()) } else { 0 };
    Some((place.address + pages_len).wrapping_add_signed(offset))
}

/// What an access does, as bits of a page fault's error code.
pub(crate) const PROTECTION: u64 = 1;
pub(crate) const WRITE: u64 = 2;
pub(crate) const USER: u64 = 4;
pub(crate) const FETCH: u64 = 16;

/// The attack must end in a page fault of this kind, at this place.
fn page_fault(machine: Kind, kind: Try, place: Place, offset: i64, error_code: u64) {
    page_fault_with(parcel, machine, kind, place, offset, error_code);
}

/// The same, on a guest that is given this.
pub(crate) fn page_fault_with(parcel: fn(Attack) -> Parcel, machine: Kind, kind: Try, place: Place, offset: i64, error_code: u64) {
    let tried = Attack { kind, target: place as u32, offset };
    attack_with(parcel, machine, tried, |layout, exit| {
        let Exit::Crash(Crash { cause, registers, .. }) = exit else { panic!("{tried:?} {place:?}: {exit:?}") };
        let told = match machine {
            Kind::Kvm => error_code,
            // A signal does not say whether the access was a write.
            Kind::Process => error_code & !WRITE,
        };
        assert_eq!(*cause, Cause::Exception { vector: 14, error_code: told }, "{tried:?} {place:?}");
        if let Some(expected) = address(layout, place, offset) {
            assert_eq!(registers.cr2, expected, "{tried:?} {place:?}");
        } else {
            let span = image().span_len();
            assert!(registers.cr2.wrapping_sub(layout.place(Part::Image).address) < span, "{tried:?} {place:?}");
        }
    });
}

/// What the guest may only read, it cannot write.
pub(crate) fn read_only_memory_cannot_be_written(machine: Kind) {
    use Place::{Boot, Bundle, Constants, Gate, Image, Inbox, Relocated, Rx0, Rx1, Seed, Text};
    for place in [Text, Constants, Relocated, Image, Gate, Boot, Seed, Bundle, Inbox, Rx0, Rx1] {
        page_fault(machine, Try::Write, place, 0, PROTECTION | WRITE | USER);
        good_guest_runs(machine);
    }
}

/// What is no code cannot be executed, whether the guest has written it or not.
pub(crate) fn data_cannot_be_executed(machine: Kind) {
    use Place::{Boot, Bundle, Constants, Control, Data, Heap, Image, Inbox, Log, Outbox, Relocated, Rx0, Rx1, Seed, Stack, Tx0, Tx1};
    for place in [Constants, Relocated, Image, Boot, Seed, Bundle, Inbox, Rx0, Rx1] {
        page_fault(machine, Try::Execute, place, 0, PROTECTION | USER | FETCH);
    }
    for place in [Data, Heap, Stack, Control, Log, Outbox, Tx0, Tx1] {
        page_fault(machine, Try::WriteExecute, place, 0, PROTECTION | USER | FETCH);
    }
    good_guest_runs(machine);
}

/// Page 0, the 64 KiB above it, and every page just outside a region are not mapped.
pub(crate) fn pages_outside_regions_are_not_mapped(machine: Kind) {
    for offset in [0, 8, PAGE, 65_535, 65_536 + PAGE - 1] {
        page_fault(machine, Try::Read, Place::Absolute, offset, USER);
        page_fault(machine, Try::Write, Place::Absolute, offset, USER | WRITE);
    }
    page_fault(machine, Try::Execute, Place::Absolute, 0, USER | FETCH);
    let image_inside = [Place::Absolute, Place::Text, Place::Constants, Place::Relocated, Place::Data];
    let not_there = [Place::Flag, Place::FlagEnd, Place::Word, Place::WordEnd];
    for place in PLACES.into_iter().filter(|place| !image_inside.contains(place) && !not_there.contains(place)) {
        let at_end = format!("{place:?}").ends_with("End");
        for offset in if at_end { [0, PAGE - 1, 16 * PAGE] } else { [-1, -PAGE, -16 * PAGE] } {
            page_fault(machine, Try::Read, place, offset, USER);
            page_fault(machine, Try::Write, place, offset, USER | WRITE);
        }
    }
    good_guest_runs(machine);
}

/// After `sealed` the guest has neither seed nor bundle.
pub(crate) fn sealed_guest_has_no_seed_and_no_bundle(machine: Kind) {
    page_fault(machine, Try::ReadAfterSeal, Place::Seed, 0, USER);
    page_fault(machine, Try::ReadAfterSeal, Place::Seed, PAGE - 1, USER);
    page_fault(machine, Try::ReadAfterSeal, Place::Bundle, 0, USER);
    attack(machine, Attack { kind: Try::ReadAfterSeal, target: Place::Boot as u32, offset: 0 }, |_, exit| {
        assert_eq!(*exit, Exit::Exit(SURVIVED), "the rest stays");
    });
}

/// The top of the stack is its end: recursion meets the guard.
pub(crate) fn stack_overflow_meets_the_guard(machine: Kind) {
    attack(machine, Attack { kind: Try::Overflow, target: 0, offset: 0 }, |layout, exit| {
        let Exit::Crash(crash) = exit else { panic!("{exit:?}") };
        let stack = layout.place(Part::Stack);
        assert!((stack.address - 4096..stack.address).contains(&crash.registers.cr2), "{crash}");
    });
    good_guest_runs(machine);
}

/// Hypercalls with values that they do not take, numbers that there are not, and the second `sealed`.
pub(crate) fn bad_hypercalls_end_the_guest(machine: Kind) {
    use abi::hypercall::{CRASH, EXIT, SEALED, WAIT};
    for (number, value) in [(WAIT, 1), (WAIT, -1), (SEALED, 1)] {
        attack(machine, Attack { kind: Try::Hypercall, target: number, offset: value }, |_, exit| {
            let Exit::Crash(crash) = exit else { panic!("{number:#x} {value}: {exit:?}") };
            assert_eq!(crash.cause, Cause::BadHypercall(number.into()));
        });
    }
    attack(machine, Attack { kind: Try::SealTwice, target: 0, offset: 0 }, |_, exit| {
        let Exit::Crash(crash) = exit else { panic!("sealed twice: {exit:?}") };
        assert_eq!(crash.cause, Cause::BadHypercall(SEALED.into()));
    });
    for number in [0, CRASH, CRASH + 4, WAIT - 1, WAIT - 4] {
        attack(machine, Attack { kind: Try::Hypercall, target: number, offset: 0 }, |_, exit| {
            assert!(matches!(exit, Exit::Crash(_)), "{number:#x}: {exit:?}");
        });
    }
    for code in [0, 1, 4, 255, u32::MAX] {
        attack(machine, Attack { kind: Try::Hypercall, target: EXIT, offset: code.into() }, |_, exit| {
            assert_eq!(*exit, Exit::Exit(code));
        });
    }
    good_guest_runs(machine);
}

/// A guest that never ends its turn is taken out of it.
pub(crate) fn guest_that_hangs_is_stopped(machine: Kind) {
    let mut cell = load(machine, Attack { kind: Try::Hang, target: 0, offset: 0 });
    let start = std::time::Instant::now();
    let exit = finish(&mut cell, core::time::Duration::from_millis(200));
    let Exit::Crash(crash) = exit else { panic!("{exit:?}") };
    assert_eq!(crash.cause, Cause::Hung);
    assert!(crash.registers.rip.wrapping_sub(crash.image_base) < image().span_len(), "it hung in its own code: {crash}");
    assert!(start.elapsed().as_secs() < 30, "the budget is CPU time, but not that much of the clock: {:?}", start.elapsed());
    good_guest_runs(machine);
}

/// A queue's count and lengths are allegations: the reader refuses them and reads nothing outside.
pub(crate) fn wild_queues_are_refused_by_the_reader(machine: Kind) {
    for (link, count) in [(0, i64::from(u32::MAX)), (1, 257), (0, 256), (1, 1)] {
        let mut cell = load(machine, Attack { kind: Try::Queue, target: link, offset: count });
        assert_eq!(cell.run(BUDGET), Ok(Exit::Wait));
        let window = cell.tx(link as usize);
        match queue::frames(window) {
            Err(fault) => assert!(count > 256 && fault == queue::Fault::PeerCount),
            Ok(frames) => assert_eq!(frames.collect::<Vec<_>>(), [Err(queue::Fault::PeerLength)], "one fault, then the end"),
        }
        assert_eq!(finish(&mut cell, BUDGET), Exit::Exit(SURVIVED), "the cell itself goes on: what to make of it is the tender's");
    }
}

/// A return from the entry goes to address 0, which faults.
pub(crate) fn return_from_the_entry_faults(machine: Kind) {
    attack(machine, Attack { kind: Try::Return, target: 0, offset: 0 }, |_, exit| {
        let Exit::Crash(crash) = exit else { panic!("{exit:?}") };
        assert_eq!(crash.registers.rip, 0, "{crash}");
    });
}

/// What the guest finds at its start is as the boot info says.
pub(crate) fn guest_finds_what_it_was_given(machine: Kind) {
    attack(machine, Attack { kind: Try::Inspect, target: 0, offset: 0 }, |_, exit| assert_eq!(*exit, Exit::Exit(0)));
    attack(machine, Attack { kind: Try::Vector, target: 0, offset: 0 }, |_, exit| assert_eq!(*exit, Exit::Exit(42), "AVX works"));
}

/// A crash report names the function: the image keeps its symbols.
pub(crate) fn crash_is_symbolised(machine: Kind) {
    assert_eq!(image().symbol(image().entry()), Some(("_start", 0)));
    attack(machine, Attack { kind: Try::Read, target: Place::Absolute as u32, offset: 0 }, |_, exit| {
        let Exit::Crash(crash) = exit else { panic!("{exit:?}") };
        let symbol = image().symbol(crash.registers.rip - crash.image_base);
        assert!(symbol.is_some_and(|(name, _)| name == "_start" || name.contains("hostile_guest")), "{symbol:?}");
    });
}

/// What is not between the bounds never becomes a cell.
pub(crate) fn parcels_out_of_bounds_are_refused(machine: Kind) {
    use abi::limits::{BUNDLE_LEN_MAX, HEAP_LEN_MAX, HEAP_LEN_MIN};
    let good = || parcel(Attack { kind: Try::Behave, target: 0, offset: 0 });
    for heap_len in [0, HEAP_LEN_MIN - 1, HEAP_LEN_MAX + 1, usize::MAX] {
        let fault = Cell::load(machine, image(), Parcel { heap_len, ..good() }).err();
        assert_eq!(fault, Some(LoadFault::ConfigHeap), "{heap_len}");
    }
    for bundle_len in [0, BUNDLE_LEN_MAX + 1] {
        let fault = Cell::load(machine, image(), Parcel { bundle: vec![0; bundle_len].into(), ..good() }).err();
        assert_eq!(fault, Some(LoadFault::ConfigBundle), "{bundle_len}");
    }
    let largest = Parcel { heap_len: HEAP_LEN_MAX, bundle: vec![0; BUNDLE_LEN_MAX].into(), ..good() };
    assert!(Cell::load(machine, image(), largest).is_ok(), "the bounds themselves are inside, and cost nothing until touched");
}
