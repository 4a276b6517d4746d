//! The policy against chains of every kind. What a real client is told of it stands in the session's tests.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use keys::bundle::ClientAuth;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType, date_time_ymd};
use rustls::pki_types::CertificateDer;

use super::{Clients, ClientsFault};
use crate::CertificateFault;
use crate::limits::{CA_HINTS_LEN_MAX, CLIENT_CHAIN_MAX, CLIENT_SIGNATURES_MAX};
use crate::testing::START;
use crate::testing::pki::{Authority, Leaf, authority_params, crl, intermediate, leaf, root};

/// A policy of one authority; lists and names are added to it.
#[derive(Default)]
struct Policy {
    roots: Vec<Vec<u8>>,
    crls: Vec<Vec<u8>>,
    names: Vec<String>,
    subjects: Vec<String>,
}

impl Policy {
    fn of(root: &Authority) -> Self {
        Self { roots: vec![root.der().to_vec()], ..Self::default() }
    }

    fn clients(&self) -> Result<Clients, ClientsFault> {
        let Self { roots, crls, names, subjects } = self;
        let (roots, crls, names, subjects) = (roots.clone(), crls.clone(), names.clone(), subjects.clone());
        Clients::new(&ClientAuth { required: true, roots, crls, names, subjects })
    }

    fn verify(&self, leaf: &Leaf, issuers: &[&Authority]) -> Result<(), CertificateFault> {
        let issuers: Vec<_> = issuers.iter().map(|issuer| issuer.der().clone()).collect();
        self.verify_ders(&leaf.der, &issuers)
    }

    fn verify_ders(&self, leaf: &CertificateDer<'_>, issuers: &[CertificateDer<'_>]) -> Result<(), CertificateFault> {
        let chain: Vec<&[u8]> = core::iter::once(leaf).chain(issuers).map(|der| &**der).collect();
        self.clients().unwrap().verify(&chain, START).map(|_| ())
    }
}

/// What the policy of an authority says to a leaf of its own that was changed.
fn verdict(change: impl FnOnce(&mut CertificateParams)) -> Result<(), CertificateFault> {
    let root = root("root");
    Policy::of(&root).verify(&leaf("robot", &root, change), &[])
}

#[test]
fn who_the_authority_vouches_for_is_let_in_directly_and_through_intermediates() {
    let root = root("root");
    let (one, policy) = (intermediate("one", &root), Policy::of(&root));
    let two = intermediate("two", &one);
    assert_eq!(policy.verify(&leaf("robot", &root, |_| ()), &[]), Ok(()));
    let below = leaf("robot", &two, |_| ());
    assert_eq!(policy.verify(&below, &[&two, &one]), Ok(()));
    assert_eq!(policy.verify(&below, &[&one, &two, &root]), Ok(()), "the order does not matter, nor that the root is shown");
    assert_eq!(policy.verify(&below, &[&two]), Err(CertificateFault::UnknownIssuer), "one is missing");
    assert_eq!(Policy::of(&one).verify(&below, &[&two]), Ok(()), "an intermediate may be the anchor");
}

#[test]
fn another_authority_even_of_the_same_name_is_not_taken() {
    let policy = Policy::of(&root("root"));
    assert_eq!(policy.verify(&leaf("robot", &root("other"), |_| ()), &[]), Err(CertificateFault::UnknownIssuer));
    assert_eq!(policy.verify(&leaf("robot", &root("root"), |_| ()), &[]), Err(CertificateFault::Signature));
}

#[test]
fn extended_key_usage_must_hold_client_authentication_if_it_is_there() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, ServerAuth};
    assert_eq!(verdict(|leaf| leaf.extended_key_usages = vec![]), Ok(()));
    assert_eq!(verdict(|leaf| leaf.extended_key_usages = vec![ServerAuth, ClientAuth]), Ok(()));
    for usages in [vec![ServerAuth], vec![Any]] {
        assert_eq!(verdict(|leaf| leaf.extended_key_usages = usages), Err(CertificateFault::Purpose));
    }
}

/// The class of CVE-2026-45389.
#[test]
fn key_usage_must_hold_digital_signature_if_it_is_there() {
    use KeyUsagePurpose::{DigitalSignature, KeyAgreement, KeyEncipherment};
    assert_eq!(verdict(|leaf| leaf.key_usages = vec![]), Ok(()));
    assert_eq!(verdict(|leaf| leaf.key_usages = vec![KeyEncipherment, DigitalSignature]), Ok(()));
    assert_eq!(verdict(|leaf| leaf.key_usages = vec![KeyEncipherment, KeyAgreement]), Err(CertificateFault::Purpose));
}

