//! `bountybox log verify`, on logs that the test writes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use arbiter::{Tier, claim};
use bounty_log::append::Log;
use bounty_log::entry::{Entry, Kind};
use bounty_log::store::Folder;
use contest::START;

/// A log whose third entry is a claim that says `text`.
fn write(folder: &Path, text: &str) {
    let entry = |kind, time, document| Entry { kind, time, document };
    let note = contest::manifest_note();
    let mut log = Log::begin(Folder::new(folder), contest::holder("log"), &entry(Kind::Manifest, START, &note)).expect("begun");
    log.append(&entry(Kind::Start, START + 1, b"")).expect("appended");
    let claim = contest::seal("read", &claim::Body { text, ..contest::claim_body(Tier::Read, "somebody") });
    log.append(&entry(Kind::Claim, START + 2, &claim)).expect("appended");
    log.append(&entry(Kind::Stop, START + 3, b"")).expect("appended");
}

fn verify(folder: &Path, arguments: &[&str]) -> Output {
    let (log, operator) = (contest::named("log").to_string(), contest::operator());
    let mut command = Command::new(env!("CARGO_BIN_EXE_bountybox"));
    command.args(["log", "verify"]).arg(folder).args(["--log", &log, "--operator", &operator]);
    command.args(arguments).output().expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_sound_log_holds_and_a_rewritten_one_is_shown() {
    let (honest, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    write(honest.path(), "It was one.");
    write(other.path(), "It was none.");
    let kept = honest.path().to_str().expect("a path");
    let sound = verify(honest.path(), &["--since", kept]);
    assert_eq!(sound.status.code(), Some(0), "{}", said(&sound));
    assert!(
        said(&sound).contains("contest.example/log: 4 entries, root ") && said(&sound).ends_with("the log holds\n"),
        "{}",
        said(&sound)
    );

    // By itself the other holds too; who has kept a head knows better, and who has kept the log sees what was changed.
    assert_eq!(verify(other.path(), &[]).status.code(), Some(0));
    let head = honest.path().join("checkpoint");
    let forked = verify(other.path(), &["--since", head.to_str().expect("a path")]);
    assert_eq!(forked.status.code(), Some(33), "{}", said(&forked));
    assert!(said(&forked).contains("its past was rewritten [forked]"), "{}", said(&forked));
    let shown = verify(other.path(), &["--json", "--since", kept]);
    let report: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!((report["sound"].as_bool(), report["exit_code"].as_u64()), (Some(false), Some(33)));
    assert_eq!(report["findings"][1]["place"], "entry 2", "{report}");
    assert_eq!(report["findings"][1]["code"], "rewritten", "{report}");
}

#[test]
fn what_is_damaged_is_named_and_what_cannot_be_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "One.");
    let entries = dir.path().join("tile/entries/000.p/4");
    let mut bytes = fs::read(&entries).expect("entries");
    *bytes.last_mut().expect("a byte") ^= 1;
    fs::write(&entries, bytes).expect("written");
    let damaged = verify(dir.path(), &[]);
    assert_eq!(damaged.status.code(), Some(33), "{}", said(&damaged));
    assert!(said(&damaged).contains("checkpoint: its root is not that of the entries"), "{}", said(&damaged));
    let empty = tempfile::tempdir().expect("a folder");
    let missing = verify(empty.path(), &[]);
    assert_eq!(missing.status.code(), Some(33));
    assert!(said(&missing).contains("checkpoint: there is no such file [missing]"), "{}", said(&missing));
    for (arguments, words) in [(["--since", "/no/such/file"], "/no/such/file"), (["--operator", "nonsense"], "--operator")] {
        let refused = verify(dir.path(), &arguments);
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(said(&refused).contains(words), "{}", said(&refused));
    }
}
