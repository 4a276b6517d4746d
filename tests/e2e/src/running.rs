//! A started `bountybox`: from its configuration to its end.

use core::fmt::Write as _;
use core::net::SocketAddr;
use core::time::Duration;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::memory::{descendants, name, proportional_set};
use crate::{Net, Outcome, Place};

/// What a tender calls itself.
pub const CELL: &str = "bountybox-cell";
/// What the process of a contest's page calls itself.
pub const PAGE: &str = "bountybox-page";

/// How long a box may take to become ready. It takes milliseconds; this bounds a test that waits in vain.
const READY_TIMEOUT: Duration = Duration::from_secs(20);

/// The routes and limits of a box under test.
#[derive(Debug, Clone, Default)]
pub struct Config {
    machine: String,
    routes: String,
    limits: String,
    certificates: String,
    image: Option<PathBuf>,
    listen: Vec<SocketAddr>,
    proxy_from: Option<String>,
    arguments: Vec<String>,
}

impl Config {
    /// One default route to `backends`.
    #[must_use]
    pub fn one_route(backends: &[SocketAddr]) -> Self {
        Self::default().route(&[], backends)
    }

    /// One more route.
    #[must_use]
    pub fn route(mut self, sni: &[&str], backends: &[SocketAddr]) -> Self {
        self.routes.push_str("[[route]]\n");
        if !sni.is_empty() {
            let _ = writeln!(self.routes, "sni = {sni:?}");
        }
        let backends: Vec<_> = backends.iter().map(ToString::to_string).collect();
        let _ = writeln!(self.routes, "backends = {backends:?}");
        self
    }

    /// More lines behind the last route: further keys of its own, or whole sections.
    #[must_use]
    pub fn more(mut self, lines: &str) -> Self {
        self.routes.push_str(lines);
        self.routes.push('\n');
        self
    }

    /// One more certificate. The tests' own is served only where no other is given.
    #[must_use]
    pub fn certificate(mut self, chain: &Path, key: &Path) -> Self {
        let _ = writeln!(self.certificates, "[[certificate]]\nchain = \"{}\"\nkey = \"{}\"", chain.display(), key.display());
        self
    }

    /// One more key of `[machine]`.
    #[must_use]
    pub fn machine(mut self, key: &str, value: impl core::fmt::Display) -> Self {
        let _ = writeln!(self.machine, "{key} = {value}");
        self
    }

    /// One more key of `[limits]`.
    #[must_use]
    pub fn limit(mut self, key: &str, value: impl core::fmt::Display) -> Self {
        let _ = writeln!(self.limits, "{key} = {value}");
        self
    }

    /// Another guest image than the shipped one.
    #[must_use]
    pub fn image(mut self, path: &Path) -> Self {
        self.image = Some(path.to_owned());
        self
    }

    /// One more listener beside the place's own.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen.push(address);
        self
    }

    /// Who is a front end on the place's own listener.
    #[must_use]
    pub fn proxy_from(mut self, network: &str) -> Self {
        self.proxy_from = Some(network.to_owned());
        self
    }

    /// One more argument of `bountybox run`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    fn toml(&self, place: &Place, keys: &Path) -> String {
        let net = match place.net {
            Net::User => "[net]\nmode = \"user\"\n".to_owned(),
            Net::Tap => concat!(
                "[net]\nmode = \"tap\"\ndevice = \"bb0\"\n",
                "addresses = [\"10.77.0.2/24\", \"fd77::2/64\"]\ngateways = [\"10.77.0.1\", \"fd77::1\"]\n"
            )
            .to_owned(),
        };
        let own = Self::default().certificate(&keys.join("chain.pem"), &keys.join("key.pem"));
        let certificates = if self.certificates.is_empty() { own.certificates } else { self.certificates.clone() };
        format!(
            "[machine]\nkind = \"{}\"\n{}{net}{}{certificates}{}[limits]\n{}",
            place.machine.name(),
            self.machine,
            listeners(place.front(), self.proxy_from.as_deref(), &self.listen),
            self.routes,
            self.limits
        )
    }
}

fn listeners(first: SocketAddr, proxy_from: Option<&str>, more: &[SocketAddr]) -> String {
    let listener = |address: &SocketAddr| format!("[[listen]]\naddress = \"{address}\"\n");
    let front_ends = proxy_from.map(|network| format!("proxy_from = [\"{network}\"]\n"));
    let more: String = more.iter().map(listener).collect();
    listener(&first) + &front_ends.unwrap_or_default() + &more
}

/// The built command.
#[must_use]
pub fn bountybox() -> PathBuf {
    std::env::var_os("BOUNTYBOX").map_or_else(|| root().join("target/release/bountybox"), PathBuf::from)
}