#[test]
fn an_issuer_must_be_an_authority_that_may_sign_certificates() {
    let root = root("root");
    let policy = Policy::of(&root);
    let signs_lists =
        |params: &mut CertificateParams| params.key_usages = vec![KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    let no_authority = |params: &mut CertificateParams| params.is_ca = IsCa::ExplicitNoCa;
    let of_one_level = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let issuer = |change: &dyn Fn(&mut CertificateParams), above: &Authority| {
        let mut params = authority_params("issuer");
        change(&mut params);
        Authority::signed_by(params, rcgen::KeyPair::generate().unwrap(), above).unwrap()
    };
    for change in [&signs_lists as &dyn Fn(&mut CertificateParams), &no_authority] {
        let issuer = issuer(change, &root);
        assert_eq!(policy.verify(&leaf("robot", &issuer, |_| ()), &[&issuer]), Err(CertificateFault::Purpose));
    }
    let (above, sound) = (issuer(&of_one_level, &root), issuer(&|_| (), &root));
    assert_eq!(policy.verify(&leaf("robot", &above, |_| ()), &[&above]), Ok(()));
    assert_eq!(policy.verify(&leaf("robot", &sound, |_| ()), &[&sound]), Ok(()));
    let below = intermediate("below", &above);
    assert_eq!(policy.verify(&leaf("robot", &below, |_| ()), &[&below, &above]), Err(CertificateFault::Purpose), "one level too deep");
}

#[test]
fn an_authority_is_no_client() {
    let root = root("root");
    let mut params = authority_params("robot");
    params.key_usages.push(KeyUsagePurpose::DigitalSignature);
    let shown = Authority::signed_by(params, rcgen::KeyPair::generate().unwrap(), &root).unwrap();
    assert_eq!(Policy::of(&root).verify_ders(shown.der(), &[]), Err(CertificateFault::Purpose));
}

#[test]
fn dates_count_for_leaf_and_authority() {
    assert_eq!(verdict(|leaf| leaf.not_after = date_time_ymd(2026, 1, 1)), Err(CertificateFault::Expired));
    assert_eq!(verdict(|leaf| leaf.not_before = date_time_ymd(2028, 1, 1)), Err(CertificateFault::NotYetValid));
    for (from, to, expected) in
        [(2020, 2030, Ok(())), (2020, 2026, Err(CertificateFault::UnknownIssuer)), (2028, 2030, Err(CertificateFault::UnknownIssuer))]
    {
        let mut params = authority_params("root");
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let root = Authority::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
        assert_eq!(Policy::of(&root).verify(&leaf("robot", &root, |_| ()), &[]), expected, "an authority of {from} to {to}");
    }
}

#[test]
fn revocation_lists_count_for_the_whole_chain_and_only_in_date() {
    let (root, other) = (root("root"), root("other"));
    let one = intermediate("one", &root);
    let robot = leaf("robot", &one, |_| ());
    let said = |crls: Vec<Vec<u8>>| Policy { crls, ..Policy::of(&root) }.verify(&robot, &[&one]);
    assert_eq!(said(vec![crl(&root, &[], 2030), crl(&one, &[6, 8], 2030)]), Ok(()));
    assert_eq!(said(vec![crl(&root, &[], 2030), crl(&one, &[6, 7], 2030)]), Err(CertificateFault::Revoked));
    assert_eq!(said(vec![crl(&root, &[], 2030), crl(&one, &[], 2026)]), Err(CertificateFault::RevocationExpired));
    assert_eq!(said(vec![crl(&root, &[], 2030)]), Err(CertificateFault::RevocationUnknown), "none of the leaf's issuer");
    assert_eq!(said(vec![crl(&one, &[], 2030)]), Err(CertificateFault::RevocationUnknown), "none of the intermediate's");
    assert_eq!(said(vec![crl(&other, &[], 2030)]), Err(CertificateFault::RevocationUnknown), "a stranger's alone");
}

#[test]
fn a_revocation_list_that_another_has_signed_is_none() {
    let (ours, theirs) = (root("root"), root("root"));
    let policy = Policy { crls: vec![crl(&theirs, &[], 2030)], ..Policy::of(&ours) };
    assert_eq!(policy.verify(&leaf("robot", &ours, |_| ()), &[]), Err(CertificateFault::RevocationUnknown));
}

#[test]
fn names_and_subjects_say_who_of_the_vouched_for_is_let_in() {
    let root = root("root");
    let robot = leaf("robot", &root, |params| {
        params.subject_alt_names = vec![
            SanType::DnsName("a.clients.example".try_into().unwrap()),
            SanType::Rfc822Name("robot@example.org".try_into().unwrap()),
            SanType::URI("spiffe://example.org/robot".try_into().unwrap()),
        ];
    });
    let said = |names: &[&str], subjects: &[&str]| {
        let strings = |list: &[&str]| list.iter().map(|text| (*text).into()).collect();
        Policy { names: strings(names), subjects: strings(subjects), ..Policy::of(&root) }.verify(&robot, &[])
    };
    for name in ["*.clients.example", "a.clients.example", "robot@example.org", "spiffe://example.org/*"] {
        assert_eq!(said(&["other.example", name], &[]), Ok(()), "{name}");
    }
    assert_eq!(said(&["other.example"], &["robot"]), Ok(()), "one of the two lists is enough");
    for subjects in [&["Robot"][..], &["robo"], &["a.clients.example"]] {
        assert_eq!(said(&["robot"], subjects), Err(CertificateFault::NotAllowed), "{subjects:?}");
    }
}

#[test]
fn a_chain_may_be_so_long_and_no_longer() {
    let root = root("root");
    let mut chain = vec![intermediate("0", &root)];
    for name in ["1", "2", "3", "4"] {
        chain.push(intermediate(name, chain.last().unwrap()));
    }
    let robot = leaf("robot", chain.last().unwrap(), |_| ());
    let mut shown: Vec<&Authority> = chain.iter().rev().collect();
    assert_eq!(shown.len() + 1, CLIENT_CHAIN_MAX);
    assert_eq!(Policy::of(&root).verify(&robot, &shown), Ok(()));
    shown.push(&root);
    assert_eq!(Policy::of(&root).verify(&robot, &shown), Err(CertificateFault::Limit));
}

#[test]
fn a_certificate_may_be_so_large_and_no_larger() {
    let padded = |len| {
        verdict(|leaf| leaf.subject_alt_names = vec![SanType::URI(("urn:".to_owned() + &"a".repeat(len)).as_str().try_into().unwrap())])
    };
    assert_eq!(padded(7000), Ok(()));
    assert_eq!(padded(8200), Err(CertificateFault::Limit));
}

/// T10: certificates of one name, all with each other's as issuer, make factorially many paths.
#[test]
fn knotted_chains_cost_no_more_than_the_budget() {
    let root = root("knot");
    let knot: Vec<Authority> = (1..CLIENT_CHAIN_MAX).map(|_| intermediate("knot", &self::root("knot"))).collect();
    let robot = leaf("robot", &self::root("knot"), |_| ());
    let shown: Vec<&Authority> = knot.iter().collect();
    assert_eq!(Policy::of(&root).verify(&robot, &shown), Err(CertificateFault::Limit));
    const { assert!(CLIENT_SIGNATURES_MAX < 100, "tighter than webpki's own") };
}

#[test]
fn an_algorithm_that_is_not_taken_is_named_so() {
    const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let root = root("root");
    let mut der = leaf("robot", &root, |_| ()).der.to_vec();
    let places: Vec<usize> = (0..der.len() - 8).filter(|&at| &der[at..at + 8] == ECDSA_SHA256).collect();
    assert_eq!(places.len(), 2);
    // ecdsa-with-SHA224, of the same length.
    places.iter().for_each(|at| der[at + 7] = 1);
    assert_eq!(Policy::of(&root).verify_ders(&der.into(), &[]), Err(CertificateFault::Algorithm));
}

#[test]
fn bytes_of_any_kind_are_refused_without_a_panic() {
    let root = root("root");
    let policy = Policy::of(&root);
    let der = leaf("robot", &root, |_| ()).der.to_vec();
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 0x81;
        assert!(policy.verify_ders(&changed.into(), &[]).is_err(), "byte {at}");
        assert!(policy.verify_ders(&der[..at].to_vec().into(), &[]).is_err(), "cut to {at}");
    }
}

