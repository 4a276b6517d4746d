//! Frame queues, and mailboxes, over a window of shared memory.
//!
//! A window is a byte slice that its holder alone may touch: tender and guest take turns (lock-step), and each borrows the window only
//! in its own turn. [`Batch`] fills a queue's window, [`frames()`] reads it; [`post`] and [`letter()`] do the same for a mailbox. What the other side wrote is an allegation: the count and every
//! length are checked against the window before a byte is looked at, and the first that does not fit ends the batch.
//!
//! This crate never looks into a frame or a letter, never allocates, and never panics, whatever the window holds.
//!
//! ```
//! use queue::{Batch, Offload, frames};
//! let mut window = vec![0; abi::limits::QUEUE_WINDOW_LEN];
//! let mut batch = Batch::new(&mut window)?;
//! batch.push(b"frame", Offload::default())?;
//! let read: Vec<_> = frames(&window)?.map(|frame| frame.map(|f| f.bytes)).collect();
//! assert_eq!(read, [Ok(&b"frame"[..])]);
//! # Ok::<(), queue::Fault>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod batch;
mod frames;
mod letter;
mod offload;

pub use batch::Batch;
pub use frames::{Frame, Frames, clear, frames};
pub use letter::{Letter, discard, letter, post};
pub use offload::Offload;

/// Why a window, a batch or a frame was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The window is shorter than [`abi::limits::QUEUE_WINDOW_LEN`], or than a mailbox's header.
    WindowTooShort,
    /// The other side claims more slots than a queue has.
    PeerCount,
    /// The other side claims a frame that is empty or longer than [`abi::limits::FRAME_LEN_MAX`], or a frame or letter that reaches beyond
    /// the window.
    PeerLength,
    /// The batch has no slot or no room left: hand it over first. Or a letter does not fit its window.
    Full,
    /// The frame to be queued is empty or longer than [`abi::limits::FRAME_LEN_MAX`].
    FrameLength,
}
