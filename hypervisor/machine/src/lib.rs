//! The machines that run a guest.
//!
//! - [`image`]: the guest's ELF file, parsed into a type that cannot be wrong;
//! - [`layout`]: where everything lies in the guest's address space, drawn anew for each boot;
//! - [`memory`]: the memory behind it; [`space`]: both together, filled;
//! - [`cell`]: one guest on one machine, in states: only a jailed cell runs;
//! - [`contest`]: what is there to be won from a guest, if anything;
//! - `kvm` and `process`: the two machines, which behave alike;
//! - [`rewind`]: a cell that is brought back to where it stood, again and again;
//! - [`exit`]: how a guest's turn ends; [`fault`]: what the host may do wrong; [`limits`]: every bound;
//! - [`host`]: raw host calls that the tender needs behind safe functions.
//!
//! Tender and guest never run at the same time. The windows of a cell are plain slices, borrowed from the cell while its guest stands.
//! This crate never looks into a frame, never parses what the guest wrote, and never decides policy: that is the tender's.
//!
//! ```
//! use machine::{Image, ImageFault};
//! assert_eq!(Image::parse(b"no ELF file").err(), Some(ImageFault::NotElf));
//! ```
#![expect(unsafe_code, reason = "one of the two crates that may; see docs/unsafe.md")]

pub mod cell;
pub mod contest;
pub mod exit;
pub mod fault;
pub mod host;
pub mod image;
mod kvm;
pub mod layout;
pub mod limits;
pub mod memory;
mod process;
pub mod rewind;
pub mod space;

pub use cell::{Allow, Cell, Jailed, Kind, Loaded, MissingWall};
pub use contest::Contest;
pub use exit::{Cause, Crash, Exit, Registers};
pub use fault::{HostFault, LoadFault};
pub use image::{Image, ImageFault};
pub use rewind::Rewinder;
pub use space::{Draw, Parcel};
