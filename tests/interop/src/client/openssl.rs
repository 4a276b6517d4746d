//! `openssl s_client`: tells nearly everything, and resumes from a file.

use std::process::Command;

use e2e::{Outcome, ensure};

use super::{ALPN, Answer, Ask, NAME, body, field, succeeded};
use crate::authority::certificates;
use crate::command::{self, Ended};
use crate::group::Group;
use crate::home::Home;
use crate::suite::{Version, iana};

pub(super) fn ask(home: Home, ask: &Ask) -> Outcome<Answer> {
    through(|| home.command("openssl"), ask)
}

/// OpenSSL 4, which has another name where 3 is installed, too.
pub(super) fn ask_4(home: Home, ask: &Ask) -> Outcome<Answer> {
    through(|| home.command("openssl4"), ask)
}

fn through(program: impl Fn() -> Command, ask: &Ask) -> Outcome<Answer> {
    let dir = tempfile::tempdir()?;
    let session = dir.path().join("session.pem");
    if ask.resume {
        let mut first = command(program(), ask, &[]);
        first.arg("-sess_out").arg(&session);
        succeeded(command::client(first, ask.request().as_bytes())?)?;
        ensure(session.exists(), "no session to resume")?;
    }
    let mut last = command(program(), ask, &[]);
    if ask.resume {
        last.arg("-sess_in").arg(&session);
    }
    answer(&succeeded(command::client(last, ask.request().as_bytes())?)?)
}

/// What `s_client` gets with these further arguments.
pub(super) fn with(ask: &Ask, arguments: &[&str]) -> Outcome<Answer> {
    let command = command(Command::new("openssl"), ask, arguments);
    answer(&succeeded(command::client(command, ask.request().as_bytes())?)?)
}

fn command(mut command: Command, ask: &Ask, more: &[&str]) -> Command {
    command.args(["s_client", "-connect", &ask.address.to_string(), "-servername", NAME, "-verify_hostname", NAME, "-verify_return_error"]);
    command.args(["-showcerts", "-ign_eof", "-alpn", ALPN, "-CAfile"]).arg(&ask.root);
    command.arg(match ask.version {
        Version::Tls12 => "-tls1_2",
        Version::Tls13 => "-tls1_3",
    });
    if let Some(identity) = &ask.identity {
        command.arg("-cert").arg(&identity.chain).arg("-cert_chain").arg(&identity.chain).arg("-key").arg(&identity.key);
    }
    if let Some(group) = ask.group {
        command.args(["-groups", name(group)]);
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
        group: group(&said),
        resumed: Some(how == "Reused"),
        chain: certificates(said.split("Server certificate").next().unwrap_or_default()),
        body: body(&ended.stdout)?,
        local: None,
    })
}

/// OpenSSL's name of a group; Node.js and curl hand it on.
pub(super) fn name(group: Group) -> &'static str {
    match group {
        Group::X25519 => "X25519",
        Group::P256 => "P-256",
        Group::Hybrid => "X25519MLKEM768",
    }
}

/// The group, which 3.0 calls the server's temporary key; later ones have a line for that of TLS 1.3.
fn group(said: &str) -> Option<Group> {
    let told = field(said, "Negotiated TLS1.3 group:").and_then(Group::read);
    let key = || ["Server Temp Key:", "Peer Temp Key:"].into_iter().find_map(|start| field(said, start));
    // `X25519, 253 bits`, or `ECDH, prime256v1, 256 bits`
    told.or_else(|| key()?.split(", ").find_map(Group::read))
}
