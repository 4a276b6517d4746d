//! Checks of the repository itself.
//!
//! Each check is a pure function from file texts to complaints, so that it can be shown to fail; `tests/repository.rs` runs them all
//! over the real tree.
//!
//! - [`tree`]: which files there are;
//! - [`arrows`]: the dependencies between our crates are the ones ARCHITECTURE.md draws;
//! - [`unsafety`]: `unsafe` stands only where `docs/unsafe.md` counts it;
//! - [`shape`]: lengths, names, headers, forbidden words;
//! - [`numbers`]: what the README claims in figures, and what would catch it;
//! - [`witness`]: the tests that documents name are there.
//!
//! ```
//! let complaints = tidy::shape::check("src/utils.rs", "//! Odds and ends.\n");
//! assert_eq!(complaints.len(), 1);
//! ```
#![forbid(unsafe_code)]

pub mod arrows;
pub mod numbers;
pub mod shape;
pub mod tree;
pub mod unsafety;
pub mod witness;
