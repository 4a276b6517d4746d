//! A private key that signs for TLS.
//!
//! Keys come as DER in PKCS#8 (RFC 5958), SEC1 (RFC 5915) or PKCS#1 (RFC 8017); what is inside decides, not a label. *ring* checks that the
//! private and the public half belong together. A [`Signer`] never gives its private half back.
//!
//! *ring* keeps its own copy of the private key and does not wipe it when dropped: the memory of a cell ends with the cell.

mod numbers;

use alloc::vec::Vec;
use core::fmt;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};

use crate::der::{self, Reader};
use crate::limits::{KEY_LEN_MAX, RSA_BITS_MAX, RSA_BITS_MIN};
use crate::{Kind, Scheme, Secret};
pub use numbers::secret_numbers;

const OID_EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const OID_P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const OID_ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const OID_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const NULL: &[u8] = &[0x05, 0x00];

/// Why a key was not taken, or a signature not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignerFault {
    /// Longer than [`KEY_LEN_MAX`].
    ConfigTooLong,
    /// Neither PKCS#8 nor SEC1 nor PKCS#1 in DER. Encrypted keys are among these: decrypt them first.
    ConfigEncoding,
    /// A kind of key that we do not sign with.
    ConfigAlgorithm,
    /// An elliptic curve other than P-256 and P-384.
    ConfigCurve,
    /// An EC key without its public half, which PKCS#8 and SEC1 leave optional and we need.
    ConfigNoPublicKey,
    /// An RSA modulus shorter than [`RSA_BITS_MIN`].
    ConfigWeakRsa {
        /// Its length.
        bits: u32,
    },
    /// An RSA modulus longer than [`RSA_BITS_MAX`].
    ConfigLongRsa {
        /// Its length.
        bits: u32,
    },
    /// The numbers in the key do not belong together.
    ConfigInconsistent,
    /// The key does not sign with the asked scheme.
    Scheme,
    /// No randomness was to be had, or the signature failed its own check.
    HostSigning,
}

impl fmt::Display for SignerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConfigTooLong => write!(f, "the key is longer than {KEY_LEN_MAX} bytes"),
            Self::ConfigEncoding => f.write_str("the key is neither PKCS#8 nor SEC1 nor PKCS#1 (or it is encrypted)"),
            Self::ConfigAlgorithm => f.write_str("the key is of a kind that is not supported (ECDSA, Ed25519 and RSA are)"),
            Self::ConfigCurve => f.write_str("the key lies on a curve that is not supported (P-256 and P-384 are)"),
            Self::ConfigNoPublicKey => f.write_str("the EC key lacks its public half"),
            Self::ConfigWeakRsa { bits } => write!(f, "the RSA key has {bits} bits, and {RSA_BITS_MIN} is the least"),
            Self::ConfigLongRsa { bits } => write!(f, "the RSA key has {bits} bits, and {RSA_BITS_MAX} is the most"),
            Self::ConfigInconsistent => f.write_str("the numbers in the key do not belong together"),
            Self::Scheme => f.write_str("the key does not sign with this scheme"),
            Self::HostSigning => f.write_str("signing failed"),
        }
    }
}

impl core::error::Error for SignerFault {}

