//! curl with OpenSSL. It tells the chain since 7.88 (`%{certs}`).

use std::process::Command;

use e2e::{Outcome, ensure};

use super::openssl;
use super::{ALPN, Answer, Ask, NAME, body, field, succeeded};
use crate::authority::certificates;
use crate::command;
use crate::group::Group;
use crate::home::Home;
use crate::suite::{Version, iana};

/// Stands before what `--write-out` says, behind the body.
const MARK: &str = "\n--- what curl says ---\n";

pub(super) fn ask(home: Home, ask: &Ask) -> Outcome<Answer> {
    let mut command = home.command("curl");
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
    // Since 8.6 the group and the certificate's kind follow.
    let mut words = line.split(" / ");
    let (version, suite, group) = (words.next().unwrap_or_default(), words.next().ok_or("no suite")?, words.next());
    ensure(["SSL certificate verify ok", "SSL certificate verified"].iter().any(|good| ended.stderr.contains(good)), "not verified")?;
    let alpn = ended.stderr.contains(&format!("ALPN: server accepted {ALPN}"));
    Ok(Answer {
        version: Version::read(version).ok_or("no version")?,
        suite: iana(suite.trim()).ok_or_else(|| format!("suite {suite}"))?,
        alpn: alpn.then(|| ALPN.to_owned()),
        group: group.and_then(Group::read),
        resumed: Some(ended.stderr.contains("SSL re-using session ID") || ended.stderr.contains("SSL reusing session")),
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
    if let Some(group) = ask.group {
        command.args(["--curves", openssl::name(group)]);
    }
    if let Some(identity) = &ask.identity {
        command.arg("--cert").arg(&identity.chain).arg("--key").arg(&identity.key);
    }
    command.arg(format!("https://{NAME}:{port}{}", ask.path));
}
