//! Kinds of keys, and the TLS signature schemes that each can serve.

/// What sort of private key a [`Signer`](crate::Signer) holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// ECDSA over NIST P-256: the default of the mint.
    EcdsaP256,
    /// ECDSA over NIST P-384.
    EcdsaP384,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// RSA with a modulus of so many bits.
    Rsa {
        /// From [`RSA_BITS_MIN`](crate::limits::RSA_BITS_MIN) to [`RSA_BITS_MAX`](crate::limits::RSA_BITS_MAX).
        bits: u32,
    },
}

impl core::fmt::Display for Kind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ECDSA P-256"),
            Self::EcdsaP384 => f.write_str("ECDSA P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
        }
    }
}

impl Kind {
    /// The schemes that a key of this kind signs with, best first. The PKCS#1 v1.5 ones are for TLS 1.2 only (RFC 8446, 4.2.3).
    #[must_use]
    pub const fn schemes(self) -> &'static [Scheme] {
        match self {
            Self::EcdsaP256 => &[Scheme::EcdsaP256Sha256],
            Self::EcdsaP384 => &[Scheme::EcdsaP384Sha384],
            Self::Ed25519 => &[Scheme::Ed25519],
            Self::Rsa { .. } => &[
                Scheme::RsaPssSha256,
                Scheme::RsaPssSha384,
                Scheme::RsaPssSha512,
                Scheme::RsaPkcs1Sha256,
                Scheme::RsaPkcs1Sha384,
                Scheme::RsaPkcs1Sha512,
            ],
        }
    }
}

/// A TLS `SignatureScheme` (RFC 8446, 4.2.3) that we sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Scheme {
    /// `ecdsa_secp256r1_sha256`
    EcdsaP256Sha256 = 0x0403,
    /// `ecdsa_secp384r1_sha384`
    EcdsaP384Sha384 = 0x0503,
    /// `ed25519`
    Ed25519 = 0x0807,
    /// `rsa_pss_rsae_sha256`
    RsaPssSha256 = 0x0804,
    /// `rsa_pss_rsae_sha384`
    RsaPssSha384 = 0x0805,
    /// `rsa_pss_rsae_sha512`
    RsaPssSha512 = 0x0806,
    /// `rsa_pkcs1_sha256`
    RsaPkcs1Sha256 = 0x0401,
    /// `rsa_pkcs1_sha384`
    RsaPkcs1Sha384 = 0x0501,
    /// `rsa_pkcs1_sha512`
    RsaPkcs1Sha512 = 0x0601,
}

impl Scheme {
    const ALL: [Self; 9] = [
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::Ed25519,
        Self::RsaPssSha256,
        Self::RsaPssSha384,
        Self::RsaPssSha512,
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The scheme of a number on the wire, if it is one of ours.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_back_as_their_schemes() {
        for scheme in Scheme::ALL {
            assert_eq!(Scheme::from_code(scheme.code()), Some(scheme));
        }
    }

    #[test]
    fn sha1_and_unknown_schemes_have_no_name_here() {
        for code in [0x0201, 0x0203, 0x0603, 0x0000, 0xffff] {
            assert_eq!(Scheme::from_code(code), None);
        }
    }
}
