//! From the checked configuration to the plan: what the guest is told, and what the host does for it.

use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;
use std::sync::Arc;

use ceremony::{DoorName, Folder, PerDoor, Place};
use keys::bundle::{Bundle, Certificate, Contest, Gateway, Link, Listener, Memory, Route};

use crate::addresses::{BACKENDS_MAX, Book, back_link, front_guest, front_link};
use crate::check::{Materials, certificates_of};
use crate::config::{ChallengeWords, Config, Document, Endpoint, ListenWords, Spot};
use crate::labels::labels;
use crate::plan::{Backend, Challenge, Listen, Plan, Target};
use crate::report::Report;
use crate::rule::Rule;

/// The guest's ports for host listeners whose port the system chooses start here.
const CHOSEN_PORTS: u16 = 40_000;

/// Makes the plan of `config`, which was read in `document`. What cannot be brought together goes to the report.
pub(crate) fn plan(
    document: &Document,
    config: &Config,
    materials: Materials,
    book: &mut Book,
    mut report: Report,
) -> Result<Plan, Report> {
    let front = config.front.wire.clone().unwrap_or_else(|| front_link(config.front.mtu));
    let back = config.back.wire.clone().unwrap_or_else(|| back_link(config.back.mtu));
    let (host, guest) = listeners(config, &front, &mut report);
    let folder = config.challenge.as_ref().and_then(|words| open_folder(words, &mut report));
    folder.iter().for_each(|folder| hold_to_promise(document, folder, &mut report));
    config.challenge.iter().for_each(|words| require_way_back(words, config.front.wire.as_ref(), &mut report));
    let mut backends = Backends { wire: config.back.wire.is_some(), book, met: BTreeMap::new() };
    let Materials { certificates: materials, clients, ticket_key } = materials;
    let routes = config.routes.iter().zip(labels(&config.routes)).zip(clients).map(|((route, name), client)| Route {
        name,
        sni: route.sni.iter().map(|name| name.value.clone()).collect(),
        alpn: route.alpn.clone(),
        certificates: certificates_of(route, &materials).into_iter().filter_map(|index| u16::try_from(index).ok()).collect(),
        mode: route.mode,
        client,
        backends: route.backends.iter().filter_map(|backend| backends.guest(backend, &mut report)).collect(),
        upstream: route.upstream.clone(),
        proxy: route.proxy,
    });
    let routes = routes.collect();
    let certificate_files = materials.iter().map(|material| material.file.display().to_string()).collect();
    let mut certificates: Vec<_> = materials.into_iter().map(|material| material.certificate).collect();
    let challenge = config.challenge.as_ref().zip(folder).map(|(words, folder)| challenge(words, folder, &guest));
    let contest = challenge.as_ref().map(|challenge| contest(challenge, guest.len(), &mut certificates));
    let bundle = Bundle {
        front,
        back,
        listeners: guest,
        certificates,
        routes,
        tls: config.tls.clone(),
        ticket_key,
        limits: config.limits.clone(),
        memory: memory(config),
        contest,
    };
    if !report.has_errors()
        && let Err(fault) = bundle.encode()
    {
        let nowhere = crate::report::Place { file: "the configuration as a whole".into(), line: None, field: String::new() };
        report.add(Rule::TooMany, &nowhere, fault.to_string());
    }
    if report.has_errors() {
        return Err(report);
    }
    Ok(Plan {
        bundle,
        machine: config.machine,
        heap_len: usize::try_from(memory(config).0).unwrap_or(usize::MAX),
        image: config.image.clone(),
        restart: config.restart,
        front: config.front.attachment.clone(),
        back: config.back.attachment.clone(),
        listeners: host,
        backends: backends.list(),
        certificate_files,
        admin: config.admin.clone(),
        log: config.log.clone(),
        record: config.record.clone(),
        challenge,
        files: config.files(),
        reload: config.reload.clone(),
        warnings: report,
    })
}

/// What the ceremony has made.
fn open_folder(words: &ChallengeWords, report: &mut Report) -> Option<Arc<Folder>> {
    match Folder::open(&words.folder.value) {
        Ok(folder) => Some(Arc::new(folder)),
        Err(fault) => {
            report.add(Rule::ChallengeFolder, &words.folder.place, fault.to_string());
            None
        }
    }
}

/// What a contest cannot do without, a TAP or more evidence, is added after the ceremony: so another configuration is told, each time, and served.
fn hold_to_promise(document: &Document, folder: &Folder, report: &mut Report) {
    let (found, promised) = (document.digest(), folder.manifest().configuration);
    if found != promised {
        let message = format!("is not the configuration that the manifest names: that has SHA-256 {promised}, and this {found}");
        report.add(Rule::ChallengeConfiguration, &document.whole(), message);
    }
}

/// On a TAP the guest sends answers back where they came from, but what it begins itself needs a gateway: without one nobody beyond the link is called back.
fn require_way_back(words: &ChallengeWords, wire: Option<&Link>, report: &mut Report) {
    let door = &words.doors.call_back;
    let is_ours = |gateway: &Gateway| gateway.address.is_ipv4() == door.value.is_ipv4();
    if wire.is_some_and(|wire| !wire.gateways.iter().any(is_ours)) {
        let family = if door.value.is_ipv4() { "IPv4" } else { "IPv6" };
        let message =
            format!("on a TAP whoever knocks here is called back through a gateway, and `[net]` has none of {family} in `gateways`");
        report.add(Rule::MissingKey, &door.place, message);
    }
}

