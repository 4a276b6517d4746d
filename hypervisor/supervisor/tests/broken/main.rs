//! Broken configurations, certificates, keys and images: each is met with its exit code and a message that says where, what, and what to do.
//!
//! All material is made here, by the mint, by rcgen and by OpenSSL, and then broken in one way each. The real command runs; no guest is started.

mod bench;
mod cases;
mod certificates;
mod command;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use bench::Bench;
use cases::{CASES, Case};

/// Runs one case, and returns all that is not as it should be.
fn failures(case: &Case) -> Vec<String> {
    let bench = Bench::new();
    (case.broken)(&bench);
    let mut failures = Vec::new();
    for command in ["check", "run"] {
        let ran = bench.run(&[command, "--config", "bountybox.toml"]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let mut fail = |what: &str| failures.push(format!("{} ({command}): {what}\n{said}", case.name));
        if ran.code != Some(case.code.into()) {
            fail(&format!("exit code {:?}, not {}", ran.code, case.code));
        }
        if said.contains("panicked") || said.chars().any(|c| c.is_control() && c != '\n') {
            fail("a panic, or a raw control character");
        }
        for part in case.says.iter().filter(|part| !said.contains(*part)) {
            fail(&format!("does not say {part:?}"));
        }
        if !said.contains("  advice: ") {
            fail("gives no advice");
        }
    }
    failures
}

#[test]
fn every_broken_configuration_certificate_and_key_is_told_with_place_and_advice() {
    let failures: Vec<String> = CASES.iter().flat_map(failures).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_cases_are_many_and_distinct() {
    let names: BTreeSet<&str> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), CASES.len());
    assert!(CASES.len() >= 25, "{}", CASES.len());
}

#[test]
fn clients_and_a_shared_ticket_key_pass() {
    let bench = Bench::new();
    certificates::client_authority(&bench, 90, 30);
    bench.append(cases::CLIENTS);
    bench.append("names = [\"*.example.org\", \"*@example.org\", \"spiffe://example.org/**\"]\nsubjects = [\"robot\"]\n");
    bench.append("[tls]\nprofile = \"modern\"\nticket_rotation_s = 600\nticket_key = \"t.key\"\n");
    bench.write("t.key", "5a".repeat(32));
    fs::set_permissions(bench.path("t.key"), fs::Permissions::from_mode(0o600)).expect("changed");
    let ran = bench.run(&["check", "--config", "bountybox.toml"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "bountybox.toml: all is well\n", ""));
}

#[test]
fn what_is_not_broken_passes() {
    let ran = Bench::new().run(&["check", "--config", "bountybox.toml"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "bountybox.toml: all is well\n", ""));
}
