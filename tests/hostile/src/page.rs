//! `docs/attacks.md`: attack, the layer that stops it, the test. Made from the registry and the heads of the planted patches; a test compares the two.

use core::fmt::Write as _;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::attack::{Attack, Suite};
use crate::elsewhere::{self, Elsewhere};
use crate::planted;
use crate::rows::{ROWS, Row};

const TITLE: &str = "# What it is attacked with

Written by `make hostile` (or `make hostile HOSTILE=page` alone) from the attacks themselves; a test compares the two. Each attack is mounted on a running box, on kvm and
on process, while a legitimate client with an address of its own visits it; what the box takes (memory, processors, flows) and how the client fares is recorded before, during
and after. A crash, growth that stays or a client that fails is a defeat, as is any other answer than the one that the attack demands.

Each has also been seen to succeed: a trial `teeth/..` runs the same function against the naive endpoint in the last column and fails if the attack fails there.
Where a test stands elsewhere in the repository, its file is named, and the patch that weakens the build so that the test fails: `make hostile-planted` plants each of them in a
copy of the tree, and demands that the test fails in the words that the patch foretells.
";

/// What stands in place of attacks that there are none of.
const MISSING: &str = "**missing**";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/attacks.md")
}

/// The whole page.
pub(crate) fn page(suites: &[impl AsRef<Suite>]) -> String {
    let attacks: Vec<(&str, &Attack)> =
        suites.iter().map(AsRef::as_ref).flat_map(|suite| suite.attacks.iter().map(|attack| (suite.name, attack))).collect();
    let mut page = TITLE.to_owned();
    let _ = writeln!(page, "\n| row | attack | what a hardened endpoint does | tests |\n|---|---|---|--:|");
    for row in ROWS {
        let count = attacks.iter().filter(|(_, attack)| attack.row == row.id).count() + elsewhere::of(row.id).count();
        let count = if count == 0 { MISSING.to_owned() } else { count.to_string() };
        let _ = writeln!(page, "| {} | {} | {} | {count} |", row.id, row.attack, row.hardened);
    }
    for row in ROWS {
        page.push_str(&section(row, &attacks));
    }
    page.push_str(&naive(&attacks));
    page
}

fn section(row: &Row, attacks: &[(&str, &Attack)]) -> String {
    let mut text = format!("\n## {}: {}\n\n", row.id, row.attack);
    let own: Vec<_> = attacks.iter().filter(|(_, attack)| attack.row == row.id).collect();
    let others: Vec<_> = elsewhere::of(row.id).collect();
    if own.is_empty() && others.is_empty() {
        return text + MISSING + "\n";
    }
    text.push_str("| attack | stopped by | name | succeeds against |\n|---|---|---|---|\n");
    for (suite, attack) in own {
        let _ = writeln!(text, "| {} | {} | `{suite}/{}` | {:?} |", attack.does, attack.layer, attack.name, attack.naive);
    }
    for elsewhere in others {
        let Elsewhere { does, layer, file, test, .. } = elsewhere;
        let _ = writeln!(text, "| {does} | {layer} | `{file}` `{test}` | {} |", weakened(elsewhere));
    }
    text
}

fn weakened(Elsewhere { weakened, .. }: &Elsewhere) -> String {
    planted::weakens(weakened).map_or_else(|| MISSING.to_owned(), |what| format!("fails against: `{}`: {what}", planted::path(weakened)))
}

fn naive(attacks: &[(&str, &Attack)]) -> String {
    let mut text = "\n## The naive endpoints\n\n| name | what it does |\n|---|---|\n".to_owned();
    let used: BTreeSet<_> = attacks.iter().map(|(_, attack)| attack.naive).collect();
    for naive in used {
        let _ = writeln!(text, "| {naive:?} | {} |", naive.says());
    }
    text
}

/// Writes the page. Whether it differs from the one that stood there.
pub(crate) fn write(suites: &[impl AsRef<Suite>]) -> io::Result<bool> {
    let (old, new) = (fs::read_to_string(path()).unwrap_or_default(), page(suites));
    fs::write(path(), &new)?;
    Ok(old != new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    #[test]
    fn the_page_has_the_attacks_of_the_code() {
        let suites = crate::suites().expect("suites");
        let found = fs::read_to_string(path()).expect("docs/attacks.md");
        assert!(found == page(&suites), "docs/attacks.md is not what the code says: run `make hostile HOSTILE=page`");
    }

    #[test]
    fn names_are_unique_and_rows_are_known() {
        let suites = crate::suites().expect("suites");
        let mut seen = BTreeSet::new();
        for (suite, attack) in suites.iter().flat_map(|suite| suite.attacks.iter().map(|attack| (suite.name, attack))) {
            assert!(seen.insert((suite, &attack.name)), "{suite}/{} twice", attack.name);
            assert!(rows::is_known(attack.row), "{}: row {}", attack.name, attack.row);
            assert!(!attack.does.contains('|') && !attack.name.contains([' ', '/']), "{}", attack.name);
        }
    }

    #[test]
    fn a_row_without_an_attack_shows() {
        let none: [std::sync::Arc<Suite>; 0] = [];
        assert!(page(&none).contains(MISSING));
    }

    #[test]
    fn tests_elsewhere_are_there() {
        for Elsewhere { row, file, test, .. } in elsewhere::ALL {
            assert!(rows::is_known(row), "{row}");
            let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)).unwrap_or_default();
            assert!(text.contains(&format!("fn {test}(")), "{file} has no fn {test}");
        }
    }
}
