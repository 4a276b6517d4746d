//! Key pairs of Ed25519: flags, the operator's key, the log's.

use core::fmt;

use arbiter::key::Ed25519Key;
use ed25519_dalek::{Signer, SigningKey};
use keys::Secret;
use pki_types::PrivatePkcs8KeyDer;
use pki_types::pem::PemObject;

use crate::draw::{NoRandomness, bytes};
use crate::pem;

/// A private key and its public half. It wipes itself when dropped, and does not print.
pub struct Ed25519(SigningKey);

impl Ed25519 {
    pub(crate) fn draw() -> Result<Self, NoRandomness> {
        bytes::<32>().map(|seed| Self(SigningKey::from_bytes(&seed)))
    }

    /// The key in a PEM file of PKCS#8.
    pub(crate) fn from_pem(text: &[u8]) -> Option<Self> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(text).ok()?;
        let der = Secret::from_slice(der.secret_pkcs8_der());
        pem::ed25519_seed(der.expose()).map(|seed| Self(SigningKey::from_bytes(&seed)))
    }

    /// Its public half.
    ///
    /// # Panics
    /// Never: a multiple of the base point by a number that RFC 8032 has clamped is not of small order.
    #[must_use]
    pub fn public(&self) -> Ed25519Key {
        Ed25519Key::new(self.0.verifying_key().as_bytes()).expect("invariant: a clamped multiple of the base point")
    }

    /// Signs.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Its 32 bytes (RFC 8032 section 5.1.5).
    #[must_use]
    pub fn seed(&self) -> Secret<Vec<u8>> {
        Secret::from_slice(self.0.as_bytes())
    }

    /// As PKCS#8.
    #[must_use]
    pub fn der(&self) -> Secret<Vec<u8>> {
        pem::ed25519(self.0.as_bytes())
    }

    /// As PKCS#8 in PEM.
    #[must_use]
    pub fn pem(&self) -> Secret<String> {
        pem::private(&self.der())
    }
}

impl fmt::Debug for Ed25519 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519({}, ..)", self.public())
    }
}
