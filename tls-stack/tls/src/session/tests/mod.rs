//! The session against real clients and against raw bytes.

mod clients;
mod closing;
mod handshakes;
mod hostile;
mod records;
mod refusals;
mod replays;
mod resumption;
