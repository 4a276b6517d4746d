//! Counters by key: what handshakes agreed on, and why others came to nothing. A fixed number of keys, whatever clients send.

use status::limits::{FAILURES_MAX, HANDSHAKE_KINDS_MAX};
use status::{Failure, FailureKind, HandshakeKind, Tally};
use tls::{CertificateFault, Fault, Foreign, Summary, Version};

use crate::report::{End, Timeout};

/// As many as there are ways to end.
const ENDS: usize = 32;
const _: () = assert!(status::End::ALL.len() <= ENDS, "each has a place");

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    pub(crate) handshakes: Tally<HandshakeKind, HANDSHAKE_KINDS_MAX>,
    pub(crate) failures: Tally<Failure, FAILURES_MAX>,
    pub(crate) ended: Tally<status::End, ENDS>,
}

impl Tallies {
    /// A handshake is done.
    pub(crate) fn handshake(&mut self, agreed: &Summary) {
        let Summary { version, suite, group, resumed, .. } = *agreed;
        self.handshakes.count(HandshakeKind { version: number(version), suite, group, resumed });
    }

    /// A connection has ended.
    pub(crate) fn end(&mut self, end: End) {
        self.ended.count(end.into());
    }

    /// A connection ended before its handshake was done.
    pub(crate) fn failure(&mut self, end: End) {
        if let Some(failure) = failure_before_handshake(end) {
            self.failures.count(failure);
        }
    }
}

/// The version's number on the wire.
pub(crate) fn number(version: Version) -> u16 {
    match version {
        Version::Tls12 => 0x0303,
        Version::Tls13 => 0x0304,
    }
}

/// What was wrong with TLS, where something was.
pub(crate) fn failure(end: End) -> Option<Failure> {
    match end {
        End::ClientFault(fault) => Some(of_fault(fault)),
        End::UnknownName => Some(Failure { kind: FailureKind::Refused, alert: Some(tls::Alert::UNRECOGNIZED_NAME.0) }),
        End::UnknownProtocol => Some(Failure { kind: FailureKind::Refused, alert: Some(tls::Alert::NO_APPLICATION_PROTOCOL.0) }),
        _ => None,
    }
}

/// The same for a connection without a handshake: there, every end is one.
fn failure_before_handshake(end: End) -> Option<Failure> {
    let kind = match end {
        End::Timeout(Timeout::FirstByte | Timeout::Handshake) => FailureKind::Timeout,
        End::Drained => FailureKind::Drained,
        End::ClientTruncated | End::ClientGone | End::NotAnswered => FailureKind::Gone,
        _ => return failure(end),
    };
    Some(Failure { kind, alert: None })
}

fn of_fault(fault: Fault) -> Failure {
    let (kind, alert) = match fault {
        Fault::Peer(alert) => (FailureKind::Protocol, Some(alert)),
        Fault::PeerCertificate(fault, alert) => (of_certificate(fault), Some(alert)),
        Fault::PeerNotTls(Foreign::Http, alert) => (FailureKind::PlainHttp, Some(alert)),
        Fault::PeerNotTls(Foreign::Ssl2, alert) => (FailureKind::Ssl2, Some(alert)),
        Fault::PeerNotTls(Foreign::Unknown, alert) => (FailureKind::NotTls, Some(alert)),
        Fault::PeerAlert(alert) => (FailureKind::ClientAlert, Some(alert)),
        Fault::PeerTruncated => (FailureKind::Truncated, None),
        Fault::Refused(alert) => (FailureKind::Refused, Some(alert)),
        Fault::LimitKeyUse => (FailureKind::KeyUse, None),
        Fault::Internal => (FailureKind::Internal, None),
    };
    Failure { kind, alert: alert.map(|alert| alert.0) }
}

fn of_certificate(fault: CertificateFault) -> FailureKind {
    match fault {
        CertificateFault::Missing => FailureKind::CertificateMissing,
        CertificateFault::Encoding => FailureKind::CertificateEncoding,
        CertificateFault::Limit => FailureKind::CertificateLimit,
        CertificateFault::UnknownIssuer => FailureKind::CertificateUnknownIssuer,
        CertificateFault::Expired => FailureKind::CertificateExpired,
        CertificateFault::NotYetValid => FailureKind::CertificateNotYetValid,
        CertificateFault::Revoked => FailureKind::CertificateRevoked,
        CertificateFault::RevocationUnknown => FailureKind::CertificateRevocationUnknown,
        CertificateFault::RevocationExpired => FailureKind::CertificateRevocationExpired,
        CertificateFault::Signature => FailureKind::CertificateSignature,
        CertificateFault::Algorithm => FailureKind::CertificateAlgorithm,
        CertificateFault::Purpose => FailureKind::CertificatePurpose,
        CertificateFault::NotAllowed => FailureKind::CertificateNotAllowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tls::Alert;

    #[test]
    fn a_client_that_sends_every_alert_there_is_takes_a_bounded_place() {
        let mut tallies = Tallies::default();
        for _ in 0..3 {
            (0..=255).for_each(|code| tallies.failure(End::ClientFault(Fault::PeerAlert(Alert(code)))));
        }
        assert_eq!(tallies.failures.iter().count(), FAILURES_MAX);
        let counted: u64 = tallies.failures.iter().map(|(_, count)| count).sum();
        assert_eq!(counted + tallies.failures.other(), 3 * 256);
    }

    #[test]
    fn ends_of_unfinished_handshakes_have_a_reason_and_those_of_others_none() {
        let mut tallies = Tallies::default();
        for end in [End::Timeout(Timeout::Handshake), End::ClientGone, End::UnknownName, End::Done] {
            tallies.failure(end);
        }
        let kinds: alloc::vec::Vec<_> = tallies.failures.iter().map(|(failure, _)| failure.kind.name()).collect();
        assert_eq!(kinds, ["timeout", "gone", "refused"]);
    }
}
