//! Everything that is opened, resolved and chosen before a cell starts, and kept open over restarts.

use core::net::SocketAddr;
use std::collections::BTreeSet;
use std::io::Write;
use std::net::ToSocketAddrs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::{fs, io};

use arbiter::Tier;
use keeper::evidence::{Bounds, Evidence};
use keys::bundle::Link;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use tender::contest;
use tender::nets::tap;
use tender::order::{self, AccessLog, AccessTo, Back, Backend, CallBack, Ends, Front, JailWish, Lines, Machine, Order, Wire};
use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::limits::{
    BACKEND_ADDRESSES_MAX, CAPTURE_PIECE_LEN, DRAIN_ALLOWANCE_MS, LISTEN_BACKLOG, RESTARTS_BYTES, RESTARTS_KEPT, TRACES_BYTES, TRACES_KEPT,
};
use crate::plan::{Access, Attachment, Challenge, MachineKind, Plan, Target};
use crate::run::access_file::AccessFile;
use crate::run::challenge::{Film, Kept};
use crate::run::recordings::Recordings;
use crate::run::refuse;
use crate::terminal;

/// What every cell of this supervisor gets.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) order: Order,
    pub(super) bundle: Zeroizing<Vec<u8>>,
    pub(super) image: OwnedFd,
    pub(super) descriptors: Vec<OwnedFd>,
    /// Where clients find us, for the ready line.
    pub(super) addresses: Vec<String>,
    /// The access log's file, if it goes to one.
    pub(super) access: Option<AccessFile>,
    /// Where cells are recorded, if they are.
    pub(super) recordings: Option<Recordings>,
    /// The flags of a contest that do not travel in the bundle.
    pub(super) contest: Option<contest::Files>,
    /// A contest's evidence, and what the public link carries on its way there.
    pub(super) kept: Option<Kept>,
}

/// Opens, resolves and chooses, or says what could not be had.
pub(super) fn open(plan: &Plan, image: &[u8], lines: Lines) -> Result<Opened, Exit> {
    let mut descriptors = Vec::new();
    let mut addresses = Vec::new();
    let front = front(plan, &mut descriptors, &mut addresses)?;
    let back = back(plan, &mut descriptors)?;
    let bundle = plan.bundle.encode().map_err(|fault| refuse(Exit::Internal, format!("the bundle is unsound: {fault:?}")))?;
    let (to, access) = access(&plan.log.to, &mut descriptors)?;
    let kept = plan.challenge.as_ref().map(|challenge| kept(challenge, &mut descriptors)).transpose()?;
    let order = Order {
        machine: choose(plan.machine, image)?,
        heap_len: u64::try_from(plan.heap_len).unwrap_or(u64::MAX),
        front,
        back,
        lines,
        access: AccessLog { to, lines: plan.log.lines.unwrap_or(lines) },
        capture: kept.as_ref().is_some_and(|kept| kept.film.is_some()),
        // Each cell's own file is opened when it starts.
        record: None,
        drain_ms: plan.bundle.limits.drain_timeout_ms.saturating_add(DRAIN_ALLOWANCE_MS),
        jail: JailWish::Full,
        contest: plan.challenge.as_ref().map(|challenge| {
            let (flag_address, word_address, _) = challenge.folder.places();
            order::Contest { flag_address, word_address }
        }),
    };
    let image = sealed_file(image).map_err(|fault| refuse(Exit::Internal, format!("no memory for the image: {fault}")))?;
    let recordings = plan.record.clone().map(Recordings::open).transpose()?;
    raise_descriptor_limit();
    let contest = plan.challenge.as_ref().map(contest_files).transpose()?;
    Ok(Opened { order, bundle: bundle.into_zeroizing(), image, descriptors, addresses, access, recordings, contest, kept })
}

/// Where tenders write access lines; a file is reached by a pipe, the last of the descriptors.
fn access(to: &Access, descriptors: &mut Vec<OwnedFd>) -> Result<(AccessTo, Option<AccessFile>), Exit> {
    let path = match to {
        Access::Off => return Ok((AccessTo::Nowhere, None)),
        Access::Stderr => return Ok((AccessTo::Stderr, None)),
        Access::File(path) => path,
    };
    let cannot =
        |fault: io::Error| refuse(exit_of(&fault, Exit::Output), format!("the access log {} cannot be had: {fault}", path.display()));
    let (file, pipe) = AccessFile::open(path).map_err(cannot)?;
    descriptors.push(pipe);
    Ok((AccessTo::Pipe, Some(file)))
}

/// `auto` is kvm where a whole guest can be loaded into it; the choice and its reason are told, never silent.
fn choose(kind: MachineKind, image: &[u8]) -> Result<Machine, Exit> {
    let probe = |machine| tender::probe(machine, image);
    match kind {
        MachineKind::Kvm => {
            probe(Machine::Kvm).map(|()| Machine::Kvm).map_err(|fault| refuse(Exit::Machine, format!("no kvm here: {fault}")))
        }
        MachineKind::Process => Ok(Machine::Process),
        MachineKind::Auto => match probe(Machine::Kvm) {
            Ok(()) => Ok(Machine::Kvm),
            Err(fault) => {
                terminal::note(format!("warning: no kvm here ({fault}), so the guest runs in a traced process: slower, and one wall less"));
                Ok(Machine::Process)
            }
        },
    }
}

