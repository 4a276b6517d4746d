//! The Internet checksum (RFC 1071), written apart from the code under test.

use core::net::IpAddr;

/// The sum of 16-bit words, folded; not complemented.
#[must_use]
pub fn sum(parts: &[&[u8]]) -> u16 {
    let mut total: u32 = 0;
    for part in parts {
        for pair in part.chunks(2) {
            total += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
            total = (total & 0xffff) + (total >> 16);
        }
    }
    u16::try_from(total).unwrap_or(u16::MAX)
}

/// The bytes that a TCP or ICMPv6 checksum covers beside the message (RFC 9293 section 3.1, RFC 8200 section 8.1).
#[must_use]
pub fn pseudo_header(from: IpAddr, to: IpAddr, protocol: u8, len: usize) -> Vec<u8> {
    let [_, _, high, low] = u32::try_from(len).unwrap_or(0).to_be_bytes();
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => [&from.octets()[..], &to.octets(), &[0, protocol, high, low]].concat(),
        (IpAddr::V6(from), IpAddr::V6(to)) => [&from.octets()[..], &to.octets(), &[0, 0, high, low, 0, 0, 0, protocol]].concat(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071_holds_and_an_odd_byte_is_padded() {
        assert_eq!(sum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), 0xddf2);
        assert_eq!(sum(&[&[0x12]]), 0x1200);
        assert_eq!(sum(&[&[0xff, 0xff], &[0x00, 0x01]]), 0x0001);
    }
}
