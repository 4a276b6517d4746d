//! Who is judged. Each client is what a careful user of it would write: it trusts the judge's root alone, asks for the name, and offers what it offers
//! by itself.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use e2e::Outcome;

/// A client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    pub(crate) name: &'static str,
    /// The program that must be there.
    program: &'static str,
    /// What tells its version.
    version: &'static [&'static str],
    /// Its command, for the judge to fill in.
    pub(crate) command: &'static [&'static str],
    /// The same of it coming back with a session; none if it never does.
    pub(crate) resuming: &'static [&'static str],
    /// Compiles it, where it has to be.
    build: &'static [&'static str],
    pub(crate) care: Care,
}

/// Whether it looks at certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    Careful,
    Careless,
}

/// Debian's own, whatever else the path may hold.
const PYTHON: &str = "/usr/bin/python3";
/// Where `tools/judge` puts Go if the system has none.
const GO: &str = "target/judge/go/bin/go";
const BUILT_GO: &str = "target/judge/ask";
const CLASSES: &str = "target/judge/classes";

const CAREFUL: Client = Client { name: "", program: "", version: &[], command: &[], resuming: &[], build: &[], care: Care::Careful };

/// How often a client comes: for the programs in `tests/interop/peers`, and for that of this crate.
const ONCE: &str = "once";
const RESUME: &str = "resume";

macro_rules! curl {
    ($($more:expr),*) => {
        &["curl", "--silent", "--output", "/dev/null", "--max-time", "30", "--ipv4", "https://{host}:{port}/", $($more),*]
    };
}

/// Arguments of the programs in `tests/interop/peers`.
macro_rules! ask {
    ($times:expr, $($program:expr),*) => {
        &[$($program,)* "127.0.0.1", "{port}", "{host}", "{ca}", "any", "http/1.1", $times, "any", "/"]
    };
}

macro_rules! gnutls {
    ($($more:expr),*) => {
        &[
            "gnutls-cli", "--x509cafile", "{ca}", "--verify-hostname", "{host}", "--sni-hostname", "{host}", "--alpn", "http/1.1",
            "--port", "{port}", $($more,)* "127.0.0.1",
        ]
    };
}

macro_rules! java {
    ($times:expr) => {
        ask!($times, "java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", CLASSES, "Ask")
    };
}

macro_rules! s_client {
    () => {
        "openssl s_client -connect 127.0.0.1:{port} -servername {host} -verify_hostname {host} -verify_return_error -ign_eof \
            -alpn http/1.1 -CAfile {ca}"
    };
}

/// Two commands, and the session in a file beside the root. Only the second one reads the judge's request.
const S_CLIENT_TWICE: &str = concat!(
    "printf 'GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' | ",
    s_client!(),
    " -sess_out {ca}.session && exec ",
    s_client!(),
    " -sess_in {ca}.session"
);

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "curl",
        program: "curl",
        version: &["curl", "--version"],
        command: curl!("--cacert", "{ca}"),
        // The answer ends the connection, and so the second one is another.
        resuming: curl!("--cacert", "{ca}", "--output", "/dev/null", "https://{host}:{port}/"),
        ..CAREFUL
    },
    Client {
        name: "openssl s_client",
        program: "openssl",
        version: &["openssl", "version"],
        command: &["sh", "-c", concat!("exec ", s_client!())],
        resuming: &["sh", "-c", S_CLIENT_TWICE],
        ..CAREFUL
    },
    Client {
        name: "gnutls-cli",
        program: "gnutls-cli",
        version: &["gnutls-cli", "--version"],
        command: gnutls!(),
        resuming: gnutls!("--resume"),
        ..CAREFUL
    },
    Client {
        name: "Python",
        program: PYTHON,
        version: &[PYTHON, "-c", "import platform, ssl; print('Python', platform.python_version(), 'with', ssl.OPENSSL_VERSION)"],
        command: ask!(ONCE, PYTHON, "tests/interop/peers/ask.py"),
        resuming: ask!(RESUME, PYTHON, "tests/interop/peers/ask.py"),
        ..CAREFUL
    },
    Client {
        name: "Node.js",
        program: "node",
        version: &["node", "-p", "`Node.js ${process.version} with OpenSSL ${process.versions.openssl}`"],
        command: ask!(ONCE, "node", "tests/interop/peers/ask.mjs"),
        resuming: ask!(RESUME, "node", "tests/interop/peers/ask.mjs"),
        ..CAREFUL
    },
    Client {
        name: "Go",
        program: GO,
        version: &[GO, "version"],
        command: ask!(ONCE, BUILT_GO),
        resuming: ask!(RESUME, BUILT_GO),
        build: &[GO, "build", "-o", BUILT_GO, "tests/interop/peers/ask.go"],
        ..CAREFUL
    },
    Client {
        name: "Java",
        program: "javac",
        version: &["javac", "--version"],
        command: java!(ONCE),
        resuming: java!(RESUME),
        build: &["javac", "-d", CLASSES, "tests/interop/peers/Ask.java"],
        ..CAREFUL
    },
    Client {
        name: "rustls",
        command: &["{self}", "rustls", "127.0.0.1", "{port}", "{host}", "{ca}", ONCE],
        resuming: &["{self}", "rustls", "127.0.0.1", "{port}", "{host}", "{ca}", RESUME],
        ..CAREFUL
    },
    Client {
        name: "curl -k",
        program: "curl",
        version: &["curl", "--version"],
        command: curl!("-k"),
        resuming: curl!("-k", "--output", "/dev/null", "https://{host}:{port}/"),
        care: Care::Careless,
        ..CAREFUL
    },
];

impl Client {
    /// Why it cannot be judged here, if so.
    pub(crate) fn missing(&self) -> Option<String> {
        let path = env::var("PATH").unwrap_or_default();
        let is_there = self.program.is_empty()
            || Path::new(self.program).is_file()
            || path.split(':').any(|folder| Path::new(folder).join(self.program).is_file());
        (!is_there).then(|| format!("{} is not installed", self.program))
    }

    /// What it calls itself.
    pub(crate) fn version(&self) -> Outcome<String> {
        let Some((program, arguments)) = self.version.split_first() else { return Ok(crate::rustls::VERSION.to_owned()) };
        let said = String::from_utf8(Command::new(program).args(arguments).output()?.stdout)?;
        let line = said.lines().next().unwrap_or_default();
        // What follows is other libraries, and what was said already.
        Ok([" zlib/", " (Library", " linux/"].iter().fold(line, |line, end| line.split(end).next().unwrap_or_default()).to_owned())
    }

    /// Compiles it, if it has to be.
    pub(crate) fn build(&self) -> Outcome {
        let Some((program, arguments)) = self.build.split_first() else { return Ok(()) };
        fs::create_dir_all("target/judge")?;
        let ended = Command::new(program).args(arguments).output()?;
        if ended.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&ended.stderr).into_owned().into()) }
    }
}
