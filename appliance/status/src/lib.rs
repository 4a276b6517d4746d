//! What a cell tells about itself: the types that guest and host share, and how they travel.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Status`] and its parts | every counter and gauge of a cell at one moment |
//! | [`Access`] | the record of one connection |
//! | [`End`], [`Failure`], [`Limit`], .. | the closed sets that counters are kept by, each with its stable name |
//! | [`Tally`] | counters by key that no peer can make grow beyond their capacity |
//! | [`names`] | suites, groups, versions and alerts by their registered names |
//! | [`limits`] | every bound, checked by both sides |
//!
//! The host reads these bytes as an allegation: [`Status::decode`] and [`Access::decode`] bound every length, refuse what is left over, and
//! never panic. Neither type holds a secret, and neither holds more of a peer's text than [`limits`] says.
//!
//! ```
//! use status::{Status, StatusFault};
//!
//! let bytes = Status { uptime_ms: 7, ..Status::default() }.encode();
//! assert_eq!(Status::decode(&bytes).unwrap().uptime_ms, 7);
//! assert_eq!(Status::decode(&bytes[1..]), Err(StatusFault::Format));
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod access;
pub mod limits;
mod link;
pub mod names;
mod reason;
mod snapshot;
mod tally;

pub use access::{Access, AccessFault, Agreed};
pub use link::{DropReason, Drops, Link};
pub use reason::{End, Failure, FailureKind, Limit};
pub use snapshot::{Backend, BackendState, Connections, HandshakeKind, Log, Memory, Phase, Route, Status, StatusFault, Work};
pub use tally::Tally;
