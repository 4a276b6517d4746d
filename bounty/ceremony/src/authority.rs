//! The authority of a door: an ECDSA P-256 key that signs one certificate of the box and is then wiped.
//!
//! rcgen's own keys are *ring*'s, which are never wiped; so the key is `p256`'s, which wipes itself when dropped, and rcgen is only lent it. What nobody can promise is that the compiler, or the arithmetic on
//! the stack, left no copy: that is why a ceremony happens on a machine that is switched off afterwards.

use core::fmt;

use keys::Secret;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, SanType, SignatureAlgorithm,
};
use time::OffsetDateTime;
use zeroize::{Zeroize, Zeroizing};

use crate::door::DoorName;
use crate::draw::{NoRandomness, first};
use crate::ed25519::Ed25519;
use crate::limits::{AFTER_END_S, BACKDATE_S};
use crate::pem;

/// From when to when certificates are to be good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    pub(crate) now: u64,
    pub(crate) end: u64,
}

/// A certificate was not to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotMade;

impl From<NoRandomness> for NotMade {
    fn from(_: NoRandomness) -> Self {
        Self
    }
}

impl From<rcgen::Error> for NotMade {
    fn from(_: rcgen::Error) -> Self {
        Self
    }
}

/// A key of P-256 that wipes itself when dropped, and does not print.
pub(crate) struct P256 {
    key: SigningKey,
    /// The public half, uncompressed.
    point: [u8; 65],
}

impl P256 {
    pub(crate) fn draw() -> Result<Self, NotMade> {
        let key = first(|scalar| SigningKey::from_slice(scalar).ok())?;
        let point = key.verifying_key().to_sec1_point(false).as_bytes().try_into().map_err(|_| NotMade)?;
        Ok(Self { key, point })
    }

    /// As PKCS#8.
    pub(crate) fn der(&self) -> Secret<Vec<u8>> {
        let mut field = self.key.to_bytes();
        let scalar: Zeroizing<[u8; 32]> = Zeroizing::new(field.into());
        field.as_mut_slice().zeroize();
        pem::p256(&scalar, &self.point)
    }
}

impl PublicKeyData for P256 {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for P256 {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: Signature = self.key.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

impl fmt::Debug for P256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P256(..)")
    }
}

/// The public half of an Ed25519 key, for a certificate.
struct Public([u8; 32]);

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Authority {
    door: DoorName,
    period: Period,
    params: CertificateParams,
    key: P256,
    /// Its certificate.
    pub(crate) der: Vec<u8>,
}

impl Authority {
    pub(crate) fn make(door: DoorName, period: Period) -> Result<Self, NotMade> {
        let mut params = params(&format!("bountybox authority of the door {door}"), period)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = [KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign].into();
        let key = P256::draw()?;
        let der = params.self_signed(&key)?.der().to_vec();
        Ok(Self { door, period, params, key, der })
    }

    /// The certificate that the box shows as a server, whose key is a flag.
    pub(crate) fn sign_server(&self, shown_at: DoorName, flag: &Ed25519) -> Result<Vec<u8>, NotMade> {
        self.sign(shown_at, &Public(flag.public().bytes()), ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate that the box shows as a client.
    pub(crate) fn sign_client(&self, shown_at: DoorName, key: &P256) -> Result<Vec<u8>, NotMade> {
        self.sign(shown_at, key, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(&self, shown_at: DoorName, key: &impl PublicKeyData, usage: ExtendedKeyUsagePurpose) -> Result<Vec<u8>, NotMade> {
        if shown_at.issuer() != self.door {
            return Err(NotMade);
        }
        let name = shown_at.own();
        let mut params = params(name, self.period)?;
        params.subject_alt_names.push(SanType::DnsName(name.try_into()?));
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = [KeyUsagePurpose::DigitalSignature].into();
        params.extended_key_usages = [usage].into();
        Ok(params.signed_by(key, &Issuer::from_params(&self.params, &self.key))?.der().to_vec())
    }

    /// The end of it: its certificate, while the key is wiped.
    pub(crate) fn destroy(self) -> Vec<u8> {
        self.der
    }

    /// The other end of it, for a rehearsal.
    pub(crate) fn publish(self) -> (Vec<u8>, Secret<Vec<u8>>) {
        let key = self.key.der();
        (self.der, key)
    }
}

fn params(name: &str, period: Period) -> Result<CertificateParams, NotMade> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date(period.now.saturating_sub(BACKDATE_S))?;
    params.not_after = date(period.end.saturating_add(AFTER_END_S))?;
    Ok(params)
}

fn date(seconds: u64) -> Result<OffsetDateTime, NotMade> {
    let seconds = i64::try_from(seconds).map_err(|_| NotMade)?;
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| NotMade)
}
