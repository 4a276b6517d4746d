//! The ClientHello, looked at before any configuration is chosen.
//!
//! [`Assembler`] finds the message, however it was cut into segments and records; [`Hello`] is what a router needs of it. What is not
//! needed for that is not judged here: rustls gets the same message and judges all of it.
//!
//! Nothing here answers a peer, and nothing is kept beyond [`HELLO_LEN_MAX`](crate::limits::HELLO_LEN_MAX) bytes.

mod assemble;
mod demands;
mod parse;
mod replay;

pub(crate) use assemble::{Assembler, Step, not_tls};
pub(crate) use demands::check;
pub(crate) use replay::Cuts;
pub use replay::Replay;

use alloc::string::String;
use alloc::vec::Vec;

use crate::Version;

/// What a client says of itself and of whom it wants to reach.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hello {
    /// The server name, in lower case and valid as a DNS name; none if the client sent none, or an address in its place.
    pub server_name: Option<String>,
    /// The ALPN protocols in the client's order, as on the wire: each behind its length.
    alpn: Vec<u8>,
    /// True if the client speaks TLS 1.3.
    tls13: bool,
    /// True if the client speaks TLS 1.2.
    tls12: bool,
}

impl Hello {
    /// Reads a ClientHello, its four bytes of handshake header included.
    ///
    /// # Errors
    /// The alert to send: `decode_error` if it cannot be parsed, `illegal_parameter` if a field is out of range,
    /// `protocol_version` if the client speaks nothing from TLS 1.2 upwards.
    pub fn parse(message: &[u8]) -> Result<Self, crate::Alert> {
        parse::hello(message)
    }

    /// The application protocols that the client offers, in its order; bounded by
    /// [`ALPN_OFFERED_MAX`](crate::limits::ALPN_OFFERED_MAX).
    pub fn alpn(&self) -> impl Iterator<Item = &[u8]> + Clone {
        parse::Names(&self.alpn).take(crate::limits::ALPN_OFFERED_MAX)
    }

    /// True if the client speaks `version`.
    pub fn speaks(&self, version: Version) -> bool {
        match version {
            Version::Tls12 => self.tls12,
            Version::Tls13 => self.tls13,
        }
    }
}
