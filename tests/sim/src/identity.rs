//! Certificates for the appliance and the trust in them for its clients.

use std::sync::Arc;

use keys::Secret;
use keys::bundle::Certificate;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use rustls_std::pki_types::CertificateDer;
use rustls_std::{ClientConfig, RootCertStore};

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Signatures of one length: for runs that are to be compared.
    Ed25519,
    /// The default of the appliance.
    P256,
}

/// A self-signed certificate.
#[derive(Debug, Clone)]
pub struct Identity {
    names: Vec<String>,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    /// A new one for these names.
    #[must_use]
    pub fn new(kind: Kind, names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let algorithm = if kind == Kind::Ed25519 { &PKCS_ED25519 } else { &PKCS_ECDSA_P256_SHA256 };
        let key = KeyPair::generate_for(algorithm).expect("ring makes keys");
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

/// A client that trusts all of these.
#[must_use]
pub fn client_config(identities: &[&Identity]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for identity in identities {
        roots.add(identity.certificate.clone()).expect("a certificate that parses");
    }
    let provider = Arc::new(rustls_std::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions that exist");
    builder.with_root_certificates(roots).with_no_client_auth()
}
