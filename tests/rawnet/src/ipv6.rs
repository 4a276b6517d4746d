//! IPv6 headers and extension headers (RFC 8200), honest unless told otherwise.

use core::net::Ipv6Addr;

/// Hop-by-hop options.
pub const HOP_BY_HOP: u8 = 0;
/// Routing.
pub const ROUTING: u8 = 43;
/// Fragment.
pub const FRAGMENT: u8 = 44;
/// Authentication (RFC 4302).
pub const AUTHENTICATION: u8 = 51;
/// Nothing follows.
pub const NO_NEXT: u8 = 59;
/// Destination options.
pub const DESTINATION: u8 = 60;
/// Mobility (RFC 6275).
pub const MOBILITY: u8 = 135;

/// A header.
#[derive(Debug, Clone)]
pub struct Header {
    /// Source.
    pub from: Ipv6Addr,
    /// Destination.
    pub to: Ipv6Addr,
    /// What comes next.
    pub next: u8,
    /// Hop limit.
    pub hop_limit: u8,
    /// Version, traffic class and flow label.
    pub first_word: u32,
    /// What the packet says of its payload's length; `None` is the truth.
    pub len: Option<u16>,
}

impl Header {
    /// As everybody sends it.
    #[must_use]
    pub fn new(from: Ipv6Addr, to: Ipv6Addr, next: u8) -> Self {
        Self { from, to, next, hop_limit: 64, first_word: 0x6000_0000, len: None }
    }

    /// The header and its payload.
    #[must_use]
    pub fn packet(&self, payload: &[u8]) -> Vec<u8> {
        let len = self.len.unwrap_or_else(|| u16::try_from(payload.len()).unwrap_or(u16::MAX));
        let head = [&self.first_word.to_be_bytes()[..], &len.to_be_bytes(), &[self.next, self.hop_limit]].concat();
        [&head[..], &self.from.octets(), &self.to.octets(), payload].concat()
    }

    /// The same with extension headers between: each is a kind, and its bytes behind the two that name the next kind and the length.
    #[must_use]
    pub fn packet_behind(&self, extensions: &[(u8, Vec<u8>)], payload: &[u8]) -> Vec<u8> {
        let mut chain = Vec::new();
        for (n, (kind, body)) in extensions.iter().enumerate() {
            let next = extensions.get(n + 1).map_or(self.next, |(kind, _)| *kind);
            chain.extend_from_slice(&extension(*kind, next, body));
        }
        let first = extensions.first().map_or(self.next, |(kind, _)| *kind);
        Self { next: first, ..self.clone() }.packet(&[&chain[..], payload].concat())
    }
}

/// One extension header. `body` should be 6 bytes more than a multiple of 8.
fn extension(kind: u8, next: u8, body: &[u8]) -> Vec<u8> {
    let units = (body.len() + 2).div_ceil(8).saturating_sub(1);
    // RFC 4302 section 2.2 counts in words, less two; a fragment header has no length.
    let len = match kind {
        AUTHENTICATION => (body.len() + 2) / 4 - 2,
        FRAGMENT => 0,
        _ => units,
    };
    [&[next, u8::try_from(len).unwrap_or(u8::MAX)], body].concat()
}

/// The body of a fragment header: offset in units of 8 bytes.
#[must_use]
pub fn fragment(offset: u16, more: bool, id: u32) -> Vec<u8> {
    [&(offset << 3 | u16::from(more)).to_be_bytes()[..], &id.to_be_bytes()].concat()
}

/// A body of options that is nothing but padding (`PadN`), `len` bytes long, 2 to 257.
#[must_use]
pub fn padding(len: usize) -> Vec<u8> {
    let mut body = vec![0; len.max(2)];
    body[0] = 1;
    body[1] = u8::try_from(len.saturating_sub(2)).unwrap_or(u8::MAX);
    body
}

/// The body of a routing header of type 0 that leads through `by` (RFC 5095 forbids it).
#[must_use]
pub fn routing_0(by: &[Ipv6Addr]) -> Vec<u8> {
    let mut body = vec![0, u8::try_from(by.len()).unwrap_or(u8::MAX), 0, 0, 0, 0];
    by.iter().for_each(|hop| body.extend_from_slice(&hop.octets()));
    body
}
