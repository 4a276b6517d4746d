//! Certificates for peers of the box, made to order: right, or wrong in a way that is named.
//!
//! | type | what it is |
//! |---|---|
//! | [`Authority`] | whom a door trusts, and its key |
//! | [`Order`] | what a certificate is to be like, one field for each thing that is looked at |
//! | [`Shown`] | the chain and the key that come of it |
//!
//! What a certificate is worth is not said here: that is for the test to say, by a rule of its own.
//!
//! ```
//! use peers::{Authority, ExtendedKeyUsage, Order};
//!
//! let authority = Authority::new("door");
//! let wrong = Order { extended_key_usage: ExtendedKeyUsage::Any, ..Order::for_client("box.example.org") };
//! assert_eq!(authority.make(&wrong).chain.len(), 1);
//! ```
#![forbid(unsafe_code)]

mod authority;
mod order;

pub use authority::{Authority, Shown, ed25519};
pub use order::{ExtendedKeyUsage, KeyUsage, Named, Order, Path, Tamper, Validity};
