//! TLS as it looks on the wire, for those who say it wrongly on purpose: records, messages, keys. The judge speaks it as a server; the attackers in
//! `tests/hostile` speak it as clients.
//!
//! Nothing here judges what comes or keeps a state of the protocol: whoever speaks decides what is said, and in which order.

pub mod bytes;
pub mod fault;
pub mod flight;
pub mod peer;
pub mod protection;
pub mod registry;
pub mod schedule;

pub use fault::Fault;