/// The doors are the last listeners, in the order of [`DoorName::ALL`].
fn challenge(words: &ChallengeWords, folder: Arc<Folder>, guest: &[Listener]) -> Challenge {
    let PerDoor { server, call_back, reverse } = &words.doors;
    let knock = guest.iter().rev().nth(1);
    Challenge {
        folder,
        doors: PerDoor { server: server.value, call_back: call_back.value, reverse: reverse.value },
        knock: tender::order::Listener {
            address: knock.and_then(|listener| listener.address),
            port: knock.map_or(call_back.value.port(), |listener| listener.port),
        },
        page: words.page.value,
        plain: words.plain,
        base: words.base.clone(),
        arbiter: words.arbiter.clone(),
        heartbeat: words.heartbeat,
        capture_mib: words.capture_mib,
    }
}

/// The guest's part: what the box shows at its doors comes behind all other certificates.
fn contest(challenge: &Challenge, listeners: usize, certificates: &mut Vec<Certificate>) -> Contest {
    let narrow = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    let first = listeners.saturating_sub(DoorName::ALL.len());
    let place =
        |door: usize| Place { listener: narrow(first.saturating_add(door)), certificate: narrow(certificates.len().saturating_add(door)) };
    let places = PerDoor { server: place(0), call_back: place(1), reverse: place(2) };
    certificates.extend(DoorName::ALL.map(|door| challenge.folder.certificate(door)));
    challenge.folder.contest(&places)
}

fn memory(config: &Config) -> Memory {
    Memory(config.heap_mib.saturating_mul(1 << 20))
}

/// The host's listeners and the guest's. With a TAP the guest listens itself, and the host not at all.
fn listeners(config: &Config, front: &Link, report: &mut Report) -> (Vec<Listen>, Vec<Listener>) {
    let mut host = Vec::new();
    let mut guest: Vec<Listener> = Vec::new();
    let doors = config.challenge.iter().flat_map(ChallengeWords::listeners);
    for words in config.listeners.iter().cloned().chain(doors) {
        let words = &words;
        let listener = if config.front.wire.is_some() {
            wire_listener(words, front, report)
        } else {
            let listen = user_listen(words.address.value, &guest);
            host.push(listen);
            Some(Listener {
                address: Some(listen.guest.ip()),
                port: listen.guest.port(),
                known_as: Some(listen.host),
                proxy_from: words.proxy_from.clone(),
            })
        };
        guest.extend(listener);
    }
    (host, guest)
}

/// Each listener of the host has a place of its own in the guest, which tells it from the others: on the same port, if that is free.
fn user_listen(host: SocketAddr, taken: &[Listener]) -> Listen {
    let address = front_guest(host.ip());
    let is_free = |port: &u16| *port != 0 && !taken.iter().any(|other| other.address == Some(address) && other.port == *port);
    let port = core::iter::once(host.port()).chain(CHOSEN_PORTS..).find(is_free).unwrap_or(CHOSEN_PORTS);
    Listen { host, guest: SocketAddr::new(address, port) }
}

fn wire_listener(words: &ListenWords, front: &Link, report: &mut Report) -> Option<Listener> {
    let Spot { value, place } = &words.address;
    let (address, port) = (value.ip(), value.port());
    let own = front.addresses.iter().any(|cidr| cidr.address == address);
    if port == 0 {
        report.add(Rule::WrongValue, place, "port 0 is for mode = \"user\"; with a TAP name the port");
        return None;
    }
    if !own && !address.is_unspecified() {
        report.add(Rule::WrongValue, place, format!("{address} is none of the guest's addresses in [net] addresses"));
        return None;
    }
    Some(Listener { address: own.then_some(address), port, known_as: None, proxy_from: words.proxy_from.clone() })
}

/// The backends met so far.
struct Backends<'b> {
    /// Whether the back link is a TAP, on which backends are reached under their own addresses.
    wire: bool,
    book: &'b mut Book,
    met: BTreeMap<Endpoint, SocketAddr>,
}

impl Backends<'_> {
    /// The address under which the guest knows a backend.
    fn guest(&mut self, spot: &Spot<Endpoint>, report: &mut Report) -> Option<SocketAddr> {
        if self.wire {
            return wire_backend(spot, report);
        }
        if let Some(met) = self.met.get(&spot.value) {
            return Some(*met);
        }
        if self.met.len() >= BACKENDS_MAX {
            report.add(Rule::TooMany, &spot.place, format!("more than {BACKENDS_MAX} backends"));
            return None;
        }
        let Some(guest) = self.book.address(&spot.value) else {
            report.add(Rule::TooMany, &spot.place, "this box has met too many backends since its start; start it anew");
            return None;
        };
        self.met.insert(spot.value.clone(), guest);
        Some(guest)
    }

    fn list(self) -> Vec<Backend> {
        let backend = |(endpoint, guest): (Endpoint, SocketAddr)| Backend { guest, target: endpoint.target, port: endpoint.port };
        let mut list: Vec<Backend> = self.met.into_iter().map(backend).collect();
        list.sort_by_key(|backend| backend.guest);
        list
    }
}

fn wire_backend(spot: &Spot<Endpoint>, report: &mut Report) -> Option<SocketAddr> {
    match spot.value.target {
        Target::Address(address) if is_on_wire(address) => Some(SocketAddr::new(address, spot.value.port)),
        _ => {
            let message = format!(
                "{} is not an address on a network; with [net.back] mode = \"tap\" backends are reached directly",
                spot.value.target
            );
            report.add(Rule::WrongValue, &spot.place, message);
            None
        }
    }
}

fn is_on_wire(address: IpAddr) -> bool {
    !address.is_loopback()
}
