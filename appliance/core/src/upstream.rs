//! The backends: who takes the next connection, who waits, who is down.
//!
//! | module | noun |
//! |---|---|
//! | `pools` | all pools and all backends of a cell, over reloads |
//! | `pool`, `balance`, `line` | one route's backends: the choice among them, and the clients that wait |
//! | `backend`, `health`, `ejection` | one backend: what is known of it |
//! | `lease` | a connection's place at a backend, given back when it is dropped |
//! | `check`, `probe`, `status_line`, `jitter` | asking backends whether they are there |
//!
//! All but `check` and `probe` are pure: time and outcomes come in, choices go out. What a client can cause never takes a backend out: only connection
//! attempts that the backend did not take count against it, and its checks. And ejection never empties a pool: backends that rest are asked again
//! when no other is left. Only checks can say that a route has no backend at all.

mod backend;
mod balance;
mod check;
mod ejection;
mod health;
mod jitter;
mod lease;
mod line;
mod pool;
mod pools;
mod probe;
mod status_line;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use backend::BackendId;
pub(crate) use lease::Lease;
pub(crate) use line::Ticket;
pub(crate) use pool::{Denial, PoolId, Seeker};
pub(crate) use pools::{Grant, Pools};
pub use view::{BackendState, BackendView, PoolView};
