//! What the end-to-end tests are made of: a place, a box, backends, clients.
//!
//! Everything is real: the built `bountybox`, its guest image, a TAP device in a network namespace that the test makes, rustls with aws-lc-rs, and
//! Debian's curl, OpenSSL and GnuTLS. Traffic goes to loopback or into that namespace only.
//!
//! - [`Place`]: a machine and a net to run on, and its network namespace;
//! - [`Running`]: a started `bountybox`, ended when dropped;
//! - [`backend`]: plain TCP servers that echo, answer or misbehave;
//! - [`client`]: TLS clients;
//! - [`contest`]: a box that serves a contest, its folder, its page and its log;
//! - [`eye`]: a box's metrics, status and health;
//! - [`flood`]: spoofed SYNs;
//! - [`memory`]: what a server's processes take;
//! - [`peer`]: who comes to a contest's doors;
//! - [`images`]: guest images that were tampered with.
//!
//! ```no_run
//! let place = e2e::Place::new(e2e::Machine::Kvm, e2e::Net::User)?;
//! let echo = e2e::backend::echo()?;
//! let running = e2e::Running::start(&place, &e2e::Config::one_route(&[echo.address()]))?;
//! # Ok::<(), Box<dyn core::error::Error + Send + Sync>>(())
//! ```
#![forbid(unsafe_code)]

pub mod backend;
pub mod client;
pub mod contest;
pub mod eye;
pub mod flood;
pub mod images;
pub mod memory;
pub mod peer;
mod place;
pub mod running;

pub use place::{Machine, Net, Place, TAP};
pub use running::{Config, Running, bountybox, image, keys_dir};

/// The result of a test's step: what went wrong, in words.
pub type Outcome<T = ()> = Result<T, Box<dyn core::error::Error + Send + Sync>>;

/// Fails with `message` unless `holds`.
///
/// # Errors
/// `message`.
pub fn ensure(holds: bool, message: impl Into<String>) -> Outcome {
    if holds { Ok(()) } else { Err(message.into().into()) }
}
