//! Every bound of this crate.

/// An encoded [`Status`](crate::Status) at most, in bytes. The guest's outbox holds it as one letter.
pub const STATUS_LEN_MAX: usize = 192 * 1024;
/// Routes in a status at most; the same as a bundle's.
pub const ROUTES_MAX: usize = 1024;
/// Backends in a status at most, over all routes; those beyond it are counted, not listed.
pub const BACKENDS_MAX: usize = 2048;
/// Kinds of handshakes that are told apart; the rest is counted as other.
pub const HANDSHAKE_KINDS_MAX: usize = 96;
/// Reasons of failed handshakes that are told apart; the rest is counted as other.
pub const FAILURES_MAX: usize = 64;

/// An encoded [`Access`](crate::Access) at most, in bytes.
pub const ACCESS_LEN_MAX: usize = 2048;
/// A server name or a route's name at most, in bytes.
pub const NAME_LEN_MAX: usize = 255;
/// An application protocol's name at most, in bytes (RFC 7301, 3.1).
pub const ALPN_LEN_MAX: usize = 255;
/// A client certificate's subject at most, in bytes; a longer one is cut.
pub const SUBJECT_LEN_MAX: usize = 512;

/// What the strings of a record take at most, with what stands around them.
const ACCESS_STRINGS_LEN: usize = 2 * NAME_LEN_MAX + ALPN_LEN_MAX + SUBJECT_LEN_MAX;
/// The record's numbers and addresses at most: well under this.
const ACCESS_NUMBERS_LEN: usize = 256;
const _: () = assert!(ACCESS_STRINGS_LEN + ACCESS_NUMBERS_LEN <= ACCESS_LEN_MAX, "every record within its bounds can be encoded");
/// A route without its backends: name, length, counters.
const ROUTE_LEN_MAX: usize = 64;
/// A backend: address, state, counters.
const BACKEND_LEN_MAX: usize = 64;
const _: () = assert!((ROUTES_MAX * ROUTE_LEN_MAX) + (BACKENDS_MAX * BACKEND_LEN_MAX) <= STATUS_LEN_MAX, "an ordinary status fits");
