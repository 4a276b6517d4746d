//! Every bound of this crate.

/// Bits of a tile's width: 256 hashes or entries in a file (tlog-tiles).
pub const TILE_BITS: u8 = 8;

/// Entries of a bundle, and hashes of a tile, at most.
pub const TILE_WIDTH: usize = 1 << TILE_BITS;

/// An entry at most, in bytes: a bundle gives its length 16 bits.
pub const ENTRY_LEN_MAX: usize = u16::MAX as usize;

/// A checkpoint's file at most, in bytes.
pub const CHECKPOINT_LEN_MAX: usize = arbiter::limits::NOTE_LEN_MAX;

/// Entries of a log at most. Hourly heartbeats over ten years are 87,600.
pub const ENTRIES_MAX: u64 = 1 << 22;

/// Findings of one check that are told; more are counted.
pub const FINDINGS_MAX: usize = 64;

/// Seconds from one sign of life to the next at most: an hour, and five minutes for a host that is busy.
pub const HEARTBEAT_MAX: u64 = 3900;

/// Seconds that a log's clock may be ahead of the checker's. The keeper lets its host's clock be set back as far.
pub const AHEAD_MAX: u64 = 300;

/// Versions of a manifest at most, the first among them.
pub const VERSIONS_MAX: u64 = 64;
