//! The planted bugs, which `make planted` lets the simulator look for: each must still fit the code that it breaks.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Those that the project promises to find, and one that the simulator found by itself.
const PROMISED: [&str; 11] = [
    "dropped-timer",
    "isn-reuse",
    "lost-wake-up",
    "buffer-not-wiped",
    "queue-off-by-one",
    "ticket-key-not-rotated",
    "budget-leak",
    "half-close-lost",
    "stale-retransmit",
    "rare-alert-panics",
    "rings-taken-again",
];

#[test]
fn every_planted_bug_is_there_says_what_it_breaks_and_still_applies() {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for name in PROMISED {
        let path = root.join(format!("tests/sim/planted/{name}.patch"));
        let patch = std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert!(!patch.starts_with("diff "), "{name} begins with words");
        let check = Command::new("git").arg("-C").arg(&root).args(["apply", "--check", "-p1"]).arg(&path).output().unwrap();
        assert!(check.status.success(), "{name}: {}", String::from_utf8_lossy(&check.stderr));
    }
}
