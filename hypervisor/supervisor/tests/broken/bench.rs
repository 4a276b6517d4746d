//! A directory with a configuration and minted material that pass, to be broken, and the command to be run over it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A configuration that passes.
pub(crate) const GOOD: &str = "\
[machine]
kind = \"auto\"

[net]
mode = \"user\"

[[listen]]
address = \"127.0.0.1:0\"

[[certificate]]
chain = \"pki/chain.pem\"
key = \"pki/key.pem\"

[[route]]
sni = [\"localhost\"]
backends = [\"127.0.0.1:8080\"]

[limits]
connections = 100
";

/// See the module's page.
pub(crate) struct Bench {
    dir: TempDir,
}

/// What a run of the command left.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self { dir: tempfile::tempdir().expect("a directory") };
        bench.write("bountybox.toml", GOOD);
        let minted = bench.run(&["mint", "localhost", "127.0.0.1", "*.example.org", "--dir", "pki"]);
        assert_eq!(minted.code, Some(0), "{}", minted.stderr);
        bench
    }

    /// Runs the command in the directory.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(env!("CARGO_BIN_EXE_bountybox"), arguments)
    }

    /// Runs OpenSSL in the directory; it must succeed.
    pub(crate) fn openssl(&self, command: &str) {
        let ran = self.command("openssl", &command.split_whitespace().collect::<Vec<_>>());
        assert_eq!(ran.code, Some(0), "openssl {command}: {}", ran.stderr);
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Ran {
        let output = Command::new(program).args(arguments).current_dir(self.dir.path()).stdin(Stdio::null()).output();
        let output = output.expect("the program is installed");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("there")
    }

    /// Replaces a piece of the configuration, which must be there.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = self.read("bountybox.toml");
        assert!(text.contains(from), "{from:?} is in the configuration");
        self.write("bountybox.toml", text.replacen(from, to, 1));
    }

    /// Appends to the configuration.
    pub(crate) fn append(&self, text: &str) {
        self.write("bountybox.toml", self.read("bountybox.toml") + text);
    }
}
