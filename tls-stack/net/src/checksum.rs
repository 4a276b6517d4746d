//! The Internet checksum (RFC 1071), eight bytes at a time, and its sums over pseudo-headers (RFC 9293 section 3.1, RFC 8200 section 8.1).

use core::net::IpAddr;

/// Sum of `bytes` as big-endian 16-bit words, folded but not complemented.
pub(crate) fn sum(bytes: &[u8]) -> u16 {
    let mut total: u64 = 0;
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        // Four words a round: the additions do not wait for one another, and 32-bit halves leave room for 2^32 rounds.
        for half in block.as_chunks::<4>().0 {
            total += u64::from(u32::from_be_bytes(*half));
        }
    }
    let (words, last) = rest.as_chunks::<2>();
    for word in words {
        total += u64::from(u16::from_be_bytes(*word));
    }
    if let [odd] = last {
        total += u64::from(*odd) << 8;
    }
    fold(total)
}

/// Sum of the pseudo-header for a payload of `len` bytes of `protocol`.
pub(crate) fn pseudo_header(source: IpAddr, destination: IpAddr, protocol: u8, len: usize) -> u16 {
    let addresses = address_sum(source) + address_sum(destination);
    fold(addresses + u64::from(protocol) + u64::try_from(len).unwrap_or(0))
}

/// Adds two sums.
pub(crate) fn add(a: u16, b: u16) -> u16 {
    fold(u64::from(a) + u64::from(b))
}

fn address_sum(address: IpAddr) -> u64 {
    u64::from(match address {
        IpAddr::V4(address) => sum(&address.octets()),
        IpAddr::V6(address) => sum(&address.octets()),
    })
}

fn fold(mut total: u64) -> u16 {
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    u16::try_from(total).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// RFC 1071 section 4.1, word by word.
    fn slow(bytes: &[u8]) -> u16 {
        let words = bytes.chunks(2).map(|word| u64::from(word[0]) << 8 | u64::from(*word.get(1).unwrap_or(&0)));
        fold(words.sum())
    }

    #[test]
    fn every_length_sums_as_the_rfc_says() {
        let bytes: Vec<u8> = (0..200u32).map(|i| u8::try_from(i * 151 % 256).unwrap()).collect();
        for len in 0..bytes.len() {
            assert_eq!(sum(&bytes[..len]), slow(&bytes[..len]), "{len}");
        }
    }

    #[test]
    fn carries_are_not_lost() {
        assert_eq!(sum(&[0xff; 65_534]), 0xffff);
        assert_eq!(add(0xffff, 1), 1);
    }
}
