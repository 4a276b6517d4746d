//! A private key's file, and whether it is its certificate's.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use keys::{Secret, Signer, SignerFault};
use pki_types::pem::{PemObject, SectionKind};
use zeroize::Zeroizing;

use super::{Parsed, pem};
use crate::config::Spot;
use crate::limits::PEM_LEN_MAX;
use crate::report::{Place, Report};
use crate::rule::Rule;

/// A key as it lies in its file.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) der: Secret<Vec<u8>>,
    place: Place,
}

const LABELS: [&str; 3] = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"];

/// The one key of a file.
pub(super) fn read(path: &Spot<PathBuf>, report: &mut Report) -> Option<Key> {
    let place = pem::place_of(path);
    let bytes = match crate::config::read_bounded(&path.value, PEM_LEN_MAX) {
        Ok(bytes) => bytes,
        Err(fault) => {
            report.add(Rule::KeyUnreadable, &place, format!("cannot be read: {fault}"));
            return None;
        }
    };
    warn_about_readers(path, &place, report);
    let text = Zeroizing::new(pem::text_of(bytes, Rule::KeyFormat, &place, report)?);
    one_block(&text, &place, report)
}

fn one_block(text: &str, file: &Place, report: &mut Report) -> Option<Key> {
    let spans = pem::spans(text);
    let encrypted = spans.iter().find(|span| span.label == "ENCRYPTED PRIVATE KEY" || span.text.contains("Proc-Type: 4,ENCRYPTED"));
    if let Some(span) = encrypted {
        report.add(Rule::KeyEncrypted, &Place { line: Some(span.line), ..file.clone() }, "the key is encrypted");
        return None;
    }
    let mut keys = spans.iter().filter(|span| LABELS.contains(&span.label));
    let (span, second) = (keys.next(), keys.next());
    let Some(span) = span else {
        report.add(Rule::KeyFormat, file, "holds no private key");
        return None;
    };
    if let Some(second) = second {
        report.add(Rule::KeyFormat, &Place { line: Some(second.line), ..file.clone() }, "holds a second private key");
        return None;
    }
    let place = Place { line: Some(span.line), ..file.clone() };
    match <(SectionKind, Vec<u8>)>::from_pem_slice(span.text.as_bytes()) {
        Ok((_, der)) => Some(Key { der: Secret::new(der), place }),
        Err(_) => {
            // What exactly is wrong might quote the key.
            report.add(Rule::KeyFormat, &place, "the block is damaged");
            None
        }
    }
}

pub(super) fn warn_about_readers(path: &Spot<PathBuf>, place: &Place, report: &mut Report) {
    let mode = fs::metadata(&path.value).map(|found| found.mode() & 0o7777).unwrap_or_default();
    if mode & 0o077 != 0 {
        report.add(Rule::KeyReadable, place, format!("its mode is {mode:04o}: others than its owner may get at the key"));
    }
}

/// Whether the key signs, and for this certificate.
pub(super) fn check(key: &Key, leaf: &Parsed<'_>, report: &mut Report) -> Option<Signer> {
    let signer = match Signer::from_der(&key.der) {
        Ok(signer) => signer,
        Err(fault @ SignerFault::ConfigWeakRsa { .. }) => {
            report.add(Rule::KeyWeak, &key.place, fault.to_string());
            return None;
        }
        Err(fault) => {
            report.add(Rule::KeyRefused, &key.place, fault.to_string());
            return None;
        }
    };
    if !signer.matches(leaf.certificate.public_key().raw) {
        let message = format!("is not the key of {}: {} here, another public key there", leaf.place.file, signer.kind());
        report.add(Rule::KeyMismatch, &key.place, message);
        return None;
    }
    Some(signer)
}
