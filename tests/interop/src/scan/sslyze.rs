//! sslyze: facts by scan command, and a verdict against Mozilla's own description of the profile.

use core::time::Duration;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use e2e::{Outcome, ensure};
use serde_json::Value;

use super::{Finding, Target};
use crate::client::NAME;
use crate::command;

const PATIENCE: Duration = Duration::from_secs(600);

/// The scans that it is asked for, with what each has to say. A pointer into the result, and the good value.
const GOOD: &[(&str, &str, Good)] = &[
    ("ssl_2_0_cipher_suites", "/is_tls_version_supported", Good::Is(false)),
    ("ssl_3_0_cipher_suites", "/is_tls_version_supported", Good::Is(false)),
    ("tls_1_0_cipher_suites", "/is_tls_version_supported", Good::Is(false)),
    ("tls_1_1_cipher_suites", "/is_tls_version_supported", Good::Is(false)),
    ("tls_1_3_cipher_suites", "/is_tls_version_supported", Good::Is(true)),
    ("tls_compression", "/supports_compression", Good::Is(false)),
    ("tls_1_3_early_data", "/supports_early_data", Good::Is(false)),
    ("openssl_ccs_injection", "/is_vulnerable_to_ccs_injection", Good::Is(false)),
    ("tls_fallback_scsv", "/supports_fallback_scsv", Good::Is(true)),
    ("heartbleed", "/is_vulnerable_to_heartbleed", Good::Is(false)),
    ("robot", "/robot_result", Good::StartsWith("NOT_VULNERABLE")),
    ("session_renegotiation", "/is_vulnerable_to_client_renegotiation_dos", Good::Is(false)),
    ("session_renegotiation", "/supports_secure_renegotiation", Good::Is(true)),
    ("session_resumption", "/tls_ticket_resumption_result", Good::StartsWith("FULLY_SUPPORTED")),
    ("tls_extended_master_secret", "/supports_ems_extension", Good::Is(true)),
    ("certificate_info", "/certificate_deployments/0/received_chain_has_valid_order", Good::Is(true)),
    ("certificate_info", "/certificate_deployments/0/received_chain_contains_anchor_certificate", Good::Is(false)),
];

/// What makes a value good.
#[derive(Debug, Clone, Copy)]
enum Good {
    Is(bool),
    StartsWith(&'static str),
}

impl Good {
    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Is(good) => value.as_bool() == Some(good),
            Self::StartsWith(good) => value.as_str().is_some_and(|text| text.starts_with(good)),
        }
    }
}

fn program() -> PathBuf {
    crate::target().join("sslyze/bin/sslyze")
}

pub(super) fn missing() -> Option<String> {
    (!program().exists()).then(|| "no target/interop/sslyze; tools/interop installs it".into())
}

pub(super) fn version() -> Outcome<String> {
    let said = command::check(&program(), &["--help"])?;
    let line = said.lines().find(|line| line.starts_with("SSLyze version"));
    Ok(line.unwrap_or_default().to_owned())
}

pub(super) fn scan(target: &Target) -> Outcome<Vec<Finding>> {
    let mut command = Command::new(program());
    command.args(["--mozilla_config", target.profile.name(), "--sni", NAME, "--certinfo", "--resum", "--early_data", "--certinfo_ca_file"]);
    command.arg(&target.root).arg("--json_out").arg(&target.report).arg(target.address.to_string());
    let ended = command::run(command, b"", PATIENCE)?;
    fs::write(target.report.with_extension("txt"), ended.said())?;
    let mut found = findings(&fs::read_to_string(&target.report)?)?;
    let verdict = ended.said();
    if !(ended.success && verdict.contains("OK - Compliant")) {
        let (_, says) = verdict.split_once("COMPLIANCE AGAINST").ok_or_else(|| verdict.clone())?;
        found.push(Finding { id: "mozilla".into(), says: says.split_whitespace().collect::<Vec<_>>().join(" ") });
    }
    Ok(found)
}

