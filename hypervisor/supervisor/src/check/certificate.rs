//! One certificate by itself.

use core::time::Duration;

use keys::limits::{CERTIFICATE_NAMES_MAX, RSA_BITS_MIN};
use keys::names::parse_pattern;
use x509_parser::extensions::GeneralName;
use x509_parser::public_key::PublicKey;

use super::Parsed;
use crate::limits::EXPIRES_SOON_S;
use crate::report::Report;
use crate::rule::Rule;

/// Signature algorithms that no client should take, by their OIDs.
const WEAK_SIGNATURES: [(&str, &str); 5] = [
    ("1.2.840.113549.1.1.2", "MD2"),
    ("1.2.840.113549.1.1.4", "MD5"),
    ("1.2.840.113549.1.1.5", "SHA-1"),
    ("1.2.840.10045.4.1", "SHA-1"),
    ("1.2.840.10040.4.3", "SHA-1"),
];

/// Dates, strength; for the leaf also what it is for.
pub(super) fn check(parsed: &Parsed<'_>, is_leaf: bool, unix: Duration, report: &mut Report) {
    check_dates(parsed, unix, report);
    check_strength(parsed, report);
    if is_leaf {
        check_purpose(parsed, report);
    }
}

/// Keys and signatures that nobody should rely on any more.
pub(super) fn check_strength(parsed: &Parsed<'_>, report: &mut Report) {
    check_key(parsed, report);
    check_signature(parsed, report);
}

fn check_dates(parsed: &Parsed<'_>, unix: Duration, report: &mut Report) {
    let now = i64::try_from(unix.as_secs()).unwrap_or(i64::MAX);
    let validity = parsed.certificate.validity();
    let (from, to) = (validity.not_before, validity.not_after);
    if now > to.timestamp() {
        report.add(Rule::CertificateExpired, parsed.place, format!("expired at {to}"));
    } else if now < from.timestamp() {
        report.add(Rule::CertificateNotYet, parsed.place, format!("is valid from {from} on only"));
    } else if ends_soon(parsed, unix) {
        report.add(Rule::CertificateSoon, parsed.place, format!("expires at {to}"));
    }
}

/// Whether it ends soon, and was not made to live shorter than that.
pub(super) fn ends_soon(parsed: &Parsed<'_>, unix: Duration) -> bool {
    let now = i64::try_from(unix.as_secs()).unwrap_or(i64::MAX);
    let validity = parsed.certificate.validity();
    let seconds = |from: i64| u64::try_from(validity.not_after.timestamp().saturating_sub(from)).unwrap_or_default();
    seconds(validity.not_before.timestamp()) > EXPIRES_SOON_S && seconds(now) < EXPIRES_SOON_S
}

fn check_key(parsed: &Parsed<'_>, report: &mut Report) {
    let bits = match parsed.certificate.public_key().parsed() {
        Ok(PublicKey::RSA(rsa)) => rsa.key_size(),
        _ => return,
    };
    if u32::try_from(bits).is_ok_and(|bits| bits < RSA_BITS_MIN) {
        report.add(Rule::CertificateWeakKey, parsed.place, format!("has an RSA key of {bits} bits"));
    }
}

/// A root's signature over itself proves nothing, so it may be weak.
fn check_signature(parsed: &Parsed<'_>, report: &mut Report) {
    let oid = parsed.certificate.signature_algorithm.algorithm.to_id_string();
    if let Some((_, name)) = WEAK_SIGNATURES.iter().find(|(weak, _)| *weak == oid).filter(|_| !is_self_issued(parsed)) {
        report.add(Rule::CertificateSha1, parsed.place, format!("is signed with {name}"));
    }
}

fn check_purpose(parsed: &Parsed<'_>, report: &mut Report) {
    if parsed.certificate.is_ca() {
        report.add(Rule::CertificateAuthority, parsed.place, "is an authority's certificate (CA:TRUE), not a server's");
    }
    match parsed.certificate.extended_key_usage() {
        Ok(Some(usage)) if !usage.value.server_auth && !usage.value.any => {
            report.add(Rule::CertificatePurpose, parsed.place, "is not for server authentication");
        }
        Ok(_) => {}
        Err(_) => report.add(Rule::CertificateDamaged, parsed.place, "has two extended key usages"),
    }
}

pub(super) fn is_self_issued(parsed: &Parsed<'_>) -> bool {
    parsed.certificate.subject().as_raw() == parsed.certificate.issuer().as_raw()
}

/// The leaf's DNS names that can be asked for, in lower case. IP addresses count as names when it comes to having one at all.
pub(super) fn names(leaf: &Parsed<'_>, report: &mut Report) -> Vec<String> {
    let Ok(found) = leaf.certificate.subject_alternative_name() else {
        report.add(Rule::CertificateDamaged, leaf.place, "has two or damaged subjectAltNames");
        return Vec::new();
    };
    let all = found.map(|found| found.value.general_names.as_slice()).unwrap_or_default();
    let usable = |name: &&GeneralName<'_>| matches!(name, GeneralName::DNSName(_) | GeneralName::IPAddress(_));
    match all.iter().filter(usable).count() {
        0 => report.add(Rule::CertificateNoNames, leaf.place, "names no host in subjectAltName"),
        count if count > CERTIFICATE_NAMES_MAX => {
            report.add(Rule::CertificateDamaged, leaf.place, format!("has {count} names, and {CERTIFICATE_NAMES_MAX} is the most"));
        }
        _ => {}
    }
    all.iter().filter_map(dns_name).collect()
}

fn dns_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(text) => parse_pattern(text),
        _ => None,
    }
}
