//! The configuration file, `bountybox.toml`: read, checked, and turned into a [`Plan`].
//!
//! Everything that is wrong is found in one go: a bad key does not hide a bad value further down. [`read`] knows the file's words,
//! [`crate::check`] the certificates and keys that it names, `assemble` makes the plan. Nothing is resolved, opened for
//! listening, or started.

mod admin;
mod challenge;
mod client;
mod document;
pub mod keys;
mod listen;
mod net;
mod record;
mod reload;
mod section;
mod sections;
pub(crate) mod suggest;
mod taken;
mod tls;
mod upstream;

use core::time::Duration;
use std::path::Path;

pub use challenge::ChallengeWords;
pub use client::ClientWords;
pub use document::Document;
pub(crate) use document::read_bounded;
pub use listen::ListenWords;
pub use net::{Mode, Net};
pub use reload::Reload;
pub use section::Spot;
pub use sections::{CertificateFiles, Config, Endpoint, RouteWords};

use crate::addresses::Book;
use crate::plan::Plan;
use crate::report::Report;
use crate::{assemble, check};

/// Reads the file and everything it names, and makes the plan.
///
/// `unix` is the time that certificates are held against.
///
/// # Errors
/// All that is wrong, if any of it is an error; warnings alone stand in [`Plan::warnings`].
pub fn load(path: &Path, unix: Duration) -> Result<Plan, Report> {
    load_again(path, unix, &mut Book::default())
}

/// The same for a box that runs: a backend keeps the virtual address under which `book` has it.
///
/// # Errors
/// As [`load`].
pub fn load_again(path: &Path, unix: Duration, book: &mut Book) -> Result<Plan, Report> {
    let mut report = Report::default();
    let document = Document::open(path, &mut report);
    let config = document.as_ref().and_then(|document| read_document(document, &mut report));
    let materials = config.as_ref().map(|config| check::materials(config, unix, &mut report));
    match (document, config, materials) {
        (Some(document), Some(config), Some(materials)) if !report.has_errors() => {
            assemble::plan(&document, &config, materials, book, report)
        }
        _ => Err(report),
    }
}

/// Finds all that is wrong with the file and everything it names, and makes nothing.
#[must_use]
pub fn examine(path: &Path, unix: Duration) -> Report {
    load(path, unix).map_or_else(|report| report, |plan| plan.warnings)
}

/// Reads the words of the file alone. `None` if there is nothing to go on with.
pub fn read(path: &Path, report: &mut Report) -> Option<Config> {
    read_document(&Document::open(path, report)?, report)
}

/// The same of a text that is there already.
pub fn read_document(document: &Document, report: &mut Report) -> Option<Config> {
    let table = document.parse(report)?;
    Some(sections::read(document, &table, report))
}