/// The guest image that `make image` leaves.
#[must_use]
pub fn image() -> PathBuf {
    std::env::var_os("BOUNTYBOX_IMAGE").map_or_else(|| root().join("target/image/bountybox.elf"), PathBuf::from)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder with a CA (`ca.pem`) and a server's chain and key for `localhost`, minted once per test process.
///
/// # Errors
/// What `bountybox mint` says.
pub fn keys_dir() -> Outcome<PathBuf> {
    static MINTED: Mutex<Option<TempDir>> = Mutex::new(None);
    let mut minted = MINTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(dir) = minted.as_ref() {
        return Ok(dir.path().to_owned());
    }
    let dir = tempfile::tempdir()?;
    let mint = Command::new(bountybox()).args(["mint", "--dir"]).arg(dir.path()).args(["localhost", "*.example.test"]).output()?;
    if !mint.status.success() {
        return Err(format!("bountybox mint: {}", String::from_utf8_lossy(&mint.stderr)).into());
    }
    let path = dir.path().to_owned();
    *minted = Some(dir);
    Ok(path)
}

/// A running box.
#[derive(Debug)]
pub struct Running {
    child: Child,
    address: SocketAddr,
    said: Arc<Mutex<String>>,
    /// Ends when nobody holds the other end of standard error any more.
    reader: Option<JoinHandle<()>>,
    dir: TempDir,
}

impl Running {
    /// Starts a box and waits until it says `ready`.
    ///
    /// # Errors
    /// When it ends before, or says nothing in time; with everything that it said.
    pub fn start(place: &Place, config: &Config) -> Outcome<Self> {
        let running = Self::launch(place, config)?;
        running.is_ready()?;
        Ok(running)
    }

    /// Waits until the box says `ready`.
    ///
    /// # Errors
    /// When it ends before, or says nothing in time; with everything that it said.
    pub fn is_ready(&self) -> Outcome {
        self.wait_for("ready", READY_TIMEOUT)
    }

    /// Starts a box and waits for nothing.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn launch(place: &Place, config: &Config) -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("bountybox.toml");
        fs::write(&file, config.toml(place, &keys_dir()?))?;
        let mut command = Command::new(bountybox());
        command.args(["run", "--config"]).arg(&file);
        if let Some(image) = &config.image {
            command.arg("--image").arg(image);
        }
        command.args(&config.arguments);
        Self::serve(&mut command, place.front(), dir)
    }

    /// Starts a command that serves a box at `address`, and waits for nothing. The folder goes when the box does.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn serve(command: &mut Command, address: SocketAddr, dir: TempDir) -> Outcome<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let said = Arc::new(Mutex::new(String::new()));
        let reader = child.stderr.take().map(|stderr| collect(stderr, Arc::clone(&said)));
        Ok(Self { child, address, said, reader, dir })
    }

    /// Waits until the box has said `word`.
    ///
    /// # Errors
    /// When it does not within `timeout`, or has ended.
    pub fn wait_for(&self, word: &str, timeout: Duration) -> Outcome {
        self.wait_for_count(word, 1, timeout)
    }

    /// Waits until the box has said `word` this often.
    ///
    /// # Errors
    /// When it does not within `timeout`, or has ended.
    pub fn wait_for_count(&self, word: &str, count: usize, timeout: Duration) -> Outcome {
        let end = Instant::now() + timeout;
        loop {
            // Asked before what it said is looked at, so that its last words count.
            let is_over = self.reader.as_ref().is_none_or(JoinHandle::is_finished) || Instant::now() > end;
            if self.said().matches(word).count() >= count {
                return Ok(());
            }
            if is_over {
                return Err(format!("the box did not say {word:?} {count} times; it said:\n{}", self.said()).into());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Everything that it wrote to standard error so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A counter as the guest last logged it, which it does when a drain begins and when it ends: `("front", "flows")`.
    ///
    /// # Errors
    /// When no line of the log has it.
    pub fn counter(&self, group: &str, name: &str) -> Outcome<u64> {
        let said = self.said();
        let line = said.lines().rfind(|line| line.contains(&format!("counters {group}:")));
        let field = line.and_then(|line| line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')));
        Ok(field.ok_or_else(|| format!("no counter {group}.{name} in:\n{said}"))?.parse()?)
    }

    /// Its configuration file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.dir.path().join("bountybox.toml")
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Process ids of the supervisor and all its descendants.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        descendants(self.child.id())
    }

    /// The process of this name, [`CELL`] or [`PAGE`], that is nearest to the supervisor.
    ///
    /// # Errors
    /// There is none.
    pub fn process(&self, wanted: &str) -> Outcome<u32> {
        self.processes().into_iter().find(|pid| name(*pid) == wanted).ok_or_else(|| format!("the supervisor has no {wanted}").into())
    }

    /// Kills it, and says which it was.
    ///
    /// # Errors
    /// There is none.
    pub fn kill(&self, wanted: &str) -> Outcome<u32> {
        let pid = self.process(wanted)?;
        kill_process(i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or("no process id")?, Signal::KILL)?;
        Ok(pid)
    }

    /// Resident memory of all its processes, in bytes, shared pages counted once per process (`Pss`).
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.processes().into_iter().map(proportional_set).sum()
    }

    /// Sends a signal to the supervisor.
    ///
    /// # Errors
    /// When it is gone.
    pub fn signal(&self, signal: Signal) -> Outcome {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or("no process id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Waits for its end, and for its last words.
    ///
    /// # Errors
    /// When it does not end within `timeout`.
    pub fn ended(&mut self, timeout: Duration) -> Outcome<ExitStatus> {
        let end = Instant::now() + timeout;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()?
                && self.reader.as_ref().is_none_or(JoinHandle::is_finished)
            {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err(format!("the box did not end within {timeout:?}; it said:\n{}", self.said()).into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.signal(Signal::TERM);
        if self.ended(Duration::from_secs(5)).is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn collect(from: impl io::Read + Send + 'static, into: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut said = into.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_str(&line);
            said.push('\n');
        }
    })
}
