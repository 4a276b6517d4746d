//! Every target takes its seeds and every input that has ever broken it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files of `fuzz/KIND/TARGET`; none if there is no such folder.
fn inputs(kind: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(kind).join(target);
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

#[test]
fn targets_take_their_seeds_and_what_once_broke_them() {
    for (name, target) in targets::ALL {
        let seeds = inputs("seeds", name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for path in seeds.into_iter().chain(inputs("crashes", name)) {
            let bytes = fs::read(&path).expect("a file");
            // Shown when it fails.
            println!("{}", path.display());
            target(&bytes);
        }
    }
}

#[test]
fn what_is_made_as_a_seed_is_taken_too() {
    for (name, seed, bytes) in targets::seeds::all() {
        let (_, target) = targets::ALL.iter().find(|(known, _)| *known == name).expect("a target");
        println!("{name}/{seed}");
        target(&bytes);
    }
}

/// Each target has a planted bug and a folder of seeds; none of these is of a target that is gone.
#[test]
fn seeds_and_planted_bugs_are_those_of_the_targets() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let stems = |folder: &str| {
        let entries = fs::read_dir(fuzz.join(folder)).expect("a folder");
        let mut stems: Vec<String> =
            entries.map(|entry| entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()).collect();
        stems.retain(|stem| stem != "client-ca");
        stems.sort();
        stems
    };
    let names = targets::ALL.map(|(name, _)| name);
    for folder in ["planted", "seeds"] {
        assert_eq!(stems(folder), names, "{folder}");
    }
}

/// What a fuzzer finds counts only if it is what was planted.
#[test]
fn every_planted_bug_says_what_its_panic_says_and_still_applies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (name, _) in targets::ALL {
        let patch = root.join("fuzz/planted").join(name).with_extension("patch");
        let text = fs::read_to_string(&patch).expect("a patch");
        let words = text.lines().next().and_then(|line| line.strip_prefix("fails: ")).unwrap_or_default();
        assert!(!words.is_empty(), "{name} does not say what its panic says");
        let checked =
            Command::new("git").arg("-C").arg(&root).args(["apply", "--check"]).arg(fs::canonicalize(&patch).expect("a path")).output();
        let checked = checked.expect("git");
        assert!(checked.status.success(), "{name}: {}", String::from_utf8_lossy(&checked.stderr));
    }
}
