//! `[route.client]`: the authorities of clients, and their revocation lists.
//!
//! What would let nobody in is an error; what lets in fewer than it looks is a warning, for the rest of the box should start.

use core::time::Duration;

use keys::bundle::ClientAuth;
use keys::limits::{CLIENT_CERTIFICATE_LEN_MAX, CLIENT_ROOTS_MAX, CRL_LEN_MAX, CRLS_LEN_MAX};
use pki_types::CertificateDer;
use webpki::BorrowedCertRevocationList;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::pem::Block;
use super::{Parsed, certificate, parse, pem};
use crate::config::{ClientWords, Config};
use crate::report::{Place, Report};
use crate::rule::Rule;

/// What each route asks of its clients, in the order of the routes. What is not usable is in the report.
pub(super) fn check(config: &Config, unix: Duration, report: &mut Report) -> Vec<Option<ClientAuth>> {
    let all: Vec<_> = config.routes.iter().map(|route| route.client.as_ref().and_then(|words| auth(words, unix, report))).collect();
    let len: usize = all.iter().flatten().flat_map(|auth| &auth.crls).map(Vec::len).sum();
    if let Some(words) = config.routes.iter().filter_map(|route| route.client.as_ref()).find(|_| len > CRLS_LEN_MAX) {
        report.add(Rule::CrlTooLong, &words.place, format!("all revocation lists together have {len} bytes; {CRLS_LEN_MAX} is the most"));
    }
    all
}

fn auth(words: &ClientWords, unix: Duration, report: &mut Report) -> Option<ClientAuth> {
    let ca = words.ca.as_ref()?;
    let blocks = pem::read_certificates(ca, CLIENT_ROOTS_MAX, Rule::TooMany, report)?;
    let roots = parse(&blocks, report)?;
    roots.iter().for_each(|root| check_root(root, unix, report));
    let lists: Vec<Block> = words.crls.iter().filter_map(|path| pem::read_lists(path, report)).flatten().collect();
    check_lists(&lists, &roots, unix, report);
    Some(ClientAuth {
        required: words.required,
        roots: super::ders(&blocks),
        crls: super::ders(&lists),
        names: words.names.clone(),
        subjects: words.subjects.clone(),
    })
}

fn check_root(root: &Parsed<'_>, unix: Duration, report: &mut Report) {
    certificate::check_strength(root, report);
    let signs = root.certificate.key_usage().ok().flatten().is_none_or(|usage| usage.value.key_cert_sign());
    if !root.certificate.is_ca() || !signs {
        report.add(
            Rule::ClientCaNoAuthority,
            root.place,
            format!("\"{}\" is no authority that signs certificates", root.certificate.subject()),
        );
    } else if root.der.len() > CLIENT_CERTIFICATE_LEN_MAX {
        let message = format!("has {} bytes; {CLIENT_CERTIFICATE_LEN_MAX} is the most for clients and their authorities", root.der.len());
        report.add(Rule::CertificateDamaged, root.place, message);
    } else if let Err(fault) = webpki::anchor_from_trusted_cert(&CertificateDer::from(root.der)) {
        report.add(Rule::CertificateDamaged, root.place, format!("webpki refuses it: {fault}"));
    }
    let now = i64::try_from(unix.as_secs()).unwrap_or(i64::MAX);
    let validity = root.certificate.validity();
    if !(validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now) {
        let message = format!("is valid from {} to {} only", validity.not_before, validity.not_after);
        report.add(Rule::ClientCaOutOfDate, root.place, message);
    } else if certificate::ends_soon(root, unix) {
        report.add(Rule::CertificateSoon, root.place, format!("expires at {}", validity.not_after));
    }
}

/// Each list by itself and against its authority; then whether every authority has one.
fn check_lists(blocks: &[Block], roots: &[Parsed<'_>], unix: Duration, report: &mut Report) {
    let lists: Vec<_> = blocks.iter().filter_map(|block| Some((read_list(block, report)?, &block.place))).collect();
    for (index, (list, place)) in lists.iter().enumerate() {
        check_list(list, place, roots, unix, report);
        let issuer = list.issuer().as_raw();
        if lists.iter().take(index).any(|(other, _)| other.issuer().as_raw() == issuer && other.extensions() == list.extensions()) {
            report.add(Rule::Duplicate, place, format!("a second revocation list of \"{}\"", list.issuer()));
        }
    }
    if lists.is_empty() || lists.len() < blocks.len() {
        return;
    }
    for root in roots {
        if !lists.iter().any(|(list, _)| list.issuer().as_raw() == root.certificate.subject().as_raw()) {
            let message = format!("\"{}\" has no revocation list while others have: its clients are refused", root.certificate.subject());
            report.add(Rule::CrlMissing, root.place, message);
        }
    }
}

fn read_list<'a>(block: &'a Block, report: &mut Report) -> Option<CertificateRevocationList<'a>> {
    let len = block.der.len();
    let sound = match BorrowedCertRevocationList::from_der(&block.der).and_then(|list| list.to_owned()) {
        _ if len > CRL_LEN_MAX => Err(format!("has {len} bytes; {CRL_LEN_MAX} is the most")),
        Err(fault) => Err(format!("webpki refuses it: {fault}")),
        Ok(_) => CertificateRevocationList::from_der(&block.der).map(|(_, list)| list).map_err(|fault| format!("is damaged: {fault}")),
    };
    sound.map_err(|message| report.add(Rule::CrlRefused, &block.place, message)).ok()
}

fn check_list(list: &CertificateRevocationList<'_>, place: &Place, roots: &[Parsed<'_>], unix: Duration, report: &mut Report) {
    let mut issuers = roots.iter().filter(|root| root.certificate.subject().as_raw() == list.issuer().as_raw()).peekable();
    if issuers.peek().is_some() && !issuers.any(|issuer| list.verify_signature(issuer.certificate.public_key()).is_ok()) {
        report.add(Rule::CrlRefused, place, format!("is not signed with the key of \"{}\"", list.issuer()));
    }
    let now = i64::try_from(unix.as_secs()).unwrap_or(i64::MAX);
    if let Some(next) = list.next_update().filter(|next| next.timestamp() <= now) {
        report.add(Rule::CrlExpired, place, format!("was to be replaced by {next}: clients of \"{}\" are refused", list.issuer()));
    }
}
