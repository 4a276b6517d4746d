//! Certificates for the appliance and the trust in them for its clients.

use std::sync::{Arc, LazyLock};

use keys::Secret;
use keys::bundle::Certificate;
use peers::ed25519;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls_std::crypto::CryptoProvider;
use rustls_std::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls_std::version::{TLS12, TLS13};
use rustls_std::{ClientConfig, NamedGroup, RootCertStore, SupportedProtocolVersion};
use tls::Clock;

use crate::rng::Rng;

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Key and signatures come from the seed: for runs that are to be compared.
    Ed25519,
    /// The default of the appliance.
    P256,
}

/// A self-signed certificate.
#[derive(Debug, Clone)]
pub struct Identity {
    names: Vec<String>,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    /// One for these names. An Ed25519 key is what `rng` makes it, and so is the whole certificate; a P-256 key is ring's to draw.
    #[must_use]
    pub fn new(kind: Kind, names: &[&str], rng: &mut Rng) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = match kind {
            Kind::Ed25519 => ed25519(&rng.seed()),
            Kind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("ring makes keys"),
        };
        let params = CertificateParams::new(names.clone()).expect("names that are names");
        let certificate = params.self_signed(&key).expect("ring signs").der().clone();
        Self { names, certificate, key: key.serialize_der() }
    }

    /// The private key itself, without what stands around it in PKCS #8: the 32 bytes that nobody may ever see.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        const OCTET_STRING_OF_32: [u8; 2] = [4, 32];
        let at = self.key.windows(2).position(|pair| pair == OCTET_STRING_OF_32).map_or(0, |at| at + 2);
        &self.key[at..at + 32]
    }

    /// As it stands in a bundle.
    #[must_use]
    pub fn for_bundle(&self) -> Certificate {
        Certificate { chain: vec![self.certificate.to_vec()], key: Secret::new(self.key.clone()), names: self.names.clone() }
    }
}

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Dialect {
    /// TLS 1.3 or 1.2, X25519MLKEM768 first.
    #[default]
    Usual,
    /// The same, and offers a share of X25519 first.
    Classical,
    /// TLS 1.2 and nothing else.
    Tls12,
}

/// What a client shows where it is asked for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Shown {
    /// Nothing.
    #[default]
    Nothing,
    /// A certificate of the authority that guarded routes take.
    Member,
    /// One of another authority.
    Stranger,
}

/// A client that trusts all of these, with this cryptography and this clock.
pub(crate) fn client_config(
    identities: &[Identity],
    provider: Arc<CryptoProvider>,
    clock: Clock,
    (dialect, shown): (Dialect, Shown),
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for identity in identities {
        roots.add(identity.certificate.clone()).expect("a certificate that parses");
    }
    let builder = ClientConfig::builder_with_details(in_dialect(provider, dialect), Arc::new(clock));
    let versions: &[&SupportedProtocolVersion] = if dialect == Dialect::Tls12 { &[&TLS12] } else { &[&TLS13, &TLS12] };
    let builder = builder.with_protocol_versions(versions).expect("versions that exist").with_root_certificates(roots);
    let leaf = match shown {
        Shown::Nothing => return builder.with_no_client_auth(),
        Shown::Member => &LEAVES[0],
        Shown::Stranger => &LEAVES[1],
    };
    let key = PrivatePkcs8KeyDer::from(ed25519(&LEAF_SEED).serialize_der()).into();
    builder.with_client_auth_cert(vec![leaf.clone()], key).expect("a key that belongs to its certificate")
}

const LEAF_SEED: [u8; 32] = [9; 32];

/// What members and strangers show: the same in every run.
static LEAVES: LazyLock<[CertificateDer<'static>; 2]> = LazyLock::new(|| {
    [MEMBERS, STRANGERS].map(|which| {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.distinguished_name.push(DnType::CommonName, "a client");
        params.signed_by(&ed25519(&LEAF_SEED), &authority(which)).expect("ring signs").der().clone()
    })
});

fn in_dialect(provider: Arc<CryptoProvider>, dialect: Dialect) -> Arc<CryptoProvider> {
    let mut kx_groups = provider.kx_groups.clone();
    if dialect == Dialect::Classical {
        kx_groups.sort_by_key(|group| group.name() != NamedGroup::X25519);
    }
    Arc::new(CryptoProvider { kx_groups, ..Arc::unwrap_or_clone(provider) })
}

const MEMBERS: u8 = 1;
const STRANGERS: u8 = 2;

/// The authority, in DER, that guarded routes take certificates of.
pub(crate) fn members() -> Vec<u8> {
    static DER: LazyLock<Vec<u8>> = LazyLock::new(|| authority(MEMBERS).der().to_vec());
    DER.clone()
}

/// Always the same, whatever the run's seed: who belongs where is no matter of chance.
fn authority(which: u8) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("authority {which}"));
    CertifiedIssuer::self_signed(params, ed25519(&[which; 32])).expect("ring signs")
}
