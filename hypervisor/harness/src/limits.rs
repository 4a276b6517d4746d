//! Every bound of this crate.

use core::time::Duration;

/// Processor time of one turn of the guest, at which it counts as hung. A turn of the shipped image takes less than a millisecond.
pub const TURN_BUDGET: Duration = Duration::from_millis(500);

/// Turns that a guest may take for one act when it asks to go on at once each time; one that still asks then has gone into a loop.
pub const TURNS_MAX: usize = 256;

/// Acts of one input at most; what stands behind is not looked at.
pub const ACTS_MAX: usize = 64;

/// One input at most, in bytes: AFL++'s own bound.
pub const INPUT_LEN_MAX: usize = 1 << 20;

/// The least heap that a cell takes, in bytes: what is brought back is small then.
pub const HEAP_LEN: usize = abi::limits::HEAP_LEN_MIN;

/// Turns in which a stage must be reached.
pub const STAGE_TURNS_MAX: usize = 64;

/// Bytes of a secret whose appearance anywhere counts as a leak.
pub const SECRET_PIECE_LEN: usize = 12;
