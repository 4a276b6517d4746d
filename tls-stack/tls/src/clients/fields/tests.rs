//! Fields of certificates that rcgen made, and dates.

use alloc::vec;
use alloc::vec::Vec;

use rcgen::{DnType, KeyUsagePurpose, SanType};

use super::*;
use crate::testing::pki::{leaf, root};

#[test]
fn subject_names_and_usages_are_read() {
    let leaf = leaf("robot", &root("root"), |params| {
        params.distinguished_name.push(DnType::OrganizationName, "Example");
        params.distinguished_name.push(DnType::CountryName, "XX");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.subject_alt_names = vec![
            SanType::DnsName("a.example".try_into().unwrap()),
            SanType::IpAddress([127, 0, 0, 1].into()),
            SanType::URI("urn:a".try_into().unwrap()),
        ];
    });
    let fields = Fields::parse(&leaf.der).unwrap();
    assert_eq!(fields.subject(), "C=XX,O=Example,CN=robot");
    assert_eq!(fields.common_name(), Some("robot"));
    assert_eq!(fields.alt_names().collect::<Vec<_>>(), [AltName::Dns("a.example"), AltName::Uri("urn:a")], "an address is no name here");
    assert!(fields.allows(Purpose::SignCertificates) && !fields.allows(Purpose::Sign));
}

#[test]
fn what_is_not_there_restricts_nothing_and_names_nobody() {
    let leaf = leaf("robot", &root("root"), |params| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.key_usages = vec![];
    });
    let fields = Fields::parse(&leaf.der).unwrap();
    assert!(fields.allows(Purpose::Sign) && fields.allows(Purpose::SignCertificates));
    assert_eq!((fields.subject().as_str(), fields.common_name(), fields.alt_names().count()), ("", None, 0));
}

#[test]
fn dates_are_read_in_both_forms() {
    assert_eq!(time((UTC_TIME, b"700101000000Z")), Some(0));
    assert_eq!(time((UTC_TIME, b"491231235959Z")), Some(2_524_607_999));
    assert_eq!(time((GENERALIZED_TIME, b"20240229120000Z")), Some(1_709_208_000), "a leap day");
    assert_eq!(time((GENERALIZED_TIME, b"20240301000000Z")), Some(1_709_251_200));
    assert_eq!(time((GENERALIZED_TIME, b"99991231235959Z")), Some(253_402_300_799), "RFC 5280: no end");
}

#[test]
fn what_is_no_date_is_refused() {
    let cases: [(u8, &[u8]); 8] = [
        (UTC_TIME, b""),
        (UTC_TIME, b"7001010000Z"),
        (UTC_TIME, b"700101000000+0000"),
        (UTC_TIME, b"701301000000Z"),
        (UTC_TIME, b"700101240000Z"),
        (GENERALIZED_TIME, b"700101000000Z"),
        (GENERALIZED_TIME, b"00000101000000Z"),
        (INTEGER, b"700101000000Z"),
    ];
    for case in cases {
        assert_eq!(time(case), None, "{case:?}");
    }
}
