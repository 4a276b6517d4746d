//! The simulator: the appliance between clients and backends, on virtual wires, in virtual time, from one seed.
//!
//! | module or type | what it is |
//! |---|---|
//! | [`Sim`], [`Setup`] | one run, and what it is made of |
//! | [`Cell`] | the appliance, with vectors for wires |
//! | [`Heap`] | what the appliance allocates, and which allocation fails |
//! | [`Clients`], [`Plan`], [`Outcome`] | rustls' own client on our stack: what each does, and what it has seen |
//! | [`Backends`], [`Manners`] | plain TCP backends, good and bad |
//! | [`Lane`], [`Faults`] | one direction of a link: latency, loss, duplicates, reordering |
//! | [`Finding`], [`Ending`] | what no frame may show, and what only a broken stack sends; who ended a connection |
//! | [`campaign`] | many runs, each thrown by one seed, and what must hold in all of them |
//! | [`Trace`] | what two runs are compared by |
//!
//! Nothing here reads a clock, sleeps, or opens a socket: hours pass in milliseconds.
#![forbid(unsafe_code)]

mod backend;
pub mod campaign;
mod cell;
mod client;
mod exchange;
mod heap;
mod host;
mod identity;
mod offer;
mod rng;
mod secrets;
mod signatures;
mod sim;
mod trace;
mod watch;
mod wire;

pub use backend::{Backends, Manners, reply_to};
pub use cell::Cell;
pub use client::{ClientEnd, Clients, Outcome, Plan, Speech, Talk, Then};
pub use heap::Heap;
pub use identity::{Dialect, Identity, Kind, Shown};
pub use rng::Rng;
pub use sim::{LATENCY, SERVER, Setup, Sim, backend, client, refusing};
pub use trace::Trace;
pub use watch::{Ending, Finding};
pub use wire::{Faults, Frame, Lane};
