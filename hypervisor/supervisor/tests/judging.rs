//! `bountybox target --misbehave` as scripts see it: exit codes, streams, what is listed. The judged client is curl, and one that never comes.

use std::path::Path;
use std::process::{Command, Output};

const CURL: &[&str] = &["curl", "--silent", "--output", "/dev/null", "--max-time", "30", "--ipv4", "https://{host}:{port}/"];

/// Runs the judge in a directory of its own, with these arguments and this client.
fn judge(dir: &Path, arguments: &[&str], client: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bountybox"));
    command.current_dir(dir).arg("target").args(arguments);
    if !client.is_empty() {
        command.arg("--").args(client);
    }
    command.output().expect("runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_careful_client_notices_and_the_exit_code_is_0() {
    let dir = tempfile::tempdir().expect("a directory");
    let careful = [CURL, &["--cacert", "{ca}"]].concat();
    // Not `truncated`: curl takes an answer without a close_notify for whole (docs/misbehave.md).
    let names = "expired,other-name,unknown-ca,proof-altered,finished-altered,share-of-zeros,data-altered,downgrade-to-1.2";
    let output = judge(dir.path(), &["--misbehave", names], &careful);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("honest: accepted\nhonest-1.2: accepted\n") && text.ends_with("8 of 8 noticed\n"), "{text}");
    assert!(text.contains("\nexpired: noticed (alert certificate_expired)\n"), "{text}");
    let root = std::fs::read_to_string(dir.path().join("misbehave-ca.pem")).expect("the root");
    assert!(root.starts_with("-----BEGIN CERTIFICATE-----") && !root.contains("KEY"));
}

#[test]
fn a_careless_client_is_caught_and_the_exit_code_is_26() {
    let dir = tempfile::tempdir().expect("a directory");
    let careless = [CURL, &["-k"]].concat();
    let output = judge(dir.path(), &["--misbehave", "expired,finished-altered,self-signed"], &careless);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(26), "{text}");
    assert!(text.ends_with("1 of 3 noticed\nfooled by: expired, self-signed\n"), "{text}");
    let json = judge(dir.path(), &["--misbehave", "expired", "--json", "--force"], &careless);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!((json.status.code(), &value["exit_code"], &value["fooled"]), (Some(26), &26.into(), &serde_json::json!(["expired"])));
    assert_eq!(
        value["judged"][0],
        serde_json::json!({ "name": "honest", "verdict": "accepted", "text": "accepted", "alert": null, "alert_is_expected": null })
    );
}

#[test]
fn a_client_that_comes_back_is_judged_of_that_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let careful = [CURL, &["--cacert", "{ca}"]].concat();
    let names = ["--misbehave", "refused-unknown-ca,resumed-without-key,resumed-other-session", "--timeout", "2", "--force"];
    let twice = [&careful[..], &["--output", "/dev/null", "https://{host}:{port}/"]].concat();
    let text = said(&judge(dir.path(), &names, &twice));
    assert!(text.starts_with("honest-resumed: accepted\nhonest-resumed-1.2: accepted\n") && text.ends_with("3 of 3 noticed\n"), "{text}");
    let careless = [CURL, &["-k", "--output", "/dev/null", "https://{host}:{port}/"]].concat();
    let output = judge(dir.path(), &names, &careless);
    assert_eq!(output.status.code(), Some(26), "{}", said(&output));
    assert!(said(&output).ends_with("fooled by: refused-unknown-ca\n"), "{}", said(&output));
    let once = judge(dir.path(), &names, &careful);
    assert_eq!((once.status.code(), said(&once).lines().count()), (Some(27), 2), "the first control, and a sum: {}", said(&once));
}

