//! The keeper: owns a contest's log while its box runs, and decides what goes into it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Keeper`] | the verbs: started, stopped, heartbeat, ended, commit, claim, announce |
//! | [`claims`] | which claims are entered, and who has won what |
//! | `announced` | who is named in a crash record |
//! | [`evidence`] | traces of sessions and what led to restarts, bounded |
//! | [`refused`] | why something was not entered |
//! | [`limits`] | every bound of this crate |
//!
//! Each verb is given the time and bytes that may be anybody's; it enters what `bountybox log verify` will find to hold, or says why not. `docs/ceremony.md` has the rules for people.
//!
//! ```
//! use keeper::evidence::{Bounds, Evidence, EvidenceKind};
//! # let dir = tempfile::tempdir()?;
//! let bounds = Bounds { files: 2, bytes: 1000 };
//! let mut evidence = Evidence::open(&dir.path().join("evidence"), bounds, bounds, bounds)?;
//! for session in [b"one", b"two", b"six"] {
//!     evidence.keep(EvidenceKind::Trace, 1_800_000_000, session)?;
//! }
//! let names: Vec<&str> = evidence.names(EvidenceKind::Trace).collect();
//! assert_eq!(names, ["trace-00000000000000000001-1800000000", "trace-00000000000000000002-1800000000"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod announced;
pub mod claims;
pub mod evidence;
mod hourly;
mod keeper;
pub mod limits;
mod prune;
pub mod refused;

pub use claims::Win;
pub use keeper::{By, Changed, Ended, Judged, Keeper};
pub use refused::{OpenFault, Refused};
