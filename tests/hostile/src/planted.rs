//! Patches that weaken the build, one for each test that stands [`elsewhere`](crate::elsewhere): against it the test must fail. `make hostile-planted` plants
//! one after the other in a copy of the tree, and sees to it.
//!
//! Above its diff a patch says `weakens:`, what is left out; `run:`, the command that runs the test; and `fails:`, words that stand in what the failed test
//! says, so that no other failure is taken for it.

use std::fs;
use std::path::{Path, PathBuf};

/// What the patch of this name weakens, if it is there and says so.
pub(crate) fn weakens(name: &str) -> Option<String> {
    said(&read(name)?, "weakens")
}

fn read(name: &str) -> Option<String> {
    fs::read_to_string(folder().join(format!("{name}.patch"))).ok()
}

/// What stands behind a word above a patch's diff.
fn said(patch: &str, word: &str) -> Option<String> {
    let (head, _) = patch.split_once("\ndiff --git ")?;
    let said = head.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(": "))?.trim();
    (!said.is_empty()).then(|| said.to_owned())
}

/// Where a patch lies, from the repository's root.
pub(crate) fn path(name: &str) -> String {
    format!("tests/hostile/planted/{name}.patch")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("planted")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use super::*;
    use crate::elsewhere::{self, Elsewhere};

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn every_test_elsewhere_has_a_patch_and_every_patch_a_test() {
        let named: BTreeSet<String> = elsewhere::ALL.iter().map(|elsewhere| format!("{}.patch", elsewhere.weakened)).collect();
        let files = fs::read_dir(folder()).expect("the folder of patches");
        let there: BTreeSet<String> = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(named, there);
    }

    #[test]
    fn a_patch_runs_the_test_that_names_it() {
        for elsewhere in elsewhere::ALL {
            let patch = read(elsewhere.weakened).unwrap_or_default();
            let said = |word| said(&patch, word).unwrap_or_else(|| unreachable!("{} does not say what it {word}", elsewhere.weakened));
            assert!(!said("weakens").contains('|') && !said("fails").is_empty(), "{}", elsewhere.weakened);
            let run = said("run");
            let words: Vec<&str> = run.split_whitespace().collect();
            assert_eq!(words.get(..3), Some(&["cargo", "test", "-p"][..]), "{}", elsewhere.weakened);
            let file = root().join(elsewhere.file);
            let manifest = file.ancestors().map(|folder| folder.join("Cargo.toml")).find_map(|manifest| fs::read_to_string(manifest).ok());
            let package = format!("\nname = \"{}\"\n", words.get(3).unwrap_or(&"?"));
            assert!(manifest.is_some_and(|manifest| manifest.contains(&package)), "{run}: not the package of {}", elsewhere.file);
            assert_eq!(words.last().copied(), Some(name(elsewhere).as_str()), "{}", elsewhere.weakened);
        }
    }

    /// The name under which a test runs: a function's own, or that of the end-to-end suite's case.
    fn name(elsewhere: &Elsewhere) -> String {
        let Some(case) = elsewhere.file.strip_prefix("tests/e2e/tests/e2e/").and_then(|file| file.strip_suffix(".rs")) else {
            return elsewhere.test.to_owned();
        };
        let suite = fs::read_to_string(root().join("tests/e2e/tests/e2e/main.rs")).expect("the suite");
        let end = format!("\", {case}::{}),", elsewhere.test);
        let name = suite.lines().find_map(|line| line.trim().strip_prefix("(\"")?.strip_suffix(&end));
        name.unwrap_or_else(|| unreachable!("no case {case}::{}", elsewhere.test)).to_owned()
    }

    #[test]
    fn every_patch_still_fits_the_code_that_it_weakens() {
        for elsewhere in elsewhere::ALL {
            let check =
                Command::new("git").current_dir(root()).args(["apply", "--check", "-p1", &path(elsewhere.weakened)]).output().expect("git");
            assert!(check.status.success(), "{}: {}", elsewhere.weakened, String::from_utf8_lossy(&check.stderr));
        }
    }

    #[test]
    fn what_a_patch_says_stands_above_its_diff() {
        let patch = "weakens: all of it\nrun:\n\ndiff --git a/x b/x\nfails: x\n";
        assert_eq!(said(patch, "weakens").as_deref(), Some("all of it"));
        assert_eq!([said(patch, "run"), said(patch, "fails"), said("weakens: all\n", "weakens")], [None, None, None]);
    }
}
