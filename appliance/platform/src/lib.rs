//! All that the guest needs beneath it, and all the `unsafe` that the guest has.
//!
//! The image runs in ring 3 with nothing underneath: no kernel, no C library, no loader. This crate turns what the tender maps into safe
//! Rust values, and what Rust expects of a platform into code:
//!
//! - `entry!`: where the machine starts the guest; checks the boot info before it believes it ([`layout`]);
//! - [`Start`] and [`Platform`]: the guest's memory as slices, before and after start-up is over ([`window`]);
//! - [`drbg`]: the generator that every random byte comes from, and the symbol through which `ring` asks for them;
//! - [`heap`]: the global allocator, which never touches memory that nobody has used;
//! - [`log`]: the bounded, lossy log that defmt writes to;
//! - [`copy`]: `memcpy` and its family;
//! - the panic handler, which says its last words to the log.
//!
//! The pieces that end in symbols (`_start`, `memcpy`, the allocator, the panic handler) exist in the image alone, under `cfg(guest)`,
//! which `appliance/build-image` sets. The logic beneath them is the same code on the host, where its tests run.
//!
//! What it never does: read a clock or a random number from the processor, start a thread, or keep a borrow of shared memory across
//! [`Platform::wait`].
//!
//! ```
//! use platform::drbg::Drbg;
//! let mut seeded = Drbg::new([7; 32]);
//! let (mut one, mut two) = ([0; 16], [0; 16]);
//! seeded.fill(&mut one);
//! seeded.fill(&mut two);
//! assert_ne!(one, two);
//! ```
//!
//! # Invariants of the unsafe code
//! 1. The guest has one thread and no interrupts, so nothing runs between two instructions of ours but the tender inside the gate.
//! 2. The boot info is the tender's, and the tender is trusted with the guest's memory as a kernel would be: every region that passed
//!    [`layout::Layout::check`] is mapped as the abi says until the guest ends (seed and bundle: until `sealed`).
//! 3. Each region becomes a slice in one place, which has one owner.
#![no_std]
#![expect(unsafe_code, reason = "this crate is where the guest's unsafe lives; docs/unsafe.md counts it")]

#[cfg(test)]
extern crate std;

pub mod clock;
pub mod copy;
pub mod drbg;
pub mod gate;
pub mod heap;
#[cfg(any(guest, test))]
mod last_words;
pub mod layout;
pub mod log;
mod platform;
#[cfg(any(guest, test))]
mod sole;
pub mod window;

#[cfg(guest)]
mod entropy;
#[cfg(guest)]
pub mod entry;
#[cfg(guest)]
mod logger;
#[cfg(guest)]
mod note;
#[cfg(guest)]
mod panic;
#[cfg(guest)]
mod symbols;

#[cfg(guest)]
pub use logger::room as log_room;
pub use platform::{LinkWindows, MailboxWindows, Now, Platform, Request, Start, Turn, Until};
