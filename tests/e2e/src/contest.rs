//! A box that serves a contest: its folder, its doors, its page and its log, as strangers see them with curl and openssl.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::{Machine, Net, Outcome, Place, Running, bountybox, ensure, image};

/// No answer of a box is waited for longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The tiers of a contest.
pub const TIERS: [&str; 8] = ["auth", "read", "write", "key", "exec", "escape", "down", "wallet"];

/// A door of the contest, as docs/ceremony.md has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The box is a TLS server.
    Server,
    /// The box is a TLS client on a connection that it makes.
    CallBack,
    /// The box is a TLS client on the connection that it was given.
    Reverse,
}

impl Door {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Server, Self::CallBack, Self::Reverse];

    /// As it is called in files' names.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::CallBack => "call-back",
            Self::Reverse => "reverse",
        }
    }

    /// The name that a peer's certificate must have.
    #[must_use]
    pub fn peer(self) -> String {
        format!("peer.{}.bountybox", self.word())
    }

    /// The door whose authority has signed what the box shows here.
    #[must_use]
    pub fn issuer(self) -> Self {
        match self {
            Self::Server => Self::Reverse,
            Self::CallBack => Self::CallBack,
            Self::Reverse => Self::Server,
        }
    }

    /// The name that the box has here.
    #[must_use]
    pub fn own(self) -> String {
        if self == Self::CallBack { "box.call-back.bountybox".into() } else { self.issuer().peer() }
    }
}

/// A running box with a contest.
#[derive(Debug)]
pub struct Contest {
    running: Running,
    folder: PathBuf,
    ports: u16,
}

