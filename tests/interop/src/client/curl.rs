//! curl with OpenSSL. It tells the chain since 7.88 (`%{certs}`).

use std::process::Command;

use e2e::{Outcome, ensure};

use super::{ALPN, Answer, Ask, NAME, body, field, succeeded};
use crate::authority::certificates;
use crate::command;
use crate::suite::{Version, iana};

/// Stands before what `--write-out` says, behind the body.
const MARK: &str = "\n--- what curl says ---\n";

pub(super) fn ask(ask: &Ask) -> Outcome<Answer> {
    let mut command = Command::new("curl");
    if ask.resume {
        transfer(&mut command, ask);
        command.arg("--next");
    }
    transfer(&mut command, ask);
    let ended = succeeded(command::client(command, b"")?)?;
    let stdout = String::from_utf8_lossy(&ended.stdout).into_owned();
    // The last transfer is the one that counts: what stands between the last two marks, or before the only one.
    let (before, said) = stdout.rsplit_once(MARK).ok_or("no end mark")?;
    let response = before.rsplit_once(MARK).map_or(before, |(_, last)| last);
    let line = ended.stderr.lines().rev().find_map(|line| line.strip_prefix("* SSL connection using ")).ok_or("no connection")?;
    let (version, suite) = line.split_once(" / ").ok_or("no suite")?;
    ensure(ended.stderr.contains("SSL certificate verify ok"), "not verified")?;
    let alpn = ended.stderr.contains(&format!("ALPN: server accepted {ALPN}"));
    Ok(Answer {
        version: Version::read(version).ok_or("no version")?,
        suite: iana(suite.trim()).ok_or_else(|| format!("suite {suite}"))?,
        alpn: alpn.then(|| ALPN.to_owned()),
        resumed: ended.stderr.contains("SSL re-using session ID"),
        chain: certificates(said),
        body: body(response.as_bytes())?,
        local: field(said, "local=").and_then(|address| address.parse().ok()),
    })
}

fn transfer(command: &mut Command, ask: &Ask) {
    let number = ask.version.to_string();
    let (ip, port) = (ask.address.ip(), ask.address.port());
    command.args(["--silent", "--show-error", "--verbose", "--include", "--http1.1", "--max-time", "30", "--cacert"]).arg(&ask.root);
    command.args(["--resolve", &format!("{NAME}:{port}:{ip}"), &format!("--tlsv{number}"), "--tls-max", &number]);
    command.args(["--header", "Connection: close", "--write-out", &format!("{MARK}local=%{{local_ip}}:%{{local_port}}\n%{{certs}}")]);
    if let Some(identity) = &ask.identity {
        command.arg("--cert").arg(&identity.chain).arg("--key").arg(&identity.key);
    }
    command.arg(format!("https://{NAME}:{port}{}", ask.path));
}
