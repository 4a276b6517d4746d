//! Boundary: the configuration file, as somebody else may have written it.

use bountybox::config::{self, Document};
use bountybox::report::Report;

/// Whatever the file says, each thing wrong with it has its place, and without any there is a configuration within its bounds.
pub fn config(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let mut report = Report::default();
    let document = Document::new("bountybox.toml".as_ref(), text);
    let config = config::read_document(&document, &mut report);
    for finding in report.findings() {
        assert!(finding.place.line.is_some() || !finding.place.field.is_empty(), "{finding}");
        let lines = text.matches('\n').count() + 1;
        assert!(finding.place.line.is_none_or(|line| (1..=lines).contains(&line)), "{finding}");
    }
    assert!(config.is_some() || report.has_errors(), "no configuration, and no reason");
    let Some(config) = config.filter(|_| !report.has_errors()) else { return };
    assert!(!config.routes.is_empty() && !config.listeners.is_empty());
    assert!(config.routes.iter().all(|route| !route.backends.is_empty()));
    assert!(keys::bundle::Memory(config.heap_mib << 20).holds(&config.limits), "the limits fit the heap");
}