fn front(plan: &Plan, descriptors: &mut Vec<OwnedFd>, addresses: &mut Vec<String>) -> Result<Front, Exit> {
    let Some(tap) = open_tap(&plan.front)? else {
        for listen in &plan.listeners {
            let (listener, address) = listener(listen.host)
                .map_err(|fault| refuse(exit_of(&fault, Exit::Net), format!("cannot listen on {}: {fault}", listen.host)))?;
            descriptors.push(listener);
            addresses.push(address.to_string());
        }
        let doors = plan.listeners.iter().map(|listen| listen.guest).collect();
        return Ok(Front::User { ends: ends(&plan.bundle.front), doors, call_back: call_back(plan) });
    };
    descriptors.push(tap);
    let own = plan.bundle.front.addresses.iter().map(|cidr| cidr.address);
    for listener in &plan.bundle.listeners {
        let at = listener.address.map_or_else(|| own.clone().collect(), |address| vec![address]);
        addresses.extend(at.into_iter().map(|address| SocketAddr::new(address, listener.port).to_string()));
    }
    let ports = plan.bundle.listeners.iter().map(|listener| listener.port).collect();
    Ok(Front::Tap { wire: wire(&plan.bundle.front), ports, call_back: call_back(plan) })
}

/// Whom the guest of a contest may call back, and where.
fn call_back(plan: &Plan) -> Option<CallBack> {
    plan.challenge.as_ref().map(|challenge| CallBack { door: challenge.knock, port: challenge.folder.ports().dials })
}

/// The evidence of a contest. What the public link carries comes by a pipe behind the access log's.
fn kept(challenge: &Challenge, descriptors: &mut Vec<OwnedFd>) -> Result<Kept, Exit> {
    let cannot = |why: &dyn core::fmt::Display| refuse(Exit::Challenge, format!("evidence cannot be kept: {why}"));
    let pieces = usize::try_from(challenge.capture_mib.saturating_mul(1 << 20)).unwrap_or(usize::MAX) / CAPTURE_PIECE_LEN;
    let captures = Bounds { files: pieces.saturating_add(1), bytes: challenge.capture_mib.saturating_mul(1 << 20) };
    let traces = Bounds { files: TRACES_KEPT, bytes: TRACES_BYTES };
    let restarts = Bounds { files: RESTARTS_KEPT, bytes: RESTARTS_BYTES };
    let evidence = Evidence::open(&challenge.folder.evidence_path(), captures, traces, restarts).map_err(|fault| cannot(&fault))?;
    let evidence = Arc::new(Mutex::new(evidence));
    if challenge.capture_mib == 0 {
        return Ok(Kept { evidence, film: None });
    }
    let (film, pipe) = Film::open(Arc::clone(&evidence)).map_err(|fault| cannot(&fault))?;
    descriptors.push(pipe);
    Ok(Kept { evidence, film: Some(film) })
}

/// The flags that do not travel in the bundle, as files without a name.
fn contest_files(challenge: &Challenge) -> Result<contest::Files, Exit> {
    let flags = challenge.folder.flags();
    let flag = |tier| flags.bytes(tier).expose().first_chunk().copied().map(Zeroizing::new);
    let made = flag(Tier::Read).zip(flag(Tier::Exec)).zip(flag(Tier::Escape));
    let made = made.ok_or(io::ErrorKind::InvalidData.into()).and_then(|((read, exec), escape)| contest::Files::new(&read, &exec, &escape));
    made.map_err(|fault| refuse(Exit::Internal, format!("no memory for the flags: {fault}")))
}

fn back(plan: &Plan, descriptors: &mut Vec<OwnedFd>) -> Result<Back, Exit> {
    if let Some(tap) = open_tap(&plan.back)? {
        descriptors.push(tap);
        let backends = plan.bundle.routes.iter().flat_map(|route| route.backends.iter().copied()).collect();
        return Ok(Back::Tap { wire: wire(&plan.bundle.back), backends });
    }
    let backends = backends(plan).map_err(|why| refuse(Exit::Net, why))?;
    Ok(Back::User { ends: ends(&plan.bundle.back), backends, later_ports: plan.reload.backend_ports.clone() })
}

/// The backends as a tender knows them, their names resolved; on a TAP the guest finds them itself.
pub(super) fn backends(plan: &Plan) -> Result<Vec<Backend>, String> {
    if plan.back == Attachment::User {
        return plan.backends.iter().map(|backend| Ok(Backend { guest: backend.guest, host: resolve(backend)? })).collect();
    }
    let guests = plan.bundle.routes.iter().flat_map(|route| route.backends.iter().copied());
    Ok(guests.map(|guest| Backend { guest, host: Vec::new() }).collect())
}