/// What curl got.
#[derive(Debug)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Contest {
    /// A laboratory with a heartbeat each second.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn lab(place: &Place) -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        let at = dir.path().join("box");
        let mut command = Command::new(bountybox());
        command.args(["challenge", "--lab", "--heartbeat", "1", "--machine", place.machine.name(), "--dir"]).arg(&at);
        command.arg("--image").arg(image()).args(places(place));
        if place.net == Net::User {
            return Self::ready(&mut command, place, &at, dir);
        }
        // A laboratory is served on host sockets: it cannot have these addresses, so it is minted and no more. With a TAP it is the same contest.
        let output = command.output()?;
        ensure(at.join("contest/lab").is_dir(), String::from_utf8_lossy(&output.stderr))?;
        let file = at.join("bountybox.toml");
        let words = fs::read_to_string(&file)?.replace("plain = \"10.77.0.2", "plain = \"127.0.0.1");
        let net = "[net]\nmode = \"tap\"\ndevice = \"bb0\"\naddresses = [\"10.77.0.2/24\"]\ngateways = [\"10.77.0.1\"]\n\n";
        fs::write(&file, format!("{net}{words}"))?;
        Self::ready(Command::new(bountybox()).args(["run", "--machine", place.machine.name(), "--config"]).arg(&file), place, &at, dir)
    }

    /// The contest whose configuration lies in this folder, run as it stands there.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn run(place: &Place, dir: &Path) -> Outcome<Self> {
        let mut command = Command::new(bountybox());
        command.args(["run", "--machine", place.machine.name(), "--config"]).arg(dir.join("bountybox.toml"));
        Self::ready(&mut command, place, dir, tempfile::tempdir()?)
    }

    fn ready(command: &mut Command, place: &Place, dir: &Path, goes: tempfile::TempDir) -> Outcome<Self> {
        let running = Running::serve(command, place.front(), goes)?;
        running.is_ready()?;
        Ok(Self { running, folder: dir.join("contest"), ports: ports(place) })
    }

    /// The box.
    #[must_use]
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// The box, to be ended.
    pub fn running_mut(&mut self) -> &mut Running {
        &mut self.running
    }

    /// A file of the contest.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What stands in a file of the contest.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self, name: &str) -> Outcome<String> {
        fs::read_to_string(self.path(name)).map_err(|fault| format!("{name}: {fault}").into())
    }

    /// What stands behind a key in the manifest.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn manifest(&self, key: &str) -> Outcome<String> {
        let manifest = self.text("public/manifest")?;
        let value = manifest.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        Ok(value.ok_or_else(|| format!("no {key} in the manifest"))?.to_owned())
    }

    /// The digest that names the contest: of the manifest in force, which is the last that the operator made.
    ///
    /// # Errors
    /// When the folder does not say it.
    pub fn digest(&self) -> Outcome<String> {
        let later = (2..).map_while(|version| self.text(&format!("public/change-{version}")).ok()).last();
        if let Some(change) = later {
            return Ok(change.lines().find_map(|line| line.strip_prefix("to ")).ok_or("no new manifest in a change")?.to_owned());
        }
        let contest = self.text("public/contest")?;
        Ok(contest.lines().find_map(|line| line.strip_prefix("manifest ")).ok_or("no manifest in public/contest")?.to_owned())
    }

    /// Where a door is.
    #[must_use]
    pub fn door(&self, door: Door) -> SocketAddr {
        let place = match door {
            Door::Server => 0,
            Door::CallBack => 1,
            Door::Reverse => 3,
        };
        SocketAddr::new(self.running.address().ip(), self.ports + place)
    }

    /// The port at which the box calls back.
    #[must_use]
    pub fn dials(&self) -> u16 {
        self.ports + 2
    }

    /// Asks the page over TLS, as this address of loopback.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn curl(&self, from: Ipv4Addr, path: &str, arguments: &[&str]) -> Outcome<Answer> {
        let port = self.running.address().port();
        let output = Command::new("curl")
            .args(["-sS", "--max-time", "20", "-w", "\n%{http_code}", "--interface", &from.to_string(), "--cacert"])
            .arg(self.path("public/page-authority.pem"))
            .args(arguments)
            .arg(format!("https://localhost:{port}{path}"))
            .output()?;
        ensure(output.status.success(), format!("curl {path}: {}", String::from_utf8_lossy(&output.stderr)))?;
        let end = output.stdout.iter().rposition(|byte| *byte == b'\n').ok_or("curl said no status")?;
        let (body, status) = output.stdout.split_at(end);
        Ok(Answer { status: String::from_utf8_lossy(status).trim().parse()?, body: body.to_vec() })
    }

    /// Hands a document in.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&self, from: Ipv4Addr, path: &str, document: &[u8]) -> Outcome<Answer> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(document)?;
        self.curl(from, path, &["--data-binary", &format!("@{}", file.path().display())])
    }

    /// How the connection from this address ended, as the access log has it; waits for it to end.
    ///
    /// # Errors
    /// When the log does not say so in time.
    pub fn end_of(&self, source: SocketAddr) -> Outcome<String> {
        let wanted = format!(" source={source} ");
        self.running.wait_for(&wanted, PATIENCE)?;
        let said = self.running.said();
        let end = said.lines().rfind(|line| line.contains(&wanted)).and_then(|line| word(line, "end"));
        Ok(end.ok_or_else(|| format!("no end of {source} in:\n{said}"))?.to_owned())
    }

    /// How many connections ended with the prize, as the access log has it.
    #[must_use]
    pub fn released(&self) -> usize {
        self.running.said().lines().filter(|line| word(line, "end") == Some("released")).count()
    }

    /// Fetches the log over HTTPS into a folder, as docs/page.md says: the head, then what files a log of its size has.
    ///
    /// # Errors
    /// When a file is not to be had.
    pub fn fetch_log(&self, folder: &Path) -> Outcome<u64> {
        let from = Ipv4Addr::new(127, 0, 7, 1);
        let get = |path: &str| -> Outcome<Vec<u8>> {
            let Answer { status, body } = self.curl(from, path, &[])?;
            ensure(status == 200, format!("{path}: {status}"))?;
            Ok(body)
        };
        let checkpoint = get("/checkpoint")?;
        let size: u64 = core::str::from_utf8(&checkpoint)?.lines().nth(1).ok_or("a head of one line")?.parse()?;
        let names = String::from_utf8(get(&format!("/files/{size}"))?)?;
        for name in names.lines().map(str::trim).filter(|name| !name.is_empty() && *name != "checkpoint") {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().ok_or("a file without a folder")?)?;
            fs::write(path, get(&format!("/{name}"))?)?;
        }
        fs::write(folder.join("checkpoint"), checkpoint)?;
        Ok(size)
    }

    /// The entries of the log, fetched anew.
    ///
    /// # Errors
    /// When the log is not to be had, or has as many bundles as want a longer name.
    pub fn entries(&self) -> Outcome<Vec<Vec<u8>>> {
        const BUNDLE: u64 = 256;
        let dir = tempfile::tempdir()?;
        let size = self.fetch_log(dir.path())?;
        ensure((1..1000 * BUNDLE).contains(&size), format!("{size} entries"))?;
        let mut entries = Vec::new();
        for number in 0..size.div_ceil(BUNDLE) {
            let width = (size - number * BUNDLE).min(BUNDLE);
            let name = if width == BUNDLE { format!("tile/entries/{number:03}") } else { format!("tile/entries/{number:03}.p/{width}") };
            let mut rest = &*fs::read(dir.path().join(name))?;
            while let [high, low, tail @ ..] = rest {
                let (entry, tail) = tail.split_at_checked(u16::from_be_bytes([*high, *low]).into()).ok_or("a bundle that is cut off")?;
                entries.push(entry.to_vec());
                rest = tail;
            }
        }
        Ok(entries)
    }

    /// The document of the first entry of a kind; waits until there is one.
    ///
    /// # Errors
    /// When there is none in time.
    pub fn wait_for_entry(&self, kind: &str) -> Outcome<Vec<u8>> {
        Ok(self.wait_for_entries(kind, 1)?.swap_remove(0))
    }

    /// The documents of all entries of a kind; waits until there are so many.
    ///
    /// # Errors
    /// When there are fewer until then.
    pub fn wait_for_entries(&self, kind: &str, count: usize) -> Outcome<Vec<Vec<u8>>> {
        let kind = format!("\nkind {kind}\n\n");
        let end = Instant::now() + PATIENCE;
        loop {
            // A cell that is being brought back does not answer yet.
            let entries = self.entries();
            let document = |entry: &Vec<u8>| Some(entry[find(entry, kind.as_bytes())? + kind.len()..].to_vec());
            let documents: Vec<_> = entries.iter().flatten().filter_map(document).collect();
            if documents.len() >= count.max(1) {
                return Ok(documents);
            }
            ensure(Instant::now() < end, format!("{} entries with {kind:?}: {entries:?}", documents.len()))?;
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// `bountybox log verify` on a folder.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn log_verify(&self, folder: &Path, more: &[&str]) -> Outcome<Output> {
        let mut command = Command::new(bountybox());
        command.args(["log", "verify"]).arg(folder).args(["--log", &self.manifest("log")?]);
        Ok(command.args(["--operator", self.text("public/operator")?.trim()]).args(more).output()?)
    }

    /// `bountybox arbiter verify` on a claim: its exit code and what it printed.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn arbiter_verify(&self, claim: &[u8]) -> Outcome<(Option<i32>, String)> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(claim)?;
        let mut command = Command::new(bountybox());
        command.args(["arbiter", "verify", "--operator", self.text("public/operator")?.trim(), "--manifest"]);
        let output = command.arg(self.path("public/manifest")).arg("--claim").arg(file.path()).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        Ok((output.status.code(), said))
    }

    /// A claim as docs/arbiter.md has one made by hand, with `record` where there is a crash record to it, signed with this key (PEM).
    ///
    /// # Errors
    /// When openssl does not sign.
    pub fn claim(&self, tier: &str, claimant: &str, record: Option<&[u8]>, key: &Path) -> Outcome<Vec<u8>> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
        let record = record.map_or_else(String::new, |record| format!("record {}\n", BASE64_STANDARD.encode(record)));
        let manifest = self.digest()?;
        let message =
            format!("bountybox-claim 1\nmanifest {manifest}\ntier {tier}\nclaimant {claimant}\ntext It was easy.\ntime {now}\n{record}");
        let signature = BASE64_STANDARD.encode(sign(key, message.as_bytes())?);
        Ok(format!("{message}signature {signature}\n").into_bytes())
    }
}

