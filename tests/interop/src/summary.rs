//! `docs/interop.md`: what the last whole run gave. Written by the run, compared with the code by a test. A run of a part in which nothing failed
//! renews its own cells.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use e2e::Outcome;

/// A cell of one of the tables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) table: &'static str,
    pub(crate) row: String,
    pub(crate) column: String,
}

static CELLS: Mutex<BTreeMap<Cell, String>> = Mutex::new(BTreeMap::new());

/// Notes what a trial gave.
pub(crate) fn note(cell: &Cell, text: &str) {
    CELLS.lock().unwrap_or_else(PoisonError::into_inner).insert(cell.clone(), text.replace('|', "\\|"));
}

/// What a trial gave, if it did.
fn noted(cell: &Cell) -> Option<String> {
    CELLS.lock().unwrap_or_else(PoisonError::into_inner).get(cell).cloned()
}

/// A table: its title, what to know before reading it, the names of its rows and of its columns.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) preface: &'static str,
    pub(crate) rows: Vec<String>,
    pub(crate) columns: Vec<String>,
}

/// What stands in a cell that no trial filled: it failed, or it was skipped.
const NOTHING: &str = "**failed or skipped**";

impl Table {
    fn markdown(&self) -> String {
        let rule = "|---".repeat(self.columns.len() + 1);
        let mut text = format!("## {}\n\n{}\n\n{}\n{rule}|\n", self.title, self.preface, self.head());
        for row in &self.rows {
            let cells = self.columns.iter().map(|column| {
                let cell = Cell { table: self.title, row: row.clone(), column: column.clone() };
                noted(&cell).unwrap_or_else(|| NOTHING.into())
            });
            text.push_str(&format!("| {row} | {} |\n", cells.collect::<Vec<_>>().join(" | ")));
        }
        text
    }

    /// What an older page has in a cell.
    fn kept(&self, page: &str, row: &str, column: &str) -> Option<String> {
        let section = page.split_once(&format!("## {}\n", self.title))?.1.split("\n## ").next()?;
        let cells = |line: &str| line.trim_matches(['|', ' ']).split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let mut lines = section.lines().filter(|line| line.starts_with("| "));
        let at = cells(lines.next()?.trim_start_matches("| ")).into_iter().position(|name| name == column)?;
        let line = lines.find(|line| line.starts_with(&format!("| {row} | ")))?;
        cells(line).into_iter().nth(at + 1)
    }

    fn head(&self) -> String {
        format!("| | {} |", self.columns.join(" | "))
    }
}

const TITLE: &str = "# What real peers say\n\nWritten by `make interop`, which runs all of this against the built command; a test compares the rows and \
                     columns with its code. Every cell is what the *peer* told, in a trial that would have failed had it told anything else than the trial demands.\n";

/// Where it stands.
pub(crate) fn path() -> PathBuf {
    crate::root().join("docs/interop.md")
}

/// The whole page.
pub(crate) fn page(tables: &[Table]) -> String {
    tables.iter().fold(TITLE.to_owned(), |text, table| text + "\n" + &table.markdown())
}

/// Takes what this run did not try from the page as it stands.
pub(crate) fn keep(tables: &[Table]) {
    let page = fs::read_to_string(path()).unwrap_or_default();
    for table in tables {
        for (row, column) in table.rows.iter().flat_map(|row| table.columns.iter().map(move |column| (row, column))) {
            let cell = Cell { table: table.title, row: row.clone(), column: column.clone() };
            if let (None, Some(kept)) = (noted(&cell), table.kept(&page, row, column)) {
                CELLS.lock().unwrap_or_else(PoisonError::into_inner).insert(cell, kept);
            }
        }
    }
}

/// Writes the page. Whether it differs from the one that stood there.
pub(crate) fn write(tables: &[Table]) -> Outcome<bool> {
    let new = page(tables);
    let old = fs::read_to_string(path()).unwrap_or_default();
    fs::write(path(), &new)?;
    Ok(old != new)
}

/// Complaints about a page whose tables are not these.
#[cfg(test)]
fn complaints(page: &str, tables: &[Table]) -> Vec<String> {
    let mut complaints = Vec::new();
    for table in tables {
        let heading = format!("## {}\n", table.title);
        let Some((_, rest)) = page.split_once(&heading) else {
            complaints.push(format!("no {heading:?}"));
            continue;
        };
        let section = rest.split("\n## ").next().unwrap_or_default();
        if !section.contains(&table.head()) {
            complaints.push(format!("{}: other columns", table.title));
        }
        let rows: Vec<_> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        let named: Vec<_> = rows.iter().filter_map(|row| row.split(" | ").next()).map(|name| name.trim_start_matches("| ")).collect();
        if named != table.rows {
            complaints.push(format!("{}: rows {named:?}", table.title));
        }
        complaints.extend(rows.iter().filter(|row| row.contains(NOTHING)).map(|row| format!("{}: {row}", table.title)));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(title: &'static str) -> Table {
        Table { title, preface: "x", rows: vec!["one".into()], columns: vec!["a".into()] }
    }

    #[test]
    fn the_page_has_the_tables_of_the_code() {
        let page = fs::read_to_string(path()).expect("docs/interop.md");
        let complaints = complaints(&page, &crate::tables());
        assert!(complaints.is_empty(), "run `make interop`:\n{}", complaints.join("\n"));
    }

    #[test]
    fn a_filled_page_is_what_the_code_wants() {
        let table = table("Filled");
        note(&Cell { table: "Filled", row: "one".into(), column: "a".into() }, "yes | no");
        let tables = [table];
        assert!(page(&tables).contains("| one | yes \\| no |"));
        assert!(complaints(&page(&tables), &tables).is_empty());
    }

    #[test]
    fn an_older_page_is_read_cell_by_cell() {
        let table = Table { columns: vec!["a".into(), "b".into()], rows: vec!["x".into(), "y".into()], ..table("Old") };
        let page = "# t\n\n## Old\n\np\n\n| | a | b |\n|---|---|---|\n| x | 1 | 2 \\| 3 |\n| y | 4 | 5 |\n\n## Other\n| x | 9 | 9 |\n";
        assert_eq!(table.kept(page, "x", "a").as_deref(), Some("1"));
        assert_eq!(table.kept(page, "y", "b").as_deref(), Some("5"));
        assert_eq!(table.kept(page, "z", "a"), None);
        assert_eq!(table.kept(page, "x", "c"), None);
        assert_eq!(table.kept("", "x", "a"), None);
    }

    #[test]
    fn missing_tables_rows_columns_and_cells_are_complaints() {
        let table = table("Empty");
        let other = [Table { rows: vec!["two".into()], columns: vec!["b".into()], ..table.clone() }];
        let tables = [table];
        assert_eq!(complaints("", &tables).len(), 1);
        assert_eq!(complaints(&page(&tables), &tables).len(), 1);
        assert_eq!(complaints(&page(&tables), &other).len(), 3);
    }
}
