//! The metric families: one table, from which `/metrics` and `docs/metrics.md` are made.
//!
//! Names and labels are what dashboards and alerts rely on: they never change their meaning. No label's values come from clients: they are closed
//! sets, bounded tallies, and words of the configuration.

mod cell;
mod links;
mod supervisor;

use super::board::Facts;
pub use super::exposition::{Kind, Sample};

/// One family.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What kind of number it holds.
    pub kind: Kind,
    /// What it means, in a sentence.
    pub help: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    samples: fn(&Facts) -> Vec<Sample>,
}

const fn counter(name: &'static str, help: &'static str, labels: &'static [&'static str], samples: fn(&Facts) -> Vec<Sample>) -> Family {
    Family { name, kind: Kind::Counter, help, labels, samples }
}

const fn gauge(name: &'static str, help: &'static str, labels: &'static [&'static str], samples: fn(&Facts) -> Vec<Sample>) -> Family {
    Family { name, kind: Kind::Gauge, help, labels, samples }
}

/// All of them, in the order of the page.
pub fn families() -> impl Iterator<Item = &'static Family> {
    supervisor::FAMILIES.iter().chain(cell::FAMILIES).chain(links::FAMILIES)
}

/// What `/metrics` says.
#[must_use]
pub fn text(facts: &Facts) -> String {
    let mut out = String::new();
    for family in families() {
        super::exposition::write(&mut out, family.name, family.kind, family.help, family.labels, &(family.samples)(facts));
    }
    out
}

/// The table in `docs/metrics.md`.
#[must_use]
pub fn page_rows() -> String {
    let row = |family: &Family| {
        let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{}` | {} | {} | {} |\n", family.name, family.kind.name(), labels.join(" "), family.help)
    };
    families().map(row).collect()
}

/// A number without labels.
fn one(value: impl ToString) -> Vec<Sample> {
    vec![Sample::new([], value)]
}

/// What the guest says; nothing while it has said nothing.
fn guest(facts: &Facts, samples: impl FnOnce(&status::Status) -> Vec<Sample>) -> Vec<Sample> {
    facts.status.as_ref().map_or_else(Vec::new, |(status, _)| samples(status))
}

#[cfg(test)]
mod tests;
