//! The cryptography that rustls is allowed to use: ring's, our hybrid group, our generator.
//!
//! Nothing outside this list can be negotiated: no RSA key exchange, no CBC, no SHA-1, no finite fields.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;

use keys::Secret;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{cipher_suite, default_provider, kx_group};

use crate::hybrid::X25519_ML_KEM_768;
use crate::random::Drbg;

/// Suites, groups and randomness, shared by every configuration of a process.
///
/// Make one and keep it: rustls holds its generator for ever, so each provider costs some 48 bytes that are never given back.
#[derive(Debug, Clone)]
pub struct Provider {
    pub(crate) crypto: Arc<CryptoProvider>,
    pub(crate) random: &'static Drbg,
}

impl Provider {
    /// A provider whose own randomness comes from `seed`, and from nothing else.
    ///
    /// ring's ephemeral keys and signature nonces do not: ring asks the machine (in the guest, the platform's `getrandom`).
    pub fn new(seed: Secret<[u8; 32]>) -> Self {
        let random: &'static Drbg = Box::leak(Box::new(Drbg::new(seed.into_zeroizing())));
        let crypto = CryptoProvider {
            cipher_suites: vec![
                cipher_suite::TLS13_AES_128_GCM_SHA256,
                cipher_suite::TLS13_AES_256_GCM_SHA384,
                cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
                cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
            ],
            kx_groups: vec![&X25519_ML_KEM_768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1],
            secure_random: random,
            ..default_provider()
        };
        Self { crypto: Arc::new(crypto), random }
    }
}
