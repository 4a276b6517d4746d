//! The session against real clients and against raw bytes.

mod clients;
mod closing;
mod dialling;
mod handshakes;
mod hostile;
mod liars;
mod matrix;
mod records;
mod refusals;
mod replays;
mod resumption;
mod servers;
