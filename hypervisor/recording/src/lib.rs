//! A recording: what a guest was given and what it gave, turn by turn, in a file that its operator alone can open.
//!
//! A guest knows nothing but what it is given at its start and between two turns, so this is all that it takes to run it again. Frames that it was given are kept
//! whole; of those that it sent a digest is kept, which is what a replay is compared with. docs/replay.md describes the format.
//!
//! - [`key`]: whom a recording is for; `age`: the encryption, as age's files have it; [`seal`], [`open`]: writing and reading such a file;
//! - [`event`]: what stands in it; [`mod@write`]: events as bytes; [`read`]: bytes as events, whatever they are;
//! - [`digest`]: what is kept of what the guest gave; [`pcap`]: frames for other people's tools; [`limits`]: every bound.
//!
//! It opens no file, runs no guest, and never panics whatever a file holds.
//!
//! ```
//! use recording::key::Identity;
//! use recording::open::{Ahead, Opener};
//! use recording::seal::Sealer;
//! let identity = Identity::from_bytes([7; 32]);
//! let mut sealer = Sealer::begin(Vec::new(), identity.recipient())?;
//! sealer.append(b"what was seen")?;
//! let file = sealer.finish()?;
//! let mut opener = Opener::begin(&file[..], &identity).map_err(|_| std::io::ErrorKind::InvalidData)?;
//! assert!(matches!(opener.advance(), Ok(Ahead::Whole)));
//! assert_eq!(opener.bytes(), b"what was seen");
//! # Ok::<(), std::io::Error>(())
//! ```
#![forbid(unsafe_code)]

mod age;
pub mod digest;
pub mod event;
pub mod key;
pub mod limits;
pub mod open;
pub mod pcap;
pub mod read;
pub mod seal;
pub mod write;

pub use age::HeaderFault;
