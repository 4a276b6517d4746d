//! Secrets, signing keys, the boot bundle, and (host only) the mint that makes certificates.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Secret`] | a value that is wiped when dropped and never printed |
//! | [`Signer`] | a private key that signs for TLS: ECDSA P-256 and P-384, Ed25519, RSA |
//! | [`secret_numbers`] | what of a private key is nobody's but its owner's |
//! | [`bundle`] | the configuration and secrets that a cell gets once, at boot |
//! | [`names`] | DNS names and the patterns that routes match them with |
//! | [`altname`] | the names in clients' certificates, and the patterns that let them in |
//! | [`profile`] | suites, groups and profiles, by name and number |
//! | [`der`] | a reader of DER, without recursion or allocation |
//! | [`limits`] | every bound of this crate |
//! | `mint` | a certification authority and leaf certificates (feature `mint`, host only) |
//!
//! This crate knows neither rustls nor files: DER comes in, signatures and bytes go out. Nothing in it panics, whatever a key file or a
//! bundle holds.
//!
//! ```
//! use keys::{Kind, Scheme, Secret, Signer};
//! # let random = ring::rand::SystemRandom::new();
//! # let made = ring::signature::EcdsaKeyPair::generate_pkcs8(&ring::signature::ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
//! # let pkcs8 = made.as_ref().to_vec();
//! let signer = Signer::from_der(&Secret::new(pkcs8))?;
//! assert_eq!(signer.kind(), Kind::EcdsaP256);
//! let signature = signer.sign(Scheme::EcdsaP256Sha256, b"message")?;
//! assert!(!signature.is_empty());
//! # Ok::<(), keys::SignerFault>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "mint", test))]
extern crate std;

pub mod altname;
pub mod bundle;
pub mod der;
pub mod limits;
#[cfg(feature = "mint")]
pub mod mint;
pub mod names;
pub mod profile;
mod scheme;
mod secret;
mod signer;

pub use scheme::{Kind, Scheme};
pub use secret::Secret;
pub use signer::{Signer, SignerFault, secret_numbers};
