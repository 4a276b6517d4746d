//! Whom a door trusts, and what it signs.

use core::sync::atomic::{AtomicU64, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};

use crate::{ExtendedKeyUsage, KeyUsage, Named, Order, Path, Tamper, Validity};

/// The serial number of every certificate that is made, and that [`Tamper::Content`] changes.
const SERIAL: [u8; 8] = *b"peer-007";

/// What stands before an Ed25519 key in PKCS #8 (RFC 8410 section 7).
const ED25519_PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// An authority with its key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
    keys: Keys,
}

/// Where keys come from.
enum Keys {
    /// Fresh ones on P-256.
    Drawn,
    /// Ed25519, which draws nothing for a signature either: this many have been made of the seed.
    Seeded([u8; 24], AtomicU64),
}

impl Keys {
    fn next(&self) -> KeyPair {
        match self {
            Self::Drawn => KeyPair::generate().expect("a key"),
            Self::Seeded(seed, made) => {
                let mut secret = [0; 32];
                secret[..24].copy_from_slice(seed);
                secret[24..].copy_from_slice(&made.fetch_add(1, Ordering::Relaxed).to_le_bytes());
                ed25519(&secret)
            }
        }
    }
}

/// The Ed25519 key of these 32 bytes (RFC 8032 section 5.1.5).
#[must_use]
pub fn ed25519(secret: &[u8; 32]) -> KeyPair {
    KeyPair::try_from([&ED25519_PKCS8[..], secret].concat()).expect("any 32 bytes are a key")
}

/// What a peer shows, and what it proves it by.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Certificates in DER, the peer's own first. The authority's is not among them.
    pub chain: Vec<Vec<u8>>,
    /// The key of the first, as PKCS #8 in DER.
    pub key: Vec<u8>,
}

impl Authority {
    /// An authority of this common name, with a fresh key on P-256.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::with_keys(name, Keys::Drawn)
    }

    /// An authority of this common name, of Ed25519: its key, and all that it makes in this order, are the same for one seed.
    #[must_use]
    pub fn seeded(name: &str, seed: [u8; 24]) -> Self {
        Self::with_keys(name, Keys::Seeded(seed, AtomicU64::new(0)))
    }

    fn with_keys(name: &str, keys: Keys) -> Self {
        let (params, key) = (authority(name, Some(true)), keys.next());
        let der = params.self_signed(&key).expect("an authority that signs itself").der().to_vec();
        Self { issuer: Issuer::new(params, key), der, keys }
    }

    /// One that somebody else has made: its common name, its certificate in DER, and its key as PKCS #8 in PEM, if that is a key.
    #[must_use]
    pub fn known(name: &str, der: &[u8], key: &str) -> Option<Self> {
        let issuer = Issuer::new(authority(name, Some(true)), KeyPair::from_pem(key).ok()?);
        Some(Self { issuer, der: der.to_vec(), keys: Keys::Drawn })
    }

    /// Its certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Makes to order.
    #[must_use]
    pub fn make(&self, order: &Order) -> Shown {
        let (params, key) = (params(order), self.keys.next());
        let below =
            |is_authority| CertifiedIssuer::signed_by(authority("below", is_authority), self.keys.next(), &self.issuer).expect("an issuer");
        let issuer = match order.path {
            Path::Direct | Path::SelfSigned => None,
            Path::Intermediate => Some(below(Some(true))),
            Path::NotAnAuthority => Some(below(Some(false))),
            Path::Unconstrained => Some(below(None)),
        };
        let leaf = match &issuer {
            Some(issuer) => params.signed_by(&key, issuer),
            None if order.path == Path::SelfSigned => params.self_signed(&key),
            None => params.signed_by(&key, &self.issuer),
        };
        let leaf = leaf.expect("a certificate").der().to_vec();
        let mut chain: Vec<_> = core::iter::once(leaf).chain(issuer.map(|issuer| issuer.der().to_vec())).collect();
        spoil(&mut chain, order.tamper);
        Shown { chain, key: key.serialize_der() }
    }
}

