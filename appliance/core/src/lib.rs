//! The pure core of the appliance: frames and the time go in, frames and a deadline come out.
//!
//! It knows no device, no clock, no thread and no randomness but its seed. What it is given determines what it does, so the unikernel, the
//! simulator and the replayer drive the same function.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Appliance`] | the one function: `step` |
//! | [`Wires`] | what a step reads and writes |
//! | [`report`] | what happened, as typed records |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod appliance;
mod counters;
pub mod report;
mod router;
mod wires;

pub use appliance::{Appliance, StartFault};
pub use counters::{Counters, Ends, Refusals};
pub use report::Report;
pub use router::RouteId;
pub use wires::{Deadline, Link, Now, Room, Wires};
