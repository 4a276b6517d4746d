//! testssl.sh: a flat list of findings, each with a severity.

use core::time::Duration;
use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{Outcome, ensure};
use serde_json::Value;

use super::{Finding, Target};
use crate::client::NAME;
use crate::command;

/// It starts thousands of processes; on a busy machine that takes a while.
const PATIENCE: Duration = Duration::from_secs(1200);

/// The findings that a whole scan has, and that must be good or indifferent.
const WHOLE: [&str; 21] = [
    "SSLv2",
    "SSLv3",
    "TLS1",
    "TLS1_1",
    "TLS1_3",
    "cipherlist_NULL",
    "PFS",
    "heartbleed",
    "CCS",
    "ticketbleed",
    "ROBOT",
    "secure_renego",
    "secure_client_renego",
    "CRIME_TLS",
    "POODLE_SSL",
    "FREAK",
    "DROWN",
    "BEAST",
    "LUCKY13",
    "RC4",
    "scanTime",
];

pub(super) fn missing() -> Option<String> {
    command::find("testssl").is_none().then(|| "no testssl".into())
}

pub(super) fn version() -> Outcome<String> {
    let said = command::check(Path::new("testssl"), &["--version"])?;
    let line = said.lines().find(|line| line.contains("testssl")).unwrap_or_default();
    Ok(line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

pub(super) fn scan(target: &Target) -> Outcome<Vec<Finding>> {
    let (ip, port) = (target.address.ip().to_string(), target.address.port());
    let mut command = Command::new("testssl");
    command.args(["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", &ip, "--add-ca"]).arg(&target.root);
    command.arg("--jsonfile").arg(&target.report).arg(format!("{NAME}:{port}"));
    // Its exit code counts what it dislikes; the report says the same and more.
    let ended = command::run(command, b"", PATIENCE)?;
    fs::write(target.report.with_extension("txt"), ended.said())?;
    findings(&fs::read_to_string(&target.report)?)
}

fn findings(report: &str) -> Outcome<Vec<Finding>> {
    let report: Value = serde_json::from_str(report)?;
    let all = report.as_array().ok_or("no list of findings")?;
    let word = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    // Where a server has two certificates, the id says which one is meant, as in `cert_revocation <cert#2>`.
    let id = |entry: &Value| word(entry, "id").split(" <").next().unwrap_or_default().to_owned();
    let absent: Vec<_> = WHOLE.iter().filter(|id| !all.iter().any(|entry| entry["id"] == **id)).collect();
    ensure(absent.is_empty(), format!("the scan is not whole: no {absent:?}"))?;
    let bad = all.iter().filter(|entry| !matches!(entry["severity"].as_str(), Some("OK" | "INFO")));
    Ok(bad.map(|entry| Finding { id: id(entry), says: format!("{}: {}", word(entry, "severity"), word(entry, "finding")) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(of: &[(&str, &str)]) -> String {
        let entries: Vec<_> = of.iter().map(|(id, severity)| serde_json::json!({"id": id, "severity": severity, "finding": "x"})).collect();
        Value::from(entries).to_string()
    }

    #[test]
    fn only_ok_and_info_are_no_findings() {
        let mut all = WHOLE.map(|id| (id, "OK")).to_vec();
        all[0].1 = "INFO";
        assert_eq!(findings(&report(&all)).map(|found| found.len()).ok(), Some(0));
        for severity in ["LOW", "MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL", "new"] {
            all[1].1 = severity;
            assert_eq!(findings(&report(&all)).map(|found| found.len()).ok(), Some(1), "{severity}");
        }
    }

    #[test]
    fn a_finding_of_the_second_certificate_has_the_same_id() {
        let mut all = WHOLE.map(|id| (id, "OK")).to_vec();
        all.push(("cert_revocation <cert#2>", "HIGH"));
        assert!(findings(&report(&all)).is_ok_and(|found| found[0].id == "cert_revocation"));
    }

    #[test]
    fn half_a_scan_is_an_error() {
        assert!(findings(&report(&[("SSLv2", "OK")])).is_err());
        assert!(findings("[]").is_err());
    }
}
