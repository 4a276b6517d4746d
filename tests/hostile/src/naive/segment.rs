//! Endpoints below TLS, at the other end of a pair of interfaces in the test's namespace: the attacker's is `nv0`. Their addresses are the box's.
//!
//! - [`stock`](super::stock): smoltcp as it comes;
//! - [`parrot`](super::parrot): answers everything;
//! - [`linux`](super::linux): a kernel's own TCP, for which some of what a public endpoint need not answer is a matter of course.

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use core::sync::atomic::{AtomicBool, Ordering};
use std::process::Command;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use e2e::Outcome;
use rawnet::{Mac, Wire};

use super::Server;

/// The attacker's end of the wire.
pub(crate) const NEAR: &str = "nv0";
/// The naive endpoint's end.
pub(super) const FAR: &str = "nv1";
/// Who it is.
pub(super) const MAC: Mac = [2, 0, 0, 0, 0x77, 2];
pub(super) const ADDRESS_V4: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
pub(super) const ADDRESS_V6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2);
/// Where it listens.
pub(super) const PORT: u16 = 8443;

/// A started one: a thread that ends with this.
pub(super) struct OnWire {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl OnWire {
    /// Runs `turn` on the far end again and again.
    pub(super) fn start(mut turn: impl FnMut(&mut Wire) + Send + 'static) -> Outcome<Self> {
        ip(&["link", "add", NEAR, "type", "veth", "peer", "name", FAR])?;
        up(NEAR)?;
        up(FAR)?;
        let mut wire = Wire::open(FAR)?;
        let stop: Arc<AtomicBool> = Arc::default();
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                turn(&mut wire);
            }
        });
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Server for OnWire {
    fn address(&self) -> SocketAddr {
        SocketAddr::from((ADDRESS_V4, PORT))
    }
}

impl Drop for OnWire {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Without the kernel's own chatter: it has no part in this.
fn up(interface: &str) -> Outcome {
    ip(&["link", "set", interface, "addrgenmode", "none", "up"])
}

/// `ip(8)` in this thread's namespace.
pub(super) fn ip(arguments: &[&str]) -> Outcome {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("ip").args(arguments).env("PATH", path).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}
