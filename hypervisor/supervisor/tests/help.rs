//! The examples of `bountybox --help` work as they stand.

use std::collections::BTreeSet;

use bountybox::cli::Cli;
use bountybox::config;
use bountybox::report::Report;
use clap::{CommandFactory, Parser};

fn examples() -> String {
    Cli::command().get_after_long_help().expect("examples").to_string()
}

/// The example command lines, as words.
fn lines(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|line| line.trim_start().starts_with("bountybox "));
    lines.map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn every_example_is_a_command_line_that_is_understood() {
    let text = examples();
    for words in lines(&text) {
        let parsed = Cli::try_parse_from(&words);
        assert!(parsed.is_ok(), "{}: {}", words.join(" "), parsed.err().map(|fault| fault.to_string()).unwrap_or_default());
    }
}

#[test]
fn every_command_that_is_shown_has_an_example() {
    let text = examples();
    let shown: BTreeSet<&str> = lines(&text).iter().filter_map(|words| words.get(1).copied()).collect();
    let command = Cli::command();
    let wanted = command.get_subcommands().filter(|command| !command.is_hide_set()).map(clap::Command::get_name);
    assert_eq!(wanted.filter(|name| !shown.contains(name)).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn the_configuration_among_them_is_read_without_a_finding() {
    let text = examples();
    let (_, configuration) = text.split_once("A configuration:").expect("a configuration");
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("bountybox.toml");
    std::fs::write(&path, configuration).expect("written");
    let mut report = Report::default();
    assert!(config::read(&path, &mut report).is_some());
    assert_eq!(report.lines().collect::<Vec<_>>(), Vec::<String>::new());
}
