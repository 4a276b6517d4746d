//! `docs/coming-from.md` and the README: their examples are what the command reads, and the keys that they name are keys.

use bountybox::config::keys::SECTIONS;

mod pages;

const PAGE: &str = include_str!("../../../docs/coming-from.md");
const README: &str = include_str!("../../../README.md");

#[test]
fn every_example_is_read_without_a_finding() {
    assert_eq!(pages::examples(PAGE).len(), 5, "one for each peer");
    assert_eq!(pages::examples(README).len(), 1);
}

#[test]
fn every_key_in_the_right_hand_columns_is_a_key() {
    let named: Vec<Named> = cells(PAGE).flat_map(|cell| named(&cell)).collect();
    assert!(named.len() > 100, "the tables are found: {}", named.len());
    let unknown: Vec<_> = named.iter().filter(|named| !named.is_known()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// A key, and the section that it is said to be in.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    section: Option<String>,
    key: String,
}

impl Named {
    fn is_known(&self) -> bool {
        let sections = SECTIONS.iter().filter(|section| self.section.as_deref().is_none_or(|path| path == section.path));
        let keys: Vec<_> = sections.flat_map(|section| section.keys).map(|key| key.name).collect();
        if self.key.is_empty() { !keys.is_empty() } else { keys.contains(&self.key.as_str()) }
    }
}

/// The last cells of the page's two-column tables.
fn cells(page: &str) -> impl Iterator<Item = String> + '_ {
    let rows = page.lines().filter(|line| line.starts_with("| ")).map(|line| line.replace("\\|", "/"));
    rows.filter_map(|row| row.trim_end_matches([' ', '|']).rsplit('|').next().map(str::to_owned))
}

/// What stands in backquotes and looks like a key: `key`, `key = value`, `[section] key`, `[section]`. A section holds for what follows in the cell.
fn named(cell: &str) -> Vec<Named> {
    let mut section = None;
    let mut found = Vec::new();
    for quoted in cell.split('`').skip(1).step_by(2) {
        let (path, rest) = match quoted.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((path, rest)) => (Some(path.trim_matches('[').to_owned()), rest.trim_start_matches(']').trim()),
            None => (None, quoted),
        };
        section = path.clone().or(section);
        let key = rest.split_once('=').map_or(rest, |(key, _)| key).trim();
        let is_key = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if is_key && (!key.is_empty() || path.is_some()) {
            found.push(Named { section: section.clone(), key: key.to_owned() });
        }
    }
    found
}

#[test]
fn keys_are_told_from_values_commands_and_other_words() {
    let one = |section: &str, key: &str| Named { section: Some(section.into()), key: key.into() };
    assert_eq!(named("`[limits] connections`, `new_per_s`"), [one("limits", "connections"), one("limits", "new_per_s")]);
    assert_eq!(named("`[[certificate]]`, one each"), [one("certificate", "")]);
    assert_eq!(named("`balance = \"round-robin\"`, `\"v1\"`"), [Named { section: None, key: "balance".into() }]);
    assert_eq!(named("SIGTERM, or `bountybox drain`; `/metrics`"), []);
    assert!(one("limits", "connections").is_known() && !one("tls", "connections").is_known() && one("certificate", "").is_known());
}
