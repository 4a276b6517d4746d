//! The challenge's page as a stranger meets it: over a socket, by its own commands, in a browser.
//!
//! - [`held`]: a contest on secrets that are known, with a log in a folder;
//! - [`http`]: requests, byte by byte;
//! - [`devtools`]: Chromium, told by its own developer tools; [`browser`]: the page in it.
#![forbid(unsafe_code)]

pub mod browser;
pub mod devtools;
pub mod held;
pub mod http;

/// What a step comes to.
pub type Outcome<T = ()> = Result<T, Box<dyn core::error::Error + Send + Sync>>;
