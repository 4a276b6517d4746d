//! TLS sessions round rustls, without I/O: bytes come in, bytes and events go out.
//!
//! | module or type | what it is |
//! |---|---|
//! | [`Session`] | one connection: hello, handshake, traffic, end |
//! | [`Hello`] | what the client says before a configuration is chosen: server name, ALPN, versions |
//! | [`Replay`] | a hello given back as it came, for who passes TLS on untouched |
//! | [`Config`] | one route's certificates, protocols, versions and tickets |
//! | [`Caller`] | how the box is a client: whose certificate it takes, which one it shows |
//! | [`Provider`] | the suites and groups that may be negotiated, X25519MLKEM768 first |
//! | [`X25519MlKem768`] | the hybrid group, of an X25519 and a source of randomness |
//! | [`Identity`] | a certificate chain with its key and its names |
//! | [`Clients`], [`Servers`], [`PeerCertificate`] | whose certificates are taken at either end, and whose was shown |
//! | [`TicketKeys`] | the keys of session tickets, over configurations |
//! | [`Clock`] | unix time as the owner last set it |
//! | [`Event`], [`Fault`], [`Alert`] | what happened, why it ended, and what the peer was told |
//! | [`limits`] | every bound of this crate |
//!
//! rustls does the handshakes. At the server's end the ClientHello is read here first, so that a router can choose the configuration; at both
//! ends records of an established session are sealed and opened here, in the caller's memory, with keys taken over from rustls. This crate
//! never panics whatever a peer sends, never reads a clock or a socket, and writes no key anywhere (but with the feature `keylog`, which no
//! image that serves has).
//!
//! ```
//! use tls::{Alert, Event, Fault, Foreign, Session};
//!
//! let mut session = Session::new();
//! let mut bytes = *b"GET / HTTP/1.1\r\n\r\n";
//! assert_eq!(session.receive(&mut bytes, &mut Vec::new()), bytes.len());
//! assert_eq!(session.poll_event(), Some(Event::Fault(Fault::PeerNotTls(Foreign::Http, Alert::UNEXPECTED_MESSAGE))));
//!
//! let mut out = [0; 64];
//! let len = session.poll_transmit(&mut out);
//! assert_eq!(out[..len], [21, 3, 3, 0, 2, 2, 10]);
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod alert;
mod caller;
mod certificates;
mod clients;
mod clock;
mod config;
mod event;
mod handshake;
mod hello;
mod hybrid;
#[cfg(feature = "keylog")]
pub mod keylog;
pub mod limits;
mod outbox;
mod provider;
mod random;
mod record;
mod session;
mod sink;
#[cfg(test)]
mod testing;
mod ticketer;
mod traffic;

pub use alert::{Alert, Refusal};
pub use caller::{Caller, CallerParts};
pub use certificates::Identity;
pub use clients::{ClientCertificate, Clients, ClientsFault, PeerCertificate, Servers};
pub use clock::Clock;
pub use config::{Config, ConfigFault, ConfigParts, Tickets};
pub use event::{CertificateFault, Event, Fault, Foreign, Own, Summary, Version};
pub use hello::{Hello, Replay};
pub use hybrid::X25519MlKem768;
pub use provider::{Provider, ProviderFault};
pub use session::{Sent, Session};
pub use sink::Sink;
pub use ticketer::{TicketKeys, TicketTimes};
