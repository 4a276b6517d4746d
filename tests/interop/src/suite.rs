//! The names of versions and cipher suites, as the peers spell them, brought to one spelling: that of IANA.

use core::fmt;

/// A TLS version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

impl Version {
    pub(crate) const BOTH: [Self; 2] = [Self::Tls12, Self::Tls13];

    /// `TLSv1.3`, `TLS1.3`, `TLS 1.3`: each peer has its own spelling.
    pub(crate) fn read(text: &str) -> Option<Self> {
        match text.trim().trim_start_matches("TLS").trim_start_matches(['v', ' ']) {
            "1.2" => Some(Self::Tls12),
            "1.3" => Some(Self::Tls13),
            _ => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        })
    }
}

/// IANA's name, OpenSSL's for TLS 1.2. This is all that the box knows.
const NAMES: &[(&str, &str)] = &[
    ("TLS_AES_128_GCM_SHA256", ""),
    ("TLS_AES_256_GCM_SHA384", ""),
    ("TLS_CHACHA20_POLY1305_SHA256", ""),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"),
];

/// IANA's name of a suite that IANA or OpenSSL names so.
pub(crate) fn iana(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(iana, openssl)| *iana == name || *openssl == name).map(|(iana, _)| *iana)
}

/// OpenSSL's name of a suite that IANA names so: what PROXY headers say.
pub(crate) fn openssl(name: &'static str) -> &'static str {
    NAMES.iter().find(|(iana, openssl)| *iana == name && !openssl.is_empty()).map_or(name, |(_, openssl)| openssl)
}

/// IANA's name of the suite in GnuTLS's description of a full handshake, as `(TLS1.2-X.509)-(ECDHE-X25519)-(ECDSA-SHA256)-(AES-256-GCM)`.
pub(crate) fn of_gnutls(description: &str) -> Option<(Version, &'static str)> {
    let [protocol, _, signature, cipher] = parts(description)[..] else { return None };
    let version = Version::read(protocol.strip_suffix("-X.509")?)?;
    let cipher = match cipher {
        "AES-128-GCM" => "AES_128_GCM_SHA256",
        "AES-256-GCM" => "AES_256_GCM_SHA384",
        "CHACHA20-POLY1305" => "CHACHA20_POLY1305_SHA256",
        _ => return None,
    };
    let kind = match version {
        Version::Tls13 => "",
        Version::Tls12 if signature.starts_with("RSA") => "ECDHE_RSA_WITH_",
        Version::Tls12 => "ECDHE_ECDSA_WITH_",
    };
    Some((version, iana(&format!("TLS_{kind}{cipher}"))?))
}

/// Whether two descriptions are of the same version and cipher. That of a resumed session leaves out what is not in it: exchange and signature.
pub(crate) fn same_cipher(one: &str, other: &str) -> bool {
    let ends = |description| {
        let parts = parts(description);
        (parts.first().copied(), parts.last().copied())
    };
    ends(one) == ends(other)
}

/// What stands between the brackets.
pub(crate) fn parts(description: &str) -> Vec<&str> {
    description.trim().split(['(', ')']).filter(|part| !part.trim_matches('-').is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_version_is_read() {
        for text in ["TLSv1.3", "TLS1.3", "TLS 1.3", "1.3"] {
            assert_eq!(Version::read(text), Some(Version::Tls13), "{text}");
        }
        assert_eq!(Version::read("TLSv1.1"), None);
    }

    #[test]
    fn openssl_and_iana_agree() {
        assert_eq!(iana("ECDHE-RSA-CHACHA20-POLY1305"), Some("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"));
        assert_eq!(iana("TLS_AES_128_GCM_SHA256"), Some("TLS_AES_128_GCM_SHA256"));
        assert_eq!(iana("AES128-SHA"), None);
    }

    #[test]
    fn descriptions_of_gnutls_are_read() {
        let tls12 = "(TLS1.2-X.509)-(ECDHE-SECP256R1)-(RSA-PSS-RSAE-SHA256)-(AES-256-GCM)";
        assert_eq!(of_gnutls(tls12), Some((Version::Tls12, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")));
        let tls13 = "(TLS1.3-X.509)-(ECDHE-X25519)-(EdDSA-Ed25519)-(CHACHA20-POLY1305)";
        assert_eq!(of_gnutls(tls13), Some((Version::Tls13, "TLS_CHACHA20_POLY1305_SHA256")));
        assert_eq!(of_gnutls("(TLS1.2-X.509)-(RSA)-(AES-128-CBC)-(SHA1)"), None);
    }

    #[test]
    fn a_resumed_session_is_described_by_version_and_cipher() {
        let full = "(TLS1.2-X.509)-(ECDHE-SECP256R1)-(ECDSA-SHA256)-(AES-256-GCM)";
        assert!(same_cipher(full, "(TLS1.2-X.509)-(ECDHE-SECP256R1)-(AES-256-GCM)"));
        assert!(same_cipher("(TLS1.3-X.509)-(ECDHE-X25519)-(RSA)-(AES-256-GCM)", "(TLS1.3-X.509)--(AES-256-GCM)"));
        assert!(!same_cipher(full, "(TLS1.2-X.509)-(ECDHE-SECP256R1)-(AES-128-GCM)"));
    }
}
