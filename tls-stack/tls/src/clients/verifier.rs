//! The policy in rustls' shape: one client's certificates against it, and what comes of them.
//!
//! Refusals travel as rustls' errors, because rustls alone can send the alert: each [`CertificateFault`] has one kind of error of its own, and [`fault_of`]
//! turns it back.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring::default_provider;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use webpki::{EndEntityCert, ExpirationPolicy, KeyUsage, RevocationOptions, RevocationOptionsBuilder};

use super::fields::{Fields, Purpose};
use super::meter::{Meter, Metered};
use super::{Allowed, Clients};
use crate::limits::{CLIENT_CERTIFICATE_LEN_MAX, CLIENT_CHAIN_MAX};
use crate::{CertificateFault, ClientCertificate};

/// See the module.
#[derive(Debug)]
pub(crate) struct Verifier {
    clients: Arc<Clients>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(crate) fn new(clients: Arc<Clients>, provider: &CryptoProvider) -> Self {
        Self { clients, algorithms: provider.signature_verification_algorithms }
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.clients.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.clients.hints
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verdict = self.clients.verify_with(leaf, issuers, now, self.algorithms.all);
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

impl Clients {
    /// Whether this chain, the client's own certificate first, is let in at this time. That the client holds the key is another question.
    ///
    /// # Errors
    /// Why it is not.
    pub fn verify(&self, chain: &[&[u8]], unix: Duration) -> Result<ClientCertificate, CertificateFault> {
        let (leaf, issuers) = chain.split_first().ok_or(CertificateFault::Missing)?;
        let issuers: Vec<_> = issuers.iter().map(|der| CertificateDer::from(*der)).collect();
        let algorithms = default_provider().signature_verification_algorithms.all;
        self.verify_with(&CertificateDer::from(*leaf), &issuers, UnixTime::since_unix_epoch(unix), algorithms)?;
        ClientCertificate::parse(leaf).ok_or(CertificateFault::Encoding)
    }

    /// Cheap checks come first.
    fn verify_with(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: &[&'static dyn SignatureVerificationAlgorithm],
    ) -> Result<(), CertificateFault> {
        let mut chain = core::iter::once(leaf).chain(issuers);
        if issuers.len() >= CLIENT_CHAIN_MAX || chain.any(|certificate| certificate.len() > CLIENT_CERTIFICATE_LEN_MAX) {
            return Err(CertificateFault::Limit);
        }
        let fields = Fields::parse(leaf).ok_or(CertificateFault::Encoding)?;
        if !fields.allows(Purpose::Sign) {
            return Err(CertificateFault::Purpose);
        }
        self.verify_path(leaf, issuers, now, algorithms)?;
        if self.allowed.admits(&fields) { Ok(()) } else { Err(CertificateFault::NotAllowed) }
    }

    /// Whether a path leads from the leaf to an authority.
    fn verify_path(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: &[&'static dyn SignatureVerificationAlgorithm],
    ) -> Result<(), CertificateFault> {
        let meter = Meter::new();
        let metered: Vec<_> = algorithms.iter().map(|algorithm| Metered { algorithm: *algorithm, meter: &meter }).collect();
        let metered: Vec<_> = metered.iter().map(|algorithm| algorithm as &dyn SignatureVerificationAlgorithm).collect();
        let anchors: Vec<TrustAnchor<'_>> =
            self.roots.iter().filter(|root| root.is_valid_at(now.as_secs())).map(super::Root::anchor).collect();
        let crls: Vec<_> = self.crls.iter().collect();
        let leaf = EndEntityCert::try_from(leaf).map_err(|error| fault_from(&error, &meter))?;
        let usage = KeyUsage::client_auth();
        let path = leaf.verify_for_usage(&metered, &anchors, issuers, now, usage, revocation(&crls), None);
        let path = path.map_err(|error| fault_from(&error, &meter))?;
        // RFC 5280, 6.1.4 (n), which webpki leaves out.
        let signs = |der: &[u8]| Fields::parse(der).is_some_and(|issuer| issuer.allows(Purpose::SignCertificates));
        if path.intermediate_certificates().all(|issuer| signs(&issuer.der())) { Ok(()) } else { Err(CertificateFault::Purpose) }
    }
}

/// The whole chain, with lists that are in date; without any list no revocation.
fn revocation<'a>(crls: &'a [&'a webpki::CertRevocationList<'a>]) -> Option<RevocationOptions<'a>> {
    let builder = RevocationOptionsBuilder::new(crls).ok()?;
    Some(builder.with_expiration_policy(ExpirationPolicy::Enforce).build())
}

impl Allowed {
    fn admits(&self, fields: &Fields<'_>) -> bool {
        let everybody = self.names.is_empty() && self.subjects.is_empty();
        let named = || fields.alt_names().any(|name| self.names.iter().any(|pattern| pattern.covers(name)));
        let subject = || fields.common_name().is_some_and(|name| self.subjects.iter().any(|subject| subject == name));
        everybody || named() || subject()
    }
}

fn fault_from(error: &webpki::Error, meter: &Meter) -> CertificateFault {
    use webpki::Error as E;
    if meter.is_overdrawn() {
        return CertificateFault::Limit;
    }
    match error {
        E::CertNotValidYet { .. } => CertificateFault::NotYetValid,
        E::CertExpired { .. } | E::InvalidCertValidity => CertificateFault::Expired,
        E::UnknownIssuer | E::CertDistrusted => CertificateFault::UnknownIssuer,
        E::CertRevoked => CertificateFault::Revoked,
        E::CrlExpired { .. } => CertificateFault::RevocationExpired,
        E::UnknownRevocationStatus
        | E::IssuerNotCrlSigner
        | E::InvalidCrlSignatureForPublicKey
        | E::UnsupportedCrlSignatureAlgorithmContext(_)
        | E::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => CertificateFault::RevocationUnknown,
        E::InvalidSignatureForPublicKey => CertificateFault::Signature,
        E::UnsupportedSignatureAlgorithmContext(_) | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => CertificateFault::Algorithm,
        E::RequiredEkuNotFoundContext(_)
        | E::EmptyEkuExtension
        | E::CaUsedAsEndEntity
        | E::EndEntityUsedAsCa
        | E::PathLenConstraintViolated
        | E::NameConstraintViolation => CertificateFault::Purpose,
        E::MaximumNameConstraintComparisonsExceeded
        | E::MaximumPathBuildCallsExceeded
        | E::MaximumPathDepthExceeded
        | E::MaximumSignatureChecksExceeded => CertificateFault::Limit,
        _ => CertificateFault::Encoding,
    }
}

/// The error that makes rustls send the alert that stands beside the fault.
fn error_of(fault: CertificateFault) -> CertificateError {
    match fault {
        CertificateFault::Missing | CertificateFault::Encoding => CertificateError::BadEncoding,
        // No chain of ours ends with these two words; they carry the same alert as a bad encoding, and the algorithm that of a bad signature.
        CertificateFault::Limit => CertificateError::UnhandledCriticalExtension,
        CertificateFault::Algorithm => {
            CertificateError::UnsupportedSignatureAlgorithmContext { signature_algorithm_id: vec![], supported_algorithms: vec![] }
        }
        CertificateFault::UnknownIssuer => CertificateError::UnknownIssuer,
        CertificateFault::Expired => CertificateError::Expired,
        CertificateFault::NotYetValid => CertificateError::NotValidYet,
        CertificateFault::Revoked => CertificateError::Revoked,
        CertificateFault::RevocationUnknown => CertificateError::UnknownRevocationStatus,
        CertificateFault::RevocationExpired => CertificateError::ExpiredRevocationList,
        CertificateFault::Signature => CertificateError::BadSignature,
        CertificateFault::Purpose => CertificateError::InvalidPurpose,
        CertificateFault::NotAllowed => CertificateError::ApplicationVerificationFailure,
    }
}

/// What a handshake's error says of the client's certificate, if it says anything of it.
pub(crate) fn fault_of(error: &Error) -> Option<CertificateFault> {
    let error = match error {
        Error::NoCertificatesPresented => return Some(CertificateFault::Missing),
        Error::InvalidCertificate(error) => error,
        _ => return None,
    };
    Some(match error {
        CertificateError::UnhandledCriticalExtension => CertificateFault::Limit,
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => CertificateFault::Algorithm,
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        CertificateError::Expired => CertificateFault::Expired,
        CertificateError::NotValidYet => CertificateFault::NotYetValid,
        CertificateError::Revoked => CertificateFault::Revoked,
        CertificateError::UnknownRevocationStatus => CertificateFault::RevocationUnknown,
        CertificateError::ExpiredRevocationList => CertificateFault::RevocationExpired,
        CertificateError::BadSignature => CertificateFault::Signature,
        CertificateError::InvalidPurpose => CertificateFault::Purpose,
        CertificateError::ApplicationVerificationFailure => CertificateFault::NotAllowed,
        _ => CertificateFault::Encoding,
    })
}
