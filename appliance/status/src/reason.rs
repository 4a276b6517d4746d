//! The closed sets that counters are kept by. A name, once published, never changes its meaning.

use serde::{Deserialize, Serialize};

use crate::names;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in metrics, logs and status.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}
pub(crate) use named;

named! {
    /// How a connection ended.
    End {
        /// Both sides said that they were done, and were told so.
        Done "done",
        /// The client broke TLS's rules, or gave up by an alert; [`Access::failure`](crate::Access::failure) says which.
        ClientFault "client_fault",
        /// No route has the name that the client asked for.
        UnknownName "unknown_name",
        /// No route of that name speaks a protocol (ALPN) that the client offered.
        UnknownProtocol "unknown_protocol",
        /// The client went away without a close_notify.
        ClientTruncated "client_truncated",
        /// The client's TCP connection was reset or gave up.
        ClientGone "client_gone",
        /// By their checks all backends were down.
        BackendsDown "backends_down",
        /// All backends were full, and so was the line of those who wait.
        QueueFull "queue_full",
        /// All backends were full for as long as a client may wait.
        QueueTimeout "queue_timeout",
        /// No backend took the connection.
        NoBackend "no_backend",
        /// The backend reset the connection or gave up.
        BackendGone "backend_gone",
        /// No byte came in time.
        FirstByteTimeout "first_byte_timeout",
        /// The handshake took too long.
        HandshakeTimeout "handshake_timeout",
        /// No byte moved for too long.
        IdleTimeout "idle_timeout",
        /// The same, when one direction had ended.
        HalfCloseTimeout "half_close_timeout",
        /// The connection had lived as long as one may.
        LifetimeTimeout "lifetime_timeout",
        /// The client did not take its last bytes.
        LingerTimeout "linger_timeout",
        /// The client took nothing of what waited for it.
        StallTimeout "stall_timeout",
        /// It made way for another before its handshake was done.
        Displaced "displaced",
        /// A front end did not begin with a sound PROXY header.
        FrontEndFault "front_end_fault",
        /// A front end spoke for a client that has used a budget up.
        Refused "refused",
        /// The drain's limit was reached.
        Drained "drained",
        /// It was let in at a door of the contest, and the prize was sent to it.
        Released "released",
        /// Whoever knocked was called back, and did not answer.
        NotAnswered "not_answered",
    }
}

named! {
    /// What newcomers are counted against; a refusal names the one that was reached.
    Limit {
        /// Connections in all.
        Connections "connections",
        /// Connections whose hello is not whole: who had to make way.
        Waiting "waiting",
        /// Handshakes under way in all.
        Handshakes "handshakes",
        /// Connections of one source.
        ConnectionsPerSource "connections_per_source",
        /// New connections of one source within a second.
        NewPerSource "new_per_source",
        /// New connections in all within a second.
        New "new",
        /// Flows of the public link: such clients are not answered.
        Flows "flows",
        /// Memory for one flow more. The same.
        Memory "memory",
        /// The cell is being drained.
        Drain "drain",
    }
}

named! {
    /// Who ended a handshake or a session out of order, and how.
    FailureKind {
        /// The client broke the protocol; the alert is what it was sent.
        Protocol "protocol",
        /// A client certificate was wanted and none was shown.
        CertificateMissing "certificate_missing",
        /// The client's certificate cannot be read.
        CertificateEncoding "certificate_encoding",
        /// The client's chain is too long, too large, or costs too many signatures.
        CertificateLimit "certificate_limit",
        /// None of the route's authorities vouches for the client's certificate.
        CertificateUnknownIssuer "certificate_unknown_issuer",
        /// The client's certificate, or an issuer of it, is no longer valid.
        CertificateExpired "certificate_expired",
        /// The client's certificate, or an issuer of it, is not valid yet.
        CertificateNotYetValid "certificate_not_yet_valid",
        /// The client's certificate, or an issuer of it, is revoked.
        CertificateRevoked "certificate_revoked",
        /// No revocation list counts for the client's certificate.
        CertificateRevocationUnknown "certificate_revocation_unknown",
        /// The revocation list that counts is out of date.
        CertificateRevocationExpired "certificate_revocation_expired",
        /// A signature of the client's does not fit.
        CertificateSignature "certificate_signature",
        /// The client's certificate is signed in a way that is not taken.
        CertificateAlgorithm "certificate_algorithm",
        /// The client's certificate is for something else.
        CertificatePurpose "certificate_purpose",
        /// The client's certificate is good, and not among those that the route lets in.
        CertificateNotAllowed "certificate_not_allowed",
        /// The client spoke HTTP in the clear.
        PlainHttp "plain_http",
        /// The client spoke SSL 2.0.
        Ssl2 "ssl2",
        /// The client spoke no TLS at all.
        NotTls "not_tls",
        /// The client gave up; the alert is what it said.
        ClientAlert "client_alert",
        /// The client's stream ended in the middle.
        Truncated "truncated",
        /// The client was refused; the alert is what it was sent.
        Refused "refused",
        /// The keys of a TLS 1.2 session were used up.
        KeyUse "key_use",
        /// Something of the cell's own failed.
        Internal "internal",
        /// It took too long.
        Timeout "timeout",
        /// The client's connection was gone before it was done.
        Gone "gone",
        /// It made way for another.
        Displaced "displaced",
        /// The drain's limit was reached.
        Drained "drained",
    }
}

/// Why a handshake or a session failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// Who, and how.
    pub kind: FailureKind,
    /// The alert's description (RFC 8446 section 6), where there was one.
    pub alert: Option<u8>,
}

impl Failure {
    /// The alert's name, empty where there was none, `unassigned` for a number that means nothing.
    #[must_use]
    pub fn alert_name(self) -> &'static str {
        self.alert.map_or("", names::alert)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn names_are_distinct_and_fit_a_label() {
        let sets: [&[&str]; 3] = [
            &End::ALL.iter().map(|end| end.name()).collect::<alloc::vec::Vec<_>>(),
            &Limit::ALL.iter().map(|limit| limit.name()).collect::<alloc::vec::Vec<_>>(),
            &FailureKind::ALL.iter().map(|kind| kind.name()).collect::<alloc::vec::Vec<_>>(),
        ];
        for set in sets {
            assert_eq!(set.iter().collect::<BTreeSet<_>>().len(), set.len());
            assert!(set.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')));
        }
    }
}
