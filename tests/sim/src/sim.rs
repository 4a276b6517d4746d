//! One run: a cell, its clients, its backends, the wires between them, and the time.

use core::cell::RefCell;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use appliance::report::Record;
use appliance::{Appliance, Now, ReloadFault, Report};
use keys::bundle::{self, Bundle, Limits, Memory, Upstream};
use net::{Net, Trust};
use rustls_std::ClientConfig;
use tls::Clock;

use crate::backend::{Backends, Manners};
use crate::cell::{Cell, wall};
use crate::client::{Clients, Plan, Speech, Talk, Then};
use crate::exchange::Exchange;
use crate::identity::{Dialect, Identity, Kind, Shown, client_config, members};
use crate::rng::Rng;
use crate::trace::Trace;
use crate::wire::{Faults, Lane};

/// Where the appliance listens.
pub const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(FRONT_CELL), 443);

const FRONT_CELL: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
const FRONT_GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
const BACK_CELL: Ipv4Addr = Ipv4Addr::new(10, 0, 3, 15);
const BACK_GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 3, 2);
const CELL_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const GATEWAY_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// The address of backend `n`.
#[must_use]
pub fn backend(n: u8) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(100, 64, 0, n).into(), 8080)
}

/// A backend that refuses: where it should be is a host, but nobody listens.
#[must_use]
pub fn refusing() -> SocketAddr {
    SocketAddr::new(BACK_GATEWAY.into(), 81)
}

/// The address of client `n`.
#[must_use]
pub fn client(n: u16) -> SocketAddr {
    let [high, low] = n.to_be_bytes();
    SocketAddr::new(Ipv4Addr::new(81, 2, high, low).into(), 0)
}

/// What a run is made of.
#[derive(Debug)]
pub struct Setup {
    /// All dice.
    pub seed: u64,
    /// Of the certificates.
    pub kind: Kind,
    /// Server names and backends of each route; a route without names is the default.
    pub routes: Vec<(Vec<&'static str>, Vec<SocketAddr>)>,
    /// How each route uses its backends.
    pub upstream: Upstream,
    /// What the backends do.
    pub backends: Vec<(SocketAddr, Manners)>,
    /// The cell's limits.
    pub limits: Limits,
    /// The cell's memory; more connections or handshakes than it holds are cut.
    pub memory: Memory,
    /// What befalls frames on the front link.
    pub faults: Faults,
    /// Whether super-frames pass.
    pub offload: bool,
    /// After what silence a client's stack asks whether anybody is there, if ever; after as long again without an answer the connection is dead.
    pub keepalive: Option<Duration>,
    /// How TLS is spoken.
    pub tls: bundle::Tls,
    /// The key of all tickets, if it is to outlive the cell.
    pub ticket_key: Option<[u8; 32]>,
    /// Routes, by their places, that take members only.
    pub guarded: Vec<usize>,
    /// What the bundle says besides.
    pub amend: fn(&mut Bundle),
}

impl Default for Setup {
    /// One route, one echoing backend, no faults.
    fn default() -> Self {
        Self {
            seed: 1,
            kind: Kind::P256,
            routes: vec![(vec![], vec![backend(1)])],
            upstream: Upstream::default(),
            backends: vec![(backend(1), Manners::Echo)],
            limits: Limits::default(),
            memory: Memory::default(),
            faults: Faults::default(),
            offload: false,
            keepalive: None,
            tls: bundle::Tls::default(),
            ticket_key: None,
            guarded: Vec::new(),
            amend: |_| {},
        }
    }
}

/// The run.
#[derive(Debug)]
pub struct Sim {
    /// Since the start.
    pub now: Duration,
    /// The cell.
    pub cell: Cell,
    /// The clients.
    pub clients: Clients,
    /// The backends.
    pub backends: Backends,
    /// Clients to cell, cell to clients, backends to cell, cell to backends.
    pub lanes: [Lane; 4],
    /// Turns of the run's loop.
    pub turns: u64,
    identities: Vec<Identity>,
    /// The clients' cryptography and wall clock.
    exchange: Exchange,
    clock: Clock,
    /// What clients are made of, as far as any was: until the certificates change.
    configs: RefCell<BTreeMap<(Dialect, Shown), Arc<ClientConfig>>>,
    /// The seeds that cells were started with.
    boots: Vec<[u8; 32]>,
    rng: Rng,
}

/// One way on the front link; on the back link it is a tenth.
pub const LATENCY: Duration = Duration::from_millis(1);

impl Sim {
    /// Puts a run together.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let mut rng = Rng::new(setup.seed);
        let identities: Vec<Identity> = setup.routes.iter().map(|(names, _)| identity(setup.kind, names, &mut rng)).collect();
        let exchange = Exchange::new(rng.next_u64());
        let (cell, boot_seed) = boot(|| bundle_of(&setup, &identities), &mut rng, Now::default());
        let manners: BTreeMap<_, _> = setup.backends.iter().cloned().collect();
        let listen = manners.keys().map(|at| net::Listen { address: Some(at.ip()), port: at.port() }).collect();
        let quiet = Faults::default();
        let lanes = [
            Lane::new(LATENCY, setup.faults, Rng::new(rng.next_u64())),
            Lane::new(LATENCY, setup.faults, Rng::new(rng.next_u64())),
            Lane::new(LATENCY / 10, quiet, Rng::new(rng.next_u64())),
            Lane::new(LATENCY / 10, quiet, Rng::new(rng.next_u64())),
        ];
        Self {
            now: Duration::ZERO,
            cell,
            clients: Clients::new(gateway(FRONT_GATEWAY, FRONT_CELL, Vec::new(), setup.offload, setup.keepalive, rng.seed())),
            backends: Backends::new(gateway(BACK_GATEWAY, BACK_CELL, listen, setup.offload, None, rng.seed()), manners),
            lanes,
            turns: 0,
            identities,
            exchange,
            clock: Clock::new(wall(Duration::ZERO)),
            configs: RefCell::default(),
            boots: vec![boot_seed],
            rng,
        }
    }

