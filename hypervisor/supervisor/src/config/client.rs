//! `[route.client]`: clients' certificates.

use std::path::PathBuf;

use keys::altname::AltPattern;
use keys::limits::{CLIENT_NAME_LEN_MAX, CLIENT_NAMES_MAX, CRLS_MAX};

use super::section::{Section, Spot};
use super::sections::bound;
use crate::report::{Place, Report};

/// What the section says; the files that it names are read in [`crate::check`].
#[derive(Debug, Clone)]
pub struct ClientWords {
    /// Where the section stands.
    pub place: Place,
    /// `mode`: whether a client without a certificate is refused.
    pub required: bool,
    /// `ca`, seen from the file's directory.
    pub ca: Option<Spot<PathBuf>>,
    /// `crls`, seen from the file's directory.
    pub crls: Vec<Spot<PathBuf>>,
    /// `names`
    pub names: Vec<String>,
    /// `subjects`
    pub subjects: Vec<String>,
}

const MODES: [(&str, bool); 2] = [("optional", false), ("required", true)];

/// Reads the section of a route, if it has one.
pub(super) fn read(route: &mut Section<'_>, report: &mut Report) -> Option<ClientWords> {
    let is_there = route.has("client");
    let mut section = route.section("client", report);
    let words = is_there.then(|| read_words(&mut section, report));
    section.finish(report);
    words
}

fn read_words(section: &mut Section<'_>, report: &mut Report) -> ClientWords {
    let document = section.document();
    let required = section.required_choice("mode", &MODES, report).is_none_or(|mode| mode.value);
    let ca = section.required_text("ca", report).map(|path| document.resolve_spot(path));
    let crls = section.texts("crls", report).unwrap_or_default().into_iter().map(|path| document.resolve_spot(path)).collect::<Vec<_>>();
    let wanted = "a DNS name (\"*.a.org\" for one label), a mail address (\"*@a.org\") or a URI (\"spiffe://a.org/*\")";
    let pattern = |text: &str| AltPattern::parse(text).map(|_| text.to_owned());
    let names = section.parsed_list("names", wanted, pattern, report).unwrap_or_default();
    let subject = |text: &str| (1..=CLIENT_NAME_LEN_MAX).contains(&text.len()).then(|| text.to_owned());
    let subjects = section.parsed_list("subjects", "a common name of 1 to 256 bytes", subject, report).unwrap_or_default();
    bound(section, "crls", crls.len(), CRLS_MAX, report);
    bound(section, "names", names.len(), CLIENT_NAMES_MAX, report);
    bound(section, "subjects", subjects.len(), CLIENT_NAMES_MAX, report);
    let texts = |list: Vec<Spot<String>>| list.into_iter().map(|text| text.value).collect();
    ClientWords { place: section.place.clone(), required, ca, crls, names: texts(names), subjects: texts(subjects) }
}
