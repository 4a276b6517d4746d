//! The `bountybox` command: it reads the configuration, checks it, starts tenders and watches over them.
//!
//! | module | what it is about |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`config`] | `bountybox.toml`, and the [`plan::Plan`] that comes of it |
//! | [`check`] | certificates and keys, against the clock, each other, and the routes |
//! | [`report`], [`rule`] | what was found wrong, and the rules behind it |
//! | [`plan`], [`addresses`] | what `run` is to do, and the addresses inside a cell |
//! | [`admin`] | metrics, status, health; reload and drain |
//! | `replay` | a recorded cell, run again |
//! | [`run`] | `run`, `demo`, and the hidden `tender` |
//! | [`fuzz`] | inputs for the guest image, each from the same state |
//! | [`specimen`], [`findings`] | the box that those two try, and reports of what became of it |
//! | [`mod@arbiter`], [`log`] | judging claims that a contest's box was broken; checking a contest's log |
//! | [`challenge`], `page` | minting a contest; a laboratory; what TLS is spoken in its evidence; the process that serves a contest's page |
//! | [`target`] | a box that is there to be fuzzed over TCP; judging TLS clients by misbehaving |
//! | [`exit`], [`terminal`] | how the process ends, and the only place that writes to a terminal |
//!
//! This crate opens and watches; it never parses a frame (`challenge trace` does, in a process of its own), and no process that serves runs a guest itself. `replay` does, jailed, in a process that does nothing else, and `fuzz` and `target`, without a jail, for whoever
//! tests the image.
//!
//! ```
//! let report = bountybox::config::examine("no such file.toml".as_ref(), std::time::Duration::ZERO);
//! assert_eq!(report.exit(), bountybox::exit::Exit::Config);
//! ```
#![forbid(unsafe_code)]

pub mod addresses;
pub mod admin;
pub mod arbiter;
mod assemble;
pub mod challenge;
pub mod check;
pub mod cli;
pub mod config;
pub mod exit;
pub mod findings;
pub mod fuzz;
pub mod image;
mod labels;
pub mod limits;
pub mod log;
mod mint;
mod page;
pub mod plan;
mod replay;
pub mod report;
pub mod rule;
pub mod run;
pub mod specimen;
pub mod target;
pub mod terminal;
