//! A client, a wire that is no good, and a server at its other end: three network namespaces, none of which the host's own traffic touches.

use core::any::Any;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::fs::File;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use e2e::backend::Backend;
use e2e::{Config, Machine, Net, Outcome, Place, Running, client};
use rawnet::relay::{Done, Impairment, Relay};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use rustls_std::ClientConfig;

use crate::Load;
use crate::opposite::{self, Opposite};
use crate::stream::{self, Direction};

/// Nothing moves for so long: it has failed.
const PATIENCE: Duration = Duration::from_secs(60);
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 50);
const LINUX: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 3);
const PORT: u16 = 8443;

/// What is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A kernel's TCP, and a program that listens.
    Linux,
    /// The box, and the same program behind it.
    Box(Machine),
}

/// See the module.
pub(crate) struct Bench {
    /// None, if nothing stands between.
    relay: Option<Relay>,
    server: SocketAddr,
    /// TLS, if the server speaks it.
    tls: Option<Arc<ClientConfig>>,
    client: Namespace,
    linux: Option<Namespace>,
    _keep: Vec<Box<dyn Any>>,
}

impl Bench {
    /// The calling thread moves into the namespace of the wire.
    pub(crate) fn new(subject: Subject, impairment: Option<Impairment>) -> Outcome<Self> {
        let machine = if let Subject::Box(machine) = subject { machine } else { Machine::Process };
        let place = Place::new(machine, Net::Tap)?;
        let client = Namespace::beside("client", "c0", CLIENT)?;
        match subject {
            Subject::Linux => {
                let linux = Namespace::beside("linux", "l0", LINUX)?;
                let listener = linux.visit(|| Ok(TcpListener::bind((LINUX, PORT))?))?;
                thread::spawn(move || {
                    listener.incoming().map_while(Result::ok).for_each(|stream| drop(thread::spawn(move || serve(stream))));
                });
                let relay = impairment.map(|bad| Relay::start("c0", "l0", bad)).transpose()?;
                Ok(Self { relay, server: (LINUX, PORT).into(), tls: None, client, linux: Some(linux), _keep: vec![Box::new(place)] })
            }
            Subject::Box(_) => {
                let backend = Backend::start(serve)?;
                let running = Running::start(&place, &Config::one_route(&[backend.address()]))?;
                let relay = impairment.map(|bad| Relay::start("c0", "bb0", bad)).transpose()?;
                let keep: Vec<Box<dyn Any>> = vec![Box::new(running), Box::new(backend), Box::new(place)];
                Ok(Self {
                    relay,
                    server: (Ipv4Addr::new(10, 77, 0, 2), PORT).into(),
                    tls: Some(client::config(None)?),
                    client,
                    linux: None,
                    _keep: keep,
                })
            }
        }
    }

    /// Moves everything, checks every byte, and says how long it took.
    pub(crate) fn transfer(&self, direction: Direction, load: Load) -> Outcome<Duration> {
        let (each, server, tls) = (load.bytes / load.connections, self.server, self.tls.as_ref());
        let began = Instant::now();
        self.client.visit(|| {
            thread::scope(|scope| {
                let threads: Vec<_> = (0..load.connections).map(|_| scope.spawn(move || converse(server, tls, direction, each))).collect();
                threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a client panicked")?)
            })
        })?;
        Ok(began.elapsed())
    }

    /// What the wire has done to whom.
    pub(crate) fn done(&self) -> Option<&Done> {
        self.relay.as_ref().map(Relay::done)
    }

    /// The server as a host on the same link sees it. Such a host exists in its frames only, so a kernel must be told where it is.
    pub(crate) fn opposite(self, subject: Subject) -> Outcome<Opposite> {
        let interface = if subject == Subject::Linux { "l0" } else { "bb0" };
        if let Some(linux) = &self.linux {
            ip(&["-n", &linux.name, "neigh", "add", &opposite::ADDRESS.to_string(), "lladdr", "02:00:00:00:66:66", "dev", "far0"])?;
        }
        let IpAddr::V4(address) = self.server.ip() else { return Err("not an address of version 4".into()) };
        Opposite::find(interface, address, self.server.port(), Box::new(self))
    }
}

fn converse(server: SocketAddr, tls: Option<&Arc<ClientConfig>>, direction: Direction, len: usize) -> Outcome {
    let Some(config) = tls else {
        let stream = TcpStream::connect_timeout(&server, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        return Ok(stream::ask(stream, direction, len)?);
    };
    Ok(stream::ask(client::connect_as(server, "localhost", config)?, direction, len)?)
}

/// Ends its own direction, and takes what still comes.
fn serve(mut stream: TcpStream) -> io::Result<()> {
    let served = stream::serve(&stream);
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut stream, &mut io::sink())?;
    served
}

/// A network namespace at the end of a pair of interfaces; gone when dropped.
struct Namespace {
    name: String,
    inside: File,
}

impl Namespace {
    /// Its interface has this address; the near end is an interface here.
    fn beside(what: &str, near: &str, address: Ipv4Addr) -> Outcome<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bb-{what}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name])?;
        let namespace = Self { inside: File::open(format!("/run/netns/{name}"))?, name };
        let name = &namespace.name;
        ip(&["link", "add", near, "type", "veth", "peer", "name", "far0", "netns", name])?;
        ip(&["link", "set", near, "addrgenmode", "none", "up"])?;
        ip(&["-n", name, "addr", "add", &format!("{address}/24"), "dev", "far0"])?;
        ip(&["-n", name, "link", "set", "far0", "up"])?;
        Ok(namespace)
    }

    /// Does something inside.
    fn visit<T: Send>(&self, act: impl FnOnce() -> Outcome<T> + Send) -> Outcome<T> {
        let visit = || -> Outcome<T> {
            move_into_link_name_space(self.inside.as_fd(), Some(LinkNameSpaceType::Network))?;
            act()
        };
        thread::scope(|scope| scope.spawn(visit).join()).map_err(|_| "the visit panicked")?
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.name]);
    }
}

/// `ip(8)` in this thread's namespace.
fn ip(arguments: &[&str]) -> Outcome {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("ip").args(arguments).env("PATH", path).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}
