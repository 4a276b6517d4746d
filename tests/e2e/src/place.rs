//! Where a test runs: a machine, a net, and for the TAP a network namespace of the test's own.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicU32, Ordering};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::process::Command;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A way to run a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// Hardware virtualisation.
    Kvm,
    /// A traced child process.
    Process,
}

/// A way to reach a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Net {
    /// Host sockets, forwarded by the tender.
    User,
    /// A TAP device.
    Tap,
}

/// The TAP device of a place with [`Net::Tap`].
pub const TAP: &str = "bb0";

/// A machine and a net. With [`Net::Tap`] the calling thread, and what it starts from then on, lives in a new network namespace.
#[derive(Debug)]
pub struct Place {
    /// The machine.
    pub machine: Machine,
    /// The net.
    pub net: Net,
    namespace: Option<String>,
    port: Option<u16>,
}

impl Machine {
    /// As the configuration spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Process => "process",
        }
    }

    /// Why it cannot be tested here, if so.
    #[must_use]
    pub fn missing(self) -> Option<&'static str> {
        let absent = self == Self::Kvm && !std::path::Path::new("/dev/kvm").exists();
        absent.then_some("no /dev/kvm")
    }
}

impl Net {
    /// As the configuration spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Tap => "tap",
        }
    }

    /// Why it cannot be tested here, if so.
    #[must_use]
    pub fn missing(self) -> Option<&'static str> {
        if self == Self::User {
            return None;
        }
        if !rustix::process::geteuid().is_root() {
            return Some("not root: cannot make a network namespace");
        }
        (!std::path::Path::new("/dev/net/tun").exists()).then_some("no /dev/net/tun")
    }
}

impl Place {
    /// Prepares the place; the calling thread moves into it.
    ///
    /// # Errors
    /// When a namespace or a TAP device cannot be made.
    pub fn new(machine: Machine, net: Net) -> io::Result<Self> {
        let namespace = match net {
            Net::User => None,
            Net::Tap => Some(enter_new_namespace()?),
        };
        Ok(Self { machine, net, namespace, port: None })
    }

    /// The same, with another port for its box than all others have: several may run at a time.
    #[must_use]
    pub fn on_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Where the box answers.
    #[must_use]
    pub fn front(&self) -> SocketAddr {
        let address = match self.net {
            Net::User => [127, 0, 0, 1],
            Net::Tap => [10, 77, 0, 2],
        };
        SocketAddr::from((address, self.port.unwrap_or_else(|| self.usual_port())))
    }

    /// Where this process connects from, as the box sees it.
    #[must_use]
    pub fn client(&self) -> &'static str {
        match self.net {
            Net::User => "127.0.0.1",
            Net::Tap => "10.77.0.1",
        }
    }

    fn usual_port(&self) -> u16 {
        match (self.net, self.machine) {
            (Net::Tap, _) => 8443,
            (Net::User, Machine::Kvm) => 18443,
            (Net::User, Machine::Process) => 18444,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(name) = &self.namespace {
            let _ = run("ip", &["netns", "del", name]);
        }
    }
}

/// Makes a namespace with a TAP `bb0` (host end 10.77.0.1/24 and fd77::1/64) and moves the calling thread into it.
fn enter_new_namespace() -> io::Result<String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("bb-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    run("ip", &["netns", "add", &name])?;
    let inside = File::open(format!("/run/netns/{name}"))?;
    move_into_link_name_space(inside.as_fd(), Some(LinkNameSpaceType::Network))?;
    run("ip", &["link", "set", "lo", "up"])?;
    run("ip", &["tuntap", "add", "dev", TAP, "mode", "tap", "vnet_hdr"])?;
    run("ip", &["addr", "add", "10.77.0.1/24", "dev", TAP])?;
    run("ip", &["addr", "add", "fd77::1/64", "dev", TAP, "nodad"])?;
    run("ip", &["link", "set", TAP, "up"])?;
    Ok(name)
}

fn run(program: &str, arguments: &[&str]) -> io::Result<()> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new(program).args(arguments).env("PATH", path).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr))))
}
