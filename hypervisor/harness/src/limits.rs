//! Every bound of this crate.

use core::time::Duration;

/// Processor time of one turn of the guest, at which it counts as hung. A turn of the shipped image takes less than a millisecond.
pub const TURN_BUDGET: Duration = Duration::from_millis(500);

/// Turns that a guest may take for one act when it asks to go on at once each time; one that still asks then has gone into a loop.
pub const TURNS_MAX: usize = 256;

/// Acts of one of AFL++'s inputs that are looked at: it is to find short ones.
pub const FUZZED_ACTS_MAX: usize = 64;

/// Acts of one input at most; what stands behind is not looked at. A recorded visit may be long.
pub const ACTS_MAX: usize = 1 << 16;

/// One input at most, in bytes: AFL++'s own bound.
pub const INPUT_LEN_MAX: usize = 1 << 20;

/// The least heap that a cell takes, in bytes: what is brought back is small then.
pub const HEAP_LEN: usize = abi::limits::HEAP_LEN_MIN;

/// Turns in which a stage must be reached.
pub const STAGE_TURNS_MAX: usize = 64;

/// Bytes of a secret whose appearance anywhere counts as a leak.
pub const SECRET_PIECE_LEN: usize = 12;

/// Connections of one visit at a time, on either link.
pub const FLOWS_MAX: usize = 256;

/// Rounds of frames to and fro in which a visit must come to rest. A round moves a window's worth of bytes at least, so that this is some hundred MiB.
pub const ROUNDS_MAX: usize = 16_384;

/// Bytes of all frames that are kept of one visit.
pub const SIGHTINGS_LEN_MAX: usize = 8 << 20;
