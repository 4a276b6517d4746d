//! What a contest opens to a guest, and nothing beyond.

use core::time::Duration;
use std::collections::BTreeSet;

use abi::hypercall::{CRASH, PRIZE};
use machine::layout::Part;
use machine::{Cause, Cell, Contest, Exit, Kind, LoadFault, Parcel, Rewinder};

use super::cases::{FETCH, PAGE, PROTECTION, USER, WRITE, attack, attack_with, page_fault_with};
use super::guest::attack::{Attack, Kind as Try, Place, SURVIVED};
use super::guest::{BUDGET, FLAG_ADDRESS, WORD_ADDRESS, contest, contested, finish, good_guest_runs, image, load_parcel, parcel};

/// The prize comes in registers, before `sealed` and after it, once and a thousand times; and the guest goes on.
pub(crate) fn prize_comes_in_registers_and_the_guest_goes_on(machine: Kind) {
    for times in [0, 1, 1000] {
        let mut cell = load_parcel(machine, contested(Attack { kind: Try::Prize, target: times, offset: 0 }));
        assert_eq!(cell.run(BUDGET), Ok(Exit::Sealed));
        cell.seal().expect("the secrets can be closed");
        for _ in 0..2 {
            assert_eq!(cell.run(BUDGET), Ok(Exit::Wait));
            assert_eq!(cell.tx(0)[..32], contest().prize[..], "{times}");
            cell.tx(0)[..32].fill(0);
        }
        assert_eq!(cell.run(BUDGET), Ok(Exit::Exit(SURVIVED)));
    }
    good_guest_runs(machine);
}

/// Where there is nothing to be won, its number is none.
pub(crate) fn without_a_contest_the_prize_is_no_hypercall(machine: Kind) {
    for value in [0, 1] {
        attack(machine, Attack { kind: Try::Hypercall, target: PRIZE, offset: value }, |_, exit| {
            let Exit::Crash(crash) = exit else { panic!("{value}: {exit:?}") };
            let expected = match machine {
                Kind::Kvm => Cause::Exception { vector: 13, error_code: 0 },
                Kind::Process => Cause::BadHypercall(PRIZE.into()),
            };
            assert_eq!(crash.cause, expected);
        });
    }
    good_guest_runs(machine);
}

/// With one it takes the value 0 alone, and its port opens no other.
pub(crate) fn prize_takes_no_value_and_opens_no_neighbour(machine: Kind) {
    for value in [1, -1, 0x5bc] {
        attack_with(contested, machine, Attack { kind: Try::Hypercall, target: PRIZE, offset: value }, |_, exit| {
            let Exit::Crash(crash) = exit else { panic!("{value}: {exit:?}") };
            assert_eq!(crash.cause, Cause::BadHypercall(PRIZE.into()));
        });
    }
    for number in (CRASH - 3..PRIZE).chain(PRIZE + 1..PRIZE + 8) {
        for kind in [Try::Hypercall, Try::Out] {
            attack_with(contested, machine, Attack { kind, target: number, offset: 0 }, |_, exit| {
                assert!(matches!(exit, Exit::Crash(_)), "{kind:?} {number:#x}: {exit:?}");
            });
        }
    }
    attack_with(contested, machine, Attack { kind: Try::In, target: PRIZE, offset: 0 }, |_, exit| {
        assert!(matches!(exit, Exit::Crash(_)), "{exit:?}");
    });
    good_guest_runs(machine);
}

/// To ask for ever is to hang: the answers are of one turn.
pub(crate) fn guest_that_asks_for_ever_is_stopped(machine: Kind) {
    let mut cell = load_parcel(machine, contested(Attack { kind: Try::PrizeForever, target: 0, offset: 0 }));
    // The budget is one that no test lives to see: it is the number of answers that ends it.
    let Exit::Crash(crash) = finish(&mut cell, Duration::from_secs(100_000)) else { panic!("it goes on") };
    assert_eq!(crash.cause, Cause::Hung);
    good_guest_runs(machine);
}

/// What a sealed guest finds at this place: a page.
fn shown(machine: Kind, kind: Try, place: Place, offset: i64) -> (Cell<machine::Jailed>, Vec<u8>) {
    let mut cell = load_parcel(machine, contested(Attack { kind, target: place as u32, offset }));
    assert_eq!(cell.run(BUDGET), Ok(Exit::Sealed));
    cell.seal().expect("the secrets can be closed");
    assert_eq!((cell.run(BUDGET), cell.run(BUDGET)), (Ok(Exit::Wait), Ok(Exit::Wait)), "{place:?}");
    let page = cell.tx(0)[..4096].to_vec();
    (cell, page)
}

/// Boot after boot both pages lie where they were published, with what belongs there, also when the guest is sealed; all else moves.
pub(crate) fn both_pages_lie_where_they_were_published(machine: Kind) {
    let absolute = |address: u64| i64::try_from(address).expect("the lower half");
    let mut flag_page = contest().flag.to_vec();
    flag_page.resize(4096, 0);
    let mut bases = BTreeSet::new();
    for (place, offset) in [(Place::Absolute, absolute(FLAG_ADDRESS)), (Place::Flag, 0), (Place::Absolute, absolute(FLAG_ADDRESS))] {
        let (cell, page) = shown(machine, Try::Show, place, offset);
        assert!(page == flag_page, "the flag, and zeros");
        bases.insert(cell.image_base());
    }
    for (place, offset) in [(Place::Absolute, absolute(WORD_ADDRESS)), (Place::Word, 0)] {
        let (cell, page) = shown(machine, Try::Show, place, offset);
        assert!(page.iter().all(|byte| *byte == 0), "the word is 0 at first");
        bases.insert(cell.image_base());
        let (cell, page) = shown(machine, Try::AddShow, place, offset);
        assert!(page[0] == 1 && page[1..].iter().all(|byte| *byte == 0), "what was written stays, and nothing else");
        bases.insert(cell.image_base());
    }
    assert_eq!(bases.len(), 7, "the image lay elsewhere each time");
}