/// All addresses that a backend has now. Names are looked up at the start and at each reload.
fn resolve(backend: &crate::plan::Backend) -> Result<Vec<SocketAddr>, String> {
    let name = match &backend.target {
        Target::Address(address) => return Ok(vec![SocketAddr::new(*address, backend.port)]),
        Target::Name(name) => name,
    };
    let unknown = |why: String| format!("the backend {backend} has no address: {why}");
    let mut found: Vec<SocketAddr> = (name.as_str(), backend.port).to_socket_addrs().map_err(|fault| unknown(fault.to_string()))?.collect();
    found.sort_unstable_by_key(SocketAddr::is_ipv6);
    found.dedup();
    found.truncate(BACKEND_ADDRESSES_MAX);
    if found.is_empty() { Err(unknown("none is known".into())) } else { Ok(found) }
}

fn open_tap(attachment: &Attachment) -> Result<Option<OwnedFd>, Exit> {
    let (opened, name) = match attachment {
        Attachment::User => return Ok(None),
        Attachment::TapDevice(name) => (tap::open(name), name.clone()),
        Attachment::TapDescriptor(number) => {
            (inherited(*number).and_then(|tap| tap::adopt(tap.as_fd()).map(|()| tap)), format!("descriptor {number}"))
        }
    };
    opened.map(Some).map_err(|fault| refuse(exit_of(&fault, Exit::Net), format!("the TAP {name} cannot be had: {fault}")))
}

/// A descriptor that whoever started us has left open, by its number: a copy, so that nothing else can close it under us.
fn inherited(number: i32) -> io::Result<OwnedFd> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    let own = pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok(pidfd_getfd(own, number, PidfdGetfdFlags::empty())?)
}

fn listener(address: SocketAddr) -> io::Result<(OwnedFd, SocketAddr)> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, LISTEN_BACKLOG)?;
    let bound = SocketAddr::try_from(rustix::net::getsockname(&socket)?)?;
    Ok((socket, bound))
}

fn ends(link: &Link) -> Ends {
    let pinned = link.gateways.iter().filter(|gateway| gateway.mac.is_some());
    Ends {
        guest_mac: link.mac,
        guest: link.addresses.iter().map(|cidr| cidr.address).collect(),
        host_mac: link.gateways.iter().find_map(|gateway| gateway.mac).unwrap_or_default(),
        host: pinned.map(|gateway| gateway.address).collect(),
        mtu: link.mtu,
    }
}

fn wire(link: &Link) -> Wire {
    Wire { mac: link.mac, addresses: link.addresses.iter().map(|cidr| cidr.address).collect() }
}

/// The image as a file that nobody can change any more. The stronger seal would wait for whoever has a page in hand, and may say EBUSY; what it adds
/// is for files that were mapped before.
fn sealed_file(image: &[u8]) -> io::Result<OwnedFd> {
    let file = rustix::fs::memfd_create("bountybox-image", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = fs::File::from(file);
    file.write_all(image)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::FUTURE_WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file.into())
}

/// One connection is one descriptor: as many as the host allows.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // If not, then with fewer.
    let _kept_low = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

pub(super) fn exit_of(fault: &io::Error, otherwise: Exit) -> Exit {
    if fault.kind() == io::ErrorKind::PermissionDenied { Exit::Permission } else { otherwise }
}

impl Opened {
    /// The access log goes on in the file that has its name by now.
    pub(super) fn reopen_access(&self) {
        self.access.iter().for_each(AccessFile::reopen);
    }

    /// Lets go of everything, when no cell runs any more. The access log's last lines are in its file then.
    pub(super) fn close(self) {
        let Self { access, descriptors, .. } = self;
        drop(descriptors);
        if let Some(file) = access {
            file.finish();
        }
    }

    /// What cells that are started from now on get: the same, but for what a reload has changed.
    pub(super) fn adopt(&mut self, bundle: Zeroizing<Vec<u8>>, backends: Vec<Backend>, drain_ms: u64) {
        self.bundle = bundle;
        self.order.drain_ms = drain_ms;
        match &mut self.order.back {
            Back::User { backends: now, later_ports, .. } => {
                // A fresh cell must be able to go back to them.
                let before = now.iter().flat_map(|backend| &backend.host).map(SocketAddr::port);
                let ports: BTreeSet<u16> = before.chain(later_ports.iter().copied()).collect();
                *later_ports = ports.into_iter().collect();
                *now = backends;
            }
            Back::Tap { backends: now, .. } => *now = backends.into_iter().map(|backend| backend.guest).collect(),
        }
    }

    /// The ports that a cell which is started now may connect to; `None` where it connects to none itself.
    pub(super) fn ports(&self) -> Option<BTreeSet<u16>> {
        let Back::User { backends, later_ports, .. } = &self.order.back else { return None };
        let ports = backends.iter().flat_map(|backend| &backend.host).map(SocketAddr::port);
        Some(ports.chain(later_ports.iter().copied()).collect())
    }

    /// Closes the listeners, so that who comes now is turned away at once.
    pub(super) fn stop_listening(&mut self) {
        self.descriptors.clear();
    }

    /// The descriptors, for a tender to copy.
    pub(super) fn borrowed(&self) -> Vec<BorrowedFd<'_>> {
        self.descriptors.iter().map(AsFd::as_fd).collect()
    }
}
