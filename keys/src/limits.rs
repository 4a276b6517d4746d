//! Every bound of this crate.

/// The smallest RSA modulus that is let in, in bits.
pub const RSA_BITS_MIN: u32 = 2048;
/// The largest RSA modulus that the signer takes, in bits; signing beyond it costs more than a front door should pay.
pub const RSA_BITS_MAX: u32 = 4096;

/// An encoded bundle at most, in bytes. The abi's window for it is as long; a test of the supervisor compares the two.
pub const BUNDLE_LEN_MAX: usize = 4 << 20;

/// Addresses of one link at most.
pub const ADDRESSES_MAX: usize = 16;
/// Gateways of one link at most.
pub const GATEWAYS_MAX: usize = 4;
/// The smallest MTU: what IPv6 demands (RFC 8200, 5), in bytes.
pub const MTU_MIN: u16 = 1280;

/// Listeners at most.
pub const LISTENERS_MAX: usize = 64;
/// Certificates at most.
pub const CERTIFICATES_MAX: usize = 1024;
/// Certificates in one chain at most, the leaf counted.
pub const CHAIN_MAX: usize = 10;
/// One DER certificate at most, in bytes.
pub const CERTIFICATE_LEN_MAX: usize = 32 * 1024;
/// One DER private key at most, in bytes.
pub const KEY_LEN_MAX: usize = 8 * 1024;
/// Names in one certificate at most.
pub const CERTIFICATE_NAMES_MAX: usize = 1024;

/// Routes at most.
pub const ROUTES_MAX: usize = 1024;
/// Server names in one route at most.
pub const ROUTE_NAMES_MAX: usize = 256;
/// Certificates that one route may choose from at most.
pub const ROUTE_CERTIFICATES_MAX: usize = CERTIFICATES_MAX;
/// Backends of one route at most.
pub const ROUTE_BACKENDS_MAX: usize = 64;
/// Clients of one route that may wait for a backend at most.
pub const QUEUE_MAX: u32 = 16_384;
/// Further attempts at other backends at most: a client is sent to each once.
pub const RETRIES_MAX: u32 = 63;
/// From one check of a backend to the next at least, in milliseconds.
pub const CHECK_INTERVAL_MS_MIN: u64 = 100;
/// Checks in a row that bring a backend up, or down, at most.
pub const CHECK_COUNT_MAX: u32 = 1000;
/// Backends of all routes together at most: what is known of each is part of [`CELL_LEN`].
pub const BACKENDS_MAX: usize = 4096;
/// A route's name for people at most, in bytes.
pub const ROUTE_NAME_LEN_MAX: usize = 64;
/// Front ends of one listener at most.
pub const PROXIES_MAX: usize = 64;
/// Authorities of one route's clients at most.
pub const CLIENT_ROOTS_MAX: usize = 64;
/// One certificate of such an authority at most, in bytes; also one that a client shows.
pub const CLIENT_CERTIFICATE_LEN_MAX: usize = 8 * 1024;
/// Revocation lists of one route's clients at most.
pub const CRLS_MAX: usize = 64;
/// One DER revocation list at most, in bytes.
pub const CRL_LEN_MAX: usize = 512 << 10;
/// All revocation lists of a bundle together at most, in bytes: some 14,000 revoked certificates. In the guest's memory they take four times as much.
pub const CRLS_LEN_MAX: usize = 512 << 10;
/// Allowed names, or subjects, of one route's clients at most.
pub const CLIENT_NAMES_MAX: usize = 256;
/// One of them at most, in bytes.
pub const CLIENT_NAME_LEN_MAX: usize = 256;
/// Path or host of a check at most, in bytes.
pub const CHECK_TEXT_LEN_MAX: usize = 1024;
/// The shared secret of ticket keys, in bytes.
pub const TICKET_KEY_LEN: usize = 32;
/// Cipher suites, or groups, in one list at most.
pub const SUITES_MAX: usize = 32;
/// Protocols (ALPN) in one list at most.
pub const ALPN_MAX: usize = 16;
/// One protocol's name at most, in bytes (RFC 7301, 3.1).
pub const ALPN_LEN_MAX: usize = 255;

/// A DNS name at most, in characters (RFC 1035, 2.3.4, without the final dot).
pub const NAME_LEN_MAX: usize = 253;
/// A label of a DNS name at most, in characters.
pub const LABEL_LEN_MAX: usize = 63;

/// A ticket key lives for at least this long, in seconds.
pub const TICKET_ROTATION_S_MIN: u32 = 60;
/// A ticket's lifetime is at most so many rotations.
pub const TICKET_KEYS_MAX: u32 = 64;
/// Tickets live no longer than this, in seconds: seven days (RFC 8446, 4.6.1).
pub const TICKET_LIFETIME_S_MAX: u32 = 7 * 24 * 3600;
/// No time-out is longer than this, in milliseconds: thirty days.
pub const TIMEOUT_MS_MAX: u64 = 30 * 24 * 3600 * 1000;
/// No count in the limits is larger than this.
pub const COUNT_MAX: u32 = 1 << 20;

/// A contest's prize at most, in bytes.
pub const PRIZE_LEN_MAX: usize = 4096;
/// A flag's private half, in bytes.
pub const FLAG_LEN: usize = 32;
/// Doors of a contest at most.
pub const DOORS_MAX: usize = 16;

/// The guest's heap at least, in bytes.
pub const HEAP_LEN_MIN: u64 = 8 << 20;
/// The guest's heap where the configuration says nothing, in bytes.
pub const HEAP_LEN_DEFAULT: u64 = 1 << 30;
/// What the allocator's rounding and gaps may take: this part of the heap.
pub const HEAP_ROUNDING_SHARE: u64 = 32;
/// What a cell takes for itself, in bytes: certificates and routes, replies, reports, what is remembered of sources, one flow on its move to
/// larger rings.
pub const CELL_LEN: u64 = 4 << 20;
/// A connection outside its rings, in bytes: its session, both flows' books, its places in the tables, and one record of which a part is there.
pub const CONNECTION_LEN_MAX: u64 = 24 << 10;
/// What a handshake takes beyond that, in bytes, while it lasts.
pub const HANDSHAKE_LEN_MAX: u64 = 48 << 10;
/// Handshakes take no more than this part of what is left for peers.
pub const HANDSHAKES_SHARE: u64 = 8;
/// The rings that a client's flow can always have, in bytes: 4 KiB to receive, 8 to send.
pub const FRONT_RINGS_LEN: u64 = 12 << 10;
/// The rings that a backend's flow can always have, in bytes: 4 KiB to receive, and 17 to send, for a whole record's plaintext must find room.
pub const BACK_RINGS_LEN: u64 = 21 << 10;
/// Places beyond the connections, for flows that are closing and belong to no connection any more.
pub const CONNECTIONS_CLOSING: u64 = 32;

/// A minted certificate is valid for no longer than this, in seconds: ten years.
pub const VALIDITY_S_MAX: u64 = 3650 * 24 * 3600;

const _: () = assert!(ROUTE_BACKENDS_MAX <= RETRIES_MAX as usize + 1, "retries can reach every backend of a route");
const _: () = assert!(CERTIFICATES_MAX <= u16::MAX as usize, "a route names a certificate by a u16");
const _: () = assert!(CERTIFICATE_LEN_MAX * CHAIN_MAX + KEY_LEN_MAX < BUNDLE_LEN_MAX, "the longest chain and its key fit a bundle");