fn findings(report: &str) -> Outcome<Vec<Finding>> {
    let report: Value = serde_json::from_str(&quote_long_numbers(report))?;
    let results = report.pointer("/server_scan_results/0/scan_result").and_then(Value::as_object).ok_or("no scan")?;
    let asked = results.iter().filter(|(_, scan)| scan["status"] != "NOT_SCHEDULED");
    for (name, scan) in asked {
        ensure(scan["status"] == "COMPLETED", format!("{name} is not whole: {}", scan["error_trace"]))?;
    }
    let judged = GOOD.iter().map(|(name, pointer, good)| {
        let value = results.get(*name).and_then(|scan| scan["result"].pointer(pointer)).cloned().unwrap_or_default();
        (!good.holds(&value)).then(|| Finding { id: (*name).to_owned(), says: format!("{pointer} is {value}") })
    });
    Ok(judged.flatten().chain(untrusted(results.get("certificate_info"))).collect())
}

/// An RSA modulus stands in the report as a number of 617 digits, which is more than a number may have here: as a string it does no harm.
fn quote_long_numbers(report: &str) -> String {
    const LONG: usize = 18;
    let mut quoted = String::with_capacity(report.len());
    let mut rest = report;
    while let Some(at) = rest.find(": ") {
        let (before, value) = rest.split_at(at + 2);
        let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        quoted.push_str(before);
        if digits > LONG && value[digits..].starts_with([',', '\n', ' ', '}']) {
            quoted.push_str(&format!("\"{}\"", &value[..digits]));
        } else {
            quoted.push_str(&value[..digits]);
        }
        rest = &value[digits..];
    }
    quoted + rest
}

/// The chain must lead to the root that the scanner was given; its other stores do not know it.
fn untrusted(scan: Option<&Value>) -> Option<Finding> {
    let paths = scan.and_then(|scan| scan["result"].pointer("/certificate_deployments/0/path_validation_results"));
    let paths = paths.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let trusted = paths.iter().any(|path| path["was_validation_successful"] == true);
    (!trusted).then(|| Finding { id: "certificate_info".into(), says: "no store trusts the chain".into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report in which all is well.
    fn good() -> Value {
        let mut results = serde_json::json!({"certificate_info": {"result": {"certificate_deployments": [
            {"path_validation_results": [{"was_validation_successful": false}, {"was_validation_successful": true}]}
        ]}}});
        for (name, pointer, good) in GOOD {
            results[*name]["status"] = "COMPLETED".into();
            let value = match good {
                Good::Is(good) => Value::from(*good),
                Good::StartsWith(good) => Value::from(*good),
            };
            let place = match pointer.strip_prefix("/certificate_deployments/0/") {
                Some(key) => &mut results[*name]["result"]["certificate_deployments"][0][key],
                None => &mut results[*name]["result"][pointer.trim_start_matches('/')],
            };
            *place = value;
        }
        results
    }

    fn judge(results: &Value) -> Outcome<Vec<Finding>> {
        findings(&serde_json::json!({"server_scan_results": [{"scan_result": results}]}).to_string())
    }

    #[test]
    fn a_good_report_has_no_finding_and_an_empty_one_all() {
        assert_eq!(judge(&good()).ok(), Some(Vec::new()));
        assert!(judge(&serde_json::json!({})).is_ok_and(|found| found.len() == GOOD.len() + 1));
    }

    #[test]
    fn each_value_that_is_not_good_is_a_finding() {
        let mut results = good();
        results["robot"]["result"]["robot_result"] = "VULNERABLE_STRONG_ORACLE".into();
        results["tls_compression"]["result"]["supports_compression"] = true.into();
        results["certificate_info"]["result"]["certificate_deployments"][0]["path_validation_results"] = Value::Null;
        let ids: Vec<_> = judge(&results).unwrap_or_default().into_iter().map(|found| found.id).collect();
        assert_eq!(ids, ["tls_compression", "robot", "certificate_info"]);
    }

    #[test]
    fn a_number_of_many_digits_is_read() {
        let long = "9".repeat(617);
        let text = format!("{{\"n\": {long}, \"e\": 65537, \"m\": {long}\n}}");
        let read: Value = serde_json::from_str(&quote_long_numbers(&text)).expect("JSON");
        assert_eq!((read["n"].as_str(), read["e"].as_u64(), read["m"].as_str()), (Some(long.as_str()), Some(65537), Some(long.as_str())));
    }

    #[test]
    fn a_scan_that_broke_off_is_an_error() {
        assert!(judge(&serde_json::json!({"robot": {"status": "ERROR"}})).is_err());
        assert!(findings("{}").is_err());
    }
}
