//! Clients that are programs of our own for other people's TLS: Java's JSSE, Node.js, Python's ssl. They stand in `tests/interop/peers`.
//!
//! All take the same arguments and print the same lines: `version=`, `suite=`, `alpn=`, `resumed=`, `leaf=` of the last connection, an empty line,
//! and the response as it came.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use e2e::Outcome;

use super::{ALPN, Answer, Ask, NAME, body, field, find, succeeded};
use crate::authority::PASSWORD;
use crate::command;
use crate::suite::{Version, iana};

/// Debian's own, whatever else the path may hold.
pub(super) const PYTHON: &str = "/usr/bin/python3";
/// Prints the versions of Python and of its OpenSSL.
pub(super) const PYTHON_VERSION: &str = "import platform, ssl; print('Python', platform.python_version(), 'with', ssl.OPENSSL_VERSION)";

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// `Ask.java`, compiled once.
pub(super) fn java(ask: &Ask) -> Outcome<Answer> {
    static CLASSES: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let classes = CLASSES.get_or_init(|| compile().map_err(|fault| fault.to_string())).as_ref().map_err(String::as_str)?;
    let mut command = Command::new("java");
    command.args(["-XX:TieredStopAtLevel=1", "-cp"]).arg(classes).arg("Ask");
    let identity = ask.identity.as_ref().map(|identity| [identity.store.display().to_string(), PASSWORD.to_owned()]);
    run(command, ask, identity)
}

fn compile() -> Outcome<PathBuf> {
    let classes = crate::target().join("java");
    command::check(Path::new("javac"), &["-d", &classes.display().to_string(), &peers().join("Ask.java").display().to_string()])?;
    Ok(classes)
}

/// `ask.mjs`
pub(super) fn node(ask: &Ask) -> Outcome<Answer> {
    let mut command = Command::new("node");
    command.arg(peers().join("ask.mjs"));
    run(command, ask, pem_files(ask))
}

/// `ask.py`
pub(super) fn python(ask: &Ask) -> Outcome<Answer> {
    let mut command = Command::new(PYTHON);
    command.arg(peers().join("ask.py"));
    run(command, ask, pem_files(ask))
}

fn pem_files(ask: &Ask) -> Option<[String; 2]> {
    ask.identity.as_ref().map(|identity| [&identity.chain, &identity.key].map(|path| path.display().to_string()))
}

fn run(mut command: Command, ask: &Ask, identity: Option<[String; 2]>) -> Outcome<Answer> {
    command.args([&ask.address.ip().to_string(), &ask.address.port().to_string(), NAME]).arg(&ask.root);
    let version = ask.version.to_string();
    command.args([&*version, ALPN, if ask.resume { "resume" } else { "once" }, &*ask.path]);
    command.args(identity.iter().flatten());
    let ended = succeeded(command::client(command, b"")?)?;
    let head = find(&ended.stdout, b"\n\n").ok_or("no empty line")?;
    let facts = String::from_utf8_lossy(&ended.stdout[..head]);
    let fact = |key: &str| field(&facts, key).ok_or_else(|| format!("no {key}"));
    let alpn = fact("alpn=")?;
    Ok(Answer {
        version: Version::read(fact("version=")?).ok_or("no version")?,
        suite: iana(fact("suite=")?).ok_or_else(|| facts.clone().into_owned())?,
        alpn: (!alpn.is_empty()).then(|| alpn.to_owned()),
        resumed: fact("resumed=")? == "true",
        chain: vec![fact("leaf=")?.to_owned()],
        body: body(&ended.stdout[head..])?,
        local: None,
    })
}
