//! What `run` is to do: the checked configuration, with all files read, in types that cannot be wrong.
//!
//! Host names are not resolved yet ([`Target::Name`]) and nothing is opened: that is for `run`.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ceremony::{Folder, PerDoor};
use keys::bundle::Bundle;
use recording::key::Recipient;
use tender::order::{Lines, Listener};

use crate::config::Reload;
use crate::report::Report;

/// All that is needed to start a cell.
#[derive(Debug)]
pub struct Plan {
    /// What the guest gets.
    pub bundle: Bundle,
    /// Which machine the guest runs on.
    pub machine: MachineKind,
    /// The guest's heap, in bytes.
    pub heap_len: usize,
    /// The guest image, if another than the embedded one.
    pub image: Option<PathBuf>,
    /// When a cell that ended is started anew.
    pub restart: Restart,
    /// How the guest's public link is attached.
    pub front: Attachment,
    /// How the guest's private link is attached.
    pub back: Attachment,
    /// Where the host listens for the guest; empty with a TAP as front link, for there the guest listens itself.
    pub listeners: Vec<Listen>,
    /// What stands behind the virtual backend addresses in the bundle; empty with a TAP as back link.
    pub backends: Vec<Backend>,
    /// How to see in.
    pub admin: Admin,
    /// Where the access log goes.
    pub log: AccessLog,
    /// Whether cells are recorded, and how.
    pub record: Option<Record>,
    /// The contest that is served, if one is.
    pub challenge: Option<Challenge>,
    /// The files of the bundle's certificates, in its order.
    pub certificate_files: Vec<String>,
    /// The files that it was made of and that may change while it is served.
    pub files: Vec<PathBuf>,
    /// What holds for reloads.
    pub reload: Reload,
    /// Warnings, to be shown once.
    pub warnings: Report,
}

impl Plan {
    /// The sections in which `new` differs from this plan and that a running box cannot change.
    #[must_use]
    pub fn needs_restart(&self, new: &Self) -> Vec<&'static str> {
        let machine = |plan: &Self| (plan.machine, plan.heap_len, plan.image.clone(), plan.restart);
        let net = |plan: &Self| (plan.front.clone(), plan.back.clone(), plan.bundle.front.clone(), plan.bundle.back.clone());
        let listen = |plan: &Self| (plan.listeners.clone(), plan.bundle.listeners.clone());
        let differs = [
            ("[machine]", machine(self) != machine(new)),
            ("[net]", net(self) != net(new)),
            ("[[listen]]", listen(self) != listen(new)),
            ("[admin]", self.admin != new.admin),
            ("[log]", self.log != new.log),
            ("[record]", self.record != new.record),
            (
                "[challenge]",
                match (&self.challenge, &new.challenge) {
                    (Some(one), Some(other)) => !one.is_as(other),
                    (one, other) => one.is_some() != other.is_some(),
                },
            ),
            ("[reload] backend_ports", self.reload.backend_ports != new.reload.backend_ports),
        ];
        differs.into_iter().filter_map(|(section, differs)| differs.then_some(section)).collect()
    }
}

/// How to see in while a cell serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admin {
    /// Where HTTP is answered.
    pub address: Option<SocketAddr>,
    /// The Unix socket, which also takes requests to reload and to drain.
    pub socket: Option<PathBuf>,
}

/// Where the access log goes, and how it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessLog {
    /// Where to.
    pub to: Access,
    /// How; like the other lines, where nothing is said.
    pub lines: Option<Lines>,
}

/// Where the access log goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Access {
    /// To standard error.
    #[default]
    Stderr,
    /// Nowhere.
    Off,
    /// To this file, which is opened anew at a reload.
    File(PathBuf),
}

/// How cells are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The running cell's recording; those of earlier cells have a number behind this name.
    pub file: PathBuf,
    /// Who can read it.
    pub recipient: Recipient,
    /// One recording at most, in bytes.
    pub max_bytes: u64,
    /// How many recordings of earlier cells are kept.
    pub keep: u64,
}

/// The contest that a box serves.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// What the ceremony has made.
    pub folder: Arc<Folder>,
    /// Where the doors are, as others know them.
    pub doors: PerDoor<SocketAddr>,
    /// The call-back's door as the guest listens there.
    pub knock: Listener,
    /// Where the page is served to the terminator.
    pub page: SocketAddr,
    /// Where the page is served without TLS.
    pub plain: Option<SocketAddr>,
    /// Where people reach the page.
    pub base: String,
    /// The arbiter for browsers.
    pub arbiter: Option<PathBuf>,
    /// How often the log gets proofs.
    pub heartbeat: Duration,
    /// How much is kept of what the public link carried, in MiB.
    pub capture_mib: u64,
}

impl Challenge {
    /// Whether it is the same contest, at the same places.
    fn is_as(&self, other: &Self) -> bool {
        let places = |challenge: &Self| {
            (challenge.doors, challenge.page, challenge.plain, challenge.base.clone(), challenge.heartbeat, challenge.capture_mib)
        };
        self.folder.digest() == other.folder.digest() && places(self) == places(other)
    }
}

/// Which machine the guest runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum MachineKind {
    /// `kvm` where it can be had, else `process`; the choice is printed.
    #[default]
    Auto,
    /// Hardware virtualisation.
    Kvm,
    /// A traced child process.
    Process,
}

/// When a cell that ended is started anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Restart {
    /// Whatever its end.
    Always,
    /// After a crash, a hang or a fault of the host.
    #[default]
    OnFailure,
    /// Never.
    Never,
}

/// How a link of the guest is attached to the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attachment {
    /// To the tender's own TCP, and through it to host sockets.
    User,
    /// To a TAP of this name, which the supervisor opens.
    TapDevice(String),
    /// To a TAP that was opened by whoever started the supervisor, by its descriptor.
    TapDescriptor(i32),
}

/// A listening socket of the host, and the guest's listener that its connections are brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// Where the host listens; port 0 lets the system choose.
    pub host: SocketAddr,
    /// Where the guest listens.
    pub guest: SocketAddr,
}

/// A backend, and the virtual address under which the guest knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// As in the bundle's routes.
    pub guest: SocketAddr,
    /// As in the configuration.
    pub target: Target,
    /// The port.
    pub port: u16,
}

/// The host part of a backend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// An address.
    Address(IpAddr),
    /// A name to be resolved, in lower case.
    Name(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.target, self.port)
    }
}
