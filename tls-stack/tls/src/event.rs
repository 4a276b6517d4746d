//! What a session reports: plain values, no references into it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::{Alert, Hello, PeerCertificate};

/// Something the owner of a session must know. Events come in the order in which they happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The client's hello is whole: answer with [`Session::accept`](crate::Session::accept) or
    /// [`Session::refuse`](crate::Session::refuse). Until then the session takes no more bytes.
    Hello(Box<Hello>),
    /// The handshake is done; data may flow both ways.
    Established(Box<Summary>),
    /// The peer sent close_notify: it has nothing more to say, and nothing was cut off. We may still send.
    PeerClosed,
    /// The session is over. If an alert is due it is queued: transmit until [`Session::wants_transmit`](crate::Session::wants_transmit)
    /// is false, then close the flow with FIN and drain it.
    Fault(Fault),
}

/// Why a session ended other than by closure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The peer broke the protocol; this alert was queued for it.
    Peer(Alert),
    /// The peer's certificate is not taken, or there is none; this alert was queued for it.
    PeerCertificate(CertificateFault, Alert),
    /// The peer speaks something else than TLS; this alert was queued for it.
    PeerNotTls(Foreign, Alert),
    /// The peer gave up and told us so; nothing is queued.
    PeerAlert(Alert),
    /// The peer's stream ended without close_notify: what it sent may be cut off (RFC 8446 §6.1). Nothing is queued.
    PeerTruncated,
    /// We refused the hello; the alert is queued.
    Refused(Alert),
    /// The keys of a TLS 1.2 session are used up (RFC 8446 §5.5); close_notify is queued.
    LimitKeyUse,
    /// Something of our own failed; internal_error is queued where that is possible.
    Internal,
}

/// Why a peer's certificate was not taken. Beside each stands the alert that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateFault {
    /// One was wanted and none was shown: `certificate_required` to a client, `decode_error` to a server.
    Missing,
    /// It cannot be read, or has a critical extension that nobody here knows: `bad_certificate`.
    Encoding,
    /// Too many certificates, one too large, or too many signatures to verify: `bad_certificate`.
    Limit,
    /// None of the authorities that count vouches for it: `unknown_ca`.
    UnknownIssuer,
    /// It, or an issuer of it, is no longer valid: `certificate_expired`.
    Expired,
    /// It, or an issuer of it, is not valid yet: `certificate_expired`.
    NotYetValid,
    /// It, or an issuer of it, is revoked: `certificate_revoked`.
    Revoked,
    /// There are revocation lists, and none that counts for it: `unknown_ca`.
    RevocationUnknown,
    /// The revocation list that counts for it is out of date: `unknown_ca`.
    RevocationExpired,
    /// A signature does not fit, in the chain or in the client's proof that it holds the key: `decrypt_error`.
    Signature,
    /// It is signed in a way that is not taken here, with SHA-1 for one: `decrypt_error`.
    Algorithm,
    /// It, or an issuer of it, is for something else: extended key usage, key usage, CA or not, path length, name constraints:
    /// `unsupported_certificate`.
    Purpose,
    /// It is good, and neither its names nor its subject are among those that are taken: `access_denied`.
    NotAllowed,
}

/// What a peer speaks that is not TLS, as far as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Foreign {
    /// An HTTP request in the clear.
    Http,
    /// A hello in the format of SSL 2.0 (RFC 6176).
    Ssl2,
    /// Anything else.
    Unknown,
}

/// A protocol version that this crate negotiates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// RFC 5246, with ECDHE and AEAD suites only.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// What was negotiated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Protocol version.
    pub version: Version,
    /// Cipher suite, as numbered by IANA.
    pub suite: u16,
    /// Key exchange group, as numbered by IANA; none where a TLS 1.2 session was resumed.
    pub group: Option<u16>,
    /// The application protocol, if one was agreed.
    pub alpn: Option<Vec<u8>>,
    /// The server name that the client asked for, in lower case.
    pub server_name: Option<String>,
    /// True if a ticket took the place of a full handshake.
    pub resumed: bool,
    /// True if a HelloRetryRequest was needed.
    pub retried: bool,
    /// The client's certificate, if it showed one.
    pub client: Option<Arc<PeerCertificate>>,
    /// The server's certificate, where the peer is the server.
    pub server: Option<Arc<PeerCertificate>>,
    /// What became of our own certificate.
    pub own: Own,
}

/// What became of our own certificate in a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Own {
    /// The peer did not ask for one; a server's is not asked for where a ticket takes its place.
    NotAsked,
    /// The peer asked, and could not have verified what our key signs: it was told that there is none.
    Unfit,
    /// It was shown, and that we hold its key was proven. That the peer has taken it is known only once it goes on: in TLS 1.3 its refusal
    /// may come after the handshake.
    Shown,
}

impl Summary {
    /// Gives back the memory of the client's certificate, once nobody needs it whole any more; subject and common name stay.
    pub fn forget_client_der(&mut self) {
        if let Some(client) = &mut self.client {
            Arc::make_mut(client).der = Vec::new();
        }
    }
}
