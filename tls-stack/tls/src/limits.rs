//! Every bound of this crate, and how the bounds relate.

/// Longest plaintext of one record, in bytes (RFC 8446 §5.1).
pub const RECORD_PLAIN_LEN_MAX: usize = 1 << 14;

/// Longest protected fragment of one record, in bytes (RFC 8446 §5.2: 2^14 + 256). TLS 1.2 would allow 2^14 + 2048, but
/// no AEAD suite ever needs it, so one bound serves both.
pub const RECORD_CIPHER_LEN_MAX: usize = RECORD_PLAIN_LEN_MAX + 256;

/// Length of a record's header, in bytes.
pub const RECORD_HEADER_LEN: usize = 5;

/// Longest whole record, in bytes; also the most that a session keeps of a partial record once it is established.
pub const RECORD_LEN_MAX: usize = RECORD_HEADER_LEN + RECORD_CIPHER_LEN_MAX;

/// The most that protection adds to one fragment, header included, in bytes: TLS 1.2 AES-GCM's 5 + 8 + 16.
pub const RECORD_OVERHEAD_MAX: usize = RECORD_HEADER_LEN + 8 + 16;

/// Longest ClientHello, in bytes, its handshake header included. Checked against the length that the peer claims, before any
/// of it is kept. The largest seen from real clients (hybrid key share, resumption, padding) is below 4 KiB.
pub const HELLO_LEN_MAX: usize = RECORD_PLAIN_LEN_MAX;

/// Runs of equal records of a hello that are remembered, for a hello that is passed on. Clients send one to three records; a hello in
/// records of one byte each is a single run.
pub const HELLO_CUTS_MAX: usize = 512;

/// Most bytes of handshake records that may wait for the rest of their message, after the first ClientHello.
pub const HANDSHAKE_INPUT_LEN_MAX: usize = RECORD_LEN_MAX + 2048;

/// Longest record that is legal during the handshake, before the keys of either side are in use, in bytes.
pub const HELLO_RECORD_LEN_MAX: usize = RECORD_PLAIN_LEN_MAX;

/// Most turns that rustls gets to say what it has to say when a handshake fails; a flight has a handful of records.
pub const FLIGHT_RECORDS_MAX: usize = 32;

/// Most ALPN protocols of a hello that are looked at.
pub const ALPN_OFFERED_MAX: usize = 64;

/// Consecutive records without content after which an established session is ended.
pub const EMPTY_RECORDS_MAX: u8 = 32;

/// Consecutive KeyUpdates without data between them after which a session is ended (as BoringSSL's and rustls' bound).
pub const KEY_UPDATES_MAX: u8 = 32;

/// Consecutive tickets without data between them after which a client's session is ended.
pub const TICKETS_TAKEN_MAX: u8 = 32;

/// Shortest ticket that a client reads over, in bytes without its header: two numbers, no nonce, one byte, no extension (RFC 8446 §4.6.1).
pub const TICKET_LEN_MIN: usize = 4 + 4 + 1 + 2 + 1 + 2;

/// Longest ticket that a client reads over, in bytes without its header. Nothing of it is kept.
pub const TICKET_LEN_MAX: usize = 1 << 16;

/// Warning alerts that a session takes before it is ended (as BoringSSL's and rustls' bound).
pub const WARNING_ALERTS_MAX: u8 = 4;

/// Records protected under one AES-GCM key before the key is changed (TLS 1.3) or the session closed (TLS 1.2):
/// below 2^24.5, RFC 8446 §5.5.
pub const RECORDS_PER_KEY_MAX: u64 = 1 << 24;

/// Events that can wait for `poll_event`: a hello or an establishment, the peer's closure, a fault.
pub const EVENTS_MAX: usize = 4;

/// Certificates of one configuration.
pub const IDENTITIES_MAX: usize = 1024;

/// TLS 1.3 tickets sent after a full handshake, unless the configuration says otherwise.
pub const TICKETS_DEFAULT: usize = 2;

/// Most TLS 1.3 tickets that a configuration may ask for.
pub const TICKETS_MAX: usize = 8;

/// Longest lifetime of a ticket, in seconds: seven days (RFC 8446 §4.6.1).
pub const TICKET_LIFETIME_MAX_S: u32 = 7 * 24 * 60 * 60;

/// How far the clocks of boxes that share ticket keys may differ, in seconds.
pub const TICKET_SKEW_S: u64 = 60;

/// Most certificates that a peer may show, its own among them.
pub const CLIENT_CHAIN_MAX: usize = 6;

/// Longest certificate of a peer, of an issuer or of an authority, in bytes.
pub const CLIENT_CERTIFICATE_LEN_MAX: usize = keys::limits::CLIENT_CERTIFICATE_LEN_MAX;

/// Most signatures that are verified for one chain, those of revocation lists among them.
pub const CLIENT_SIGNATURES_MAX: u32 = 24;

/// Authorities' names are sent to clients as long as they are no longer than this together, in bytes.
pub const CA_HINTS_LEN_MAX: usize = 4 * 1024;

/// A client's subject in the access log is no longer than this, in bytes.
pub const SUBJECT_LEN_MAX: usize = 512;

const _: () = assert!(TICKET_LIFETIME_MAX_S == keys::limits::TICKET_LIFETIME_S_MAX, "what a bundle may say can be done");
const _: () = assert!(CLIENT_SIGNATURES_MAX as usize >= 2 * CLIENT_CHAIN_MAX, "a chain and its revocation lists can be verified");
const _: () = assert!(HELLO_LEN_MAX <= RECORD_PLAIN_LEN_MAX, "the hello is replayed to rustls as one record");
const _: () = assert!(HANDSHAKE_INPUT_LEN_MAX >= RECORD_LEN_MAX, "one whole record must fit");
const _: () = assert!(RECORD_CIPHER_LEN_MAX < 0x47ff, "no record is as long as the handshake's unfinished header claims");
const _: () = assert!(HELLO_LEN_MAX + HANDSHAKE_INPUT_LEN_MAX <= 40 * 1024, "the handshake's memory stays bounded");

/// Secrets that wait to be logged, where they are given away at all.
#[cfg(feature = "keylog")]
pub const LOGGED_MAX: usize = 4096;
/// One of them at most, in bytes: a label, a random, a secret of SHA-384's length.
#[cfg(feature = "keylog")]
pub const LOGGED_LEN_MAX: usize = 128;
