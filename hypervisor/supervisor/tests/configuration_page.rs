//! The examples of `docs/configuration.md` are what the command reads, and the defaults that it shows are the defaults.

use bountybox::config::{self, Config};
use bountybox::report::Report;
use keys::bundle::{Limits, Tls};

/// The page's TOML examples, each read.
fn examples() -> Vec<Config> {
    let page = include_str!("../../../docs/configuration.md");
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(read).collect()
}

fn read(text: &str) -> Config {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("bountybox.toml");
    std::fs::write(&path, text).expect("written");
    let mut report = Report::default();
    let config = config::read(&path, &mut report).expect("TOML");
    assert_eq!(report.lines().collect::<Vec<_>>(), Vec::<String>::new());
    config
}

#[test]
fn every_example_is_read_without_a_finding() {
    assert_eq!(examples().len(), 6);
}

#[test]
fn the_defaults_on_the_page_are_the_defaults() {
    let [least, all, ..] = <[Config; 6]>::try_from(examples()).expect("six");
    assert_eq!((&least.limits, &all.limits), (&Limits::default(), &Limits::default()));
    assert_eq!((&least.tls, &all.tls), (&Tls::default(), &Tls::default()));
    assert_eq!((least.machine, least.heap_mib, least.restart), (all.machine, all.heap_mib, all.restart));
    assert_eq!((least.front.attachment, least.back.attachment), (all.front.attachment, all.back.attachment));
}
