//! What a guest image is, and what instructions it holds, without running it.
//!
//! - [`report()`] reads a file, [`report_bytes`] what was read: both give a [`Report`], which prints as text and serialises as JSON;
//! - [`segment`]: what of the image is loaded, and with which permissions;
//! - [`audit`]: every instruction of every function, and those among them that a guest of ours never holds ([`forbidden`]).
//!
//! The image itself cannot make a hypercall, read a clock or a random number, or ask a kernel for anything: the report shows it. It is
//! evidence about what the compiler emitted, not the guest's prison: that is the machine.
//!
//! This crate never runs, maps or changes an image, and never panics, whatever the file holds.
//!
//! ```
//! assert_eq!(inspect::report_bytes(b"no image").unwrap_err(), inspect::Fault::NotElf);
//! ```
#![forbid(unsafe_code)]

pub mod audit;
pub mod forbidden;
pub mod limits;
mod report;
pub mod segment;
mod symbols;

pub use report::{Fault, Report, report, report_bytes};