/// A private key, ready to sign.
pub struct Signer {
    kind: Kind,
    pair: Pair,
    spki: Vec<u8>,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Signer {
    /// Reads a key in PKCS#8, SEC1 or PKCS#1 DER.
    ///
    /// # Errors
    /// Says what is wrong with the key; the bytes may be anything.
    pub fn from_der(der: &Secret<Vec<u8>>) -> Result<Self, SignerFault> {
        let bytes = der.expose().as_slice();
        if bytes.len() > KEY_LEN_MAX {
            return Err(SignerFault::ConfigTooLong);
        }
        match Form::of(bytes).ok_or(SignerFault::ConfigEncoding)? {
            Form::Pkcs8 { oid: OID_RSA, key, .. } | Form::Pkcs1 { key } => Self::rsa(key),
            Form::Pkcs8 { oid: OID_EC, curve, key } => Self::sec1(Some(curve), key),
            Form::Pkcs8 { oid: OID_ED25519, .. } => Self::ed25519(bytes),
            Form::Pkcs8 { .. } => Err(SignerFault::ConfigAlgorithm),
            Form::Sec1 { key } => Self::sec1(None, key),
        }
    }

    /// What sort of key this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The public half as a DER `SubjectPublicKeyInfo`, as it stands in a certificate.
    #[must_use]
    pub fn public_key_spki(&self) -> &[u8] {
        &self.spki
    }

    /// Whether a certificate's DER `SubjectPublicKeyInfo` is this key's public half.
    #[must_use]
    pub fn matches(&self, spki: &[u8]) -> bool {
        self.spki == spki
    }

    /// Signs a message, in the encoding that TLS puts on the wire. Needs randomness for all but Ed25519 and PKCS#1.
    ///
    /// # Errors
    /// [`SignerFault::Scheme`] if the scheme is not among the kind's [`schemes`](Kind::schemes); [`SignerFault::HostSigning`].
    pub fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, SignerFault> {
        if !self.kind.schemes().contains(&scheme) {
            return Err(SignerFault::Scheme);
        }
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Ecdsa(pair) => {
                pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()).map_err(|_| SignerFault::HostSigning)
            }
            Pair::Rsa(pair) => {
                let mut signature = alloc::vec![0; pair.public().modulus_len()];
                pair.sign(rsa_encoding(scheme)?, &random, message, &mut signature).map_err(|_| SignerFault::HostSigning)?;
                Ok(signature)
            }
        }
    }

    /// An `ECPrivateKey` (RFC 5915). The curve stands in it, or in the PKCS#8 around it, or in both alike.
    fn sec1(outer: Option<&[u8]>, key: &[u8]) -> Result<Self, SignerFault> {
        let parts = Sec1::read(key).ok_or(SignerFault::ConfigEncoding)?;
        let (kind, algorithm, curve) = match (outer, parts.curve) {
            (Some(outer), Some(inner)) if outer != inner => return Err(SignerFault::ConfigInconsistent),
            (Some(curve), _) | (None, Some(curve)) => named_curve(curve)?,
            (None, None) => return Err(SignerFault::ConfigCurve),
        };
        let public = parts.public.ok_or(SignerFault::ConfigNoPublicKey)?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, parts.private, public, &SystemRandom::new())
            .map_err(|_| SignerFault::ConfigInconsistent)?;
        let spki = spki(&[&element(der::OID, &[OID_EC])?, &element(der::OID, &[curve])?], public)?;
        Ok(Self { kind, pair: Pair::Ecdsa(pair), spki })
    }

    fn ed25519(pkcs8: &[u8]) -> Result<Self, SignerFault> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| SignerFault::ConfigInconsistent)?;
        let spki = spki(&[&element(der::OID, &[OID_ED25519])?], pair.public_key().as_ref())?;
        Ok(Self { kind: Kind::Ed25519, pair: Pair::Ed25519(pair), spki })
    }

    /// An `RSAPrivateKey` (RFC 8017, A.1.2).
    fn rsa(key: &[u8]) -> Result<Self, SignerFault> {
        let bits = rsa_bits(key).ok_or(SignerFault::ConfigEncoding)?;
        match bits {
            0..RSA_BITS_MIN => return Err(SignerFault::ConfigWeakRsa { bits }),
            RSA_BITS_MIN..=RSA_BITS_MAX => {}
            _ => return Err(SignerFault::ConfigLongRsa { bits }),
        }
        let pair = RsaKeyPair::from_der(key).map_err(|_| SignerFault::ConfigInconsistent)?;
        let spki = spki(&[&element(der::OID, &[OID_RSA])?, NULL], pair.public_key().as_ref())?;
        Ok(Self { kind: Kind::Rsa { bits }, pair: Pair::Rsa(pair), spki })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What a private key's outermost SEQUENCE turns out to be.
enum Form<'a> {
    /// `oid` is the algorithm's, `curve` the named curve's or empty, `key` the inner key.
    Pkcs8 {
        oid: &'a [u8],
        curve: &'a [u8],
        key: &'a [u8],
    },
    Sec1 {
        key: &'a [u8],
    },
    Pkcs1 {
        key: &'a [u8],
    },
}

