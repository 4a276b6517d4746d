//! Routes: which connections go where, and how their backends are used.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Which connections go to which backends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// For people: in log, metrics and status. Not empty, at most [`ROUTE_NAME_LEN_MAX`](crate::limits::ROUTE_NAME_LEN_MAX) bytes, no two alike.
    pub name: String,
    /// Server names in lower case, exact or `*.name`; empty is the default route. Routes share a name only if their `alpn` lists have nothing in common.
    pub sni: Vec<String>,
    /// Protocols offered here, best first; empty is the list of [`Tls::alpn`](super::Tls::alpn), and any protocol where routes share a name.
    pub alpn: Vec<String>,
    /// Who ends TLS.
    pub mode: Mode,
    /// Indices into [`Bundle::certificates`](super::Bundle::certificates); the first that covers the name and suits the client is used.
    /// At least one; none where TLS passes through.
    pub certificates: Vec<u16>,
    /// Whether clients show certificates; never where TLS passes through.
    pub client: Option<ClientAuth>,
    /// Where the bytes go, as the guest sees it; at least one.
    pub backends: Vec<SocketAddr>,
    /// How the backends are used.
    pub upstream: Upstream,
    /// What a backend hears before the first byte.
    pub proxy: ProxyOut,
}

/// Who ends TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// We do; backends get plaintext.
    Terminate,
    /// The backend does; we read the hello and touch nothing.
    Passthrough,
}

/// What clients must show (RFC 8446 section 4.3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientAuth {
    /// Whether a client without a certificate is refused.
    pub required: bool,
    /// Certificates of the authorities, DER; at least one.
    pub roots: Vec<Vec<u8>>,
    /// Their revocation lists, DER; without any nothing is ever revoked. All of a bundle are no longer than
    /// [`CRLS_LEN_MAX`](crate::limits::CRLS_LEN_MAX) together.
    pub crls: Vec<Vec<u8>>,
    /// Allowed subject alternative names, as [`AltPattern`](crate::altname::AltPattern)s. With `subjects` empty too: anybody.
    pub names: Vec<String>,
    /// Allowed common names, in place of a name.
    pub subjects: Vec<String>,
}

/// How a route's backends are used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// Whose turn it is.
    pub balance: Balance,
    /// Connections at once to one backend; 0 is no limit.
    pub connections: u32,
    /// Clients that may wait for a backend with room; 0 is none.
    pub queue: u32,
    /// How long a client waits there.
    pub queue_timeout_ms: u64,
    /// Further attempts, at other backends, after one that failed.
    pub retries: u32,
    /// Active checks.
    pub check: Option<Check>,
    /// What failed attempts of clients tell.
    pub eject: Eject,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            balance: Balance::RoundRobin,
            connections: 0,
            queue: 128,
            queue_timeout_ms: 5_000,
            retries: 2,
            check: None,
            eject: Eject::default(),
        }
    }
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Balance {
    /// One after the other.
    RoundRobin,
    /// Who has fewest.
    LeastConnections,
    /// By the client's address: the same as long as it is up.
    SourceHash,
}

/// Active checks of backends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What is asked.
    pub kind: CheckKind,
    /// From one check to the next.
    pub interval_ms: u64,
    /// How long one may take.
    pub timeout_ms: u64,
    /// Good checks in a row that bring a backend up; not 0.
    pub rise: u32,
    /// Bad checks in a row that take it down; not 0.
    pub fall: u32,
}

/// What a check asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckKind {
    /// Whether a connection is taken.
    Tcp,
    /// What `GET` answers (HTTP/1.1).
    Http {
        /// Begins with `/`.
        path: String,
        /// The `Host` field.
        host: String,
        /// The first and the last status that is good.
        expect: (u16, u16),
    },
}

/// When a backend rests because clients could not reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eject {
    /// Failed attempts in a row; 0 is never.
    pub failures: u32,
    /// How long it rests.
    pub for_ms: u64,
}

impl Default for Eject {
    fn default() -> Self {
        Self { failures: 3, for_ms: 10_000 }
    }
}

/// What a backend hears before the first byte (the PROXY protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProxyOut {
    /// Nothing.
    Off,
    /// Version 1: a line of text.
    V1,
    /// Version 2: addresses.
    V2,
    /// Version 2, with what is known of TLS.
    V2Tls,
}
