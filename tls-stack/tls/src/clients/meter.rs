//! A budget of signatures: so many verifications one handshake may cost, however its certificates are knotted together.
//!
//! webpki has a budget of its own, of 100; a chain of ours needs a tenth of that.

use core::sync::atomic::{AtomicU32, Ordering};

use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

use crate::limits::CLIENT_SIGNATURES_MAX;

/// What is left of the budget.
#[derive(Debug)]
pub(super) struct Meter(AtomicU32);

impl Meter {
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(CLIENT_SIGNATURES_MAX))
    }

    /// Whether something was refused for want of budget.
    pub(super) fn is_overdrawn(&self) -> bool {
        self.0.load(Ordering::Relaxed) == OVERDRAWN
    }

    /// Takes one signature from the budget.
    fn take(&self) -> Result<(), InvalidSignature> {
        match self.0.load(Ordering::Relaxed) {
            0 | OVERDRAWN => {
                self.0.store(OVERDRAWN, Ordering::Relaxed);
                Err(InvalidSignature)
            }
            left => {
                self.0.store(left - 1, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

const OVERDRAWN: u32 = u32::MAX;

const _: () = assert!(CLIENT_SIGNATURES_MAX < OVERDRAWN, "the mark is no budget");

/// An algorithm whose use is metered.
#[derive(Debug)]
pub(super) struct Metered<'a> {
    pub(super) algorithm: &'static dyn SignatureVerificationAlgorithm,
    pub(super) meter: &'a Meter,
}

impl SignatureVerificationAlgorithm for Metered<'_> {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        self.meter.take()?;
        self.algorithm.verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_exact_and_stays_overdrawn() {
        let meter = Meter::new();
        assert!((0..CLIENT_SIGNATURES_MAX).all(|_| meter.take().is_ok()));
        assert!(!meter.is_overdrawn(), "all of it may be used");
        assert!(meter.take().is_err() && meter.is_overdrawn());
        assert!(meter.take().is_err() && meter.is_overdrawn());
    }
}
