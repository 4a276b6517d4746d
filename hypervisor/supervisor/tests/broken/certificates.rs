//! Certificates that the mint would not make.

use bountybox::cli::unix_now;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, SerialNumber,
};

use crate::bench::Bench;

/// A leaf's parameters, to be made wrong.
fn leaf() -> CertificateParams {
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, "leaf");
    params
}

/// Puts a leaf that its own key signed, and that key, where the configuration looks for them.
pub(crate) fn self_signed(bench: &Bench, params: &CertificateParams) {
    let key = KeyPair::generate().expect("a key");
    bench.write("pki/chain.pem", params.self_signed(&key).expect("a certificate").pem());
    bench.write("pki/key.pem", key.serialize_pem());
}

/// A leaf that is valid from and to so many days from now.
pub(crate) fn valid_between(from: i64, to: i64) -> CertificateParams {
    let mut params = leaf();
    (params.not_before, params.not_after) = (days_from_now(from), days_from_now(to));
    params
}

/// A leaf that is an authority.
pub(crate) fn authority() -> CertificateParams {
    let mut params = leaf();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// A leaf for no host at all.
pub(crate) fn without_names() -> CertificateParams {
    let mut params = leaf();
    params.subject_alt_names.clear();
    params
}

fn days_from_now(days: i64) -> time::OffsetDateTime {
    let now = i64::try_from(unix_now().as_secs()).expect("this century");
    time::OffsetDateTime::from_unix_timestamp(now + days * 86_400).expect("this century")
}

/// The PEM of a leaf, its intermediate and the root over both; the leaf's key lies where the configuration looks for it.
pub(crate) fn chain_of_three(bench: &Bench) -> [String; 3] {
    let authority = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let key = || KeyPair::generate().expect("a key");
    let root = CertifiedIssuer::self_signed(authority("root"), key()).expect("a root");
    let intermediate = CertifiedIssuer::signed_by(authority("intermediate"), key(), &root).expect("an intermediate");
    let leaf_key = key();
    let leaf = leaf().signed_by(&leaf_key, &intermediate).expect("a leaf");
    bench.write("pki/key.pem", leaf_key.serialize_pem());
    [leaf.pem(), intermediate.pem(), root.pem()]
}

/// A leaf for clients, not for servers.
pub(crate) fn for_clients() -> CertificateParams {
    let mut params = leaf();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// A leaf with an extension that is critical and that nobody knows.
pub(crate) fn with_unknown_critical_extension() -> CertificateParams {
    let mut params = leaf();
    let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
    params
}

/// An authority for clients in `pki/clients.pem`, valid until so many days from now, and its revocation list in `pki/crl.pem`, likewise.
pub(crate) fn client_authority(bench: &Bench, authority_until: i64, list_until: i64) {
    let mut params = valid_between(-30, authority_until);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let list = CertificateRevocationListParams {
        this_update: days_from_now(-30),
        next_update: days_from_now(list_until),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    bench.write("pki/clients.pem", authority.pem());
    bench.write("pki/crl.pem", list.signed_by(&authority).expect("a list").pem().expect("PEM"));
}
