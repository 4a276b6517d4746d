//! Every bound of this crate. What an operator may choose stands in the bundle ([`keys::bundle::Limits`]); these hold whatever it says.

/// Bytes that a connection moves in one direction before the next one has its turn.
pub const TURN_LEN: usize = 64 * 1024;

/// Turns of connections in one step; what is left over waits for the next, which is asked for at once.
pub const TURNS_PER_STEP: usize = 512;

/// Reports that wait to be fetched; more are dropped and counted.
pub const REPORTS_MAX: usize = 512;

/// Backends that are tried for one connection before it is given up.
pub const CONNECT_TRIES_MAX: usize = 3;

/// A record that would wrap round the end of the transmit ring is made on the stack; so long at most, in bytes.
pub const WRAP_LEN: usize = 4096;

/// A server name at most, in bytes (RFC 1035 section 2.3.4).
pub const NAME_LEN_MAX: usize = 253;

/// New connections of one source may come in bursts of this many seconds' worth.
pub const BURST_S: u64 = 2;

/// Sources without a connection that are remembered for their rate.
pub const SOURCES_LEFT_MAX: usize = 16_384;

/// With less room than this in the client's transmit ring, and more to send, a connection waits for more, in bytes.
pub const SEND_LEN_MIN: usize = 2048;
/// Flows of a link beyond the bundle's connections: those that are closing, and belong to no connection any more.
pub const CLOSING_FLOWS: usize = 1024;

const _: () = assert!(TURN_LEN >= 2 * 16 * 1024, "a turn moves at least two whole records");
const _: () = assert!(WRAP_LEN >= SEND_LEN_MIN, "what is worth a record fits the stack's");
