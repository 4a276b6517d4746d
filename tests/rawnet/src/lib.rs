//! Frames of any shape onto an interface and back off it, and a TCP peer in user space that does what it is told: what attackers below TLS are made of.
//!
//! Nothing here is polite. A builder writes what its fields say, right or wrong; a parser takes what comes and says what it found. No kernel stands
//! between a [`Peer`] and its victim, so no kernel answers for it: a half connection stays half, a RST is sent when the test says so. The addresses are of
//! hosts that do not exist but for their frames.
//!
//! - [`Wire`]: a packet socket on one interface of this thread's network namespace;
//! - [`Path`] and [`End`]: from whom to whom, link addresses included;
//! - [`Segment`], [`ipv4::Header`], [`ipv6`], [`icmp`], [`arp`]: what to send;
//! - [`Seen`]: what came;
//! - [`relay`]: a wire that is no good;
//! - [`Peer`]: one TCP connection, every step of which is the caller's.
//!
//! ```
//! use rawnet::{End, Path, Segment, Seen, flag};
//!
//! let attacker = End { mac: [2, 0, 0, 0, 0, 1], address: "192.0.2.1".parse()?, port: 4000 };
//! let victim = End { mac: [2, 0, 0, 0, 0, 2], address: "192.0.2.2".parse()?, port: 443 };
//! let frame = Path { from: attacker, to: victim }.tcp(&Segment { flags: flag::SYN, sequence: 7, ..Segment::default() });
//! let seen = Seen::parse(&frame).ok_or("not a frame")?;
//! assert_eq!(seen.tcp().map(|tcp| (tcp.flags, tcp.sequence)), Some((flag::SYN, 7)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod arp;
pub mod checksum;
pub mod icmp;
pub mod ipv4;
pub mod ipv6;
mod path;
mod peer;
pub mod relay;
mod seen;
mod tcp;
pub mod wire;

pub use path::{End, Path, ethernet};
pub use peer::Peer;
pub use seen::{Arp, Icmp, Packet, Seen, Sum, Tcp};
pub use tcp::{Segment, flag, option};
pub use wire::Wire;

/// A link address.
pub type Mac = [u8; 6];

/// Everybody on the link.
pub const BROADCAST: Mac = [0xff; 6];

/// Numbers of the protocols in an IP header (RFC 5237).
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
}

/// Types of Ethernet frames.
pub mod ethertype {
    /// IPv4.
    pub const IPV4: u16 = 0x0800;
    /// ARP.
    pub const ARP: u16 = 0x0806;
    /// IPv6.
    pub const IPV6: u16 = 0x86dd;
}
