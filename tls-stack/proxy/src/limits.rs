//! Every bound of this crate.

/// Longest line of version 1, its CRLF included, in bytes (section 2.1).
pub const LINE_LEN_MAX: usize = 107;

/// What every header of version 2 begins with, in bytes: signature, command, family, length.
pub const FIXED_LEN: usize = 16;

/// The addresses of two IPv4 endpoints, in bytes.
pub const V4_LEN: usize = 12;

/// The addresses of two IPv6 endpoints, in bytes.
pub const V6_LEN: usize = 36;

/// Longest header of version 2 that is decoded, in bytes: as long as its length field can say. Of the part behind the addresses nothing is kept.
pub const BLOCK_LEN_MAX: usize = FIXED_LEN + u16::MAX as usize;

/// Longest name of a protocol (RFC 7301) that is encoded, in bytes.
pub const ALPN_LEN_MAX: usize = 255;

/// Longest text that is encoded (a host name, a common name, the name of an algorithm), in bytes; a longer one is left out.
pub const TEXT_LEN_MAX: usize = 512;

/// Longest client's certificate that is encoded, in bytes; a longer one is left out.
pub const CERTIFICATE_LEN_MAX: usize = 16 * 1024;

/// Longest header that is encoded, in bytes: a host name, a protocol, six texts of TLS and a certificate, each behind its three bytes, and the checksum.
pub const ENCODED_LEN_MAX: usize =
    FIXED_LEN + V6_LEN + (3 + ALPN_LEN_MAX) + 7 * (3 + TEXT_LEN_MAX) + (3 + 5) + (3 + CERTIFICATE_LEN_MAX) + (3 + 4);

const _: () = assert!(ENCODED_LEN_MAX <= BLOCK_LEN_MAX, "what is encoded has a length that the length field can say");
const _: () = assert!(FIXED_LEN + V6_LEN <= LINE_LEN_MAX, "one buffer serves both versions");
