//! From whom to whom: link addresses, IP addresses, ports. A path wraps what it is given into whole frames.

use core::net::{IpAddr, SocketAddr};

use crate::tcp::Segment;
use crate::{Mac, ethertype, ipv4, ipv6, protocol};

/// One end of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Where its frames come from or go to.
    pub mac: Mac,
    /// Its IP address.
    pub address: IpAddr,
    /// Its port, where there are ports.
    pub port: u16,
}

impl End {
    /// Address and port.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }

    /// The same host at another port.
    #[must_use]
    pub fn at(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Another address behind the same link address.
    #[must_use]
    pub fn posing_as(self, address: IpAddr) -> Self {
        Self { address, ..self }
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// Who sends.
    pub from: End,
    /// Who receives.
    pub to: End,
}

impl Path {
    /// A frame with a TCP segment.
    #[must_use]
    pub fn tcp(&self, segment: &Segment) -> Vec<u8> {
        self.ip(protocol::TCP, &segment.bytes(self.from.socket(), self.to.socket()))
    }

    /// A frame with an IP packet as everybody sends it.
    #[must_use]
    pub fn ip(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        match (self.from.address, self.to.address) {
            (IpAddr::V4(from), IpAddr::V4(to)) => self.frame(ethertype::IPV4, &ipv4::Header::new(from, to, protocol).packet(payload)),
            (IpAddr::V6(from), IpAddr::V6(to)) => self.frame(ethertype::IPV6, &ipv6::Header::new(from, to, protocol).packet(payload)),
            _ => Vec::new(),
        }
    }

    /// A frame with anything in it.
    #[must_use]
    pub fn frame(&self, kind: u16, payload: &[u8]) -> Vec<u8> {
        ethernet(self.to.mac, self.from.mac, kind, payload)
    }

    /// The way back.
    #[must_use]
    pub fn back(&self) -> Self {
        Self { from: self.to, to: self.from }
    }
}

/// An Ethernet frame, not padded.
#[must_use]
pub fn ethernet(to: Mac, from: Mac, kind: u16, payload: &[u8]) -> Vec<u8> {
    [&to[..], &from, &kind.to_be_bytes(), payload].concat()
}
