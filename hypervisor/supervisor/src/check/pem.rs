//! PEM files (RFC 7468): their blocks, each with the line it begins on.

use std::path::PathBuf;

use keys::limits::{CERTIFICATE_LEN_MAX, CHAIN_MAX};
use pki_types::pem::{PemObject, SectionKind};

use crate::config::Spot;
use crate::limits::PEM_LEN_MAX;
use crate::report::{Place, Report};
use crate::rule::Rule;

/// One certificate's DER, and where its block begins.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) der: Vec<u8>,
    pub(super) place: Place,
}

/// The text of one block, from BEGIN to END, and its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span<'a> {
    pub(super) label: &'a str,
    pub(super) text: &'a str,
    pub(super) line: usize,
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// What DER of certificates, keys and lists begins with.
const DER_SEQUENCE: u8 = 0x30;

/// The certificates of a chain file, in its order.
pub(super) fn read_chain(path: &Spot<PathBuf>, report: &mut Report) -> Option<Vec<Block>> {
    read_certificates(path, CHAIN_MAX, Rule::ChainGap, report)
}

/// The certificates of a file, in its order; more than `most` break `rule`.
pub(super) fn read_certificates(path: &Spot<PathBuf>, most: usize, rule: Rule, report: &mut Report) -> Option<Vec<Block>> {
    let place = place_of(path);
    let text = match crate::config::read_bounded(&path.value, PEM_LEN_MAX) {
        Ok(bytes) => text_of(bytes, Rule::CertificateFormat, &place, report)?,
        Err(fault) => {
            report.add(Rule::CertificateUnreadable, &place, format!("cannot be read: {fault}"));
            return None;
        }
    };
    let spans: Vec<Span<'_>> = spans(&text).into_iter().filter(|span| span.label == "CERTIFICATE").collect();
    if spans.is_empty() {
        report.add(Rule::CertificateFormat, &place, "holds no `-----BEGIN CERTIFICATE-----` block");
        return None;
    }
    if spans.len() > most {
        report.add(rule, &place, format!("holds {} certificates, and {most} is the most", spans.len()));
        return None;
    }
    let count = spans.len();
    let blocks: Vec<Block> = spans.into_iter().filter_map(|span| block(span, &place, report)).collect();
    (blocks.len() == count).then_some(blocks)
}

/// The revocation lists of a file: DER, or PEM with any number of them.
pub(super) fn read_lists(path: &Spot<PathBuf>, report: &mut Report) -> Option<Vec<Block>> {
    let place = place_of(path);
    let bytes = match crate::config::read_bounded(&path.value, PEM_LEN_MAX) {
        Ok(bytes) if bytes.first() == Some(&DER_SEQUENCE) => return Some(vec![Block { der: bytes, place }]),
        Ok(bytes) => bytes,
        Err(fault) => {
            report.add(Rule::CrlUnreadable, &place, format!("cannot be read: {fault}"));
            return None;
        }
    };
    let text = text_of(bytes, Rule::CrlUnreadable, &place, report)?;
    let spans: Vec<Span<'_>> = spans(&text).into_iter().filter(|span| span.label == "X509 CRL").collect();
    if spans.is_empty() {
        report.add(Rule::CrlUnreadable, &place, "holds no `-----BEGIN X509 CRL-----` block");
    }
    spans.into_iter().map(|span| list(span, &place, report)).collect()
}

fn list(span: Span<'_>, file: &Place, report: &mut Report) -> Option<Block> {
    let place = Place { line: Some(span.line), ..file.clone() };
    let der = <(SectionKind, Vec<u8>)>::from_pem_slice(span.text.as_bytes()).map(|(_, der)| der);
    let fault = der.as_ref().err().map(|fault| format!("the block is damaged: {fault}"));
    fault.into_iter().for_each(|message| report.add(Rule::CrlRefused, &place, message));
    Some(Block { der: der.ok()?, place })
}

fn block(span: Span<'_>, file: &Place, report: &mut Report) -> Option<Block> {
    let place = Place { line: Some(span.line), ..file.clone() };
    match <(SectionKind, Vec<u8>)>::from_pem_slice(span.text.as_bytes()) {
        Ok((_, der)) if (1..=CERTIFICATE_LEN_MAX).contains(&der.len()) => return Some(Block { der, place }),
        Ok((_, der)) => {
            report.add(Rule::CertificateDamaged, &place, format!("has {} bytes; 1 to {CERTIFICATE_LEN_MAX} are taken", der.len()));
        }
        Err(fault) => report.add(Rule::CertificateDamaged, &place, format!("the block is damaged: {fault}")),
    }
    None
}

/// The file as a place of its own, reached by the key that names it.
pub(super) fn place_of(path: &Spot<PathBuf>) -> Place {
    Place { file: path.value.display().to_string(), line: None, field: path.place.field.clone() }
}

/// The bytes as text; DER, which begins with a SEQUENCE, gets a hint.
pub(super) fn text_of(bytes: Vec<u8>, rule: Rule, place: &Place, report: &mut Report) -> Option<String> {
    let is_der = bytes.first() == Some(&DER_SEQUENCE);
    String::from_utf8(bytes).map_err(|fault| drop(zeroize::Zeroizing::new(fault.into_bytes()))).map_or_else(
        |()| {
            report.add(rule, place, if is_der { "is DER, and PEM is wanted" } else { "is no text, and PEM is wanted" });
            None
        },
        Some,
    )
}

/// All blocks of a PEM text. A block without its END reaches to the next BEGIN or the end of the text.
pub(super) fn spans(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut open: Option<(usize, usize, &str)> = None;
    let mut offset = 0_usize;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let end = offset.saturating_add(line.len());
        let word = line.trim();
        if let Some(label) = word.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES)) {
            spans.extend(open.take().and_then(|span| cut(text, span, offset)));
            open = Some((offset, index.saturating_add(1), label));
        } else if word.starts_with(END) {
            spans.extend(open.take().and_then(|span| cut(text, span, end)));
        }
        offset = end;
    }
    spans.extend(open.and_then(|span| cut(text, span, text.len())));
    spans
}

fn cut<'a>(text: &'a str, (start, line, label): (usize, usize, &'a str), end: usize) -> Option<Span<'a>> {
    Some(Span { label, text: text.get(start..end)?, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_know_their_lines_and_labels() {
        let text = "note\n-----BEGIN A-----\nAA==\n-----END A-----\n\n-----BEGIN B C-----\r\nAA==\r\n-----END B C-----\r\n";
        let found: Vec<(&str, usize)> = spans(text).iter().map(|span| (span.label, span.line)).collect();
        assert_eq!(found, [("A", 2), ("B C", 6)]);
        assert_eq!(spans(text)[0].text, "-----BEGIN A-----\nAA==\n-----END A-----\n");
    }

    #[test]
    fn a_block_that_is_cut_off_is_still_a_block() {
        assert_eq!(spans("-----BEGIN A-----\nAA").len(), 1);
        assert_eq!(spans("-----BEGIN A-----\nAA\n-----BEGIN B-----\n").len(), 2);
        assert!(spans("-----END A-----\n").is_empty());
    }
}
