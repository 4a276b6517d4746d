//! Numbers that IANA keeps, as far as somebody here says or demands them.

/// The random that makes a ServerHello a HelloRetryRequest (RFC 8446 section 4.1.3).
pub const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Types of records (RFC 8446 section 5.1).
pub mod content {
    #![expect(missing_docs, reason = "the registry's own names")]
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    pub const ALERT: u8 = 21;
    pub const HANDSHAKE: u8 = 22;
    pub const DATA: u8 = 23;
}

/// Types of handshake messages (RFC 8446 section 4, RFC 5246 section 7.4).
pub mod handshake {
    #![expect(missing_docs, reason = "the registry's own names")]
    pub const HELLO_REQUEST: u8 = 0;
    pub const CLIENT_HELLO: u8 = 1;
    pub const SERVER_HELLO: u8 = 2;
    pub const NEW_SESSION_TICKET: u8 = 4;
    pub const END_OF_EARLY_DATA: u8 = 5;
    pub const ENCRYPTED_EXTENSIONS: u8 = 8;
    pub const CERTIFICATE: u8 = 11;
    pub const SERVER_KEY_EXCHANGE: u8 = 12;
    pub const CERTIFICATE_REQUEST: u8 = 13;
    pub const SERVER_HELLO_DONE: u8 = 14;
    pub const CERTIFICATE_VERIFY: u8 = 15;
    pub const CLIENT_KEY_EXCHANGE: u8 = 16;
    pub const FINISHED: u8 = 20;
    pub const KEY_UPDATE: u8 = 24;
    pub const MESSAGE_HASH: u8 = 254;
}

/// Extensions.
pub mod extension {
    #![expect(missing_docs, reason = "the registry's own names")]
    pub const SERVER_NAME: u16 = 0;
    pub const MAX_FRAGMENT_LENGTH: u16 = 1;
    pub const GROUPS: u16 = 10;
    pub const POINT_FORMATS: u16 = 11;
    pub const SIGNATURES: u16 = 13;
    pub const ALPN: u16 = 16;
    pub const MASTER_SECRET: u16 = 23;
    pub const TICKET: u16 = 35;
    pub const PRE_SHARED_KEY: u16 = 41;
    pub const EARLY_DATA: u16 = 42;
    pub const VERSIONS: u16 = 43;
    pub const COOKIE: u16 = 44;
    pub const PSK_MODES: u16 = 45;
    pub const POST_HANDSHAKE_AUTH: u16 = 49;
    pub const KEY_SHARE: u16 = 51;
    pub const RENEGOTIATION: u16 = 0xff01;
}

/// Cipher suites.
pub mod suite {
    #![expect(missing_docs, reason = "the registry's own names")]
    pub const AES_128_GCM_SHA256: u16 = 0x1301;
    pub const AES_256_GCM_SHA384: u16 = 0x1302;
    pub const ECDHE_ECDSA_AES_128_GCM_SHA256: u16 = 0xc02b;
    pub const ECDHE_RSA_AES_128_GCM_SHA256: u16 = 0xc02f;
    pub const FALLBACK_SCSV: u16 = 0x5600;
}

/// Groups.
pub mod group {
    #![expect(missing_docs, reason = "the registry's own names")]
    pub const SECP256R1: u16 = 23;
    pub const X25519: u16 = 29;
    pub const X25519MLKEM768: u16 = 0x11ec;
}

/// Signature schemes.
pub mod scheme {
    #![expect(missing_docs, reason = "the registry's own names")]
    pub const RSA_PKCS1_SHA256: u16 = 0x0401;
    pub const ECDSA_P256_SHA256: u16 = 0x0403;
}

/// Alert descriptions (RFC 8446 section 6, RFC 5246 section 7.2).
pub mod alert {
    macro_rules! alerts {
        ($($name:ident = $number:literal $text:literal;)*) => {
            $(#[doc = $text] pub const $name: u8 = $number;)*

            /// What an alert is called.
            #[must_use]
            pub fn name(number: u8) -> &'static str {
                match number {
                    $($number => $text,)*
                    _ => "unassigned",
                }
            }
        };
    }

    alerts! {
        CLOSE_NOTIFY = 0 "close_notify";
        UNEXPECTED_MESSAGE = 10 "unexpected_message";
        BAD_RECORD_MAC = 20 "bad_record_mac";
        RECORD_OVERFLOW = 22 "record_overflow";
        HANDSHAKE_FAILURE = 40 "handshake_failure";
        BAD_CERTIFICATE = 42 "bad_certificate";
        UNSUPPORTED_CERTIFICATE = 43 "unsupported_certificate";
        CERTIFICATE_REVOKED = 44 "certificate_revoked";
        CERTIFICATE_EXPIRED = 45 "certificate_expired";
        CERTIFICATE_UNKNOWN = 46 "certificate_unknown";
        ILLEGAL_PARAMETER = 47 "illegal_parameter";
        UNKNOWN_CA = 48 "unknown_ca";
        ACCESS_DENIED = 49 "access_denied";
        DECODE_ERROR = 50 "decode_error";
        DECRYPT_ERROR = 51 "decrypt_error";
        PROTOCOL_VERSION = 70 "protocol_version";
        INSUFFICIENT_SECURITY = 71 "insufficient_security";
        INTERNAL_ERROR = 80 "internal_error";
        USER_CANCELED = 90 "user_canceled";
        NO_RENEGOTIATION = 100 "no_renegotiation";
        MISSING_EXTENSION = 109 "missing_extension";
        UNSUPPORTED_EXTENSION = 110 "unsupported_extension";
        UNRECOGNIZED_NAME = 112 "unrecognized_name";
        CERTIFICATE_REQUIRED = 116 "certificate_required";
        NO_APPLICATION_PROTOCOL = 120 "no_application_protocol";
    }

    /// The grave level of two.
    pub const FATAL: u8 = 2;
    /// The other.
    pub const WARNING: u8 = 1;
}
