//! `botan tls_client`: keeps sessions in a database, and takes what it may offer from a policy in a file.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::Outcome;

use super::{ALPN, Answer, Ask, NAME, body, field, succeeded};
use crate::authority::certificates;
use crate::command;
use crate::group::Group;
use crate::home::Home;
use crate::suite::{Version, iana};

pub(super) fn ask(home: Home, ask: &Ask) -> Outcome<Answer> {
    let dir = tempfile::tempdir()?;
    if ask.resume {
        succeeded(command::client(command(home, ask, dir.path())?, ask.request().as_bytes())?)?;
    }
    let ended = succeeded(command::client(command(home, ask, dir.path())?, ask.request().as_bytes())?)?;
    let said = String::from_utf8_lossy(&ended.stdout);
    let cipher = field(&said, "Negotiated ciphersuite ").ok_or("no suite")?;
    let version = field(&said, "Handshake complete, ").and_then(Version::read).ok_or("no version")?;
    // A resumed handshake verifies nothing.
    let verified = said.contains("Certificate validation status: Verified");
    Ok(Answer {
        version,
        suite: suite(cipher).ok_or_else(|| cipher.to_owned())?,
        alpn: field(&said, "Negotiated application protocol").or_else(|| field(&said, "Server choose protocol:")).map(str::to_owned),
        group: field(&said, "Key exchange using ").and_then(Group::read),
        resumed: Some(!verified),
        chain: certificates(&said),
        body: body(&ended.stdout)?,
        local: None,
    })
}

fn command(home: Home, ask: &Ask, dir: &Path) -> Outcome<Command> {
    let policy = dir.join("policy");
    fs::write(&policy, format!("allow_tls12 = true\nallow_tls13 = true\n{}", only(ask.group)))?;
    let mut command = home.command("botan");
    command.args(["tls_client", NAME, &format!("--port={}", ask.address.port()), &format!("--tls-version={}", ask.version)]);
    command.args(["--skip-system-cert-store", &format!("--trusted-cas={}", ask.root.display()), &format!("--next-protocols={ALPN}")]);
    command.args(["--print-certs", "--session-db-pass=x", &format!("--session-db={}", dir.join("sessions").display())]);
    command.arg(format!("--policy={}", policy.display()));
    Ok(command)
}

fn only(group: Option<Group>) -> &'static str {
    match group {
        None => "",
        Some(Group::X25519) => "key_exchange_groups = x25519\n",
        Some(Group::P256) => "key_exchange_groups = secp256r1\n",
        Some(Group::Hybrid) => "key_exchange_groups = x25519/ML-KEM-768\n",
    }
}

/// Botan's names begin where IANA's have `TLS_`.
fn suite(name: &str) -> Option<&'static str> {
    iana(name).or_else(|| iana(&format!("TLS_{name}")))
}