/// A cell that is brought back has its word as it was, its flag, and an answer.
pub(crate) fn contest_is_brought_back_with_its_cell(machine: Kind) {
    let marked = |kind, target| {
        let tried = Attack { kind, target, offset: 0 };
        let cell = Cell::load_rewindable(machine, image(), contested(tried), 0..0).expect("the cell loads");
        let mut cell = cell.jailed(|| Ok::<(), ()>(())).expect("no jail");
        assert_eq!(cell.run(BUDGET), Ok(Exit::Sealed));
        cell.seal().expect("the secrets can be closed");
        assert_eq!(cell.run(BUDGET), Ok(Exit::Wait));
        Rewinder::mark(cell).expect("it stands in wait")
    };
    let mut word_page = vec![0; 4096];
    word_page[0] = 1;
    let mut flag_page = contest().flag.to_vec();
    flag_page.resize(4096, 0);
    let cases = [
        (Try::AddShow, Place::Word as u32, word_page),
        (Try::Show, Place::Flag as u32, flag_page),
        (Try::Prize, 2, contest().prize.to_vec()),
    ];
    for (kind, target, expected) in cases {
        let mut rewinder = marked(kind, target);
        for _ in 0..3 {
            rewinder.cell_mut().tx(0)[..4096].fill(0);
            assert_eq!(rewinder.cell_mut().run(BUDGET), Ok(Exit::Wait), "{kind:?}");
            assert!(rewinder.cell_mut().tx(0)[..expected.len()] == expected, "{kind:?}");
            rewinder.rewind().expect("it can be brought back");
        }
    }
}

/// The flag cannot be written, neither page be executed, and what lies beside them is not mapped.
pub(crate) fn pages_are_of_one_kind_and_alone(machine: Kind) {
    let fault = |kind, place, offset, code| page_fault_with(contested, machine, kind, place, offset, code);
    for offset in [0, 31, PAGE - 1] {
        fault(Try::Write, Place::Flag, offset, PROTECTION | WRITE | USER);
    }
    fault(Try::Execute, Place::Flag, 0, PROTECTION | USER | FETCH);
    fault(Try::Execute, Place::Word, 0, PROTECTION | USER | FETCH);
    fault(Try::WriteExecute, Place::Word, 0, PROTECTION | USER | FETCH);
    for (place, offsets) in [(Place::Flag, [-1, -16 * PAGE, -256 * PAGE]), (Place::FlagEnd, [0, 16 * PAGE, 255 * PAGE])] {
        for offset in offsets {
            fault(Try::Read, place, offset, USER);
            fault(Try::Write, place, offset, USER | WRITE);
        }
    }
    for (place, offsets) in [(Place::Word, [-1, -16 * PAGE, -256 * PAGE]), (Place::WordEnd, [0, 16 * PAGE, 255 * PAGE])] {
        for offset in offsets {
            fault(Try::Read, place, offset, USER);
            fault(Try::Write, place, offset, USER | WRITE);
        }
    }
    good_guest_runs(machine);
}

/// Who holds the cell sees neither page, and who prints it no flag.
pub(crate) fn holder_of_the_cell_sees_nothing_of_it(machine: Kind) {
    let (cell, _) = shown(machine, Try::Show, Place::Flag, 0);
    assert!(cell.window(Part::Flag).is_empty() && cell.window(Part::Word).is_empty());
    let given = contested(Attack { kind: Try::Behave, target: 0, offset: 0 });
    let printed = format!("{given:?} {cell:?}");
    assert!(printed.contains("flag_address") && !printed.contains("64, 65") && !printed.contains("160, 161"), "{printed}");
    let none = Cell::load(machine, image(), parcel(Attack { kind: Try::Behave, target: 0, offset: 0 })).expect("the cell loads");
    let info = none.layout().boot_info(0);
    assert_eq!((info.flag.base, info.flag.len, info.word.base, info.word.len), (0, 0, 0, 0));
}

/// An address that no page can have is refused, by name, before there is a machine.
pub(crate) fn addresses_that_cannot_be_are_refused(machine: Kind) {
    let behave = Attack { kind: Try::Behave, target: 0, offset: 0 };
    for (flag_address, word_address, named) in [
        (FLAG_ADDRESS + 8, WORD_ADDRESS, FLAG_ADDRESS + 8),
        (0, WORD_ADDRESS, 0),
        (FLAG_ADDRESS, 1 << 47, 1 << 47),
        (FLAG_ADDRESS, u64::MAX - 4095, u64::MAX - 4095),
        (FLAG_ADDRESS, FLAG_ADDRESS + 4096, FLAG_ADDRESS + 4096),
    ] {
        let contest = Some(Contest { flag_address, word_address, ..contest() });
        let fault = Cell::load(machine, image(), Parcel { contest, ..parcel(behave) }).err();
        assert_eq!(fault, Some(LoadFault::ConfigContest(named)));
        assert!(fault.is_some_and(|fault| fault.to_string().contains(&format!("{named:#x}"))));
    }
}