/// Where the box is to be, for `bountybox challenge`: the page at the place's own address, the doors behind each other.
#[must_use]
pub fn places(place: &Place) -> [String; 4] {
    ["--listen".into(), place.front().to_string(), "--ports".into(), ports(place).to_string()]
}

fn ports(place: &Place) -> u16 {
    if place.machine == Machine::Kvm { 18_460 } else { 18_470 }
}

/// What openssl signs with this key (PEM).
///
/// # Errors
/// What openssl says.
pub fn sign(key: &Path, message: &[u8]) -> Outcome<Vec<u8>> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(message)?;
    let (key, file) = (key.display().to_string(), file.path().display().to_string());
    openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", &key, "-in", &file], &[])
}

/// The public half of a private key of Ed25519 or secp256k1 (PEM), by openssl: 32 bytes, or the 33 of a compressed point.
///
/// # Errors
/// What openssl says.
pub fn public_half(key: &str) -> Outcome<Vec<u8>> {
    let der = openssl(&["pkey", "-pubout", "-outform", "DER"], key.as_bytes())?;
    // SubjectPublicKeyInfo ends with the key, which is 4, x and y where it is a point.
    let Some((_, [4, point @ ..])) = der.split_at_checked(der.len().saturating_sub(65)) else {
        return Ok(der[der.len().saturating_sub(32)..].to_vec());
    };
    Ok([&[2 + point[63] % 2][..], &point[..32]].concat())
}

/// What openssl prints.
///
/// # Errors
/// What it says, if it fails.
pub fn openssl(arguments: &[&str], input: &[u8]) -> Outcome<Vec<u8>> {
    let mut command = Command::new("openssl");
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // One that wants no input may have ended already.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    let output = child.wait_with_output()?;
    ensure(output.status.success(), format!("openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(output.stdout)
}

/// Where `needle` begins.
#[must_use]
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

fn word<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.starts_with("access ").then(|| line.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('=')))?
}
