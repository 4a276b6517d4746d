//! Alerts: what one side tells the other before it gives up, or when it has nothing more to say (RFC 8446 §6).

/// An alert's description, as it stands on the wire.
///
/// Codes without a name are kept as they are, because a peer may send any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alert(pub u8);

impl Alert {
    /// The sender has nothing more to send.
    pub const CLOSE_NOTIFY: Self = Self(0);
    /// A record or message came that must not come now.
    pub const UNEXPECTED_MESSAGE: Self = Self(10);
    /// A record could not be authenticated.
    pub const BAD_RECORD_MAC: Self = Self(20);
    /// A record was longer than allowed.
    pub const RECORD_OVERFLOW: Self = Self(22);
    /// No set of parameters fits both sides.
    pub const HANDSHAKE_FAILURE: Self = Self(40);
    /// A certificate was corrupt, or beyond our bounds.
    pub const BAD_CERTIFICATE: Self = Self(42);
    /// A certificate was for another purpose.
    pub const UNSUPPORTED_CERTIFICATE: Self = Self(43);
    /// A certificate was revoked by its issuer.
    pub const CERTIFICATE_REVOKED: Self = Self(44);
    /// A certificate was not valid at this time.
    pub const CERTIFICATE_EXPIRED: Self = Self(45);
    /// A field was inconsistent or out of range.
    pub const ILLEGAL_PARAMETER: Self = Self(47);
    /// No authority that is known vouches for a certificate, or nothing is known of its revocation.
    pub const UNKNOWN_CA: Self = Self(48);
    /// Access control refused.
    pub const ACCESS_DENIED: Self = Self(49);
    /// A message could not be parsed.
    pub const DECODE_ERROR: Self = Self(50);
    /// A cryptographic operation of the handshake failed.
    pub const DECRYPT_ERROR: Self = Self(51);
    /// The version is known and not supported.
    pub const PROTOCOL_VERSION: Self = Self(70);
    /// A fault of our own.
    pub const INTERNAL_ERROR: Self = Self(80);
    /// The handshake is cancelled for another reason than a fault.
    pub const USER_CANCELED: Self = Self(90);
    /// Renegotiation is refused (RFC 5246 §7.2.2).
    pub const NO_RENEGOTIATION: Self = Self(100);
    /// An extension that the version demands is not there.
    pub const MISSING_EXTENSION: Self = Self(109);
    /// No server of that name is here (RFC 6066 §3).
    pub const UNRECOGNIZED_NAME: Self = Self(112);
    /// A client certificate was wanted, and none was shown.
    pub const CERTIFICATE_REQUIRED: Self = Self(116);
    /// None of the offered application protocols is spoken here (RFC 7301).
    pub const NO_APPLICATION_PROTOCOL: Self = Self(120);

    /// The alert as a record in the clear, for a peer with which no keys are agreed.
    pub(crate) fn plain_record(self) -> [u8; 7] {
        [21, 3, 3, 0, 2, self.level(), self.0]
    }

    /// The level that goes with the description: 1 for a warning, 2 for a fatal alert.
    pub(crate) fn level(self) -> u8 {
        if matches!(self, Self::CLOSE_NOTIFY | Self::USER_CANCELED) { 1 } else { 2 }
    }
}

/// Why a connection is refused at its hello, as the peer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No route has that name.
    UnrecognizedName,
    /// No route of that name speaks any of the offered protocols.
    NoApplicationProtocol,
    /// A policy refuses this peer.
    AccessDenied,
    /// We cannot serve now: a limit is reached or something of ours is broken.
    Internal,
}

impl Refusal {
    /// The alert that says so.
    pub fn alert(self) -> Alert {
        match self {
            Self::UnrecognizedName => Alert::UNRECOGNIZED_NAME,
            Self::NoApplicationProtocol => Alert::NO_APPLICATION_PROTOCOL,
            Self::AccessDenied => Alert::ACCESS_DENIED,
            Self::Internal => Alert::INTERNAL_ERROR,
        }
    }
}
