//! Every bound of this crate.

/// Connections that are told, at most; what is beyond them is counted.
pub const CONNECTIONS_MAX: usize = 16_384;
/// Messages of all connections at most; what is beyond them is counted.
pub const MESSAGES_MAX: usize = 131_072;
/// Messages of one connection at most.
pub const MESSAGES_PER_CONNECTION_MAX: usize = 1024;
/// SYNs whose connection is not made yet, at most; the oldest is forgotten.
pub const KNOCKS_MAX: usize = 65_536;
/// Segments of one direction that came before what stands in front of them, at most.
pub const WAITING_SEGMENTS_MAX: usize = 256;
/// The same in bytes.
pub const WAITING_LEN_MAX: usize = 512 * 1024;
/// A segment that is further ahead of what was read, in bytes, is in nobody's window.
pub const AHEAD_MAX: u32 = 16 << 20;
/// A handshake message at most, in bytes; one that claims more is not waited for.
pub const HANDSHAKE_LEN_MAX: usize = 128 * 1024;
/// What a record may hold at most, in bytes: that of TLS 1.2 with the most generous cipher (RFC 5246 section 6.2.3).
pub const RECORD_LEN_MAX: usize = (1 << 14) + 2048;
/// What is kept for all open connections together at most, in bytes. Who would need more is not followed any further.
pub const KEPT_LEN_MAX: usize = 128 << 20;
/// Encrypted records of one direction that are told one by one before runs of them are summed up.
pub const ENCRYPTED_TOLD: u64 = 8;
/// Entries of a list that are shown, at most.
pub const LIST_SHOWN_MAX: usize = 32;
/// Bytes of a name that are shown, at most.
pub const NAME_SHOWN_MAX: usize = 255;

const _: () = assert!(MESSAGES_PER_CONNECTION_MAX < MESSAGES_MAX, "no connection takes them all");
const _: () = assert!(WAITING_LEN_MAX + HANDSHAKE_LEN_MAX + RECORD_LEN_MAX < KEPT_LEN_MAX, "a connection alone is followed");
