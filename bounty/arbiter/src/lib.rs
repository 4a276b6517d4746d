//! The arbiter: says from public material alone whether a contest's box was broken, and why not if it was not.
//!
//! | module | what it holds |
//! |---|---|
//! | [`verify()`] | a manifest, a key to trust, a claim: falsified, not falsified, or nothing to judge by |
//! | [`rules`] | what a claim must fulfil, as one list |
//! | [`manifest`] | what the operator promises, signed |
//! | [`claim`] | what somebody says to have won, signed by what was won |
//! | [`crash`] | what the tender says of a cell that ended, signed |
//! | [`commitment`], [`receipt`] | a claim and its write-up before they are shown, and the log's word for when that was |
//! | [`possession`] | a flag's answer to a nonce: the secret is inside, now |
//! | [`note`] | signed notes, as C2SP has them |
//! | [`tier`], [`key`], [`wallet`], [`digest`] | what the documents are made of |
//! | [`lines`], [`fault`] | how documents are read, and what is wrong with them |
//! | [`limits`] | every bound of this crate |
//!
//! Bytes come in, a [`Verdict`] goes out: no clock, no file, no randomness, no signing. `docs/arbiter.md` describes every document byte by byte. Nothing in here panics, whatever the
//! documents hold, and what is read prints to the same bytes.
//!
//! ```
//! use arbiter::{Context, Verdict, verify};
//! let verdict = verify(b"no manifest", "no key", b"no claim", &Context { now: 1_800_000_000, commitment: None });
//! assert!(matches!(verdict, Verdict::SetupError { .. }));
//! assert_eq!(verdict.to_string(), "SetupError\noperator: not a verifier key as NAME+ID+BASE64\n");
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod claim;
pub mod commitment;
pub mod crash;
pub mod digest;
pub mod fault;
pub mod key;
pub mod limits;
pub mod lines;
pub mod manifest;
pub mod note;
pub mod possession;
pub mod receipt;
pub mod rules;
pub mod tier;
pub mod verify;
pub mod wallet;

pub use claim::Claim;
pub use digest::Digest;
pub use fault::{Document, Fault, Wrong};
pub use manifest::Manifest;
pub use tier::Tier;
pub use verify::{Commitment, Context, Verdict, verify};
