//! Every bound of this crate, and the relations between them.

use abi::limits::{BUNDLE_LEN_MAX, HEAP_LEN_MAX, INBOX_WINDOW_LEN, LOG_WINDOW_LEN, OUTBOX_WINDOW_LEN, QUEUE_WINDOW_LEN, STACK_LEN};

/// The guest image's file at most, in bytes; debug information included.
pub const IMAGE_FILE_LEN_MAX: usize = 256 << 20;

/// The memory that an image spans at most, in bytes, from its first page to its last.
pub const IMAGE_LEN_MAX: u64 = 64 << 20;

/// Program headers at most.
pub const PROGRAM_HEADERS_MAX: usize = 32;

/// Loadable segments at most; RELRO cuts one of them in two.
pub const SEGMENTS_MAX: usize = 8;

/// Relocations at most.
pub const RELOCATIONS_MAX: usize = 1 << 20;

/// Entries of the dynamic section at most.
pub const DYNAMIC_MAX: usize = 256;

/// Notes read at most.
pub const NOTES_MAX: usize = 64;

/// The image's base address is a multiple of this, because defmt reads the low 16 bits of an address as an index.
pub const IMAGE_ALIGN: u64 = 64 << 10;

/// The heap's address and length are multiples of this: it is mapped by large pages.
pub const HEAP_ALIGN: u64 = 2 << 20;

/// Unmapped bytes on both sides of every region at least.
pub const GUARD_LEN: u64 = 1 << 20;

/// The lowest address that a region may have: page 0 and the 64 KiB above it are never mapped.
pub const ADDRESS_MIN: u64 = GUARD_LEN + (64 << 10) + 4096;

/// No region reaches this address: the lower half's end, less the guard.
pub const ADDRESS_MAX: u64 = (1 << 47) - GUARD_LEN;

/// Bytes of the address space that the machine keeps for what it must map itself.
pub const MACHINE_LEN: u64 = 16 * 4096;

/// Pages of page tables of a `kvm` machine at most: for each region one of each level and one more where it crosses a border, and one
/// for each 2 MiB of image, bundle and inbox and each 1 GiB of heap.
pub const TABLES_MAX: usize = 18 * 6 + 33 + 3 + 3 + 17;

/// How often the timer against hung guests ticks, in CPU time of the cell's thread (`process`: of the guest's). A hung guest is found a tick or two late; a busy
/// one is interrupted this often and no more.
pub const TICK: core::time::Duration = core::time::Duration::from_millis(50);

/// How often a region's address is drawn anew before the layout is given up. With a 47-bit space even the second draw is rare.
pub const DRAWS_MAX: usize = 1000;

/// `process`: stops in one turn that do not end it, at most: ticks, signals from outside, and a contest's answers.
pub const TURN_STOPS_MAX: usize = 1 << 20;

/// Answers to a contest's hypercall in one turn at most: far more than anybody needs, and soon over.
pub const ANSWERS_MAX: u32 = 4096;

/// `process`: stops at most until a system call in the guest's name has been made.
pub const CALL_STOPS_MAX: usize = 16;

/// `process`: the stack on which the child runs before its program, in bytes.
pub const ERRAND_STACK_LEN: usize = 64 << 10;

/// Bytes of all windows beside heap and image, at most.
const SMALL_LEN_MAX: usize =
    4 * QUEUE_WINDOW_LEN + LOG_WINDOW_LEN + INBOX_WINDOW_LEN + OUTBOX_WINDOW_LEN + STACK_LEN + BUNDLE_LEN_MAX + (1 << 20);

/// A cell's memory at most, in bytes.
pub const MEMORY_LEN_MAX: usize = HEAP_LEN_MAX + SMALL_LEN_MAX + (128 << 20);

const _: () = assert!((HEAP_LEN_MAX as u64).is_multiple_of(HEAP_ALIGN) && GUARD_LEN.is_multiple_of(4096), "whole pages");
const _: () = assert!((MEMORY_LEN_MAX as u64) < ADDRESS_MAX / 1024, "a random address seldom collides");

/// How often a virtual machine is asked for before an interruption is taken for an answer.
pub const CREATE_TRIES: u32 = 16;
