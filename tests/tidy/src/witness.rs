//! A claim in a document names its witness: a file, and in Rust the test or bench in it, as `path` `name`. What is quoted behind these (a bound, as it is
//! written there) must stand in the file too, so that a number and its bound do not part.

use crate::tree::File;

/// What is wrong with a witness that must be there, in this piece of text.
#[must_use]
pub fn missing(text: &str, files: &[File]) -> Option<String> {
    let mut quoted = text.split('`').skip(1).step_by(2);
    let Some(path) = quoted.next() else { return Some("names no file that would catch it".into()) };
    let Some(file) = files.iter().find(|file| file.path == path) else { return Some(format!("there is no {path}")) };
    if !path.ends_with(".rs") {
        return None;
    }
    let Some(name) = quoted.next() else { return Some(format!("names no test in {path}")) };
    if !file.text.contains(&format!("fn {name}(")) {
        return Some(format!("{path} has no fn {name}"));
    }
    quoted.find(|bound| !file.text.contains(bound)).map(|bound| format!("{path} does not say {bound}"))
}

/// Complaints about the tables of a document whose last column is `test`.
#[must_use]
pub fn check(path: &str, text: &str, files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut within = false;
    for (index, line) in text.lines().enumerate() {
        within = line.starts_with('|') && (within || last_cell(line) == "test");
        let is_row = within && last_cell(line) != "test" && !line.starts_with("|--");
        if let Some(what) = is_row.then(|| missing(last_cell(line), files)).flatten() {
            complaints.push(format!("{path}: line {}: {what}", index + 1));
        }
    }
    complaints
}

/// The last cell of a table's row.
#[must_use]
pub fn last_cell(row: &str) -> &str {
    row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<File> {
        vec![File { path: "tests/memory.rs".into(), text: "const MOST: u8 = 16; fn idle_is_cheap() {}".into() }]
    }

    #[test]
    fn a_witness_is_a_file_and_a_test_in_it() {
        assert_eq!(missing("`tests/memory.rs` `idle_is_cheap`", &files()), None);
        assert_eq!(missing("`tests/memory.rs` `idle_is_cheap` `MOST: u8 = 16`", &files()), None);
        assert!(missing("`tests/memory.rs` `idle_is_cheap` `MOST: u8 = 17`", &files()).is_some());
        for text in ["trust us", "`tests/none.rs` `x`", "`tests/memory.rs`", "`tests/memory.rs` `idle_is_dear`"] {
            assert!(missing(text, &files()).is_some(), "{text}");
        }
    }

    #[test]
    fn rows_of_a_table_with_tests_are_held_to_them_and_others_are_not() {
        let table =
            |head: &str, row: &str| check("docs/x.md", &format!("| what | {head} |\n|---|---|\n| it | {row} |\n\ntext"), &files()).len();
        assert_eq!(table("test", "`tests/memory.rs` `idle_is_cheap`"), 0);
        assert_eq!(table("test", "`tests/memory.rs` `gone`"), 1);
        assert_eq!(table("meaning", "anything"), 0);
    }
}
