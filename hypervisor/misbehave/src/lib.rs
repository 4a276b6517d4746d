//! A judge of TLS clients: a server that answers wrongly by script, and says of each client whether it noticed.
//!
//! | module | what it is about |
//! |---|---|
//! | [`judge`] | who is judged of what: a listener, a client's command, and the judgement |
//! | [`catalogue`], [`misbehaviour`] | every misbehaviour: what is wrong, and what forbids it |
//! | [`verdict`] | what a client is found to have done |
//! | [`wire`], [`hello`] | records, messages, keys; what a client offers |
//! | [`authority`] | who signs certificates, honest and not |
//! | [`limits`] | every bound of this crate |
//!
//! It speaks TLS 1.3 and 1.2 by code of its own, in which every message can be wrong on purpose; what is said wrongly stands in the transcript as it was
//! said, so that a careless client completes the handshake and is caught at its first word. What can go wrong only when a client comes back is said to
//! its second connection, behind an honest one. It is for judging clients and serves nobody anything: its keys are made anew each time, and nothing that
//! a client sends is kept.
//!
//! ```
//! let expired = misbehave::catalogue::find("expired").expect("there");
//! assert_eq!(expired.rfc, "RFC 5280 6.1.3 (a)(2)");
//! ```
#![forbid(unsafe_code)]

pub mod authority;
pub mod catalogue;
mod conversation;
mod greeting;
pub mod hello;
pub mod judge;
pub mod limits;
pub mod misbehaviour;
mod session;
mod v12;
mod v13;
pub mod verdict;
pub mod wire;
