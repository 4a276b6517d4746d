//! The boot bundle: the configuration and the secrets that a cell gets once, at its start.
//!
//! The supervisor makes a [`Bundle`] and [`encode`](Bundle::encode)s it; the tender carries the bytes; the guest [`decode`](Bundle::decode)s
//! them. Both ends run the same [`check`](Bundle::check), so what one side cannot send the other would not take, and whoever holds a decoded bundle
//! may rely on every rule written beside the fields. Addresses are those that the *guest* sees. The encoding is a version and then postcard;
//! it is no archive format, for both ends are of one build. Encoded bytes and keys live in [`Secret`]s, made in buffers of their final size.
//!
//! ```
//! use keys::bundle::{Bundle, BundleFault};
//! assert_eq!(Bundle::decode(b"anything").unwrap_err(), BundleFault::Version);
//! ```

mod check;
mod contest;
mod fault;
mod memory;
mod route;
mod wire;

use alloc::{string::String, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::profile::Profile;
pub use contest::{Contest, Door, Flag, FlagTier, Role};
pub use fault::BundleFault;
pub use memory::Memory;
pub use route::{Balance, Check, CheckKind, ClientAuth, Eject, Mode, ProxyOut, Route, Upstream};

/// All that a cell is told.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The public link.
    pub front: Link,
    /// The private link, to the backends.
    pub back: Link,
    /// Where the guest listens on the front link; at least one, no two alike.
    pub listeners: Vec<Listener>,
    /// Chains and their keys; none only where all routes pass TLS through.
    pub certificates: Vec<Certificate>,
    /// Which connection goes where; at least one, at most one of them the default.
    pub routes: Vec<Route>,
    /// How TLS is spoken on all listeners.
    pub tls: Tls,
    /// What ticket keys are derived from; without it, fresh randomness of each start.
    pub ticket_key: Option<TicketKey>,
    /// What one peer, and all together, may take; no more than the memory holds ([`Memory::holds`]).
    pub limits: Limits,
    /// What the cell itself may take.
    pub memory: Memory,
    /// What a box that is there to be broken serves besides.
    pub contest: Option<Contest>,
}

/// One of the cell's two networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What stands at the other end of the link.
    pub kind: LinkKind,
    /// The guest's hardware address: unicast, not zero.
    pub mac: [u8; 6],
    /// The guest's addresses; at least one.
    pub addresses: Vec<Cidr>,
    /// Where packets to other networks go; at most [`GATEWAYS_MAX`](crate::limits::GATEWAYS_MAX).
    pub gateways: Vec<Gateway>,
    /// The largest IP packet that is not offloaded, in bytes; at least [`MTU_MIN`](crate::limits::MTU_MIN).
    pub mtu: u16,
    /// Whether the other end takes segments of up to 64 KiB and unfinished checksums.
    pub offload: bool,
}

/// What stands at the other end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkKind {
    /// The tender's own TCP, behind which host sockets are.
    User,
    /// A TAP, and behind it anybody.
    Wire,
}

/// An address and the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cidr {
    /// Unicast, not loopback.
    pub address: IpAddr,
    /// At most 32 or 128.
    pub prefix_len: u8,
}

/// A router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Unicast, not loopback, of a family that the link has an address of.
    pub address: IpAddr,
    /// Its hardware address if it is pinned; else it is asked for (ARP, NDP).
    pub mac: Option<[u8; 6]>,
}

/// A place to listen, as the guest sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// One of the front link's addresses; `None` is all of them.
    pub address: Option<IpAddr>,
    /// Not zero.
    pub port: u16,
    /// What others know it as, where the guest's own address means nothing to them.
    pub known_as: Option<SocketAddr>,
    /// Front ends whose connections begin with a PROXY header; at most [`PROXIES_MAX`](crate::limits::PROXIES_MAX).
    pub proxy_from: Vec<Cidr>,
}

