//! `[record]`: whether cells are recorded, where to, and for whom.

use recording::key::Recipient;

use super::document::Document;
use super::section::Section;
use crate::limits::{RECORD_BYTES_DEFAULT, RECORD_BYTES_MAX, RECORD_BYTES_MIN, RECORD_KEEP_DEFAULT, RECORD_KEEP_MAX};
use crate::plan::Record;
use crate::report::Report;
use crate::rule::Rule;

/// Reads the section, if there is one.
pub(super) fn read(top: &mut Section<'_>, document: &Document, report: &mut Report) -> Option<Record> {
    let wanted = top.has("record");
    let mut section = top.section("record", report);
    let record = if wanted { words(&mut section, document, report) } else { None };
    section.finish(report);
    record
}

fn words(section: &mut Section<'_>, document: &Document, report: &mut Report) -> Option<Record> {
    let file = section.required_text("file", report);
    if let Some(file) = file.as_ref().filter(|file| file.value.is_empty() || file.value.ends_with('/')) {
        report.add(Rule::WrongValue, &file.place, "a file's path is wanted");
    }
    if !section.has("recipient") {
        report.add(Rule::MissingKey, &section.place_at("recipient"), "`recipient` is missing: the public key that `age-keygen` prints");
    }
    let recipient = section.parsed("recipient", "an age public key, as age1.. with 62 characters", Recipient::parse, report);
    let number = |number: Option<super::section::Spot<u64>>, otherwise| number.map_or(otherwise, |number| number.value);
    let max_bytes = number(section.number("max_bytes", RECORD_BYTES_MIN..=RECORD_BYTES_MAX, report), RECORD_BYTES_DEFAULT);
    let keep = number(section.number("keep", 0..=RECORD_KEEP_MAX, report), RECORD_KEEP_DEFAULT);
    Some(Record { file: document.resolve(&file?.value), recipient: recipient?.value, max_bytes, keep })
}
