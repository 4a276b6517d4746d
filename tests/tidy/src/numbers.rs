//! The numbers of the README: they stand in one table, each with the test or the bench that would catch it lying.

use crate::tree::File;
use crate::witness;

/// The heading that the table stands under.
const HEADING: &str = "## Numbers";

/// Words that make a figure in front of them a claim.
const UNITS: &[&str] = &[
    "B",
    "bytes",
    "KiB",
    "MiB",
    "GiB",
    "KB",
    "MB",
    "GB",
    "ms",
    "µs",
    "ns",
    "s",
    "%",
    "x",
    "times",
    "lines",
    "1/s",
    "/s",
    "connections",
    "handshakes",
];

/// Complaints about the README, held against the files of the repository.
#[must_use]
pub fn check(readme: &str, files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    let (mut fenced, mut within, mut rows) = (false, false, 0_usize);
    for (index, line) in readme.lines().enumerate() {
        let mut complain = |what: String| complaints.push(format!("README.md: line {}: {what}", index + 1));
        fenced ^= line.starts_with("```");
        if fenced {
            continue;
        }
        if line.starts_with("## ") {
            within = line == HEADING;
        } else if within && line.starts_with("| ") && !line.starts_with("| what ") {
            rows += 1;
            if let Some(what) = witness::missing(witness::last_cell(line), files) {
                complain(what);
            }
        } else if let Some(claim) = claim(line) {
            complain(format!("\"{claim}\" belongs in the table under \"{HEADING}\", with what would catch it"));
        }
    }
    if rows == 0 {
        complaints.push(format!("README.md: no table under \"{HEADING}\""));
    }
    complaints
}

/// A figure and its unit, in a line of prose. What stands in backquotes is quoted, not claimed.
fn claim(line: &str) -> Option<String> {
    let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = prose.split_whitespace().map(|word| word.trim_matches(['(', ')', ',', '.', ';', ':'])).collect();
    words.windows(2).find(|pair| is_figure(pair[0]) && UNITS.contains(&pair[1])).map(|pair| pair.join(" "))
}

fn is_figure(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) && word.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<File> {
        vec![
            File { path: "tests/memory.rs".into(), text: "fn idle_is_cheap() {}".into() },
            File { path: "docs/bench/peers.md".into(), text: String::new() },
        ]
    }

    fn complaints(rows: &str) -> usize {
        check(&format!("# It\n\n{HEADING}\n\n| what | number | held by |\n|---|--:|---|\n{rows}"), &files()).len()
    }

    #[test]
    fn a_row_with_its_test_or_its_report_is_fine() {
        assert_eq!(complaints("| idle | 16 KiB | `tests/memory.rs` `idle_is_cheap` |\n| rate | 9 | `docs/bench/peers.md` |\n"), 0);
    }

    #[test]
    fn a_row_without_a_file_or_with_a_wrong_one_is_named() {
        for row in ["| idle | 16 KiB | trust us |", "| idle | 16 KiB | `tests/none.rs` `x` |", "| idle | 16 KiB | `tests/memory.rs` |"] {
            assert_eq!(complaints(row), 1, "{row}");
        }
        assert_eq!(complaints("| idle | 16 KiB | `tests/memory.rs` `idle_is_dear` |"), 1);
    }

    #[test]
    fn a_number_in_prose_is_named_and_a_name_with_digits_is_not() {
        let row = "| idle | 16 KiB | `tests/memory.rs` `idle_is_cheap` |\n\n";
        assert_eq!(complaints(&format!("{row}It takes 16 KiB.")), 1);
        assert_eq!(complaints(&format!("{row}TLS 1.3 on Debian 12, X25519, part 6 of it, `10 ms`.\n```sh\nsleep 10 s\n```")), 0);
    }

    #[test]
    fn a_readme_without_the_table_is_named() {
        assert_eq!(check("# It\n", &files()).len(), 1);
    }
}
