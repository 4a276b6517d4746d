//! Every bound of this crate.

/// The image's file at most, in bytes.
pub const FILE_LEN_MAX: u64 = 256 << 20;

/// Program headers looked at.
pub const SEGMENTS_MAX: usize = 64;

/// Code of an image at most, in bytes.
pub const CODE_LEN_MAX: u64 = 64 << 20;

/// Findings kept; more are counted only.
pub const FINDINGS_MAX: usize = 64;

/// Bytes of a symbol's name kept.
pub const NAME_LEN_MAX: usize = 200;
