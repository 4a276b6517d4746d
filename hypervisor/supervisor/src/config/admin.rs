//! `[admin]` and `[log]`: how to see in, and where the access log goes.

use core::net::SocketAddr;
use std::path::PathBuf;

use tender::order::Lines;

use super::document::Document;
use super::section::Section;
use crate::limits::SOCKET_PATH_LEN_MAX;
use crate::plan::{Access, AccessLog, Admin};
use crate::report::Report;
use crate::rule::Rule;

/// Reads `[admin]`; the caller finishes it.
pub(crate) fn read(section: &mut Section<'_>, document: &Document, report: &mut Report) -> Admin {
    let wanted = "an address and a port, as \"127.0.0.1:9090\"";
    let address = section.parsed("address", wanted, |text| text.parse::<SocketAddr>().ok(), report);
    let public = section.switch("public", report).unwrap_or(false);
    if let Some(address) = address.as_ref().filter(|address| !address.value.ip().is_loopback() && !public) {
        let message =
            format!("{} is not a loopback address: who reaches it may read it; if that is meant, add `public = true`", address.value);
        report.add(Rule::WrongValue, &address.place, message);
    }
    Admin { address: address.map(|address| address.value), socket: socket(section, document, report) }
}

fn socket(section: &mut Section<'_>, document: &Document, report: &mut Report) -> Option<PathBuf> {
    let named = section.text("socket", report)?;
    let path = document.resolve(&named.value);
    let len = path.as_os_str().len();
    if len > SOCKET_PATH_LEN_MAX || named.value.is_empty() {
        let message = format!("a Unix socket's path has 1 to {SOCKET_PATH_LEN_MAX} bytes, and this has {len} (the file's folder counted)");
        report.add(Rule::WrongValue, &named.place, message);
    }
    Some(path)
}

/// Reads `[log]`; the caller finishes it.
pub(crate) fn read_log(section: &mut Section<'_>, document: &Document, report: &mut Report) -> AccessLog {
    let to = match section.text("access", report) {
        None => Access::Stderr,
        Some(text) => match text.value.as_str() {
            "stderr" => Access::Stderr,
            "off" => Access::Off,
            "" => {
                report.add(Rule::WrongValue, &text.place, "\"\" is none of \"stderr\", \"off\" and a file's path");
                Access::Off
            }
            path => Access::File(document.resolve(path)),
        },
    };
    let format = section.choice("format", &[("text", Lines::Text), ("json", Lines::Json)], report);
    AccessLog { to, lines: format.map(|format| format.value) }
}
