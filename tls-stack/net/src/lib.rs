//! The network stack of a bountybox: a **doorman**, **flows**, and timers round smoltcp's TCP. Frames and `now` go in; frames, events and
//! a deadline come out. No clock, no socket, no thread; the same seed and the same inputs give the same bytes.
//!
//! | module | noun |
//! |---|---|
//! | [`Net`] | what the user holds: frames in, frames out, flows |
//! | `config`, `limits`, `event`, `counters`, `offload` | the words of its interface, and its bounds |
//! | [`Wheel`] | deadlines, at constant cost |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod bucket;
mod checksum;
mod config;
mod cookie;
mod counters;
mod dial;
mod engine;
mod event;
mod flow;
mod guard;
mod keys;
pub mod limits;
mod linger;
mod neighbor;
mod net;
pub mod offload;
mod outbox;
mod packet;
mod reply;
mod segment;
mod table;
mod wheel;

pub use config::{Cidr, Config, ConfigFault, Gateway, Limits, Listen, Trust};
pub use counters::Counters;
pub use event::{CloseReason, ConnectFault, Event, FlowGone, FlowId};
pub use net::Net;
pub use offload::Offload;
pub use wheel::{Timer, Wheel};