    /// The cell is gone, and a fresh one, made of `setup` and the certificates of now, takes its place. What it has reported goes with it.
    pub fn restart(&mut self, setup: &Setup) {
        let now = Now { mono: self.now, unix: Duration::ZERO };
        let wall_error_s = self.cell.wall_error_s;
        let (cell, boot_seed) = boot(|| bundle_of(setup, &self.identities), &mut self.rng, now);
        self.cell = cell;
        self.boots.push(boot_seed);
        self.cell.wall_error_s = wall_error_s;
    }

    /// The certificates of now.
    #[must_use]
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// A TLS client's plan: from its own address, at once, to `name`, and polite.
    #[must_use]
    pub fn plan(&self, n: u16, name: &'static str, talk: Talk, then: Then) -> Plan {
        let speech = Speech::Tls(self.config_for(Dialect::default(), Shown::default()), name);
        Plan { from: client(n), to: SERVER, at: self.now, before: Vec::new(), speech, talk, then, trickle: None, deaf: None }
    }

    /// What the clients of this run start from: it trusts the cell's certificates.
    #[must_use]
    pub fn config(&self) -> ClientConfig {
        (*self.config_for(Dialect::default(), Shown::default())).clone()
    }

    /// The configuration of all clients that speak this and show that; they share their tickets.
    #[must_use]
    pub fn config_for(&self, dialect: Dialect, shown: Shown) -> Arc<ClientConfig> {
        let make = || Arc::new(client_config(&self.identities, self.exchange.client(), self.clock.clone(), (dialect, shown)));
        Arc::clone(self.configs.borrow_mut().entry((dialect, shown)).or_insert_with(make))
    }

    /// The seeds that cells were started with, the latest last.
    #[must_use]
    pub fn boots(&self) -> &[[u8; 32]] {
        &self.boots
    }

    /// New certificates for the routes of `setup`; clients that are planned from now on trust these and no others.
    pub fn reissue(&mut self, setup: &Setup) {
        self.identities = setup.routes.iter().map(|(names, _)| identity(setup.kind, names, &mut self.rng)).collect();
        self.configs.borrow_mut().clear();
    }

    /// Gives the cell another bundle, made of `setup` and the certificates of now.
    ///
    /// # Errors
    /// Why the cell refuses it.
    pub fn reload(&mut self, setup: &Setup) -> Result<(), ReloadFault> {
        self.cell.reload(&bundle_of(setup, &self.identities), self.now)
    }

    /// From now on this backend hears nothing.
    pub fn silence(&mut self, backend: SocketAddr) {
        if let IpAddr::V4(address) = backend.ip() {
            self.lanes[3].mute(address);
        }
    }

    /// From now on this backend hears again.
    pub fn unsilence(&mut self, backend: SocketAddr) {
        if let IpAddr::V4(address) = backend.ip() {
            self.lanes[3].unmute(address);
        }
    }

    /// Asks the cell to drain.
    pub fn drain(&mut self) {
        self.cell.drain(self.now);
    }

    /// Runs until `until` holds, or nothing will ever happen again, or `limit` is reached. Whether `until` held.
    pub fn run_until(&mut self, limit: Duration, mut until: impl FnMut(&Self) -> bool) -> bool {
        loop {
            self.turn();
            if until(self) {
                return true;
            }
            match self.next() {
                Some(next) if next <= limit => self.now = self.now.max(next),
                _ => {
                    self.now = self.now.max(limit);
                    return false;
                }
            }
        }
    }

    /// Runs up to this time.
    pub fn run_to(&mut self, limit: Duration) {
        self.run_until(limit, |_| false);
    }

    /// Runs until all clients are done; whether they are, within `limit` of now.
    pub fn run_all(&mut self, limit: Duration) -> bool {
        self.run_until(self.now + limit, |sim| sim.clients.open() == 0)
    }

    /// The access records so far.
    #[must_use]
    pub fn records(&self) -> Vec<&Record> {
        let reports = self.cell.reports.iter();
        reports.filter_map(|report| if let Report::Closed(record) = report { Some(record.as_ref()) } else { None }).collect()
    }

