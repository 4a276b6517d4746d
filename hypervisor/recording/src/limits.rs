//! Every bound of a recording.

use abi::limits::{BUNDLE_LEN_MAX, QUEUE_SLOTS};

/// Plaintext in one chunk of an age file, in bytes; the format's own number.
pub const CHUNK_LEN: usize = 64 * 1024;
/// What authenticates a chunk, in bytes.
pub const TAG_LEN: usize = 16;
/// A whole chunk in the file, in bytes.
pub const SEALED_LEN: usize = CHUNK_LEN + TAG_LEN;
/// The header of an age file at most, in bytes: room for dozens of recipients.
pub const AGE_HEADER_LEN_MAX: usize = 16 * 1024;
/// A line of it at most, in bytes.
pub const AGE_LINE_LEN_MAX: usize = 512;

/// Words of randomness that a cell's layout is drawn from.
pub const DRAW_WORDS: usize = 64;
/// Frames of one link in one turn at most.
pub const FRAMES_MAX: usize = QUEUE_SLOTS;
/// A letter at most, in bytes.
pub const LETTER_LEN_MAX: usize = BUNDLE_LEN_MAX;
/// What a recording's beginning takes at most, in bytes: the age header, and ours with the longest bundle.
pub const BEGINNING_LEN_MAX: u64 = (AGE_HEADER_LEN_MAX + BUNDLE_LEN_MAX + 64 * 1024) as u64;
/// Bytes of any event beside its frames and its letter, at most.
pub const EVENT_LEN_MAX: usize = 128;

const _: () = assert!(FRAMES_MAX <= u16::MAX as usize, "a count of frames is 16 bits");
