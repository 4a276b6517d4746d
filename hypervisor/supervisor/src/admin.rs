//! Seeing in, and asking for things, while a cell serves: metrics, status, health; reload and drain.
//!
//! - [`board`]: what the supervisor knows, and what is wished of it; between its watching thread and the ones here;
//! - `server`, `http`: a few connections at a time, each with one request and little time, on loopback or a Unix socket;
//! - `answer`: which path gets which answer;
//! - [`metrics`]: the families, and the text that Prometheus reads; `exposition` is its grammar;
//! - `table`, `document`: the status for people and for programs;
//! - `client`: `bountybox status`, `reload`, `drain`.
//!
//! The TCP address answers GET alone and changes nothing. What changes something comes by the Unix socket, which only its owner may open.
//! Nothing here holds a key or a client's bytes.

mod answer;
pub mod board;
pub(crate) mod client;
mod document;
mod exposition;
pub(crate) mod http;
pub mod metrics;
mod server;
mod table;

pub(crate) use server::Admin;