    /// The traces of all lanes.
    #[must_use]
    pub fn traces(&self) -> [Trace; 4] {
        [self.lanes[0].trace, self.lanes[1].trace, self.lanes[2].trace, self.lanes[3].trace]
    }

    fn turn(&mut self) {
        self.turns += 1;
        self.clock.set(wall(self.now));
        let [up, down, back_up, back_down] = &mut self.lanes;
        self.clients.run(self.now, (down, up));
        down.hear_endings(&up.take_endings());
        self.backends.run(self.now, (back_down, back_up));
        self.cell.run(self.now, (up, down), (back_up, back_down));
    }

    /// What wants to go on, and when: for finding out why time stands still.
    #[must_use]
    pub fn wishes(&self) -> String {
        let lanes = self.lanes.iter().filter_map(Lane::next_arrival).min();
        let (clients, backends, cell) = (self.clients.next(), self.backends.next(), self.cell.next(self.now));
        format!("lanes {lanes:?}, clients {clients:?}, backends {backends:?}, cell {cell:?}")
    }

    fn next(&self) -> Option<Duration> {
        let lanes = self.lanes.iter().filter_map(Lane::next_arrival).min();
        [lanes, self.clients.next(), self.backends.next(), self.cell.next(self.now)].into_iter().flatten().min()
    }
}

fn identity(kind: Kind, names: &[&str], rng: &mut Rng) -> Identity {
    Identity::new(kind, if names.is_empty() { &["default.test"] } else { names }, rng)
}

/// A cell all of whose randomness comes from the run's, and its seed. Its bundle is made in its own heap, where the guest decodes it.
fn boot(bundle: impl FnOnce() -> Bundle, rng: &mut Rng, now: Now) -> (Cell, [u8; 32]) {
    let (seed, groups) = (rng.seed(), Exchange::new(rng.next_u64()).server());
    let provide = |seed| tls::Provider::with_groups(seed, groups);
    let appliance = || Appliance::with_provider(bundle(), seed, now, provide).expect("a bundle that works");
    (Cell::new(appliance), seed)
}

fn bundle_of(setup: &Setup, identities: &[Identity]) -> Bundle {
    let routes = setup.routes.iter().zip(0..).map(|((names, backends), index)| bundle::Route {
        name: names.first().copied().unwrap_or("default").to_owned(),
        sni: names.iter().map(|name| (*name).to_owned()).collect(),
        alpn: Vec::new(),
        mode: bundle::Mode::Terminate,
        certificates: vec![index],
        client: setup.guarded.contains(&usize::from(index)).then(guard),
        backends: backends.clone(),
        upstream: setup.upstream.clone(),
        proxy: bundle::ProxyOut::Off,
    });
    let mut bundle = Bundle {
        front: link(bundle::LinkKind::Wire, FRONT_CELL, FRONT_GATEWAY, setup.offload),
        back: link(bundle::LinkKind::User, BACK_CELL, BACK_GATEWAY, setup.offload),
        listeners: vec![bundle::Listener { address: None, port: SERVER.port(), known_as: None, proxy_from: Vec::new() }],
        certificates: identities.iter().map(Identity::for_bundle).collect(),
        routes: routes.collect(),
        tls: setup.tls.clone(),
        ticket_key: setup.ticket_key.map(|key| bundle::TicketKey { secret: keys::Secret::new(key.to_vec()) }),
        limits: setup.memory.fit(setup.limits.clone()),
        memory: setup.memory,
        contest: None,
    };
    (setup.amend)(&mut bundle);
    bundle
}

fn guard() -> bundle::ClientAuth {
    bundle::ClientAuth { required: true, roots: vec![members()], crls: Vec::new(), names: Vec::new(), subjects: Vec::new() }
}

fn link(kind: bundle::LinkKind, cell: Ipv4Addr, gateway: Ipv4Addr, offload: bool) -> bundle::Link {
    bundle::Link {
        kind,
        mac: CELL_MAC,
        addresses: vec![bundle::Cidr { address: cell.into(), prefix_len: 24 }],
        gateways: vec![bundle::Gateway { address: gateway.into(), mac: Some(GATEWAY_MAC) }],
        mtu: 1500,
        offload,
    }
}

/// The stack at the other end of a link: it speaks for everybody behind it.
fn gateway(address: Ipv4Addr, cell: Ipv4Addr, listen: Vec<net::Listen>, offload: bool, keepalive: Option<Duration>, seed: [u8; 32]) -> Net {
    let config = net::Config {
        mac: GATEWAY_MAC,
        addresses: vec![net::Cidr { address: address.into(), prefix_len: 24 }],
        gateways: vec![net::Gateway { address: cell.into(), mac: Some(CELL_MAC) }],
        mtu: 1500,
        offload,
        trust: Trust::Private,
        listen,
        limits: net::Limits { keepalive, ..net::Limits::default() },
    };
    Net::new(config, seed, Duration::ZERO).expect("a configuration that works")
}
