//! The servers under test: the peers, and bountybox on each machine and net. All run in one network namespace that this program makes.

use core::net::SocketAddr;
use core::time::Duration;
use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use e2e::memory::{descendants, proportional_set};
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tempfile::TempDir;

use crate::peers::{self, Launch};
use crate::{Outcome, cpu};

/// A folder with keys and configurations, and the namespace.
#[derive(Debug)]
pub(crate) struct Place {
    dir: TempDir,
    namespace: String,
    command: PathBuf,
}

/// A way to serve.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// Whether it takes part where no subjects are named; one that is recorded is beside itself, not beside the peers.
    pub(crate) is_usual: bool,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Peer(Launch),
    Bountybox { machine: &'static str, tap: bool, recorded: bool },
}

/// A started server, ended when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
}

/// Every subject that this host can run. A missing one is named on standard error.
pub(crate) fn all() -> Vec<Subject> {
    let mut subjects = Vec::new();
    for (name, program, launch) in peers::ALL {
        if Path::new(program).exists() {
            subjects.push(Subject { name, is_usual: true, kind: Kind::Peer(launch) });
        } else {
            crate::say(&format!("skipped: no {program}: {name}"));
        }
    }
    let own = [
        ("kvm/tap", "kvm", true, false),
        ("kvm/tap+record", "kvm", true, true),
        ("kvm/user", "kvm", false, false),
        ("kvm/user+record", "kvm", false, true),
        ("process/tap", "process", true, false),
        ("process/tap+record", "process", true, true),
        ("process/user", "process", false, false),
        ("process/user+record", "process", false, true),
    ];
    for (name, machine, tap, recorded) in own {
        if machine == "kvm" && !Path::new("/dev/kvm").exists() {
            crate::say(&format!("skipped: no /dev/kvm: {name}"));
            continue;
        }
        subjects.push(Subject { name, is_usual: !recorded, kind: Kind::Bountybox { machine, tap, recorded } });
    }
    subjects
}

impl Place {
    /// Makes the namespace (this thread moves into it) and mints the keys.
    pub(crate) fn prepare() -> Outcome<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let command = std::env::var_os("BOUNTYBOX").map_or_else(|| root.join("target/release/bountybox"), PathBuf::from);
        let dir = tempfile::tempdir()?;
        let namespace = format!("bb-bench-{}", std::process::id());
        run("ip", &["netns", "add", &namespace])?;
        let place = Self { dir, namespace, command };
        let inside = fs::File::open(format!("/run/netns/{}", place.namespace))?;
        move_into_link_name_space(inside.as_fd(), Some(LinkNameSpaceType::Network))?;
        run("ip", &["link", "set", "lo", "up"])?;
        run("ip", &["tuntap", "add", "dev", "bb0", "mode", "tap", "vnet_hdr"])?;
        run("ip", &["addr", "add", "10.77.0.1/24", "dev", "bb0"])?;
        run("ip", &["link", "set", "bb0", "up"])?;
        fs::write("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535")?;
        fs::write("/proc/sys/net/ipv4/tcp_tw_reuse", "1")?;
        let dir_text = place.dir();
        run(&place.command.display().to_string(), &["mint", "--dir", &dir_text, "localhost"])?;
        Ok(place)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The folder, as configurations name it.
    pub(crate) fn dir(&self) -> String {
        self.dir.path().display().to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = run("ip", &["netns", "del", &self.namespace]);
    }
}

impl Subject {
    /// Starts the server and waits until it accepts.
    pub(crate) fn start(&self, place: &Place, backend: SocketAddr) -> Outcome<Server> {
        let server = self.launch(place, backend)?;
        let end = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect_timeout(&server.address, Duration::from_millis(100)).is_err() {
            if Instant::now() > end {
                let said = fs::read_to_string(place.path("stderr.log")).unwrap_or_default();
                return Err(format!("{} does not accept; it said: {said}", self.name).into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(100));
        Ok(server)
    }

    /// Starts the server and does not wait.
    pub(crate) fn launch(&self, place: &Place, backend: SocketAddr) -> Outcome<Server> {
        let (mut command, address) = match self.kind {
            Kind::Peer(launch) => launch(place, backend)?,
            Kind::Bountybox { machine, tap, recorded } => bountybox(place, backend, machine, (tap, recorded))?,
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(place.path("stderr.log"))?);
        Ok(Server { child: command.spawn()?, address })
    }
}

/// A command bound to the server's core.
pub(crate) fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &cpu::SERVER.to_string()]).arg(program);
    command
}

/// A recording of whatever length, and no other beside it. Nobody has its key.
const RECORD: &str = "recipient = \"age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z\"\nmax_bytes = 68719476736\nkeep = 0\n";

fn bountybox(place: &Place, backend: SocketAddr, machine: &str, (tap, recorded): (bool, bool)) -> Outcome<(Command, SocketAddr)> {
    let address = if tap { SocketAddr::from(([10, 77, 0, 2], 8443)) } else { SocketAddr::from(([127, 0, 0, 1], 8443)) };
    let net = if tap {
        "mode = \"tap\"\ndevice = \"bb0\"\naddresses = [\"10.77.0.2/24\"]\ngateways = [\"10.77.0.1\"]\n"
    } else {
        "mode = \"user\"\n"
    };
    let (chain, key) = (place.path("chain.pem"), place.path("key.pem"));
    let limits = "connections = 60000\nconnections_per_source = 60000\nnew_per_source_per_s = 100000\n";
    let record = if recorded { format!("[record]\nfile = \"{}\"\n{RECORD}", place.path("box.rec").display()) } else { String::new() };
    let config = format!(
        "[machine]\nkind = \"{machine}\"\nheap_mib = 4096\n[net]\n{net}[[listen]]\naddress = \"{address}\"\n[[certificate]]\nchain = \"{}\"\nkey = \"{}\"\n\
         [[route]]\nbackends = [\"{backend}\"]\n[limits]\n{limits}{record}",
        chain.display(),
        key.display()
    );
    let file = place.path("bountybox.toml");
    fs::write(&file, config)?;
    let mut command = pinned(&place.command);
    command.args(["run", "--config"]).arg(file);
    Ok((command, address))
}

impl Server {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Proportional set size of the server's processes, in bytes: kernel socket memory, which the peers have and the TAP's box has not, is not in it.
    pub(crate) fn memory(&self) -> u64 {
        descendants(self.child.id()).into_iter().map(proportional_set).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let end = Instant::now() + Duration::from_secs(4);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > end {
                let _ = self.child.kill();
                let _ = self.child.wait();
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> Outcome {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new(program).args(arguments).env("PATH", path).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}
