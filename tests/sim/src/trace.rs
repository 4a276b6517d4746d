//! What two runs are compared by: every frame in one direction of a link, as two hashes.
//!
//! `bits` is over all bytes. It differs between two runs of one seed wherever TLS is spoken, because ring and aws-lc draw ephemeral keys and ECDSA nonces
//! from the operating system, and neither lets a caller replace that source. (In the guest ring's source is the seed, so there `bits` is
//! comparable too.) `shape` leaves out what such randomness alone may change: all beyond the headers, and the TCP checksum. With Ed25519
//! certificates, whose signatures have one length, it is the same in every run of a seed.

use core::time::Duration;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// Frames seen.
    pub frames: u64,
    /// Over times and all bytes.
    pub bits: u64,
    /// Over times, lengths and headers.
    pub shape: u64,
}

const HEADERS_LEN: usize = 14 + 20 + 20;
const TCP_CHECKSUM: core::ops::Range<usize> = 50..52;

impl Default for Trace {
    fn default() -> Self {
        Self { frames: 0, bits: FNV_OFFSET, shape: FNV_OFFSET }
    }
}

impl Trace {
    pub(crate) fn note(&mut self, now: Duration, frame: &[u8]) {
        self.frames += 1;
        let time = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX).to_le_bytes();
        self.bits = fnv(fnv(self.bits, &time), frame);
        let mut headers = [0; HEADERS_LEN];
        let len = frame.len().min(HEADERS_LEN);
        headers[..len].copy_from_slice(&frame[..len]);
        headers[TCP_CHECKSUM].fill(0);
        self.shape = fnv(fnv(fnv(self.shape, &time), &headers), &frame.len().to_le_bytes());
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
