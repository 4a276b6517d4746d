//! The guest image: what makes an appliance out of the pure core and the platform.
//!
//! - [`serve`]: start-up, and the event loop;
//! - [`wires`]: the core's frames in the queues' windows;
//! - [`mailbox`], [`status`]: the operator's letters, and what they are answered;
//! - [`record`]: the core's reports as lines of the log; `secrets`: those of sessions, in an image that is there to give them away.
//!
//! It never touches memory that it does not own, knows no time but what a turn begins with, and has no `unsafe`.
#![cfg_attr(guest, no_std, no_main)]
#![forbid(unsafe_code)]

#[cfg(guest)]
extern crate alloc;

#[cfg(guest)]
mod mailbox;
#[cfg(guest)]
mod record;
#[cfg(all(guest, feature = "keylog"))]
mod secrets;
#[cfg(guest)]
mod serve;
#[cfg(guest)]
mod status;
#[cfg(guest)]
mod wires;

#[cfg(guest)]
platform::entry!(serve::serve);

/// On the host there is nothing to run; `appliance/build-image` builds the image.
#[cfg(not(guest))]
fn main() {}
