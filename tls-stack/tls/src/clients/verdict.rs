//! Verdicts, from webpki's words into ours, from ours into rustls', and back.
//!
//! Refusals travel as rustls' errors, because rustls alone can send the alert: each [`CertificateFault`] has one kind of error of its own, and [`fault_of`]
//! turns it back.

use alloc::vec;

use rustls::{CertificateError, Error};

use super::meter::Meter;
use crate::CertificateFault;

pub(super) fn fault_from(error: &webpki::Error, meter: &Meter) -> CertificateFault {
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
pub(super) fn error_of(fault: CertificateFault) -> CertificateError {
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

/// What a handshake's error says of the peer's certificate, if it says anything of it.
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
