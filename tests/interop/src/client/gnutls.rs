//! `gnutls-cli`. With `--resume` it connects twice and asks on the second connection.

use e2e::{Outcome, ensure};

use super::{ALPN, Answer, Ask, NAME, body, field, succeeded};
use crate::authority::certificates;
use crate::command;
use crate::group::Group;
use crate::home::Home;
use crate::suite::{of_gnutls, parts, same_cipher};

pub(super) fn ask(home: Home, ask: &Ask) -> Outcome<Answer> {
    let mut command = home.command("gnutls-cli");
    command.arg("--x509cafile").arg(&ask.root).args(["--verify-hostname", NAME, "--sni-hostname", NAME, "--alpn", ALPN, "--print-cert"]);
    command.args([
        "--priority",
        &format!("NORMAL:-VERS-ALL:+VERS-TLS{}{}", ask.version, only(ask.group)),
        "--port",
        &ask.address.port().to_string(),
    ]);
    if ask.resume {
        command.args(["--resume", "--waitresumption"]);
    }
    if let Some(identity) = &ask.identity {
        command.arg("--x509certfile").arg(&identity.chain).arg("--x509keyfile").arg(&identity.key);
    }
    command.arg(ask.address.ip().to_string());
    let ended = succeeded(command::client(command, ask.request().as_bytes())?)?;
    let said = String::from_utf8_lossy(&ended.stdout);
    let mut descriptions = said.lines().filter_map(|line| line.trim().strip_prefix("- Description:"));
    let full = descriptions.next().ok_or("no description")?;
    let (version, suite) = of_gnutls(full).ok_or_else(|| full.to_owned())?;
    ensure(descriptions.all(|resumed| same_cipher(full, resumed)), "another cipher in the resumed session")?;
    ensure(said.contains("The certificate is trusted"), "not verified")?;
    Ok(Answer {
        version,
        suite,
        alpn: field(&said, "- Application protocol:").map(str::to_owned),
        group: parts(full).into_iter().find_map(Group::read),
        resumed: Some(said.contains("*** This is a resumed session")),
        chain: certificates(&said),
        body: body(&ended.stdout)?,
        local: None,
    })
}

/// The end of a priority string that leaves one group.
fn only(group: Option<Group>) -> &'static str {
    match group {
        None => "",
        Some(Group::X25519) => ":-GROUP-ALL:+GROUP-X25519",
        Some(Group::P256) => ":-GROUP-ALL:+GROUP-SECP256R1",
        Some(Group::Hybrid) => ":-GROUP-ALL:+GROUP-X25519-MLKEM768",
    }
}