#[test]
fn what_is_untried_is_counted_and_what_was_asked_for_and_left_untried_is_27() {
    let dir = tempfile::tempdir().expect("a directory");
    let careful = [CURL, &["--cacert", "{ca}"]].concat();
    let modern = [&careful[..], &["--tlsv1.3"]].concat();
    let names = ["--misbehave", "expired,finished-altered-1.2", "--force"];
    let output = judge(dir.path(), &names, &modern);
    assert_eq!(output.status.code(), Some(27), "{}", said(&output));
    assert!(said(&output).ends_with("1 of 2 noticed, 1 untried\n"), "{}", said(&output));
    let json = judge(dir.path(), &[&names[..], &["--json"]].concat(), &modern);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!((json.status.code(), &value["exit_code"], &value["untried"]), (Some(27), &27.into(), &1.into()));
    // Of a group there may be what a client does not offer, unless it offers nothing of it: this one comes once.
    let output = judge(dir.path(), &["--misbehave", "expired,resumed", "--force"], &careful);
    let resumed = misbehave::catalogue::all().filter(|one| one.is_resumed()).count();
    assert_eq!(output.status.code(), Some(27), "{}", said(&output));
    assert!(said(&output).ends_with(&format!("1 of {} noticed, {resumed} untried\n", resumed + 1)), "{}", said(&output));
    let twice = [&modern[..], &["--output", "/dev/null", "https://{host}:{port}/"]].concat();
    let output = judge(dir.path(), &["--misbehave", "resumed", "--force"], &twice);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).ends_with(" untried\n"), "{}", said(&output));
}

#[test]
fn nobody_is_27_and_a_control_that_is_refused_28() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = judge(dir.path(), &["--misbehave", "expired"], &["true"]);
    assert_eq!(output.status.code(), Some(27), "{}", said(&output));
    assert!(said(&output).starts_with("honest: no client (nobody came)\n"));
    // It trusts another root.
    let output = judge(dir.path(), &["--misbehave", "expired", "--force"], CURL);
    assert_eq!(output.status.code(), Some(28), "{}", said(&output));
    assert!(said(&output).starts_with("honest: refused (alert unknown_ca)\n"), "{}", said(&output));
}

#[test]
fn without_a_command_whoever_comes_is_judged_and_nobody_is_27() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = judge(dir.path(), &["--misbehave", "expired", "--timeout", "1"], &[]);
    assert_eq!(output.status.code(), Some(27), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("ready: 127.0.0.1:"));
}

#[test]
fn what_cannot_be_is_said_before_anything_is_written() {
    let dir = tempfile::tempdir().expect("a directory");
    for (arguments, complaint) in [
        (&["--misbehave", "expird"][..], "did you mean `expired`?"),
        (&["--misbehave", "resumd"], "did you mean `resumed`?"),
        (&["--misbehave", "all,nonsense"], "`--misbehave list` shows all"),
        (&["--misbehave", "truncated"], "only the exit code of a client tells"),
        (&["--timeout", "1"], "--misbehave <NAMES>"),
    ] {
        let output = judge(dir.path(), arguments, &[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(told.contains(complaint), "{arguments:?}: {told}");
    }
    assert_eq!(dir.path().read_dir().expect("read").count(), 0);
    std::fs::write(dir.path().join("misbehave-ca.pem"), "mine").expect("written");
    assert_eq!(judge(dir.path(), &["--misbehave", "expired"], &["true"]).status.code(), Some(17));
    assert_eq!(std::fs::read_to_string(dir.path().join("misbehave-ca.pem")).expect("read"), "mine");
    assert_eq!(judge(dir.path(), &["--misbehave", "expired", "--force"], &["no such program"]).status.code(), Some(2));
}

#[test]
fn the_list_names_every_misbehaviour() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = judge(dir.path(), &["--misbehave", "list"], &[]);
    assert_eq!((output.status.code(), said(&output).lines().count()), (Some(0), misbehave::catalogue::all().count()));
    assert!(misbehave::catalogue::all().count() > 100, "README says more than a hundred");
    let json = judge(dir.path(), &["--misbehave", "list", "--json"], &[]);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(value["misbehaviours"].as_array().map(Vec::len), Some(misbehave::catalogue::all().count()));
}
