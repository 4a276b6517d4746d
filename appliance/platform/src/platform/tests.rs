//! The platform against a tender that is a function.

use super::*;
use crate::layout::Layout;
use crate::window::Windows;
use abi::boot::{self, BootInfo, Link, Region};
use abi::limits::{
    FLAG_WINDOW_LEN, HEAP_LEN_MIN, INBOX_WINDOW_LEN, LOG_WINDOW_LEN, OUTBOX_WINDOW_LEN, PAGE_LEN, QUEUE_WINDOW_LEN, SEED_WINDOW_LEN,
    STACK_LEN, WORD_WINDOW_LEN,
};
use abi::{control, hypercall};
use core::cell::RefCell;
use std::boxed::Box;
use std::vec;
use std::vec::Vec;

std::thread_local! {
    /// The hypercalls that were made, with the deadline that stood in the control page.
    static CALLS: RefCell<Vec<(u32, u32, u64)>> = const { RefCell::new(Vec::new()) };
    static CONTROL: RefCell<usize> = const { RefCell::new(0) };
    static WORD: RefCell<usize> = const { RefCell::new(0) };
}

/// A tender that answers each `wait` one second later, and asks for a drain.
extern "sysv64" fn tender(number: u32, value: u32) {
    let page = core::ptr::with_exposed_provenance_mut::<u64>(CONTROL.with(|at| *at.borrow()));
    // SAFETY: the test keeps the control page, and the guest holds no borrow of it inside the gate.
    let page = unsafe { &mut *page.cast::<control::Control>() };
    CALLS.with(|calls| calls.borrow_mut().push((number, value, page.deadline_ns)));
    page.now_ns += 1_000_000_000;
    page.request = control::DRAIN;
}

/// The guest's memory, on the host's heap. The queues and the rest are pieces of it.
fn start(bundle: &[u8]) -> Start {
    start_with(bundle, None)
}

/// The same, with a contest whose flag and word are these.
fn start_with(bundle: &[u8], contest: Option<([u8; FLAG_LEN], u64)>) -> Start {
    let pages = 16 + (8 * QUEUE_WINDOW_LEN + INBOX_WINDOW_LEN + OUTBOX_WINDOW_LEN) / PAGE_LEN;
    let memory: &'static mut [[u64; 512]] = Box::leak(vec![[0; 512]; pages + 1].into_boxed_slice());
    let base = memory.as_mut_ptr().expose_provenance().next_multiple_of(PAGE_LEN);
    let mut next = base;
    let mut region = |len: usize| {
        let at = next;
        next += len.next_multiple_of(PAGE_LEN);
        Region { base: at as u64, len: len as u64 }
    };
    let mut link = || Link { rx: region(QUEUE_WINDOW_LEN), tx: region(QUEUE_WINDOW_LEN) };
    let links = [link(), link()];
    let boot = BootInfo {
        magic: boot::MAGIC,
        version: boot::VERSION,
        machine: boot::MACHINE_PROCESS,
        gate: 0x1000,
        heap: Region { base: 0x1000_0000_0000, len: HEAP_LEN_MIN as u64 },
        stack: Region { base: 0x2000_0000_0000, len: STACK_LEN as u64 },
        control: region(PAGE_LEN),
        log: region(LOG_WINDOW_LEN),
        seed: region(SEED_WINDOW_LEN),
        bundle: region(bundle.len()),
        inbox: region(INBOX_WINDOW_LEN),
        outbox: region(OUTBOX_WINDOW_LEN),
        links,
        flag: if contest.is_some() { region(FLAG_WINDOW_LEN) } else { Region { base: 0, len: 0 } },
        word: if contest.is_some() { region(WORD_WINDOW_LEN) } else { Region { base: 0, len: 0 } },
    };
    assert!(next <= base + pages * PAGE_LEN);
    let layout = Layout::check(&boot).unwrap();
    CONTROL.with(|at| *at.borrow_mut() = layout.control.base());
    let bundle_at = core::ptr::with_exposed_provenance_mut::<u8>(layout.bundle.base());
    // SAFETY: the region is as long as the bundle, and nobody looks at it yet.
    unsafe { bundle_at.copy_from_nonoverlapping(bundle.as_ptr(), bundle.len()) };
    if let (Some((flag, word)), Some((flag_at, word_at))) = (contest, layout.contest) {
        // SAFETY: the page is longer than a flag, and nobody looks at it yet.
        unsafe { core::ptr::with_exposed_provenance_mut::<[u8; FLAG_LEN]>(flag_at.base()).write(flag) };
        write_word(word_at.base(), word);
        WORD.with(|at| *at.borrow_mut() = word_at.base());
    }
    // SAFETY: heap and stack are not claimed; all else lies in memory that was leaked for this guest.
    let mut windows = unsafe { Windows::claim(&layout) };
    windows.control.bytes_mut()[offset::UNIX_NS..][..8].copy_from_slice(&9_000_000_000_u64.to_le_bytes());
    let platform = Platform::new(Gate::new(tender), windows.control, (windows.inbox, windows.outbox), windows.links, windows.contest);
    Start::new(platform, windows.bundle, Drbg::new([1; SEED_LEN]))
}

