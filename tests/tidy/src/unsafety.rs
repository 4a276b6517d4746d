//! `unsafe`: forbidden by attribute where promised, counted in `docs/unsafe.md` where not.

use std::collections::BTreeMap;

use crate::tree::File;

/// Folders whose crates may use `unsafe`: the two of the product, and the hostile guest of the tests.
pub const MAY: &[&str] = &["hypervisor/machine/", "appliance/platform/", "tests/hostile-guest/"];

/// Whether a path may hold `unsafe`.
#[must_use]
pub fn may(path: &str) -> bool {
    MAY.iter().any(|folder| path.starts_with(folder))
}

/// How often the keyword stands in the code of `text`, comments and strings left out.
#[must_use]
pub fn count(text: &str) -> usize {
    let code = strip(text);
    let bytes = code.as_bytes();
    let word = |at: usize| bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    code.match_indices("unsafe").filter(|(at, found)| !at.checked_sub(1).is_some_and(word) && !word(at + found.len())).count()
}

/// `text` without comments, strings and character literals.
fn strip(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    for line in text.lines() {
        code.push_str(&strip_line(line));
        code.push('\n');
    }
    code
}

/// Good enough for our own sources: strings and comments that span lines hold no keyword (STYLE has line comments only).
fn strip_line(line: &str) -> String {
    let mut kept = String::new();
    let mut chars = line.chars().peekable();
    let mut in_string = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_string => drop(chars.next()),
            '"' => in_string = !in_string,
            '/' if !in_string && chars.peek() == Some(&'/') => break,
            _ if in_string => {}
            _ => kept.push(c),
        }
    }
    kept
}

/// The rows of the ledger: `| path.rs | count | why |`.
#[must_use]
pub fn ledger(markdown: &str) -> BTreeMap<String, usize> {
    let rows = markdown.lines().filter_map(|line| {
        let mut cells = line.trim().strip_prefix('|')?.split('|').map(str::trim);
        let path = cells.next()?.trim_matches('`');
        let count = cells.next()?.parse().ok()?;
        path.ends_with(".rs").then(|| (path.to_owned(), count))
    });
    rows.collect()
}

/// Complaints where the ledger and the sources differ.
#[must_use]
pub fn check(files: &[File], markdown: &str) -> Vec<String> {
    let mut rows = ledger(markdown);
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs") && !file.path.starts_with("fuzz/")) {
        let found = count(&file.text);
        let listed = rows.remove(&file.path).unwrap_or(0);
        if found != listed {
            complaints.push(format!("{}: {found} unsafe, docs/unsafe.md says {listed}", file.path));
        }
        if found > 0 && !may(&file.path) {
            complaints.push(format!("{}: unsafe outside {MAY:?}", file.path));
        }
    }
    complaints.extend(rows.into_keys().map(|path| format!("docs/unsafe.md lists {path}, which is not there")));
    complaints
}

/// Complaints about a crate root that promises no `forbid`.
#[must_use]
pub fn check_root(path: &str, text: &str) -> Option<String> {
    let is_root = path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs");
    let forbids = text.contains("#![forbid(unsafe_code)]");
    (is_root && !may(path) && !forbids).then(|| format!("{path}: wants #![forbid(unsafe_code)]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_keyword_in_code_counts() {
        let text = "// unsafe\n#![forbid(unsafe_code)]\nunsafe { f(\"unsafe\") }\n#[unsafe(no_mangle)]\n";
        assert_eq!(count(text), 2);
    }

    #[test]
    fn an_unlisted_block_is_a_complaint() {
        let file = File { path: "hypervisor/machine/src/kvm.rs".into(), text: "unsafe { f() }".into() };
        assert_eq!(check(&[file], "").len(), 1);
    }

    #[test]
    fn a_listed_block_elsewhere_is_a_complaint() {
        let file = File { path: "keys/src/lib.rs".into(), text: "unsafe { f() }".into() };
        assert_eq!(check(&[file], "| keys/src/lib.rs | 1 | why |").len(), 1);
    }

    #[test]
    fn a_stale_row_is_a_complaint() {
        assert_eq!(check(&[], "| `gone.rs` | 1 | why |").len(), 1);
    }

    #[test]
    fn a_root_without_forbid_is_a_complaint() {
        assert!(check_root("keys/src/lib.rs", "//! keys").is_some());
        assert!(check_root("hypervisor/machine/src/lib.rs", "//! machine").is_none());
    }
}
