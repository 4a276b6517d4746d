//! The pure core of the appliance: frames and the time go in, frames and a deadline come out.
//!
//! It knows no device, no clock, no thread and no randomness but its seed. What it is given determines what it does, so the unikernel, the
//! simulator and the replayer drive the same function.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Appliance`] | the one function: `step` |
//! | [`Wires`], [`Now`], [`Deadline`] | what a step reads and writes |
//! | [`report`], [`Counters`] | what happened, as typed records and as numbers |
//! | `snapshot`, `access` | the same in the words of [`status`], for whoever is outside the cell |
//! | [`limits`] | every bound of this crate |
//! | `start` | from a bundle to links, routes and budgets |
//! | `makings` | what TLS configurations are made with, and what outlives them |
//! | `admission`, `source`, `crowd`, `rate` | who may come in, and who makes way |
//! | `router`, `routes` | from a server name to a TLS configuration and a pool of backends |
//! | `upstream` | who takes a connection, who waits, who is down |
//! | `connection` | one client's connection: a state machine of consuming states |
//! | `lobby` | what is behind the doors of a contest |
//! | `doors` | the listeners, and the front ends that speak for others there |
//! | `table`, `flows`, `ready` | which connections there are, whose flow is whose, who has something to do |
//!
//! One turn of whoever drives it:
//! ```
//! use appliance::{Appliance, Deadline, Now, Report, Wires};
//!
//! fn turn(appliance: &mut Appliance, wires: &mut dyn Wires, now: Now, log: &mut dyn FnMut(Report)) -> Deadline {
//!     let deadline = appliance.step(now, wires);
//!     while let Some(report) = appliance.poll_report() {
//!         log(report);
//!     }
//!     deadline
//! }
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod access;
mod admission;
mod appliance;
mod connection;
mod counters;
mod crowd;
mod doors;
mod flows;
mod gate;
mod generation;
mod heard;
pub mod limits;
mod lobby;
mod log;
mod makings;
mod pace;
mod rate;
mod ready;
mod reload;
pub mod report;
mod router;
mod routes;
mod seeds;
mod snapshot;
mod source;
mod start;
mod table;
mod tallies;
mod times;
mod upstream;
mod wires;
mod world;

pub use appliance::Appliance;
pub use counters::{Counters, Ends, Refusals, Timeouts};
pub use lobby::DoorFault;
pub use reload::ReloadFault;
pub use report::Report;
pub use router::{RouteId, RouterFault};
pub use start::StartFault;
/// Secrets of sessions, which are given away: see [`tls::keylog`].
#[cfg(feature = "keylog")]
pub use tls::keylog;
pub use upstream::{BackendState, BackendView, PoolView};
pub use wires::{Deadline, Filled, Link, Now, Room, Wires};