fn write_word(at: usize, word: u64) {
    // SAFETY: a page of the guest's memory, of which no slice lives: its number is only ever read through a pointer.
    unsafe { core::ptr::with_exposed_provenance_mut::<u64>(at).write_volatile(word.to_le()) };
}

fn calls() -> Vec<(u32, u32, u64)> {
    CALLS.with(RefCell::take)
}

#[test]
fn start_up_ends_with_one_sealed() {
    let start = start(b"secret");
    assert_eq!(start.bundle(), b"secret");
    let _platform = start.seal();
    assert_eq!(calls(), [(hypercall::SEALED, 0, 0)]);
}

#[test]
fn time_moves_only_in_wait() {
    let start = start(b"b");
    assert_eq!(start.now(), Now { mono: Duration::ZERO, unix: Duration::from_secs(9) });
    let mut platform = start.seal();
    let turn = platform.wait(Until::Never);
    assert_eq!(turn, Turn { now: Now { mono: Duration::from_secs(2), unix: Duration::from_secs(9) }, request: Request::Drain });
}

#[test]
fn deadlines_stand_in_the_control_page() {
    let mut platform = start(b"b").seal();
    let _ = calls();
    for until in [Until::Flush, Until::At(Duration::from_millis(5)), Until::Never] {
        platform.wait(until);
    }
    let wait = |deadline| (hypercall::WAIT, 0, deadline);
    assert_eq!(calls(), [wait(control::FLUSH), wait(5_000_000), wait(control::NEVER)]);
}

#[test]
fn a_deadline_is_never_mistaken_for_flush_or_never() {
    assert_eq!(deadline_ns(Until::At(Duration::ZERO)), 1);
    assert_eq!(deadline_ns(Until::At(Duration::MAX)), u64::MAX - 1);
}

#[test]
fn the_queues_are_the_links_own() {
    let mut platform = start(b"b").seal();
    let [front, back] = platform.links();
    front.tx.fill(1);
    back.tx.fill(2);
    let [front, back] = platform.links();
    assert_eq!((front.tx[0], back.tx[0], front.rx[0], back.rx[0]), (1, 2, 0, 0));
    assert_eq!(front.tx.len(), QUEUE_WINDOW_LEN);
}

#[test]
fn the_mailbox_is_as_long_as_the_abi_says_and_lies_apart() {
    let mut platform = start(b"b").seal();
    let mailbox = platform.mailbox();
    assert_eq!((mailbox.inbox.len(), mailbox.outbox.len()), (INBOX_WINDOW_LEN, OUTBOX_WINDOW_LEN));
    mailbox.outbox.fill(3);
    assert!(platform.mailbox().inbox.iter().all(|byte| *byte == 0));
    assert!(platform.links().iter().all(|link| link.tx[0] == 0));
}

#[test]
fn a_generators_seed_is_given_once() {
    let mut start = start(b"b");
    assert_ne!(start.seed(), start.seed());
}

#[test]
fn without_a_contest_there_is_neither_flag_nor_word() {
    let start = start(b"b");
    assert_eq!((start.flag(), start.words()), (None, None));
    let platform = start.seal();
    assert_eq!((platform.flag(), platform.words()), (None, None));
}

#[test]
fn a_contests_words_are_read_anew_each_time() {
    let start = start_with(b"b", Some(([0xf1; FLAG_LEN], 0)));
    assert_eq!((start.flag(), start.words()), (Some(&[0xf1; FLAG_LEN]), Some([0; 2])));
    let platform = start.seal();
    let at = WORD.with(|at| *at.borrow());
    write_word(at, 0x1122_3344_5566_7788);
    write_word(at + 8, 9);
    assert_eq!((platform.flag(), platform.words()), (Some(&[0xf1; FLAG_LEN]), Some([0x1122_3344_5566_7788, 9])));
}
