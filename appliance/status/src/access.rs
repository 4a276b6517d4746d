//! The record of one connection, written when it ends.

use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::limits::{ACCESS_LEN_MAX, ALPN_LEN_MAX, NAME_LEN_MAX, SUBJECT_LEN_MAX};
use crate::reason::{End, Failure};

/// See the module. Texts are a peer's own words: whoever prints them escapes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access<'a> {
    /// Which connection of its cell: 1, 2, 3 and so on.
    pub serial: u64,
    /// The client, as the PROXY header names it where there was one.
    pub source: SocketAddr,
    /// The front end that sent the PROXY header, where there was one.
    pub front_end: Option<SocketAddr>,
    /// The name that the client asked for.
    pub server_name: Option<&'a str>,
    /// What the handshake agreed on; absent where none was completed.
    pub agreed: Option<Agreed<'a>>,
    /// The route's name, once one was chosen.
    pub route: Option<&'a str>,
    /// The backend as the guest knows it, once one took the connection.
    pub backend: Option<SocketAddr>,
    /// Whether TLS passed through: then nothing was agreed on here, and the bytes are those of the TCP streams.
    pub passed: bool,
    /// Plaintext from the client to the backend, in bytes.
    pub bytes_up: u64,
    /// Plaintext from the backend to the client, in bytes.
    pub bytes_down: u64,
    /// From the accepted flow to the end of the handshake, in microseconds.
    pub handshake_us: Option<u64>,
    /// From the end of the handshake to the backend's answer, in microseconds.
    pub connect_us: Option<u64>,
    /// From the accepted flow to the end, in microseconds.
    pub time_us: u64,
    /// How it ended.
    pub end: End,
    /// What was wrong, where something of TLS was.
    pub failure: Option<Failure>,
}

/// What a handshake agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed<'a> {
    /// The protocol version's number on the wire.
    pub version: u16,
    /// The cipher suite's number.
    pub suite: u16,
    /// The key exchange group's number; none where a TLS 1.2 session was resumed.
    pub group: Option<u16>,
    /// The application protocol.
    pub alpn: Option<&'a [u8]>,
    /// Whether a ticket took the place of a full handshake.
    pub resumed: bool,
    /// Whether a HelloRetryRequest was needed.
    pub retried: bool,
    /// The subject of the client's certificate, where it proved one.
    pub client: Option<&'a str>,
}

/// Why bytes are no access record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessFault {
    /// They are too long, too short, or not of this shape.
    Format,
    /// A text is longer than it may be.
    Length,
}

impl<'a> Access<'a> {
    /// Writes the record into `space`; `None` where it does not fit.
    #[must_use]
    pub fn encode<'s>(&self, space: &'s mut [u8; ACCESS_LEN_MAX]) -> Option<&'s [u8]> {
        postcard::to_slice(self, space).ok().map(|bytes| &*bytes)
    }

    /// Reads what [`encode`](Self::encode) has made, and believes none of it.
    ///
    /// # Errors
    /// [`AccessFault`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, AccessFault> {
        if bytes.len() > ACCESS_LEN_MAX {
            return Err(AccessFault::Format);
        }
        let (access, rest) = postcard::take_from_bytes::<Self>(bytes).map_err(|_| AccessFault::Format)?;
        if !rest.is_empty() {
            return Err(AccessFault::Format);
        }
        if access.is_bounded() { Ok(access) } else { Err(AccessFault::Length) }
    }

    fn is_bounded(&self) -> bool {
        let within = |text: Option<&str>, most| text.is_none_or(|text: &str| text.len() <= most);
        let agreed = self.agreed.as_ref();
        within(self.server_name, NAME_LEN_MAX)
            && within(self.route, NAME_LEN_MAX)
            && within(agreed.and_then(|agreed| agreed.client), SUBJECT_LEN_MAX)
            && agreed.and_then(|agreed| agreed.alpn).is_none_or(|alpn| alpn.len() <= ALPN_LEN_MAX)
    }
}

#[cfg(test)]
mod tests;
