//! What is left to do to a frame: the fields of a slot beside its length.

use abi::queue::{FLAG_DATA_VALID, FLAG_NEEDS_CSUM, GSO_NONE, SLOT_LEN, Slot};

/// The offload fields of `virtio_net_hdr` (virtio 1.3 section 5.1.6), as the other side claims them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offload {
    /// See [`Slot::flags`].
    pub flags: u8,
    /// See [`Slot::gso_type`].
    pub gso_type: u8,
    /// See [`Slot::hdr_len`].
    pub hdr_len: u16,
    /// See [`Slot::gso_size`].
    pub gso_size: u16,
    /// See [`Slot::csum_start`].
    pub csum_start: u16,
    /// See [`Slot::csum_offset`].
    pub csum_offset: u16,
}

impl Offload {
    /// Whether the fields are consistent with a frame of `frame_len` bytes, so that a kernel may be handed them.
    #[must_use]
    pub fn fits(&self, frame_len: usize) -> bool {
        let known = self.flags & !(FLAG_NEEDS_CSUM | FLAG_DATA_VALID) == 0;
        known && self.checksum_fits(frame_len) && self.segmentation_fits(frame_len)
    }

    fn checksum_fits(&self, frame_len: usize) -> bool {
        let field_end = usize::from(self.csum_start).saturating_add(usize::from(self.csum_offset)).saturating_add(2);
        self.flags & FLAG_NEEDS_CSUM == 0 || field_end <= frame_len
    }

    fn segmentation_fits(&self, frame_len: usize) -> bool {
        match self.gso_type {
            GSO_NONE => true,
            abi::queue::GSO_TCPV4 | abi::queue::GSO_TCPV6 => {
                self.gso_size > 0 && self.flags & FLAG_NEEDS_CSUM != 0 && usize::from(self.hdr_len) < frame_len
            }
            _ => false,
        }
    }
}

pub(crate) fn encode(len: u32, offload: Offload) -> [u8; SLOT_LEN] {
    let [l0, l1, l2, l3] = len.to_le_bytes();
    let [h0, h1] = offload.hdr_len.to_le_bytes();
    let [g0, g1] = offload.gso_size.to_le_bytes();
    let [s0, s1] = offload.csum_start.to_le_bytes();
    let [o0, o1] = offload.csum_offset.to_le_bytes();
    [l0, l1, l2, l3, offload.flags, offload.gso_type, h0, h1, g0, g1, s0, s1, o0, o1, 0, 0]
}

pub(crate) fn decode(slot: [u8; SLOT_LEN]) -> Slot {
    let [l0, l1, l2, l3, flags, gso_type, h0, h1, g0, g1, s0, s1, o0, o1, r0, r1] = slot;
    Slot {
        len: u32::from_le_bytes([l0, l1, l2, l3]),
        flags,
        gso_type,
        hdr_len: u16::from_le_bytes([h0, h1]),
        gso_size: u16::from_le_bytes([g0, g1]),
        csum_start: u16::from_le_bytes([s0, s1]),
        csum_offset: u16::from_le_bytes([o0, o1]),
        reserved: u16::from_le_bytes([r0, r1]),
    }
}

impl From<Slot> for Offload {
    fn from(slot: Slot) -> Self {
        Self {
            flags: slot.flags,
            gso_type: slot.gso_type,
            hdr_len: slot.hdr_len,
            gso_size: slot.gso_size,
            csum_start: slot.csum_start,
            csum_offset: slot.csum_offset,
        }
    }
}
