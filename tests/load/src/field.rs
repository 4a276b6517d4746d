//! Where a case takes place: a network namespace with a TAP on each side of the box, and more addresses for clients than anybody's limits care about.
//!
//! Nothing leaves the namespace, and it goes with the case.

use core::net::{Ipv4Addr, SocketAddr};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use e2e::{Machine, Net, Outcome, Place, keys_dir};

/// Frames that wait for the box at most. With the kernel's 500, a host that is busy for a tenth of a second loses what a crowd says when it goes.
const QUEUE_LEN: &str = "10000";
/// The TAP to the clients, which the place has made.
const FRONT_TAP: &str = "bb0";
/// The TAP to the backends: the box's own address on it, and the host's.
pub(crate) const BACK_TAP: &str = "bb1";
const BACK_HOST: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 1);
/// Where crowds come from: 65,536 addresses.
pub(crate) const CROWD: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 0);
/// Where honest clients come from: as many.
pub(crate) const HONEST: Ipv4Addr = Ipv4Addr::new(10, 89, 0, 0);

/// The names that honest clients and crowds ask for; each has a route of its own.
pub(crate) const HONEST_NAME: &str = "honest.example.test";
pub(crate) const CROWD_NAME: &str = "crowd.example.test";

/// See the module. The calling thread, and what it starts from then on, live there.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) place: Place,
    /// Who vouches for the box.
    pub(crate) ca: PathBuf,
}

/// How the box reaches its backends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Back {
    /// Over the host's sockets, as if nothing were said.
    User,
    /// Over a TAP of its own: the host's limit on descriptors does not matter.
    Tap,
}

impl Field {
    pub(crate) fn new(machine: Machine) -> Outcome<Self> {
        let place = Place::new(machine, Net::Tap)?;
        for network in [CROWD, HONEST] {
            ip(&["route", "add", "local", &format!("{network}/16"), "dev", "lo"])?;
        }
        // RFC 826's questions in the name of an address of the link; the box answers no others.
        fs::write("/proc/sys/net/ipv4/conf/all/arp_announce", "2")?;
        ip(&["tuntap", "add", "dev", BACK_TAP, "mode", "tap", "vnet_hdr"])?;
        ip(&["addr", "add", &format!("{BACK_HOST}/24"), "dev", BACK_TAP])?;
        ip(&["link", "set", BACK_TAP, "up"])?;
        for tap in [FRONT_TAP, BACK_TAP] {
            ip(&["link", "set", tap, "txqueuelen", QUEUE_LEN])?;
        }
        Ok(Self { place, ca: keys_dir()?.join("ca.pem") })
    }
}

impl Back {
    /// Lines for the configuration.
    pub(crate) fn lines(self) -> String {
        match self {
            Self::User => String::new(),
            Self::Tap => format!("[net.back]\nmode = \"tap\"\ndevice = \"{BACK_TAP}\"\naddresses = [\"10.78.0.2/24\"]\n"),
        }
    }

    /// The address of a backend; each case has the ports for itself.
    pub(crate) fn backend(self, port: u16) -> SocketAddr {
        match self {
            Self::User => SocketAddr::from(([127, 0, 0, 1], port)),
            Self::Tap => SocketAddr::from((BACK_HOST, port)),
        }
    }
}

fn ip(arguments: &[&str]) -> Outcome {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("ip").args(arguments).env("PATH", path).output()?;
    if output.status.success() { Ok(()) } else { Err(format!("ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into()) }
}
