//! A chain's links: each certificate is issued by the one behind it, and nothing is missing or too much.

use core::time::Duration;

use pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::extensions::ParsedExtension;

use super::Parsed;
use super::certificate::is_self_issued;
use crate::report::Report;
use crate::rule::{Rule, Severity};

/// Order, gaps, signatures, a root that is too much; then what webpki, the verifier of rustls' clients, says to it all.
pub(super) fn check(chain: &[Parsed<'_>], unix: Duration, report: &mut Report) {
    let before = report.count(Severity::Error);
    for (index, pair) in chain.windows(2).enumerate() {
        if let [link, issuer] = pair {
            check_link(chain, index, link, issuer, report);
        }
    }
    if let [.., last] = chain {
        check_end(chain.len(), last, report);
    }
    if report.count(Severity::Error) == before {
        check_with_webpki(chain, unix, report);
    }
}

fn check_link(chain: &[Parsed<'_>], index: usize, link: &Parsed<'_>, issuer: &Parsed<'_>, report: &mut Report) {
    let is_issuer = |other: &Parsed<'_>| other.certificate.subject().as_raw() == link.certificate.issuer().as_raw();
    if !is_issuer(issuer) {
        let wanted = link.certificate.issuer();
        match chain.iter().enumerate().find(|(at, other)| *at != index && is_issuer(other)) {
            Some((at, _)) => {
                let message = format!("certificate {} was issued by certificate {}, not by this one", index + 1, at + 1);
                report.add(Rule::ChainOrder, issuer.place, message);
            }
            None => report.add(Rule::ChainGap, issuer.place, format!("did not issue the certificate before it: that was \"{wanted}\"")),
        }
    } else if link.certificate.verify_signature(Some(issuer.certificate.public_key())).is_err() {
        report.add(Rule::ChainSignature, link.place, "is not signed with the key of the certificate behind it");
    }
}

fn check_end(len: usize, last: &Parsed<'_>, report: &mut Report) {
    if len > 1 && is_self_issued(last) {
        report.add(Rule::ChainRoot, last.place, "is a root");
    } else if len == 1 && !is_self_issued(last) && tells_where_its_issuer_is(last) {
        report.add(
            Rule::ChainIncomplete,
            last.place,
            format!("stands alone, and its issuer \"{}\" is probably no root", last.certificate.issuer()),
        );
    }
}

/// Public authorities say where to fetch the issuer; those of one's own rarely do.
fn tells_where_its_issuer_is(last: &Parsed<'_>) -> bool {
    last.certificate.iter_extensions().any(|extension| matches!(extension.parsed_extension(), ParsedExtension::AuthorityInfoAccess(_)))
}

/// With the chain's own end as the anchor: it says nothing about trust, and all about whether the chain can be verified.
fn check_with_webpki(chain: &[Parsed<'_>], unix: Duration, report: &mut Report) {
    let ders: Vec<CertificateDer<'_>> = chain.iter().map(|parsed| CertificateDer::from(parsed.der)).collect();
    let ([leaf, ..], [first, ..]) = (ders.as_slice(), chain) else { return };
    let leaf = match EndEntityCert::try_from(leaf) {
        Ok(leaf) => leaf,
        // Said with more words already.
        Err(webpki::Error::CaUsedAsEndEntity) => return,
        Err(fault) => return report.add(Rule::ChainRefused, first.place, format!("webpki refuses it: {fault}")),
    };
    let [_, intermediates @ .., last] = ders.as_slice() else { return };
    let verdict = webpki::anchor_from_trusted_cert(last).and_then(|anchor| {
        let time = UnixTime::since_unix_epoch(unix);
        let usage = KeyUsage::server_auth();
        leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &[anchor], intermediates, time, usage, None, None).map(|_| ())
    });
    match verdict {
        // Said of the certificate itself already.
        Ok(()) | Err(webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. }) => {}
        Err(fault) => report.add(Rule::ChainRefused, first.place, format!("webpki refuses the chain: {fault}")),
    }
}
