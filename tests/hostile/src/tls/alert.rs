//! Alert descriptions (RFC 8446 section 6, RFC 5246 section 7.2), as far as attacks demand them.

pub(crate) const CLOSE_NOTIFY: u8 = 0;
pub(crate) const UNEXPECTED_MESSAGE: u8 = 10;
pub(crate) const BAD_RECORD_MAC: u8 = 20;
pub(crate) const RECORD_OVERFLOW: u8 = 22;
pub(crate) const HANDSHAKE_FAILURE: u8 = 40;
pub(crate) const BAD_CERTIFICATE: u8 = 42;
pub(crate) const ILLEGAL_PARAMETER: u8 = 47;
pub(crate) const UNKNOWN_CA: u8 = 48;
pub(crate) const DECODE_ERROR: u8 = 50;
pub(crate) const DECRYPT_ERROR: u8 = 51;
pub(crate) const PROTOCOL_VERSION: u8 = 70;
pub(crate) const NO_RENEGOTIATION: u8 = 100;
pub(crate) const MISSING_EXTENSION: u8 = 109;
pub(crate) const CERTIFICATE_REQUIRED: u8 = 116;
pub(crate) const FATAL: u8 = 2;
