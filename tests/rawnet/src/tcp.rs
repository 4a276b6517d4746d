//! TCP segments (RFC 9293 section 3.1) of any shape.

use core::net::SocketAddr;

use crate::{checksum, protocol};

/// Flags, as bits.
pub mod flag {
    /// No more data.
    pub const FIN: u8 = 1;
    /// Synchronize.
    pub const SYN: u8 = 2;
    /// Reset.
    pub const RST: u8 = 4;
    /// Push.
    pub const PSH: u8 = 8;
    /// The acknowledgement counts.
    pub const ACK: u8 = 16;
    /// The urgent pointer counts.
    pub const URG: u8 = 32;
}

/// Options, as bytes.
pub mod option {
    /// Maximum segment size.
    #[must_use]
    pub fn mss(size: u16) -> Vec<u8> {
        let [high, low] = size.to_be_bytes();
        vec![2, 4, high, low]
    }

    /// Window scale, with a NOP before it.
    #[must_use]
    pub fn scale(shift: u8) -> Vec<u8> {
        vec![1, 3, 3, shift]
    }

    /// SACK permitted, with two NOPs before it.
    #[must_use]
    pub fn sack() -> Vec<u8> {
        vec![1, 1, 4, 2]
    }
}

/// A segment. An honest bare ACK of nothing, but for what is changed.
#[derive(Debug, Clone)]
pub struct Segment {
    /// See [`flag`].
    pub flags: u8,
    /// The bits between data offset and flags.
    pub reserved: u8,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Window field.
    pub window: u16,
    /// Urgent pointer.
    pub urgent: u16,
    /// Padded with zeros to whole words.
    pub options: Vec<u8>,
    /// Data.
    pub payload: Vec<u8>,
    /// Header length in words that the segment says; `None` is the truth.
    pub offset: Option<u8>,
    /// Added to the right checksum.
    pub checksum_off_by: u16,
}

impl Default for Segment {
    fn default() -> Self {
        Self {
            flags: flag::ACK,
            reserved: 0,
            sequence: 0,
            ack: 0,
            window: 64_240,
            urgent: 0,
            options: Vec::new(),
            payload: Vec::new(),
            offset: None,
            checksum_off_by: 0,
        }
    }
}

impl Segment {
    /// A SYN with the options that everybody sends.
    #[must_use]
    pub fn syn(sequence: u32) -> Self {
        let options = [option::mss(1460), option::sack(), option::scale(7)].concat();
        Self { flags: flag::SYN, sequence, options, ..Self::default() }
    }

    /// On the wire.
    #[must_use]
    pub fn bytes(&self, from: SocketAddr, to: SocketAddr) -> Vec<u8> {
        let words = 5 + self.options.len().div_ceil(4);
        let offset = self.offset.unwrap_or_else(|| u8::try_from(words).unwrap_or(15).min(15));
        let mut bytes = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.ack.to_be_bytes());
        bytes.extend_from_slice(&[offset << 4 | self.reserved & 15, self.flags]);
        for field in [self.window, 0, self.urgent] {
            bytes.extend_from_slice(&field.to_be_bytes());
        }
        bytes.extend_from_slice(&self.options);
        bytes.resize(words * 4, 0);
        bytes.extend_from_slice(&self.payload);
        let pseudo = checksum::pseudo_header(from.ip(), to.ip(), protocol::TCP, bytes.len());
        let sum = (!checksum::sum(&[&pseudo, &bytes])).wrapping_add(self.checksum_off_by);
        bytes[16..18].copy_from_slice(&sum.to_be_bytes());
        bytes
    }
}
