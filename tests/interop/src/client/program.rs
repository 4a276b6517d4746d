//! Clients that are programs of our own for other people's TLS: Java's JSSE, Node.js, Python's ssl, Go, Erlang, and libraries in C. They stand in
//! `tests/interop/peers`; what has to be compiled is compiled once, by the system that it is for.
//!
//! All take the same arguments (address, port, name, root, version or, where `tests/judging` needs it, `any`, protocol, `once` or `resume`, the only group or `any`, path, and the client's
//! certificate and key) and print the same lines: `version=`, `suite=`, `alpn=`, `group=`, `resumed=`, `leaf=` of the last connection, an empty line,
//! and the response as it came. What stands behind `group=` and `resumed=` may be nothing: not all of them tell.

use core::time::Duration;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use e2e::Outcome;

use super::{ALPN, Answer, Ask, NAME, body, field, find, openssl, succeeded};
use crate::authority::PASSWORD;
use crate::command;
use crate::group::Group;
use crate::home::Home;
use crate::suite::{Version, iana};

/// Debian's own, whatever else the path may hold.
pub(super) const PYTHON: &str = "/usr/bin/python3";
/// Go compiles its own library first.
const COMPILING: Duration = Duration::from_secs(300);

/// Our sources.
const PEERS: &str = "tests/interop/peers";

/// `Ask.java`
pub(super) fn java(home: Home, ask: &Ask) -> Outcome<Answer> {
    let classes = compiled(home, "Ask", "javac", &["-d"], &["Ask.java"])?;
    let mut command = home.command("java");
    command.args(["-XX:TieredStopAtLevel=1", "-cp"]).arg(classes).arg("Ask");
    let identity = ask.identity.as_ref().map(|identity| [identity.store.display().to_string(), PASSWORD.to_owned()]);
    run(command, ask, identity)
}

/// `ask.mjs`
pub(super) fn node(home: Home, ask: &Ask) -> Outcome<Answer> {
    interpreted(home, "node", "ask.mjs", ask)
}

/// `ask.py`
pub(super) fn python(home: Home, ask: &Ask) -> Outcome<Answer> {
    let dir = tempfile::tempdir()?;
    let mut command = home.command(PYTHON);
    if let Some(group) = ask.group {
        // Before 3.15 it has no way of its own to name every group; its OpenSSL has.
        let config = dir.path().join("openssl.cnf");
        fs::write(
            &config,
            format!("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nGroups = {}\n", openssl::name(group)),
        )?;
        command.env("OPENSSL_CONF", config);
    }
    command.arg(home.file(PEERS).join("ask.py"));
    run(command, ask, pem_files(ask))
}

/// `ask.escript`
pub(super) fn erlang(home: Home, ask: &Ask) -> Outcome<Answer> {
    interpreted(home, "escript", "ask.escript", ask)
}

/// `ask.go`
pub(super) fn go(home: Home, ask: &Ask) -> Outcome<Answer> {
    let program = compiled(home, "go", "go", &["build", "-o"], &["ask.go"])?;
    run(home.command(&program), ask, pem_files(ask))
}

/// `ask_boringssl.c`
pub(super) fn boringssl(home: Home, ask: &Ask) -> Outcome<Answer> {
    const FOLDER: &str = "-L/usr/lib/x86_64-linux-gnu/android";
    const FOUND: &str = "-Wl,-rpath,/usr/lib/x86_64-linux-gnu/android";
    in_c(home, ask, "boringssl", &["-I/usr/include/android", FOLDER, FOUND, "-lssl", "-lcrypto"])
}

/// `ask_wolfssl.c`
pub(super) fn wolfssl(home: Home, ask: &Ask) -> Outcome<Answer> {
    in_c(home, ask, "wolfssl", &["-lwolfssl"])
}

/// `ask_mbedtls.c`
pub(super) fn mbedtls(home: Home, ask: &Ask) -> Outcome<Answer> {
    in_c(home, ask, "mbedtls", &["-lmbedtls", "-lmbedx509", "-lmbedcrypto"])
}

/// `ask_nss.c`, which is given a database that trusts the root instead of the root.
pub(super) fn nss(home: Home, ask: &Ask) -> Outcome<Answer> {
    let dir = tempfile::tempdir()?;
    let database = format!("sql:{}", dir.path().display());
    home.check("certutil", &["-d", &database, "-N", "--empty-password"])?;
    home.check("certutil", &["-d", &database, "-A", "-t", "C,,", "-n", "root", "-i", &ask.root.display().to_string()])?;
    let ask = Ask { root: database.into(), ..ask.clone() };
    in_c(home, &ask, "nss", &["-I/usr/include/nss", "-I/usr/include/nspr", "-lssl3", "-lnss3", "-lnspr4"])
}

fn interpreted(home: Home, interpreter: &str, source: &str, ask: &Ask) -> Outcome<Answer> {
    let mut command = home.command(interpreter);
    command.arg(home.file(PEERS).join(source));
    run(command, ask, pem_files(ask))
}

fn in_c(home: Home, ask: &Ask, name: &str, libraries: &[&str]) -> Outcome<Answer> {
    let source = format!("ask_{name}.c");
    let program = compiled(home, name, "gcc", &["-O1", "-o"], &[&[&*source], libraries].concat())?;
    run(home.command(&program), ask, pem_files(ask))
}

/// Where `source`, compiled once for a system, lies in it. What stands behind the source's name goes to the compiler as it is.
fn compiled(home: Home, name: &str, compiler: &str, arguments: &[&str], source: &[&str]) -> Outcome<String> {
    static COMPILED: Mutex<BTreeMap<String, Result<String, String>>> = Mutex::new(BTreeMap::new());
    let (folder, own) = (format!("target/interop/{}", home.name()), home.file(PEERS));
    let into = home.file(&folder).join(name).display().to_string();
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let result = compiled.entry(into.clone()).or_insert_with(|| {
        let (source, libraries) = source.split_first().unwrap_or((&"", &[]));
        let mut command = home.command(compiler);
        command.args(arguments).arg(&into).arg(own.join(source)).args(libraries);
        let ended =
            fs::create_dir_all(crate::root().join(&folder)).map_err(Into::into).and_then(|()| command::run(command, b"", COMPILING));
        ended.and_then(succeeded).map(|_| into).map_err(|fault| fault.to_string())
    });
    Ok(result.clone()?)
}

fn pem_files(ask: &Ask) -> Option<[String; 2]> {
    ask.identity.as_ref().map(|identity| [&identity.chain, &identity.key].map(|path| path.display().to_string()))
}

fn run(mut command: Command, ask: &Ask, identity: Option<[String; 2]>) -> Outcome<Answer> {
    command.args([&ask.address.ip().to_string(), &ask.address.port().to_string(), NAME]).arg(&ask.root);
    let version = ask.version.to_string();
    let group = ask.group.map_or_else(|| "any".to_owned(), |group| group.to_string());
    command.args([&*version, ALPN, if ask.resume { "resume" } else { "once" }, &*group, &*ask.path]);
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
        group: Group::read(fact("group=")?),
        resumed: fact("resumed=")?.parse().ok(),
        chain: vec![fact("leaf=")?.to_owned()],
        body: body(&ended.stdout[head..])?,
        local: None,
    })
}
