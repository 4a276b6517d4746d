//! The log window: defmt frames from the guest to the tender.
//!
//! The guest appends whole defmt frames during its turn; the tender takes them all while the guest stands in `wait` (and once more
//! after a crash), and sets `len` and `dropped` to zero. What does not fit is dropped and counted, so a flood costs nothing but itself.

/// First bytes of the log window.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Header {
    /// Bytes in use behind this header.
    pub len: u32,
    /// Frames that did not fit since the last `wait`.
    pub dropped: u32,
}

/// Length of the header in bytes.
pub const HEADER_LEN: usize = size_of::<Header>();

const _: () = assert!(HEADER_LEN == 8, "no padding");
