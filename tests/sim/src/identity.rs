//! Certificates for the appliance and the trust in them for its clients.

use std::sync::Arc;

use keys::Secret;
use keys::bundle::Certificate;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls_std::crypto::CryptoProvider;
use rustls_std::pki_types::CertificateDer;
use rustls_std::{ClientConfig, RootCertStore};
use tls::Clock;

use crate::rng::Rng;

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Key and signatures come from the seed: for runs that are to be compared.
    Ed25519,
    /// The default of the appliance.
    P256,
}

/// What stands before an Ed25519 key in PKCS #8 (RFC 8410 section 7).
const ED25519_PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// A self-signed certificate.
#[derive(Debug, Clone)]
pub struct Identity {
    names: Vec<String>,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    /// One for these names. An Ed25519 key is what `rng` makes it, and so is the whole certificate; a P-256 key is ring's to draw.
    #[must_use]
    pub fn new(kind: Kind, names: &[&str], rng: &mut Rng) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = match kind {
            Kind::Ed25519 => KeyPair::try_from([&ED25519_PKCS8[..], &rng.seed()].concat()).expect("any 32 bytes are a key"),
            Kind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("ring makes keys"),
        };
        let params = CertificateParams::new(names.clone()).expect("names that are names");
        let certificate = params.self_signed(&key).expect("ring signs").der().clone();
        Self { names, certificate, key: key.serialize_der() }
    }

    /// The private key itself, without what stands around it in PKCS #8: the 32 bytes that nobody may ever see.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        const OCTET_STRING_OF_32: [u8; 2] = [4, 32];
        let at = self.key.windows(2).position(|pair| pair == OCTET_STRING_OF_32).map_or(0, |at| at + 2);
        &self.key[at..at + 32]
    }

    /// As it stands in a bundle.
    #[must_use]
    pub fn for_bundle(&self) -> Certificate {
        Certificate { chain: vec![self.certificate.to_vec()], key: Secret::new(self.key.clone()), names: self.names.clone() }
    }
}

/// A client that trusts all of these, with this cryptography and this clock.
pub(crate) fn client_config(identities: &[Identity], provider: Arc<CryptoProvider>, clock: Clock) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for identity in identities {
        roots.add(identity.certificate.clone()).expect("a certificate that parses");
    }
    let builder = ClientConfig::builder_with_details(provider, Arc::new(clock));
    let builder = builder.with_safe_default_protocol_versions().expect("versions that exist");
    builder.with_root_certificates(roots).with_no_client_auth()
}
