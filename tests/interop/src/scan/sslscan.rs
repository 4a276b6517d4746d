//! sslscan: protocols, suites, groups and a few old weaknesses, each an element of a flat XML report.

use core::time::Duration;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{Outcome, ensure};

use super::{Finding, Target};
use crate::client::NAME;
use crate::command;

const PATIENCE: Duration = Duration::from_secs(300);

/// Elements that a whole scan has, with their own attribute that names them.
const WHOLE: [&str; 6] = ["protocol", "renegotiation", "heartbleed", "cipher", "group", "certificate"];

pub(super) fn missing() -> Option<String> {
    command::find("sslscan").is_none().then(|| "no sslscan".into())
}

pub(super) fn version() -> Outcome<String> {
    let said = command::check(Path::new("sslscan"), &["--no-colour", "--version"])?;
    Ok(format!("sslscan {}", said.split_whitespace().collect::<Vec<_>>().join(" ")))
}

pub(super) fn scan(target: &Target) -> Outcome<Vec<Finding>> {
    let report = target.report.with_extension("xml");
    let _ = fs::remove_file(&report);
    let mut command = Command::new("sslscan");
    command.args(["--no-colour", &format!("--sni-name={NAME}"), &format!("--xml={}", report.display())]);
    command.arg(target.address.to_string());
    let ended = command::run(command, b"", PATIENCE)?;
    fs::write(target.report.with_extension("txt"), ended.said())?;
    findings(&fs::read_to_string(&report)?)
}

fn findings(report: &str) -> Outcome<Vec<Finding>> {
    let elements: Vec<_> = report.lines().filter_map(element).collect();
    let absent: Vec<_> = WHOLE.iter().filter(|name| !elements.iter().any(|(found, _)| found == *name)).collect();
    ensure(absent.is_empty(), format!("the scan is not whole: no {absent:?}"))?;
    Ok(elements.iter().filter(|(name, values)| !is_good(name, values)).map(|(name, values)| finding(name, values)).collect())
}

fn is_good(name: &str, values: &BTreeMap<String, String>) -> bool {
    let is = |key: &str, good: &[&str]| values.get(key).is_some_and(|value| good.contains(&value.as_str()));
    match name {
        // The two versions that we have may be on.
        "protocol" => is("enabled", &["0"]) || (is("type", &["tls"]) && is("version", &["1.2", "1.3"])),
        "renegotiation" => is("supported", &["0"]),
        "compression" => is("supported", &["0"]),
        "fallback" => is("supported", &["1"]),
        "heartbleed" => is("vulnerable", &["0"]),
        // It calls suites of TLS 1.3 acceptable, and the same ciphers in TLS 1.2 strong.
        "cipher" => is("strength", &["strong"]) || (is("strength", &["acceptable"]) && is("sslversion", &["TLSv1.3"])),
        "group" => values.get("bits").and_then(|bits| bits.parse::<u32>().ok()).is_some_and(|bits| bits >= 128),
        "pk" => is("error", &["false"]),
        _ => true,
    }
}

fn finding(name: &str, values: &BTreeMap<String, String>) -> Finding {
    Finding { id: name.to_owned(), says: values.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ") }
}

/// The name and the attributes of the element that a line begins with.
fn element(line: &str) -> Option<(String, BTreeMap<String, String>)> {
    let inside = line.trim().strip_prefix('<')?.split('>').next()?.trim_end_matches('/');
    let (name, rest) = inside.split_once(' ').unwrap_or((inside, ""));
    let mut values = BTreeMap::new();
    let mut parts = rest.split('"');
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        values.insert(key.trim().trim_end_matches('=').to_owned(), value.to_owned());
    }
    Some((name.to_owned(), values))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
  <protocol type="ssl" version="3" enabled="0" />
  <protocol type="tls" version="1.3" enabled="1" />
  <renegotiation supported="0" secure="0" />
  <heartbleed sslversion="TLSv1.2" vulnerable="0" />
  <cipher status="preferred" sslversion="TLSv1.3" bits="128" cipher="TLS_AES_128_GCM_SHA256" strength="acceptable" />
  <cipher status="preferred" sslversion="TLSv1.2" bits="128" cipher="ECDHE-ECDSA-AES128-GCM-SHA256" strength="strong" />
  <group sslversion="TLSv1.3" bits="128" name="secp256r1 (NIST P-256)" id="0x0017" />
  <certificate type="short">"#;

    #[test]
    fn a_good_report_has_no_finding() {
        assert_eq!(findings(GOOD).ok(), Some(Vec::new()));
    }

    #[test]
    fn each_weakness_is_a_finding() {
        let weak = [
            (r#"version="3" enabled="0""#, r#"version="3" enabled="1""#, "protocol"),
            (r#"supported="0""#, r#"supported="1""#, "renegotiation"),
            (r#"vulnerable="0""#, r#"vulnerable="1""#, "heartbleed"),
            (r#"strength="strong""#, r#"strength="acceptable""#, "cipher"),
            (r#"bits="128" name"#, r#"bits="80" name"#, "group"),
        ];
        for (good, bad, id) in weak {
            let found = findings(&GOOD.replace(good, bad)).unwrap_or_default();
            assert_eq!(found.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(), [id]);
        }
    }

    #[test]
    fn half_a_scan_is_an_error() {
        assert!(findings("").is_err());
        assert!(findings(&GOOD.replace("<group", "<x")).is_err());
    }
}
