//! The examples that a page of documentation shows.

use bountybox::config::{self, Config};
use bountybox::report::Report;

/// The page's TOML examples, each read without a finding.
pub(crate) fn examples(page: &str) -> Vec<Config> {
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(read).collect()
}

fn read(text: &str) -> Config {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("bountybox.toml");
    std::fs::write(&path, text).expect("written");
    let mut report = Report::default();
    let config = config::read(&path, &mut report).expect("TOML");
    assert_eq!(report.lines().collect::<Vec<_>>(), Vec::<String>::new(), "{text}");
    config
}
