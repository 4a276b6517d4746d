//! `bountybox log verify`, on logs that the test writes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use arbiter::{Tier, claim};
use bounty_log::append::Log;
use bounty_log::entry::{Entry, Kind};
use bounty_log::store::Folder;
use contest::START;

/// When the logs here are judged.
const AT: u64 = START + 60;

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
    if !arguments.contains(&"--at") {
        command.args(["--at", &AT.to_string()]);
    }
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

/// A log that is served as it once was holds by itself; who knows the time sees that it has not gone on.
#[test]
fn a_log_that_is_frozen_while_its_box_was_to_serve_is_silent() {
    let (alive, over) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let note = contest::manifest_note();
    let first = Entry { time: START, kind: Kind::Manifest, document: &note };
    let mut log = Log::begin(Folder::new(alive.path()), contest::holder("log"), &first).expect("begun");
    log.append(&Entry { time: START + 1, kind: Kind::Start, document: b"" }).expect("appended");
    let weeks = (START + 21 * 86_400).to_string();
    let soon = verify(alive.path(), &["--at", &(START + 3901).to_string()]);
    assert_eq!(soon.status.code(), Some(0), "{}", said(&soon));
    assert!(said(&soon).contains(&format!("the last entry's time is {}: 3900 s before {}\n", START + 1, START + 3901)), "{}", said(&soon));
    let late = verify(alive.path(), &["--at", &weeks]);
    assert_eq!(late.status.code(), Some(33), "{}", said(&late));
    assert!(
        said(&late).contains("checkpoint: there was no sign of life for 1814399 s") && said(&late).contains("[silent]"),
        "{}",
        said(&late)
    );
    let late = verify(alive.path(), &["--at", &weeks, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&late.stdout).expect("JSON");
    assert_eq!((report["sound"].as_bool(), report["last_time"].as_u64()), (Some(false), Some(START + 1)), "{report}");
    // One that has stopped has said so.
    write(over.path(), "One.");
    assert_eq!(verify(over.path(), &["--at", &weeks]).status.code(), Some(0));
}

/// Without `--at` it is now, which is not when these logs are of.
#[test]
fn the_time_is_asked_for_where_none_is_given() {
    let dir = tempfile::tempdir().expect("a folder");
    let note = contest::manifest_note();
    let mut log = Log::begin(Folder::new(dir.path()), contest::holder("log"), &Entry { time: 1, kind: Kind::Manifest, document: &note });
    let log = log.as_mut().expect("begun");
    log.append(&Entry { time: 2, kind: Kind::Start, document: b"" }).expect("appended");
    let key = contest::named("log").to_string();
    let now = Command::new(env!("CARGO_BIN_EXE_bountybox")).args(["log", "verify"]).arg(dir.path()).args(["--log", &key]).output();
    let now = now.expect("it runs");
    assert_eq!(now.status.code(), Some(33), "{}", said(&now));
    assert!(said(&now).contains("[silent]"), "{}", said(&now));
}
