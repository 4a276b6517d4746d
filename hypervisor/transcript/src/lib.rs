//! What TLS was spoken on a link: frames go in, one after the other, and connections with their messages come out.
//!
//! - [`Transcript`]: the connections of a link, found and followed; [`Connection`], [`Message`]: what comes of it, in words;
//! - `segment`: a frame as a TCP segment; `stream`: one direction of a connection, put in order; `records`: its bytes as TLS records;
//! - `talk`: records as messages; `hello`: what the two hellos say; `names`: numbers in IANA's words;
//! - [`limits`]: every bound.
//!
//! It has no keys and opens nothing: of what is encrypted it tells types and lengths. It believes nothing and never panics, whatever the frames hold.
//!
//! Nothing is parsed here that is parsed elsewhere already: packets by smoltcp, PROXY headers by `proxy`, hellos by `misbehave`, which reads them as they come. The reader of
//! `tls` is none for this: it refuses what is not to be served, and what was refused is what somebody who reads a recording wants to see. Names are those of `keys`.
//!
//! ```
//! use transcript::{Speaker, Transcript};
//! let mut transcript = Transcript::default();
//! transcript.frame(core::time::Duration::ZERO, Speaker::Client, b"no frame at all");
//! assert!(transcript.end().connections.is_empty());
//! ```
#![forbid(unsafe_code)]

mod hello;
pub mod limits;
mod message;
mod names;
mod records;
mod segment;
mod stream;
mod talk;
#[cfg(test)]
mod tests;
mod transcript;

pub use message::{Detail, Message, Speaker};
pub use transcript::{Connection, Told, Transcript};
