//! What is still to be done to a frame, and by whom: the fields of virtio 1.3 section 5.1.6.

/// The checksum at `csum_start + csum_offset` covers only the pseudo-header so far.
pub const NEEDS_CSUM: u8 = 1;
/// The host has checked the checksums.
pub const DATA_VALID: u8 = 2;
/// One packet.
pub const GSO_NONE: u8 = 0;
/// TCP over IPv4, to be cut or merged from pieces.
pub const GSO_TCPV4: u8 = 1;
/// TCP over IPv6, to be cut or merged from pieces.
pub const GSO_TCPV6: u8 = 4;

/// Side note to a frame, with the meaning of `virtio_net_hdr`. All zeros is an ordinary frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offload {
    /// [`NEEDS_CSUM`], [`DATA_VALID`].
    pub flags: u8,
    /// [`GSO_NONE`], [`GSO_TCPV4`], [`GSO_TCPV6`].
    pub gso_type: u8,
    /// Bytes of all headers, where `gso_type` is not 0.
    pub hdr_len: u16,
    /// Payload bytes of each piece, where `gso_type` is not 0.
    pub gso_size: u16,
    /// Where the checksum begins, from the frame's start.
    pub csum_start: u16,
    /// Where the checksum is stored, from `csum_start`.
    pub csum_offset: u16,
}

impl Offload {
    /// Whether whoever handed us the frame answers for its checksums.
    #[must_use]
    pub fn vouched(self) -> bool {
        self.flags & (NEEDS_CSUM | DATA_VALID) != 0
    }
}
