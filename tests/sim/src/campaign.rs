//! Many runs, each thrown by one seed: what happens in it, when, and what must hold whatever happens.
//!
//! In the manner of TigerBeetle's VOPR and FoundationDB's simulation: which kinds of trouble a run has is thrown first, so that some have only one.
//!
//! - `scenario`: what may happen, as data;
//! - `throw`: a seed's scenario;
//! - `words`: what clients and backends say, so that whoever hears it knows whose it is and that nothing is missing;
//! - `voyage`: one run of a scenario;
//! - `judge`: what must hold at each turn, and at the end;
//! - `shrink`: the smallest part of a scenario that still fails.

mod judge;
mod scenario;
mod shrink;
mod throw;
mod voyage;
mod words;

pub use judge::{Complaint, Rule};
pub use scenario::{Act, Change, Scenario, Visit, What};
pub use shrink::shrink;
pub use throw::throw;
pub use voyage::{Logbook, sail};
