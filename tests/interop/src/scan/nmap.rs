//! nmap: its scripts about TLS, and what it makes of the network beneath (`-O`), the latter against a box on a TAP device.

use core::time::Duration;
use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{Outcome, ensure};

use super::{Finding, Target};
use crate::client::NAME;
use crate::command;

const PATIENCE: Duration = Duration::from_secs(300);

/// All that Debian's nmap has on TLS, but for those that talk to somebody else.
const SCRIPTS: &str = "ssl-enum-ciphers,ssl-ccs-injection,ssl-heartbleed,ssl-poodle,ssl-dh-params,ssl-known-key,ssl-cert,ssl-cert-intaddr,ssl-date,\
                       sslv2,sslv2-drown,tls-alpn,tls-nextprotoneg,tls-ticketbleed";
/// The ports of the fingerprint: ours and some others, which should not even be closed.
const PORTS: &str = "1-100";
/// From here on, nmap wishes good luck.
const HARD: u32 = 200;

pub(super) fn missing() -> Option<String> {
    command::find("nmap").is_none().then(|| "no nmap".into())
}

pub(super) fn version() -> Outcome<String> {
    let said = command::check(Path::new("nmap"), &["--version"])?;
    Ok(said.split(" (").next().unwrap_or_default().to_owned())
}

pub(super) fn scripts(target: &Target) -> Outcome<Vec<Finding>> {
    let port = target.address.port().to_string();
    let name = format!("tls.servername={NAME}");
    scripted(&run(target, &["-p", &port, "--script", SCRIPTS, "--script-args", &name])?)
}

pub(super) fn fingerprint(target: &Target) -> Outcome<Vec<Finding>> {
    let ports = format!("{},{PORTS}", target.address.port());
    beneath(&run(target, &["-v", "-O", "--osscan-guess", "-p", &ports])?, target.address.port())
}

fn run(target: &Target, arguments: &[&str]) -> Outcome<String> {
    let mut command = Command::new("nmap");
    command.args(["-n", "-Pn"]).args(arguments).arg(target.address.ip().to_string());
    let ended = command::run(command, b"", PATIENCE)?;
    fs::write(target.report.with_extension("txt"), ended.said())?;
    ensure(ended.success, ended.said())?;
    Ok(ended.said())
}

/// Scripts say nothing where there is nothing; three of them tell facts.
fn scripted(said: &str) -> Outcome<Vec<Finding>> {
    let lines: Vec<_> = said.lines().filter_map(|line| line.strip_prefix('|')).map(|line| &line[1..]).collect();
    for whole in ["TLSv1.3:", "least strength:"] {
        ensure(lines.iter().any(|line| line.trim().starts_with(whole)), format!("the scan is not whole: no {whole}\n{said}"))?;
    }
    let mut script = "";
    let mut found = Vec::new();
    for line in lines {
        let mut says = line.trim();
        if let Some((name, rest)) = line.split_once(':').filter(|(name, _)| SCRIPTS.split(',').any(|script| script == *name)) {
            (script, says) = (name, rest.trim());
        }
        if !is_good(script, says) {
            found.push(Finding { id: script.to_owned(), says: says.to_owned() });
        }
    }
    Ok(found)
}

fn is_good(script: &str, says: &str) -> bool {
    match script {
        "ssl-cert" | "tls-alpn" => true,
        "ssl-date" => says == "TLS randomness does not represent time",
        "ssl-enum-ciphers" => {
            // A heading, or a suite with its grade.
            let heading =
                ["", "TLSv1.2:", "TLSv1.3:", "ciphers:", "compressors:", "NULL", "cipher preference: client", "least strength: A"];
            heading.contains(&says) || (says.starts_with("TLS_") && says.ends_with(" - A"))
        }
        _ => false,
    }
}

/// What the network beneath gives away: systems that it might be, other ports, numbers that can be foretold, the time since its start.
fn beneath(said: &str, port: u16) -> Outcome<Vec<Finding>> {
    let after = |start: &str| said.lines().find_map(|line| line.strip_prefix(start)).map(str::trim);
    let finding = |id: &str, says: &str| Finding { id: id.to_owned(), says: says.to_owned() };
    ensure(said.contains("OS detection performed"), format!("the scan is not whole:\n{said}"))?;
    let mut found = Vec::new();
    for (id, start) in
        [("os", "OS details:"), ("os_running", "Running:"), ("os_guess", "Aggressive OS guesses:"), ("uptime", "Uptime guess:")]
    {
        found.extend(after(start).map(|says| finding(id, says)));
    }
    let ports = said.lines().filter(|line| line.contains("/tcp ") && !line.starts_with("Discovered "));
    let others = ports.filter(|line| !line.contains(" filtered ") && !line.starts_with(&format!("{port}/tcp open")));
    found.extend(others.map(|line| finding("port", line)));
    let difficulty = after("TCP Sequence Prediction: Difficulty=").and_then(|rest| rest.split(' ').next()?.parse().ok());
    if difficulty.is_none_or(|difficulty: u32| difficulty < HARD) {
        found.push(finding("sequence", &format!("{difficulty:?}")));
    }
    if after("IP ID Sequence Generation:") != Some("All zeros") {
        found.push(finding("ip_id", after("IP ID Sequence Generation:").unwrap_or_default()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPTED: &str = "PORT\n| ssl-cert: Subject: commonName=ecdsa\n| Issuer: x\n|_SHA-1: y\n|_ssl-date: TLS randomness does not represent time\n| ssl-enum-ciphers: \n\
                            |   TLSv1.2: \n|     ciphers: \n|       TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (secp256r1) - A\n|     compressors: \n\
                            |       NULL\n|   TLSv1.3: \n|     cipher preference: client\n|_  least strength: A\n";
    const BENEATH: &str = "8443/tcp open     https-alt\n1/tcp filtered unknown\nNo exact OS matches for host\n\
                           TCP Sequence Prediction: Difficulty=265 (Good luck!)\nIP ID Sequence Generation: All zeros\nOS detection performed.\n";

    fn ids(found: Outcome<Vec<Finding>>) -> Vec<String> {
        found.unwrap_or_default().into_iter().map(|found| found.id).collect()
    }

    #[test]
    fn good_reports_have_no_finding() {
        assert_eq!(scripted(SCRIPTED).ok(), Some(Vec::new()));
        assert_eq!(beneath(BENEATH, 8443).ok(), Some(Vec::new()));
    }

    #[test]
    fn a_weak_suite_a_warning_and_a_vulnerability_are_findings() {
        let weak = SCRIPTED.replace(" - A\n", " - C\n|     warnings: \n") + "| ssl-heartbleed: \n|   VULNERABLE:\n";
        assert_eq!(ids(scripted(&weak)), ["ssl-enum-ciphers", "ssl-enum-ciphers", "ssl-heartbleed", "ssl-heartbleed"]);
    }

    #[test]
    fn whatever_gives_the_system_away_is_a_finding() {
        let away = BENEATH.replace("1/tcp filtered", "1/tcp closed").replace("=265", "=17").replace("All zeros", "Incremental");
        assert_eq!(ids(beneath(&(away + "Uptime guess: 3 days\n"), 8443)), ["uptime", "port", "sequence", "ip_id"]);
        assert_eq!(ids(beneath(&(BENEATH.to_owned() + "OS details: Linux 5.0\n"), 8443)), ["os"]);
    }

    #[test]
    fn half_a_scan_is_an_error() {
        assert!(scripted("").is_err());
        assert!(beneath("", 8443).is_err());
    }
}