impl core::fmt::Debug for Authority {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

fn subject(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

/// An issuer that may sign certificates by its key usage; by its basic constraints it is an authority, or none, or there are no such.
fn authority(name: &str, is_authority: Option<bool>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(name);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.is_ca = match is_authority {
        Some(true) => IsCa::Ca(BasicConstraints::Unconstrained),
        Some(false) => IsCa::ExplicitNoCa,
        None => IsCa::NoCa,
    };
    params
}

fn params(order: &Order) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&SERIAL));
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    match &order.named {
        Named::Dns(name) => {
            params.distinguished_name = subject("peer");
            params.subject_alt_names = vec![SanType::DnsName(name.as_str().try_into().expect("a name in ASCII"))];
        }
        Named::CommonName(name) => params.distinguished_name = subject(name),
    }
    let (from, to) = match order.validity {
        Validity::Now => (2020, 2090),
        Validity::Past => (2020, 2021),
        Validity::Future => (2090, 2095),
    };
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params.key_usages = key_usages(order.key_usage);
    params.extended_key_usages = extended_key_usages(order.extended_key_usage);
    params
}

fn key_usages(usage: KeyUsage) -> Vec<KeyUsagePurpose> {
    match usage {
        KeyUsage::Absent => vec![],
        KeyUsage::Sign => vec![KeyUsagePurpose::DigitalSignature],
        KeyUsage::Encipher => vec![KeyUsagePurpose::KeyEncipherment],
        KeyUsage::SignCertificates => vec![KeyUsagePurpose::KeyCertSign],
        KeyUsage::SignAll => vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign],
    }
}

fn extended_key_usages(usage: ExtendedKeyUsage) -> Vec<ExtendedKeyUsagePurpose> {
    use ExtendedKeyUsagePurpose as P;
    match usage {
        ExtendedKeyUsage::Absent => vec![],
        ExtendedKeyUsage::Client => vec![P::ClientAuth],
        ExtendedKeyUsage::Server => vec![P::ServerAuth],
        ExtendedKeyUsage::Both => vec![P::ClientAuth, P::ServerAuth],
        ExtendedKeyUsage::Any => vec![P::Any],
        ExtendedKeyUsage::ClientAndAny => vec![P::ClientAuth, P::Any],
        ExtendedKeyUsage::ServerAndAny => vec![P::ServerAuth, P::Any],
        ExtendedKeyUsage::Other => vec![P::EmailProtection],
    }
}

/// Turns a bit. A signature stays one in form: the last bit is one of a number's.
fn spoil(chain: &mut [Vec<u8>], tamper: Tamper) {
    let turned = match (tamper, chain) {
        (Tamper::Signature, [leaf, ..]) | (Tamper::IssuerSignature, [_, leaf, ..]) => leaf.last_mut(),
        (Tamper::Content, [leaf, ..]) => {
            let at = leaf.windows(SERIAL.len()).position(|window| window == SERIAL);
            at.and_then(|at| leaf.get_mut(at + SERIAL.len() - 1))
        }
        _ => None,
    };
    if let Some(byte) = turned {
        *byte ^= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_one_seed_is_the_same() {
        let made = |seed| {
            let authority = Authority::seeded("door", seed);
            let order = Order { path: Path::Intermediate, ..Order::for_client("box.example.org") };
            [(); 2].map(|()| authority.make(&order)).map(|shown| (shown.chain, shown.key))
        };
        assert_eq!(made([7; 24]), made([7; 24]));
        let [one, other] = made([7; 24]);
        assert_ne!(one.1, other.1, "each has a key of its own");
        assert_ne!(one, made([8; 24])[0]);
    }

    #[test]
    fn what_is_spoilt_differs_in_one_place_and_in_length_never() {
        let order = Order { path: Path::Intermediate, ..Order::for_client("box.example.org") };
        let shown = Authority::new("door").make(&order);
        for (tamper, changed) in
            [(Tamper::Nothing, [0, 0]), (Tamper::Signature, [1, 0]), (Tamper::Content, [1, 0]), (Tamper::IssuerSignature, [0, 1])]
        {
            let mut spoilt = shown.chain.clone();
            spoil(&mut spoilt, tamper);
            let differ = |at: usize| shown.chain[at].iter().zip(&spoilt[at]).filter(|(a, b)| a != b).count();
            assert_eq!([differ(0), differ(1)], changed, "{tamper:?}");
        }
    }
}
