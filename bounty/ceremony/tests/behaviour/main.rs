//! The ceremony from outside: what is minted, what is not written, the folder, and witnesses.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not there")]

mod amended;
mod destroyed;
mod folder;
mod minted;
mod witness;
mod written;