#[test]
fn a_policy_that_cannot_work_is_refused() {
    let root = root("root");
    let robot = leaf("robot", &root, |_| ());
    let fault = |change: &dyn Fn(&mut Policy)| {
        let mut policy = Policy::of(&root);
        change(&mut policy);
        policy.clients().err()
    };
    assert_eq!(fault(&|policy| policy.roots.clear()), Some(ClientsFault::NoRoot));
    assert_eq!(fault(&|policy| policy.roots.push(vec![0x30, 0])), Some(ClientsFault::Root(1)));
    assert_eq!(fault(&|policy| policy.roots[0] = robot.der.to_vec()), Some(ClientsFault::Root(0)), "its key usage is for no authority");
    assert_eq!(fault(&|policy| policy.crls = vec![root.der().to_vec()]), Some(ClientsFault::Crl(0)));
    assert_eq!(fault(&|policy| policy.names = vec!["a.b".into(), "*".into()]), Some(ClientsFault::Name(1)));
}

#[test]
fn authorities_are_named_to_clients_unless_that_is_long() {
    let root = root("root");
    let mut policy = Policy::of(&root);
    assert_eq!(policy.clients().unwrap().hints.len(), 1);
    policy.roots = vec![policy.roots[0].clone(); CA_HINTS_LEN_MAX];
    assert_eq!(policy.clients().unwrap().hints.len(), 0);
}

#[test]
fn an_authority_counts_from_its_first_second_to_its_last() {
    let mut params = authority_params("root");
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2050, 1, 1));
    let root = Authority::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    let root = super::policy::Root::new(root.der()).unwrap();
    let (first, last) = (Duration::from_secs(1_577_836_800), Duration::from_secs(2_524_608_000));
    assert_eq!((root.not_before_s, root.not_after_s), (first.as_secs(), last.as_secs()));
    assert!(root.is_valid_at(root.not_before_s) && root.is_valid_at(root.not_after_s));
    assert!(!root.is_valid_at(root.not_before_s - 1) && !root.is_valid_at(root.not_after_s + 1));
}
