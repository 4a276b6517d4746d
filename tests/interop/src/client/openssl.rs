//! `openssl s_client`: tells nearly everything, and resumes from a file.

use std::process::Command;

use e2e::{Outcome, ensure};

use super::{ALPN, Answer, Ask, NAME, body, field, succeeded};
use crate::authority::certificates;
use crate::command::{self, Ended};
use crate::suite::{Version, iana};

pub(super) fn ask(ask: &Ask) -> Outcome<Answer> {
    let dir = tempfile::tempdir()?;
    let session = dir.path().join("session.pem");
    if ask.resume {
        let mut first = command(ask, &[]);
        first.arg("-sess_out").arg(&session);
        succeeded(command::client(first, ask.request().as_bytes())?)?;
        ensure(session.exists(), "no session to resume")?;
    }
    let mut last = command(ask, &[]);
    if ask.resume {
        last.arg("-sess_in").arg(&session);
    }
    answer(&succeeded(command::client(last, ask.request().as_bytes())?)?)
}

/// What `s_client` gets with these further arguments.
pub(super) fn with(ask: &Ask, arguments: &[&str]) -> Outcome<Answer> {
    answer(&succeeded(command::client(command(ask, arguments), ask.request().as_bytes())?)?)
}

fn command(ask: &Ask, more: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &ask.address.to_string(), "-servername", NAME, "-verify_hostname", NAME, "-verify_return_error"]);
    command.args(["-showcerts", "-ign_eof", "-alpn", ALPN, "-CAfile"]).arg(&ask.root);
    command.arg(match ask.version {
        Version::Tls12 => "-tls1_2",
        Version::Tls13 => "-tls1_3",
    });
    if let Some(identity) = &ask.identity {
        command.arg("-cert").arg(&identity.chain).arg("-cert_chain").arg(&identity.chain).arg("-key").arg(&identity.key);
    }
    command.args(more);
    command
}

fn answer(ended: &Ended) -> Outcome<Answer> {
    let said = String::from_utf8_lossy(&ended.stdout);
    let line = said.lines().find(|line| line.contains(", Cipher is ")).ok_or("no cipher")?;
    let [how, version, suite] = line.split(", ").collect::<Vec<_>>()[..] else { return Err(line.into()) };
    let suite = suite.trim_start_matches("Cipher is ");
    ensure(said.contains("Verify return code: 0 (ok)") || said.contains("Verification: OK"), "not verified")?;
    Ok(Answer {
        version: Version::read(version).ok_or("no version")?,
        suite: iana(suite).ok_or_else(|| format!("suite {suite}"))?,
        alpn: field(&said, "ALPN protocol:").map(str::to_owned),
        resumed: how == "Reused",
        chain: certificates(said.split("Server certificate").next().unwrap_or_default()),
        body: body(&ended.stdout)?,
        local: None,
    })
}
