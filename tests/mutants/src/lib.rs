//! Exploits for boxes that are there to be broken (docs/mutants.md): each wins a tier of a mutant, a build with one deliberate flaw, and nothing of the image that ships.
//!
//! An exploit knows what a stranger knows: addresses, the contest's public files, and the image. It speaks TCP and TLS, and nothing else.
//!
//! - [`Target`]: what is attacked;
//! - [`exploits`]: one for each mutant;
//! - [`loot`]: keys, found in what an exploit got, and claims made with them;
//! - [`hello`], [`door`], [`bridge`], [`web`]: the ways to a box: raw bytes, TLS, joining it with itself, the contest's page;
//! - [`lab`]: a box of one's own to try it on, and how what comes of it is judged.
//!
//! ```no_run
//! use mutants::lab::{Lab, Parts, Verdict};
//! let image = "target/mutants/read-cookie.image".into();
//! let lab = Lab::start(&Parts { command: "target/debug/bountybox".into(), image, machine: "auto".into() })?;
//! let exploit = mutants::exploits::ALL.iter().find(|exploit| exploit.name == "read-cookie").ok_or("no such exploit")?;
//! assert_eq!(lab.attack(exploit)?, Verdict::Falsified);
//! # Ok::<(), Box<dyn core::error::Error + Send + Sync>>(())
//! ```
#![forbid(unsafe_code)]

pub mod bridge;
pub mod door;
pub mod exploits;
pub mod hello;
pub mod lab;
pub mod loot;
pub mod target;
pub mod web;

pub use target::Target;

/// The result of a step: what went wrong, in words.
pub type Outcome<T = ()> = Result<T, Box<dyn core::error::Error + Send + Sync>>;
