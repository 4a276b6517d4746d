//! Every bound of this crate.

/// A page of the guest, in bytes.
pub const PAGE_LEN: u64 = 4096;

/// The lowest address at which a published page may lie: above 4 GiB, so that half an address does not reach it.
pub const ADDRESS_MIN: u64 = 1 << 32;

/// No published page reaches this address: the end of the guest's address space. It is the machine's own bound, and a test compares the two.
pub const ADDRESS_MAX: u64 = (1 << 47) - GUARD_LEN;

/// Unmapped bytes between the two published pages at least. It is the machine's own bound, and a test compares the two.
pub const GUARD_LEN: u64 = 1 << 20;

/// How often an address, or a value, is drawn anew before the mint gives up. Even the second draw is rare.
pub const DRAWS_MAX: usize = 64;

/// The rules' text at most, in bytes: an entry of the log holds it.
pub const RULES_LEN_MAX: usize = 60_000;

/// Versions of a contest's promise at most, the first among them.
pub const VERSIONS_MAX: u64 = bounty_log::limits::VERSIONS_MAX;

/// Names and addresses of the page's certificate at most.
pub const NAMES_MAX: usize = 64;

/// The first of them at most, in bytes: keys that sign notes are named by it and a word.
pub const FIRST_NAME_LEN_MAX: usize = arbiter::limits::KEY_NAME_LEN_MAX - "/operator".len();

/// A version of a program at most, in bytes.
pub const VERSION_LEN_MAX: usize = 64;

/// A file of the folder at most, in bytes.
pub const FILE_LEN_MAX: usize = 1 << 20;

/// A transcript at most, in bytes: it is to be a signed note.
pub const TRANSCRIPT_LEN_MAX: usize = arbiter::limits::NOTE_LEN_MAX / 2;

/// Certificates are good for so long behind the contest's end, in seconds: thirty days, in which it can still be looked at.
pub const AFTER_END_S: u64 = 30 * 24 * 3600;

/// Certificates are valid from so long before they were made, in seconds: clocks differ.
pub const BACKDATE_S: u64 = 3600;

/// From minting to the end of a contest at most, in seconds: what the page's certificate may last.
pub const LENGTH_S_MAX: u64 = keys::limits::VALIDITY_S_MAX - AFTER_END_S;

const _: () = assert!(RULES_LEN_MAX + 128 <= bounty_log::limits::ENTRY_LEN_MAX, "an entry holds the rules");
const _: () = assert!(ADDRESS_MIN.is_multiple_of(PAGE_LEN) && ADDRESS_MAX.is_multiple_of(PAGE_LEN), "whole pages");
