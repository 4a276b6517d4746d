//! The PROXY protocol, versions 1 and 2: whose connection it is, said before its first byte.
//!
//! | type or function | what it is |
//! |---|---|
//! | [`Decoder`] | takes a header out of a stream, however it is cut, and not a byte more |
//! | [`Header`], [`Addresses`] | what it says |
//! | [`Fault`] | why it is none |
//! | [`line()`] | a header of version 1 |
//! | [`block()`], [`local_block`] | a header of version 2, with or without what is known of TLS ([`Known`], [`Tls`]) |
//! | [`limits`] | every bound of this crate |
//!
//! It follows HAProxy's `proxy-protocol.txt`; sections named here are of that text. Nothing here decides whom to believe: that is for
//! whoever owns the connection. Nothing panics whatever a peer sends, and a decoder's memory does not depend on it.
//!
//! ```
//! use proxy::{Addresses, Decoder, Header, line};
//!
//! let addresses = Addresses::new("192.0.2.7:51234".parse()?, "198.51.100.1:443".parse()?);
//! let line = line(&addresses);
//! assert_eq!(line, b"PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\n");
//!
//! let mut decoder = Decoder::default();
//! let stream = [line.as_slice(), b"what follows"].concat();
//! assert_eq!(decoder.receive(&stream), (line.len(), Ok(Some(Header::Client(addresses)))));
//! # Ok::<(), core::net::AddrParseError>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod addresses;
mod block;
mod checksum;
mod decode;
mod encode;
mod fault;
pub mod limits;
mod line;
mod tlv;

pub use addresses::Addresses;
pub use decode::{Decoder, Header};
pub use encode::{block, line, local_block};
pub use fault::Fault;
pub use tlv::{ClientCertificate, Known, Tls};
