//! CRC32C (RFC 9260 appendix A), over a header whose own checksum field counts as zeroes (section 2.2.3).

use core::fmt;

use crc::{CRC_32_ISCSI, Crc, Digest};

static CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// A checksum in the making.
#[derive(Clone)]
pub(crate) struct Checksum(Digest<'static, u32>);

impl Checksum {
    pub(crate) fn new() -> Self {
        Self(CRC32C.digest())
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> u32 {
        self.0.finalize()
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checksum(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720 appendix B.4.
    #[test]
    fn the_vectors_of_rfc_3720_come_out() {
        let checksum = |bytes: &[u8]| {
            let mut checksum = Checksum::new();
            bytes.iter().for_each(|byte| checksum.update(&[*byte]));
            checksum.finish()
        };
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(checksum(&[0xff; 32]), 0x62a8_ab43);
        let ascending: alloc::vec::Vec<u8> = (0..32).collect();
        assert_eq!(checksum(&ascending), 0x46dd_794e);
    }
}
