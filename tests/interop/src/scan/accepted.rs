//! `accepted.toml`: the findings that are right so, each with its reason.

use std::fs;

use e2e::Outcome;
use toml::{Table, Value};

use super::{Finding, own};

/// A finding that is right so.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    scanner: String,
    profiles: Vec<String>,
    id: String,
    /// A part of what the scanner says.
    says: String,
    /// It is a matter of the scanner's luck: it may also not be found.
    sometimes: bool,
}

/// Reads the list.
///
/// # Errors
/// When an entry lacks a key, a reason above all, or has an unknown one.
pub(super) fn read() -> Outcome<Vec<Accepted>> {
    parse(&fs::read_to_string(own("accepted.toml"))?)
}

fn parse(text: &str) -> Outcome<Vec<Accepted>> {
    let table: Table = text.parse()?;
    let entries = table.get("finding").and_then(Value::as_array).ok_or("no [[finding]]")?;
    entries.iter().map(|entry| entry.as_table().ok_or("not a table".into()).and_then(entry_of)).collect()
}

fn entry_of(entry: &Table) -> Outcome<Accepted> {
    let word = |key: &str| {
        let value = entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        value.map(str::to_owned).ok_or_else(|| format!("{key} is missing in {entry:?}"))
    };
    const KEYS: [&str; 6] = ["scanner", "profiles", "id", "says", "reason", "sometimes"];
    if let Some(key) = entry.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("{key} means nothing").into());
    }
    word("reason")?;
    let profiles = entry.get("profiles").and_then(Value::as_array).ok_or("no profiles")?;
    Ok(Accepted {
        scanner: word("scanner")?,
        profiles: profiles.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        id: word("id")?,
        says: word("says")?,
        sometimes: entry.get("sometimes").and_then(Value::as_bool).unwrap_or(false),
    })
}

impl Accepted {
    fn concerns(&self, scanner: &str, profile: &str) -> bool {
        self.scanner == scanner && self.profiles.iter().any(|name| name == profile)
    }

    fn covers(&self, finding: &Finding) -> bool {
        self.id == finding.id && finding.says.contains(&self.says)
    }
}

/// Complaints: findings that are not accepted, and accepted ones that were not found.
pub(super) fn compare(found: &[Finding], accepted: &[Accepted], scanner: &str, profile: &str) -> Vec<String> {
    let accepted: Vec<_> = accepted.iter().filter(|entry| entry.concerns(scanner, profile)).collect();
    let new = found.iter().filter(|finding| !accepted.iter().any(|entry| entry.covers(finding)));
    let gone = accepted.iter().filter(|entry| !entry.sometimes && !found.iter().any(|finding| entry.covers(finding)));
    let new = new.map(|finding| format!("not accepted: {finding}"));
    new.chain(gone.map(|entry| format!("accepted, but not found any more: {}: {}", entry.id, entry.says))).collect()
}

/// The accepted ones of a scan, for the summary.
pub(super) fn names(accepted: &[Accepted], scanner: &str, profile: &str) -> String {
    let names: Vec<_> = accepted.iter().filter(|entry| entry.concerns(scanner, profile)).map(|entry| format!("`{}`", entry.id)).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[[finding]]\nscanner = \"s\"\nprofiles = [\"p\"]\nid = \"a\"\nsays = \"not so\"\nreason = \"because\"\n";

    fn finding(id: &str, says: &str) -> Finding {
        Finding { id: id.into(), says: says.into() }
    }

    #[test]
    fn the_list_is_readable() {
        assert!(read().is_ok_and(|list| !list.is_empty()));
    }

    #[test]
    fn an_entry_without_a_reason_is_an_error() {
        assert!(parse(ONE).is_ok());
        assert!(parse(&ONE.replace("because", "")).is_err());
        assert!(parse(&ONE.replace("reason", "raison")).is_err());
    }

    #[test]
    fn unlisted_and_vanished_findings_are_complaints() {
        let list = parse(ONE).expect("a list");
        assert!(compare(&[finding("a", "it is not so at all")], &list, "s", "p").is_empty());
        assert_eq!(compare(&[], &list, "s", "p").len(), 1);
        assert_eq!(compare(&[finding("a", "other")], &list, "s", "p").len(), 2);
        assert_eq!(compare(&[finding("a", "not so")], &list, "s", "other").len(), 1);
        assert!(compare(&[], &list, "other", "p").is_empty());
    }

    #[test]
    fn what_is_found_only_sometimes_may_be_absent() {
        let list = parse(&format!("{ONE}sometimes = true\n")).expect("a list");
        assert!(compare(&[], &list, "s", "p").is_empty());
    }
}
