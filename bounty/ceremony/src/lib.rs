//! The ceremony: a contest is minted into a folder, with a transcript that witnesses can sign, and read back.
//!
//! | module | what it holds |
//! |---|---|
//! | [`order`] | what is decided before anything is made |
//! | [`mint()`] | makes all of it in memory; [`Minted::write`] lays it down whole or not at all |
//! | [`folder`] | reads it back: what the guest gets, what the supervisor signs with, and what is published |
//! | [`watch`] | who is told of each step before it happens, and may stop it |
//! | [`transcript`], [`witness`] | what happened, and a witness's word for it |
//! | [`amend()`], [`versions`] | a new version of rules, prizes or end, and how those that there are follow each other |
//! | [`door`] | the three doors, and whose certificate comes from whom |
//! | [`ed25519`], [`wallet`], [`flags`], [`log_key`] | key pairs that wipe themselves |
//! | [`files`], [`fault`] | the folder's files, and what is wrong with them |
//! | [`limits`] | every bound of this crate |
//!
//! The keys of the doors' authorities exist from [`mint()`]'s first lines to its middle, in memory, and never reach a file; but in a lab, where everything is published. `docs/ceremony.md` has the folder and the
//! transcript, and says what neither can show.
//!
//! ```
//! use std::path::Path;
//! let fault = ceremony::Folder::open(Path::new("/nowhere")).unwrap_err();
//! assert!(fault.to_string().starts_with("/nowhere/public/operator: is missing"));
//! ```
#![forbid(unsafe_code)]

pub mod amend;
mod authority;
mod describe;
pub mod door;
mod draw;
pub mod ed25519;
pub mod fault;
pub mod files;
pub mod flags;
pub mod folder;
pub mod limits;
pub mod log_key;
pub mod mint;
pub mod order;
mod page;
mod pem;
mod prize;
pub mod transcript;
pub mod versions;
pub mod wallet;
pub mod watch;
pub mod witness;

pub use amend::{AmendFault, Amended, Wish, amend};
pub use door::{DoorName, PerDoor};
pub use fault::{FolderFault, FolderWrong};
pub use files::WriteFault;
pub use folder::{Folder, Place};
pub use mint::{MintFault, Minted, mint, mint_watched};
pub use order::{Mode, Order, OrderFault, Page, Ports, Program};
pub use watch::{Nobody, Step, Stop, Watch};