/// A certificate chain and its key.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// DER, leaf first; at least the leaf.
    pub chain: Vec<Vec<u8>>,
    /// DER: PKCS#8, SEC1 or PKCS#1; what [`Signer::from_der`](crate::Signer::from_der) takes.
    #[serde(with = "wire::secret")]
    pub key: Secret<Vec<u8>>,
    /// The leaf's DNS names in lower case, wildcards among them.
    pub names: Vec<String>,
}

/// What several boxes share, so that one resumes the sessions of another.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketKey {
    /// [`TICKET_KEY_LEN`](crate::limits::TICKET_KEY_LEN) bytes.
    #[serde(with = "wire::secret")]
    pub secret: Secret<Vec<u8>>,
}

/// How TLS is spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// Protocols (ALPN) offered where a route names none, best first; empty offers none.
    pub alpn: Vec<String>,
    /// How long a session ticket is good for, in seconds; 0 issues none.
    pub ticket_lifetime_s: u32,
    /// How often a new ticket key is taken, in seconds; at least [`TICKET_ROTATION_S_MIN`](crate::limits::TICKET_ROTATION_S_MIN), and the lifetime at most
    /// [`TICKET_KEYS_MAX`](crate::limits::TICKET_KEYS_MAX) times as long.
    pub ticket_rotation_s: u32,
    /// The oldest version that is spoken.
    pub min_version: Version,
    /// Cipher suites by their IANA numbers, out of [`SUITES`](crate::profile::SUITES), best first; at least one.
    pub suites: Vec<u16>,
    /// Key exchange groups by their IANA numbers, out of [`GROUPS`](crate::profile::GROUPS), best first; at least one.
    pub groups: Vec<u16>,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            alpn: Vec::new(),
            ticket_lifetime_s: 2 * 3600,
            ticket_rotation_s: 3600,
            min_version: Profile::default().min_version(),
            suites: Profile::default().suites(),
            groups: Profile::default().groups(),
        }
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Version {
    /// RFC 5246, with ECDHE and AEAD only.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// What one peer, and all together, may take. No field is zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// From the TCP connection to the client's first byte.
    pub first_byte_timeout_ms: u64,
    /// From the TCP connection to the end of the TLS handshake.
    pub handshake_timeout_ms: u64,
    /// Without a byte in either direction.
    pub idle_timeout_ms: u64,
    /// A connection in all.
    pub lifetime_ms: u64,
    /// After one side has said its last, how long the other may still be quiet.
    pub half_close_timeout_ms: u64,
    /// How long a peer that bytes wait for may take less than a segment of them.
    pub stall_timeout_ms: u64,
    /// After SIGTERM, how long connections may still take.
    pub drain_timeout_ms: u64,
    /// Until a backend has answered.
    pub connect_timeout_ms: u64,
    /// Connections at once.
    pub connections: u32,
    /// Connections at once from one source (an IPv4 address or an IPv6 /64).
    pub connections_per_source: u32,
    /// New connections a second from one source, as a long-run mean.
    pub new_per_source_per_s: u32,
    /// New connections a second in all, as a long-run mean.
    pub new_per_s: u32,
    /// Connections at once whose hello is not whole yet.
    pub waiting: u32,
    /// Handshakes at once, from the whole hello on.
    pub handshakes: u32,
    /// Refusals a second that are logged; the rest is counted.
    pub log_per_s: u32,
}

/// The documented defaults.
impl Default for Limits {
    fn default() -> Self {
        Self {
            first_byte_timeout_ms: 5_000,
            handshake_timeout_ms: 10_000,
            idle_timeout_ms: 300_000,
            lifetime_ms: 24 * 3600 * 1000,
            half_close_timeout_ms: 60_000,
            stall_timeout_ms: 30_000,
            drain_timeout_ms: 1_500,
            connect_timeout_ms: 5_000,
            connections: Memory::CONNECTIONS_DEFAULT,
            connections_per_source: 2_048,
            new_per_source_per_s: 1_000,
            new_per_s: 20_000,
            waiting: 8_192,
            handshakes: Memory::HANDSHAKES_DEFAULT,
            log_per_s: 20,
        }
    }
}

#[cfg(test)]
mod tests;
