//! Every bound of this crate. What an operator may choose stands in the bundle ([`keys::bundle::Limits`]); these hold whatever it says.

use core::time::Duration;

/// Bytes that a connection moves in one direction before the next one has its turn.
pub const TURN_LEN: usize = 64 * 1024;

/// Turns of connections in one step; what is left over waits for the next, which is asked for at once.
pub const TURNS_PER_STEP: usize = 512;

/// Reports that wait to be fetched; more are dropped and counted.
pub const REPORTS_MAX: usize = 512;

/// Checks of backends under way at a time; more wait until others are over.
pub const CHECKS_AT_ONCE: usize = 128;

/// The first check of a backend comes within this time, or within its interval if that is shorter.
pub const FIRST_CHECK_WITHIN: Duration = Duration::from_secs(1);

/// How often pools that belong to an older configuration are looked at.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Reports of backends that failed or changed in a second; the rest is counted.
pub const BACKEND_REPORTS_PER_S: u32 = 20;

/// A record that would wrap round the end of the transmit ring is made on the stack; so long at most, in bytes.
pub const WRAP_LEN: usize = 4096;

/// The room that a connection whose TLS passes through waits for when there is none, in bytes.
pub const PASS_LEN: usize = 16 * 1024;

/// A server name at most, in bytes (RFC 1035 section 2.3.4).
pub const NAME_LEN_MAX: usize = 253;

/// New connections of one source may come in bursts of this many seconds' worth.
pub const BURST_S: u64 = 2;

/// When there are as many connections as there may be, a newcomer takes the place of one that waits for its client's hello, but only of those
/// beyond so many: each must have the time to send it.
pub const WAITING_KEPT: usize = 64;

/// Sources without a connection that are remembered for their rate.
pub const SOURCES_LEFT_MAX: usize = 16_384;

/// With less room than this in the client's transmit ring, and more to send, a connection waits for more, in bytes.
pub const SEND_LEN_MIN: usize = 2048;
/// Flows of a link beyond the bundle's connections at most: those that are closing, and belong to no connection any more.
pub const CLOSING_FLOWS: usize = 1024;
/// Flows in TIME-WAIT on one link at most, and never more than there may be connections.
pub const TIME_WAITS_MAX: usize = 16_384;

/// Every flow's first receive ring, in bytes.
pub const FIRST_RX_RING: usize = 4 * 1024;
/// The send ring that a client's flow can always have, in bytes: much more than the least that is worth a record.
pub const FRONT_TX_RING: usize = 8 * 1024;
/// The send ring that a backend's flow can always have, in bytes. A record's plaintext is put there as a whole or not at all.
pub const BACK_TX_RING: usize = 17 * 1024;

const _: () = assert!(TURN_LEN >= 2 * 16 * 1024, "a turn moves at least two whole records");
const _: () = assert!(FRONT_TX_RING >= 2 * SEND_LEN_MIN, "a record can always leave, and the next be made meanwhile");
const _: () = assert!(BACK_TX_RING >= tls::limits::RECORD_CIPHER_LEN_MAX, "a record can always be passed on");
const _: () = assert!((FIRST_RX_RING + FRONT_TX_RING) as u64 == keys::limits::FRONT_RINGS_LEN, "both ends of the bundle reckon alike");
const _: () = assert!((FIRST_RX_RING + BACK_TX_RING) as u64 == keys::limits::BACK_RINGS_LEN, "both ends of the bundle reckon alike");
const _: () = assert!(
    keys::limits::CONNECTION_LEN_MAX >= (tls::limits::RECORD_LEN_MAX + 7 * 1024) as u64,
    "a partial record, and what a connection costs when idle"
);
const _: () = assert!(
    keys::limits::HANDSHAKE_LEN_MAX >= (tls::limits::HELLO_LEN_MAX + tls::limits::HANDSHAKE_INPUT_LEN_MAX) as u64,
    "what a handshake may hold"
);
const _: () = assert!(WRAP_LEN >= SEND_LEN_MIN, "what is worth a record fits the stack's");
