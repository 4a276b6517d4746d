//! The mint: a certification authority of one's own, and a server certificate from it. Host only.
//!
//! [`mint`] makes all of it in memory; [`Minted::write`] lays it down as four PEM files, none readable by others (mode 0600), none written over
//! unless asked. The authority's key is for making further certificates; no cell ever gets it.
//!
//! ```
//! use core::time::Duration;
//! use keys::mint::{Algorithm, Order, mint};
//! let names = ["localhost".into(), "127.0.0.1".into()];
//! let order = Order { names: &names, algorithm: Algorithm::EcdsaP256, now: Duration::from_secs(1_800_000_000), validity: Duration::from_secs(86_400) };
//! let minted = mint(&order)?;
//! assert!(minted.chain_pem.starts_with("-----BEGIN CERTIFICATE-----"));
//! # Ok::<(), keys::mint::MintFault>(())
//! ```

mod files;

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;
use std::path::PathBuf;
use std::string::{String, ToString};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SanType,
};
use ring::rand::{SecureRandom, SystemRandom};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::Secret;
use crate::limits::{CERTIFICATE_NAMES_MAX, VALIDITY_S_MAX};
use crate::names::parse_pattern;
pub use files::Overwrite;

/// Clocks differ: certificates are valid from so long before they were made.
const BACKDATE: Duration = Duration::from_secs(3600);
/// The authority outlives its certificates by so much.
const AUTHORITY_EXTRA: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Host names, `*.` and a host name, and IP addresses; at least one.
    pub names: &'a [String],
    /// The kind of both keys.
    pub algorithm: Algorithm,
    /// The time since 1970.
    pub now: Duration,
    /// How long the server certificate is good for, from [`Self::now`] on; at most [`VALIDITY_S_MAX`].
    pub validity: Duration,
}

/// Kinds of keys that the mint makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA P-256: what to take unless you know better.
    EcdsaP256,
    /// ECDSA P-384.
    EcdsaP384,
    /// Ed25519; browsers do not take it.
    Ed25519,
}

/// An authority and a server certificate, in PEM.
#[derive(Debug)]
pub struct Minted {
    /// The authority's certificate: what clients are to trust.
    pub ca_pem: String,
    /// The authority's key, PKCS#8.
    pub ca_key_pem: Secret<String>,
    /// The server's chain, leaf first, without the authority.
    pub chain_pem: String,
    /// The server's key, PKCS#8.
    pub key_pem: Secret<String>,
}

/// Why nothing was minted, or not written.
#[derive(Debug)]
pub enum MintFault {
    /// Neither a host name nor an IP address.
    Name(String),
    /// None, or more than [`CERTIFICATE_NAMES_MAX`].
    TooManyNames,
    /// Zero, too long, or beyond the calendar.
    Validity,
    /// A key or certificate could not be made.
    Making,
    /// The file stands there already.
    Exists(PathBuf),
    /// The file could not be written.
    Write(PathBuf, std::io::ErrorKind),
}

impl fmt::Display for MintFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?} is neither a host name nor an IP address"),
            Self::TooManyNames => write!(f, "1 to {CERTIFICATE_NAMES_MAX} names fit a certificate"),
            Self::Validity => f.write_str("the validity is impossible"),
            Self::Making => f.write_str("a key or certificate could not be made"),
            Self::Exists(path) => write!(f, "{} stands there already", path.display()),
            Self::Write(path, kind) => write!(f, "{} cannot be written: {kind}", path.display()),
        }
    }
}

impl core::error::Error for MintFault {}

/// Makes an authority and a server certificate.
///
/// # Errors
/// Says what is wrong with the order.
pub fn mint(order: &Order<'_>) -> Result<Minted, MintFault> {
    if !(1..=CERTIFICATE_NAMES_MAX).contains(&order.names.len()) {
        return Err(MintFault::TooManyNames);
    }
    if !(1..=VALIDITY_S_MAX).contains(&order.validity.as_secs()) {
        return Err(MintFault::Validity);
    }
    let leaf = leaf(order)?;
    let (authority_key, leaf_key) = (key(order)?, key(order)?);
    let authority = CertifiedIssuer::self_signed(authority(order)?, &*authority_key).map_err(|_| MintFault::Making)?;
    let certificate = leaf.signed_by(&*leaf_key, &authority).map_err(|_| MintFault::Making)?;
    Ok(Minted {
        ca_pem: authority.pem(),
        ca_key_pem: Secret::new(authority_key.serialize_pem()),
        chain_pem: certificate.pem(),
        key_pem: Secret::new(leaf_key.serialize_pem()),
    })
}

/// rcgen keeps the key's DER, and wipes it when asked.
fn key(order: &Order<'_>) -> Result<Zeroizing<KeyPair>, MintFault> {
    let made = match order.algorithm {
        Algorithm::Ed25519 => KeyPair::try_from(ed25519()?.as_slice()),
        Algorithm::EcdsaP256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        Algorithm::EcdsaP384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
    };
    made.map(Zeroizing::new).map_err(|_| MintFault::Making)
}

/// PKCS#8 of version 1 around a seed (RFC 8410, 7). The version 2 that *ring* makes is not read by OpenSSL 3.0.
fn ed25519() -> Result<Zeroizing<[u8; 48]>, MintFault> {
    let mut der = Zeroizing::new([0; 48]);
    let (head, seed) = der.split_at_mut(ED25519_HEAD.len());
    head.copy_from_slice(&ED25519_HEAD);
    SystemRandom::new().fill(seed).map_err(|_| MintFault::Making)?;
    Ok(der)
}

const ED25519_HEAD: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

fn authority(order: &Order<'_>) -> Result<CertificateParams, MintFault> {
    let mut params = params(order, order.validity.saturating_add(AUTHORITY_EXTRA))?;
    params.distinguished_name.push(DnType::CommonName, "bountybox mint");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = [KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign].into();
    Ok(params)
}

fn leaf(order: &Order<'_>) -> Result<CertificateParams, MintFault> {
    let mut params = params(order, order.validity)?;
    for name in order.names {
        params.subject_alt_names.push(san(name)?);
    }
    // The name is short enough for a common name (64, X.520), or it stands in subjectAltName alone.
    if let Some(name) = order.names.first().filter(|name| name.len() <= 64) {
        params.distinguished_name.push(DnType::CommonName, name.as_str());
    }
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = [KeyUsagePurpose::DigitalSignature].into();
    params.extended_key_usages = [ExtendedKeyUsagePurpose::ServerAuth].into();
    Ok(params)
}

fn params(order: &Order<'_>, validity: Duration) -> Result<CertificateParams, MintFault> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = date(order.now.saturating_sub(BACKDATE))?;
    params.not_after = date(order.now.saturating_add(validity))?;
    Ok(params)
}

fn date(unix: Duration) -> Result<OffsetDateTime, MintFault> {
    let seconds = i64::try_from(unix.as_secs()).map_err(|_| MintFault::Validity)?;
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| MintFault::Validity)
}

fn san(name: &str) -> Result<SanType, MintFault> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let fault = || MintFault::Name(name.to_string());
    let pattern = parse_pattern(name).ok_or_else(fault)?;
    pattern.try_into().map(SanType::DnsName).map_err(|_| fault())
}

#[cfg(test)]
mod tests;
