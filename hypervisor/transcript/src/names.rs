//! Numbers in IANA's words. What has none here is told as the number that it is.

use keys::profile::{GROUPS, SUITES};
use misbehave::wire::registry::{content, handshake};

/// Groups that clients offer and no guest speaks.
const FOREIGN_GROUPS: &[(u16, &str)] = &[
    (25, "secp521r1"),
    (30, "x448"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
    (0x11eb, "SecP256r1MLKEM768"),
    (0x11ed, "SecP384r1MLKEM1024"),
];

/// A protocol version.
pub(crate) fn version(number: u16) -> String {
    match number {
        0x0300 => "SSL3.0".into(),
        0x0301 => "TLS1.0".into(),
        0x0302 => "TLS1.1".into(),
        0x0303 => "TLS1.2".into(),
        0x0304 => "TLS1.3".into(),
        other => unnamed(other),
    }
}

/// A cipher suite; the names are those of what a guest can choose, so one that a backend chose behind a passthrough may have none.
pub(crate) fn suite(number: u16) -> String {
    SUITES.iter().find(|suite| suite.number == number).map_or_else(|| unnamed(number), |suite| suite.name.into())
}

/// A group.
pub(crate) fn group(number: u16) -> String {
    let own = GROUPS.iter().find(|group| group.number == number).map(|group| group.name);
    let foreign = || FOREIGN_GROUPS.iter().find(|(found, _)| *found == number).map(|(_, name)| *name);
    own.or_else(foreign).map_or_else(|| unnamed(number), Into::into)
}

/// A handshake message.
pub(crate) fn message(kind: u8) -> &'static str {
    match kind {
        handshake::HELLO_REQUEST => "HelloRequest",
        handshake::CLIENT_HELLO => "ClientHello",
        handshake::SERVER_HELLO => "ServerHello",
        handshake::NEW_SESSION_TICKET => "NewSessionTicket",
        handshake::END_OF_EARLY_DATA => "EndOfEarlyData",
        handshake::ENCRYPTED_EXTENSIONS => "EncryptedExtensions",
        handshake::CERTIFICATE => "Certificate",
        handshake::SERVER_KEY_EXCHANGE => "ServerKeyExchange",
        handshake::CERTIFICATE_REQUEST => "CertificateRequest",
        handshake::SERVER_HELLO_DONE => "ServerHelloDone",
        handshake::CERTIFICATE_VERIFY => "CertificateVerify",
        handshake::CLIENT_KEY_EXCHANGE => "ClientKeyExchange",
        handshake::FINISHED => "Finished",
        handshake::KEY_UPDATE => "KeyUpdate",
        22 => "CertificateStatus",
        _ => "handshake message without a name",
    }
}

/// A type of records, with its number: of an encrypted record it is all that can be read.
pub(crate) fn content(kind: u8) -> String {
    let name = match kind {
        content::CHANGE_CIPHER_SPEC => "change_cipher_spec",
        content::ALERT => "alert",
        content::HANDSHAKE => "handshake",
        content::DATA => "application_data",
        _ => "unassigned",
    };
    format!("{kind}({name})")
}

/// RFC 8701 keeps sixteen numbers of each registry for what nobody may understand.
fn unnamed(number: u16) -> String {
    let [high, low] = number.to_be_bytes();
    if high == low && low & 0x0f == 0x0a { "GREASE".into() } else { format!("{number:#06x}") }
}
