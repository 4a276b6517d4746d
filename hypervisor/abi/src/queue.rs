//! How one batch of frames lies in a queue's window.
//!
//! Tender and guest never run at the same time, and each takes all that the other left before it hands over. So a queue needs no
//! ring: it is a count, a table of [`Slot`]s, and the frames packed behind it in the order of their slots, each at the next
//! [`FRAME_ALIGN`] boundary. There is no index or offset that could be wrong, only a count and lengths.
//! A quiet link keeps touching the same few pages, which therefore stay in the cache.

use crate::limits::{FRAME_ALIGN, PAGE_LEN, QUEUE_SLOTS};

/// First bytes of a queue's window.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Header {
    /// Slots in use, from the first on. More than [`QUEUE_SLOTS`] is malformed.
    pub count: u32,
    /// Zero.
    pub reserved: u32,
}

/// One frame: its length and what is left to do to it, with the meaning of virtio 1.3 section 5.1.6 (`virtio_net_hdr`).
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Slot {
    /// The frame's length in bytes, Ethernet header included.
    pub len: u32,
    /// Bit 0: the checksum at `csum_start + csum_offset` covers only the pseudo-header so far.
    pub flags: u8,
    /// 0: one packet. 1: TCP over IPv4 to be cut. 4: TCP over IPv6 to be cut.
    pub gso_type: u8,
    /// Bytes of all headers, where `gso_type` is not 0.
    pub hdr_len: u16,
    /// Payload bytes of each piece, where `gso_type` is not 0.
    pub gso_size: u16,
    /// Where the checksum begins, from the frame's start.
    pub csum_start: u16,
    /// Where the checksum is to be stored, from `csum_start`.
    pub csum_offset: u16,
    /// Zero.
    pub reserved: u16,
}

/// `Slot::flags`: see there.
pub const FLAG_NEEDS_CSUM: u8 = 1;
/// `Slot::flags`: the host has checked the checksums.
pub const FLAG_DATA_VALID: u8 = 2;
/// `Slot::gso_type`: one packet.
pub const GSO_NONE: u8 = 0;
/// `Slot::gso_type`: TCP over IPv4.
pub const GSO_TCPV4: u8 = 1;
/// `Slot::gso_type`: TCP over IPv6.
pub const GSO_TCPV6: u8 = 4;

/// Length of the header in bytes.
pub const HEADER_LEN: usize = size_of::<Header>();
/// Length of a slot in bytes.
pub const SLOT_LEN: usize = size_of::<Slot>();

/// Where the frames begin, from the window's start: the first page behind the table of slots.
pub const DATA_OFFSET: usize = HEADER_LEN.saturating_add(SLOT_LEN.saturating_mul(QUEUE_SLOTS)).next_multiple_of(PAGE_LEN);

const _: () = assert!(HEADER_LEN == 8 && SLOT_LEN == 16, "no padding");
const _: () = assert!(DATA_OFFSET.is_multiple_of(FRAME_ALIGN), "the first frame is aligned");