impl<'a> Form<'a> {
    /// All three begin with a version; what follows it tells them apart.
    fn of(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader::new(der);
        let mut key = outer.nested(der::SEQUENCE)?;
        let version = key.element(der::INTEGER)?;
        match (outer.is_empty(), version) {
            (true, [1]) if key.next_is(der::OCTET_STRING) => Some(Self::Sec1 { key: der }),
            (true, [0]) if key.next_is(der::INTEGER) => Some(Self::Pkcs1 { key: der }),
            (true, [0 | 1]) => Self::pkcs8(key),
            _ => None,
        }
    }

    fn pkcs8(mut rest: Reader<'a>) -> Option<Self> {
        let mut algorithm = rest.nested(der::SEQUENCE)?;
        let oid = algorithm.element(der::OID)?;
        let curve = algorithm.optional(der::OID)?.unwrap_or_default();
        Some(Self::Pkcs8 { oid, curve, key: rest.element(der::OCTET_STRING)? })
    }
}

/// The parts of an `ECPrivateKey`.
struct Sec1<'a> {
    private: &'a [u8],
    curve: Option<&'a [u8]>,
    public: Option<&'a [u8]>,
}

impl<'a> Sec1<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut key = Reader::new(der).nested(der::SEQUENCE)?;
        let version = key.element(der::INTEGER)?;
        let private = key.element(der::OCTET_STRING)?;
        let curve = match key.optional(der::CONTEXT_0)? {
            Some(parameters) => Some(Reader::new(parameters).element(der::OID)?),
            None => None,
        };
        let public = match key.optional(der::CONTEXT_1)? {
            Some(bits) => Some(Reader::new(bits).bit_string()?),
            None => None,
        };
        (version == [1] && key.is_empty()).then_some(Self { private, curve, public })
    }
}

type Curve = (Kind, &'static EcdsaSigningAlgorithm, &'static [u8]);

fn named_curve(oid: &[u8]) -> Result<Curve, SignerFault> {
    match oid {
        OID_P256 => Ok((Kind::EcdsaP256, &ECDSA_P256_SHA256_ASN1_SIGNING, OID_P256)),
        OID_P384 => Ok((Kind::EcdsaP384, &ECDSA_P384_SHA384_ASN1_SIGNING, OID_P384)),
        _ => Err(SignerFault::ConfigCurve),
    }
}

/// The length of the modulus, the first number after the version.
fn rsa_bits(der: &[u8]) -> Option<u32> {
    let mut key = Reader::new(der).nested(der::SEQUENCE)?;
    key.element(der::INTEGER)?;
    let modulus = key.element(der::INTEGER)?;
    let significant = modulus.get(modulus.iter().position(|&byte| byte != 0)?..)?;
    let whole = u32::try_from(significant.len()).ok()?.checked_mul(8)?;
    whole.checked_sub(significant.first()?.leading_zeros())
}

fn rsa_encoding(scheme: Scheme) -> Result<&'static dyn RsaEncoding, SignerFault> {
    Ok(match scheme {
        Scheme::RsaPssSha256 => &RSA_PSS_SHA256,
        Scheme::RsaPssSha384 => &RSA_PSS_SHA384,
        Scheme::RsaPssSha512 => &RSA_PSS_SHA512,
        Scheme::RsaPkcs1Sha256 => &RSA_PKCS1_SHA256,
        Scheme::RsaPkcs1Sha384 => &RSA_PKCS1_SHA384,
        Scheme::RsaPkcs1Sha512 => &RSA_PKCS1_SHA512,
        Scheme::EcdsaP256Sha256 | Scheme::EcdsaP384Sha384 | Scheme::Ed25519 => return Err(SignerFault::Scheme),
    })
}

fn spki(algorithm: &[&[u8]], public: &[u8]) -> Result<Vec<u8>, SignerFault> {
    element(der::SEQUENCE, &[&element(der::SEQUENCE, algorithm)?, &element(der::BIT_STRING, &[&[0], public])?])
}

fn element(tag: u8, parts: &[&[u8]]) -> Result<Vec<u8>, SignerFault> {
    der::write(tag, parts).ok_or(SignerFault::ConfigTooLong)
}

#[cfg(test)]
mod tests;
