//! `bountybox arbiter verify` as people call it: every vector, the exit code of each verdict, and what is said where.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use arbiter::Tier;
use bountybox::exit::Exit;
use contest::vectors::{self, Vector};
use serde_json::Value;

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    /// Asks about a vector. What is said names the files by their bare names.
    fn ask(&self, vector: &Vector, more: &[&str]) -> Output {
        self.write("manifest", &vector.manifest);
        self.write("claim", &vector.claim);
        let mut command = self.command();
        command.args(["--manifest", "manifest", "--claim", "claim", "--at", &vector.now.to_string()]);
        command.arg(format!("--operator={}", vector.operator));
        if let Some(commitment) = &vector.commitment {
            self.write("receipt", &commitment.receipt);
            self.write("opening", &commitment.opening);
            command.args(["--commitment", "receipt", "--opening", "opening"]);
        }
        command.args(more).output().expect("bountybox")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bountybox"));
        command.args(["arbiter", "verify"]).current_dir(self.dir.path());
        command
    }
}

fn code(output: &Output) -> Option<Exit> {
    output.status.code().and_then(|code| u8::try_from(code).ok()).and_then(Exit::from_code)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn sound(tier: Tier) -> Vector {
    let name = format!("a claim for {tier}");
    vectors::all().into_iter().find(|vector| vector.name == name).expect("a vector")
}

#[test]
fn each_verdict_has_its_exit_code_for_every_vector() {
    let place = Place::new();
    // A write-up is any file: its vector has a digest alone.
    for vector in vectors::all().into_iter().filter(|vector| vector.about != "write-up") {
        let output = place.ask(&vector, &[]);
        let expected = match &vector.verdict[0][..] {
            "Falsified" => Exit::Success,
            "NotFalsified" => Exit::NotFalsified,
            _ => Exit::SetupError,
        };
        assert_eq!(code(&output), Some(expected), "{}: {}", vector.about, vector.name);
        assert!(said(&output).starts_with(&vector.verdict[0]), "{}", said(&output));
        let reasons = said(&output).lines().count() - 1;
        assert!(expected == Exit::Success || reasons == vector.verdict.len() - 1, "{}: {}", vector.name, said(&output));
    }
}

#[test]
fn what_is_wrong_is_said_by_file_line_and_field() {
    let place = Place::new();
    let mut vector = sound(Tier::Read);
    assert_eq!(
        said(&place.ask(&vector, &[])),
        format!("Falsified: read, by {}, claimed for {}\n", contest::claimant("claimant"), contest::TIME)
    );
    vector.claim = String::from_utf8(vector.claim).expect("text").replace("tier read", "tier root").into_bytes();
    assert_eq!(said(&place.ask(&vector, &[])), "NotFalsified\n  claim:3: tier: not a tier\n");
    vector.operator = "nobody".into();
    assert_eq!(said(&place.ask(&vector, &[])), "SetupError\n  --operator: not a verifier key as NAME+ID+BASE64\n");
    let record = vectors::all().into_iter().find(|vector| vector.about == "record-manifest").expect("a vector");
    assert_eq!(said(&place.ask(&record, &[])), "NotFalsified\n  claim (its crash record):2: manifest: names another manifest\n");
}

#[test]
fn the_json_says_the_same() {
    let place = Place::new();
    let json = |vector: &Vector| -> Value { serde_json::from_slice(&place.ask(vector, &["--json"]).stdout).expect("JSON") };
    let value = json(&sound(Tier::Write));
    assert_eq!((&value["version"], &value["verdict"], &value["exit_code"]), (&1.into(), &"Falsified".into(), &0.into()));
    assert_eq!((&value["falsified"]["tier"], &value["falsified"]["committed"]), (&"write".into(), &Value::Null));
    let late = vectors::all().into_iter().find(|vector| vector.about == "end").expect("a vector");
    let value = json(&late);
    assert_eq!((&value["verdict"], &value["exit_code"]), (&"NotFalsified".into(), &Exit::NotFalsified.code().into()));
    let reason = &value["reasons"][0];
    assert_eq!((&reason["document"], &reason["file"], &reason["line"]), (&"claim".into(), &"claim".into(), &6.into()));
    assert_eq!((&reason["field"], &reason["code"]), (&"time".into(), &"after-end".into()));
    assert_eq!(value["reasons"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_write_up_is_held_against_what_was_committed_to() {
    let place = Place::new();
    let vector = vectors::all().into_iter().find(|vector| vector.name == "committed to before").expect("a vector");
    place.write("write-up", contest::WRITE_UP);
    let output = place.ask(&vector, &["--write-up", "write-up"]);
    assert_eq!((code(&output), said(&output).contains("committed to at")), (Some(Exit::Success), true));
    place.write("write-up", b"another");
    let output = place.ask(&vector, &["--write-up", "write-up"]);
    assert_eq!(code(&output), Some(Exit::NotFalsified));
    assert_eq!(said(&output), "NotFalsified\n  write-up: the write-up is another than the one that was committed to\n");
}

#[test]
fn a_file_that_is_not_there_is_no_verdict_on_the_claim() {
    let place = Place::new();
    let output = place.command().args(["--manifest", "none", "--operator", "x", "--claim", "none"]).output().expect("bountybox");
    assert_eq!(code(&output), Some(Exit::SetupError));
    assert_eq!(said(&output), "");
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: none: it cannot be read: "));
    let half =
        place.command().args(["--manifest", "m", "--operator", "x", "--claim", "c", "--commitment", "r"]).output().expect("bountybox");
    assert_eq!(code(&half), Some(Exit::Usage));
}

/// Without `--at` it is now, and the contest of the tests is not yet over, or over: never does a claim hold whose time is to come.
#[test]
fn the_clock_is_asked_where_no_time_is_given() {
    let place = Place::new();
    let vector = sound(Tier::Read);
    place.ask(&vector, &[]);
    let output = place
        .command()
        .args(["--manifest", "manifest", "--claim", "claim"])
        .arg(format!("--operator={}", vector.operator))
        .output()
        .expect("bountybox");
    let now = bountybox::cli::unix_now().as_secs();
    let expected = if (contest::TIME..contest::END).contains(&now) { Exit::Success } else { Exit::NotFalsified };
    assert_eq!(code(&output), Some(expected));
}
