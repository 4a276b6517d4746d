//! The log's key, as what writes the log takes it.

use std::sync::Arc;

use arbiter::note::VerifierKey;
use bounty_log::append::Signer;

use crate::ed25519::Ed25519;

/// The private key with its name. Clones share it.
#[derive(Debug, Clone)]
pub struct LogKey(Arc<(VerifierKey, Ed25519)>);

impl LogKey {
    pub(crate) fn new(name: VerifierKey, key: Ed25519) -> Self {
        Self(Arc::new((name, key)))
    }
}

impl Signer for LogKey {
    fn key(&self) -> &VerifierKey {
        &self.0.0
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.1.sign(message)
    }
}
