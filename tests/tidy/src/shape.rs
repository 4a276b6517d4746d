//! The shape of files: lengths, names, headers, words that must not stand.

/// A source file that is longer wants to be split by noun.
pub const LINES_MAX: usize = 600;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils.rs", "util.rs", "helpers.rs", "helper.rs", "misc.rs", "common.rs"];

/// Suffixes of types that say nothing about what the type is.
const EMPTY_SUFFIXES: &[&str] = &["Manager", "Helper", "Util", "Utils", "Impl"];

/// Complaints about one file.
#[must_use]
pub fn check(path: &str, text: &str) -> Vec<String> {
    let mut complaints = local_paths(path, text);
    if path.ends_with(".rs") {
        complaints.extend(source(path, text));
    }
    complaints
}

fn source(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut complain = |what: String| complaints.push(format!("{path}: {what}"));
    let name = path.rsplit('/').next().unwrap_or(path);
    if EMPTY_NAMES.contains(&name) {
        complain("name it after the noun it is about".into());
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        complain(format!("{lines} lines, at most {LINES_MAX}: split it by noun"));
    }
    if !text.starts_with("//!") {
        complain("opens without //! saying what it is".into());
    }
    for (index, line) in text.lines().enumerate() {
        if let Some(what) = bad_line(line) {
            complain(format!("line {}: {what}", index + 1));
        }
    }
    complaints
}

fn bad_line(line: &str) -> Option<String> {
    let todo = concat!("TO", "DO");
    let allow = concat!("#[al", "low(");
    if line.contains(todo) || line.contains(concat!("FIX", "ME")) {
        return Some(format!("{todo} in main"));
    }
    if line.trim_start().starts_with(allow) {
        return Some("use #[expect(.., reason = ..)]".into());
    }
    empty_type(line)
}

fn empty_type(line: &str) -> Option<String> {
    let rest = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
    let name = ["struct ", "enum ", "trait "].iter().find_map(|keyword| rest.strip_prefix(keyword))?;
    let name = name.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    let empty = EMPTY_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    empty.then(|| format!("type {name}: say what it is"))
}

/// Paths of somebody's own machine have no place in the repository.
fn local_paths(path: &str, text: &str) -> Vec<String> {
    let needles = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let hits = text.lines().enumerate().filter(|(_, line)| needles.iter().any(|needle| line.contains(needle)));
    hits.map(|(index, _)| format!("{path}: line {}: a local path", index + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_a_complaint() {
        let text = format!("//! x\n{}", "\n".repeat(LINES_MAX));
        assert_eq!(check("a.rs", &text).len(), 1);
        let text = format!("//! x\n{}", "\n".repeat(LINES_MAX - 1));
        assert!(check("a.rs", &text).is_empty());
    }

    #[test]
    fn each_empty_name_is_a_complaint() {
        assert_eq!(check("src/helpers.rs", "//! x\n").len(), 1);
        assert_eq!(check("src/a.rs", "//! x\npub struct FlowManager;\n").len(), 1);
        assert!(check("src/a.rs", "//! x\npub struct Flow;\n").is_empty());
    }

    #[test]
    fn words_that_must_not_stand_are_complaints() {
        let text = format!("//! x\n// {}: later\n{}dead_code)]\nfn f() {{}}\n", concat!("TO", "DO"), concat!("#[al", "low("));
        assert_eq!(check("a.rs", &text).len(), 2);
        assert_eq!(check("README.md", concat!("see /ro", "ot/x\n")).len(), 1);
        assert_eq!(check("a.rs", "use core;\n").len(), 1);
    }
}
