//! Policies in rustls' shape: one peer's certificates against them, and what comes of it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::policy::Policy;
use super::verdict::error_of;
use super::{Clients, Servers};
use crate::{CertificateFault, PeerCertificate};

/// What is put to rustls: the clients that a server takes, or the servers that a client does.
#[derive(Debug)]
pub(crate) struct Verifier<P> {
    policy: Arc<P>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl<P> Verifier<P> {
    pub(crate) fn new(policy: Arc<P>, provider: &CryptoProvider) -> Self {
        Self { policy, algorithms: provider.signature_verification_algorithms }
    }
}

impl ClientCertVerifier for Verifier<Clients> {
    fn client_auth_mandatory(&self) -> bool {
        self.policy.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.policy.hints
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verdict = self.policy.policy.verify(leaf, issuers, now, self.algorithms.all);
        verdict.map(|()| ClientCertVerified::assertion()).map_err(|fault| error_of(fault).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Verifier<Servers> {
    /// The name is not the one that was asked for but the policy's; a [`Caller`](crate::Caller) asks for no other. OCSP is not looked at.
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.policy.policy.verify(leaf, issuers, now, self.algorithms.all);
        verdict.map(|()| ServerCertVerified::assertion()).map_err(|fault| error_of(fault).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Clients {
    /// Whether this chain, the client's own certificate first, is let in at this time. That the client holds the key is another question.
    ///
    /// # Errors
    /// Why it is not.
    pub fn verify(&self, chain: &[&[u8]], unix: Duration) -> Result<PeerCertificate, CertificateFault> {
        verify(&self.policy, chain, unix)
    }
}

impl Servers {
    /// Whether this chain, the server's own certificate first, is taken at this time. That the server holds the key is another question.
    ///
    /// # Errors
    /// Why it is not.
    pub fn verify(&self, chain: &[&[u8]], unix: Duration) -> Result<PeerCertificate, CertificateFault> {
        verify(&self.policy, chain, unix)
    }
}

fn verify(policy: &Policy, chain: &[&[u8]], unix: Duration) -> Result<PeerCertificate, CertificateFault> {
    let (leaf, issuers) = chain.split_first().ok_or(CertificateFault::Missing)?;
    let issuers: Vec<_> = issuers.iter().map(|der| CertificateDer::from(*der)).collect();
    let algorithms = default_provider().signature_verification_algorithms.all;
    policy.verify(&CertificateDer::from(*leaf), &issuers, UnixTime::since_unix_epoch(unix), algorithms)?;
    PeerCertificate::parse(leaf).ok_or(CertificateFault::Encoding)
}
