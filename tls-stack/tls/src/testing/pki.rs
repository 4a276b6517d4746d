//! Authorities, clients' certificates and revocation lists, made to measure.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

/// An authority and its key.
pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

/// A client's certificate and its key.
pub(crate) struct Leaf {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) key: Arc<KeyPair>,
}

impl Leaf {
    /// What a client with this leaf and these issuers shows.
    pub(crate) fn shown_with(&self, issuers: &[&Authority]) -> (Vec<CertificateDer<'static>>, Arc<KeyPair>) {
        let issuers = issuers.iter().map(|issuer| issuer.der().clone());
        (core::iter::once(self.der.clone()).chain(issuers).collect(), Arc::clone(&self.key))
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

pub(crate) fn authority_params(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

pub(crate) fn root(name: &str) -> Authority {
    Authority::self_signed(authority_params(name), KeyPair::generate().unwrap()).unwrap()
}

pub(crate) fn intermediate(name: &str, issuer: &Authority) -> Authority {
    Authority::signed_by(authority_params(name), KeyPair::generate().unwrap(), issuer).unwrap()
}

/// Serial number 7, for clients, changed by `change`.
pub(crate) fn leaf(name: &str, issuer: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Leaf {
    let mut params = named(name);
    params.serial_number = Some(SerialNumber::from(7_u64));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let der = params.signed_by(&key, issuer).unwrap().der().clone();
    Leaf { der, key: Arc::new(key) }
}

/// A list of these serial numbers that is good until the start of a year.
pub(crate) fn crl(issuer: &Authority, revoked: &[u64], until: i32) -> Vec<u8> {
    let revoked = revoked.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2020, 1, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(until, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap().der().to_vec()
}
