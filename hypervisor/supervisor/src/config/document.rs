//! The text of a configuration file, and where in it things stand.

use core::ops::Range;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use arbiter::Digest;
use toml::Spanned;
use toml::de::DeTable;

use super::section::Spot;
use crate::limits::CONFIG_LEN_MAX;
use crate::report::{Place, Report};
use crate::rule::Rule;

/// A configuration file's text and path.
#[derive(Debug, Clone)]
pub struct Document {
    path: PathBuf,
    text: String,
}

impl Document {
    /// A text as if it stood in a file at `path`, which is not opened.
    #[must_use]
    pub fn new(path: &Path, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Reads a file. What is wrong with it goes to the report.
    pub fn open(path: &Path, report: &mut Report) -> Option<Self> {
        let nowhere = Place { file: path.display().to_string(), line: None, field: String::new() };
        match read_text(path) {
            Ok(text) => Some(Self { path: path.into(), text }),
            Err(fault) => {
                report.add(Rule::ConfigUnreadable, &nowhere, format!("cannot be read: {fault}"));
                None
            }
        }
    }

    /// Parses the text as TOML. What is wrong with it goes to the report.
    pub fn parse(&self, report: &mut Report) -> Option<DeTable<'_>> {
        match DeTable::parse(&self.text) {
            Ok(table) => Some(Spanned::into_inner(table)),
            Err(fault) => {
                report.add(Rule::ConfigSyntax, &self.place(fault.span(), ""), fault.message().replace('\n', ", "));
                None
            }
        }
    }

    /// The place of a span of the text.
    #[must_use]
    pub fn place(&self, span: Option<Range<usize>>, field: &str) -> Place {
        let before = span.and_then(|span| self.text.get(..span.start));
        let line = before.map(|before| before.matches('\n').count().saturating_add(1));
        Place { file: self.path.display().to_string(), line, field: field.into() }
    }

    /// SHA-256 of the text as it was read.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&[self.text.as_bytes()])
    }

    /// The place of the file as a whole.
    #[must_use]
    pub fn whole(&self) -> Place {
        self.place(None, "")
    }

    /// A path that the file names, seen from the file's own directory.
    #[must_use]
    pub fn resolve(&self, named: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(named)
    }

    /// The same with its place.
    #[must_use]
    pub fn resolve_spot(&self, named: Spot<String>) -> Spot<PathBuf> {
        Spot { value: self.resolve(&named.value), place: named.place }
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let bytes = read_bounded(path, CONFIG_LEN_MAX)?;
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// Reads a regular file of at most so many bytes. Pipes and devices, which might never end, are refused.
pub(crate) fn read_bounded(path: &Path, len_max: usize) -> io::Result<Vec<u8>> {
    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return refuse("it is not a regular file".into());
    }
    let len = usize::try_from(found.len()).unwrap_or(usize::MAX);
    if len > len_max {
        return refuse(format!("it is longer than {len_max} bytes"));
    }
    // One more than the length, so that reading to the end never moves what may be a key to a larger buffer.
    let mut bytes = Vec::with_capacity(len.saturating_add(1));
    let limit = u64::try_from(len).unwrap_or(u64::MAX);
    fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
