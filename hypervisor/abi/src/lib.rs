//! What the tender and the guest agree on, and nothing else.
//!
//! Tender and guest are built apart and meet only in shared memory, so everything that both must read the same way stands here:
//!
//! - [`hypercall`]: the numbers of the three hypercalls, of a contest's fourth, and of the crash gate;
//! - [`boot`]: the page that tells the guest where its memory lies;
//! - [`control`]: the page through which `wait` passes its deadline and the time;
//! - [`queue`]: how a batch of frames lies in a window;
//! - [`log`]: how log bytes lie in a window;
//! - [`mailbox`]: how the operator's words and the guest's answers lie in their windows;
//! - [`limits`]: every size that both sides rely on.
//!
//! All of it is `repr(C)`, little-endian, without padding, and without pointers that the tender would follow.
//! This crate holds no logic: what parses these bytes is `queue` (host and guest), `platform` (guest) and `tender` (host).
//!
//! ```
//! use abi::{hypercall, limits, queue};
//! // The queue's slots and its data fill the window exactly.
//! assert_eq!(queue::DATA_OFFSET + limits::QUEUE_DATA_LEN, limits::QUEUE_WINDOW_LEN);
//! assert!(hypercall::ALL.contains(&hypercall::WAIT));
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod boot;
pub mod control;
pub mod hypercall;
pub mod limits;
pub mod log;
pub mod mailbox;
pub mod queue;
