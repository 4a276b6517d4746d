//! From a bundle to a world: the links' configurations, the routes' TLS, the budgets.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use keys::bundle::{self, Bundle, LinkKind, Mode, ProxyOut};
use keys::{Secret, SignerFault};
use net::{Net, Trust};
use tls::{Clock, Provider};

use crate::admission::Admission;
use crate::counters::Counters;
use crate::doors::Doors;
use crate::flows::Flows;
use crate::generation::Generation;
use crate::limits::{BACK_TX_RING, CLOSING_FLOWS, FIRST_RX_RING, FRONT_TX_RING, TIME_WAITS_MAX};
use crate::lobby::DoorFault;
use crate::makings::Makings;
use crate::report::Reports;
use crate::router::{RouteId, Router, RouterFault};
use crate::routes::{Route, Routes, Way};
use crate::seeds::Seeds;
use crate::tallies::Tallies;
use crate::times::Times;
use crate::upstream::Pools;
use crate::wires::Now;
use crate::world::World;

/// Why there is no appliance: what is wrong with the bundle. An index counts from 0, as in the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFault {
    /// The front link's configuration.
    ConfigFront(net::ConfigFault),
    /// The back link's configuration.
    ConfigBack(net::ConfigFault),
    /// The names of the routes.
    ConfigNames(RouterFault),
    /// A route's certificate is not in the bundle.
    ConfigCertificate(RouteId),
    /// The key of a route's certificate.
    ConfigKey(RouteId, SignerFault),
    /// The suites and groups.
    ConfigProvider(tls::ProviderFault),
    /// Whose certificates a route takes.
    ConfigClients(RouteId, tls::ClientsFault),
    /// A route's TLS configuration.
    ConfigTls(RouteId, tls::ConfigFault),
    /// A contest's door, by its place in the bundle: its certificate or key, its authority, its TLS.
    ConfigDoor(u16, DoorFault),
}

/// The world at the start, and what later generations are made with.
pub(crate) fn world(
    bundle: &Bundle,
    seed: [u8; 32],
    now: Now,
    provide: impl FnOnce(Secret<[u8; 32]>) -> Provider,
) -> Result<(World, Makings), StartFault> {
    let Seeds { front, back, tls, tickets, checks } = Seeds::from(seed);
    let mut makings = Makings::new(provide(tls), tickets, Clock::new(now.unix));
    let pools = Pools::new(&bundle.routes, checks, now.mono);
    let world = World {
        now,
        front: Net::new(front_config(bundle), front, now.mono).map_err(StartFault::ConfigFront)?,
        back: Net::new(back_config(bundle), back, now.mono).map_err(StartFault::ConfigBack)?,
        front_flows: Flows::default(),
        back_flows: Flows::default(),
        doors: Doors::new(&bundle.listeners),
        lobby: makings.lobby(bundle)?.map(Rc::new),
        generation: Rc::new(makings.prepare(bundle)?.generation(&pools)),
        pools,
        admission: Admission::new(&bundle.limits),
        counters: Counters::default(),
        tallies: Tallies::default(),
        reports: Reports::new(bundle.limits.log_per_s),
        link_full_told: 0,
    };
    Ok((world, makings))
}

impl Makings {
    /// All that can be wrong with a bundle's routes; what comes of it only wants its pools.
    pub(crate) fn prepare(&mut self, bundle: &Bundle) -> Result<Draft, StartFault> {
        let tickets = self.boot_tickets();
        let draft = self.draft(bundle);
        if draft.is_err() {
            self.set_boot_tickets(tickets);
        }
        draft
    }

    fn draft(&mut self, bundle: &Bundle) -> Result<Draft, StartFault> {
        let shared = self.of(bundle)?;
        let mut router = Router::default();
        let mut ways = Vec::with_capacity(bundle.routes.len());
        for (route, index) in bundle.routes.iter().zip(0..) {
            let id = RouteId(index);
            router.add(id, route.sni.iter().map(String::as_str), &route.alpn).map_err(StartFault::ConfigNames)?;
            let way = match route.mode {
                Mode::Terminate => Way::Terminate(shared.config(id, route)?),
                Mode::Passthrough => Way::Passthrough,
            };
            ways.push((Rc::from(route.name.as_str()), way, route.proxy));
        }
        Ok(Draft { router, ways, times: Times::from(&bundle.limits) })
    }
}

/// A generation whose routes lead nowhere yet.
#[derive(Debug)]
pub(crate) struct Draft {
    router: Router,
    ways: Vec<(Rc<str>, Way, ProxyOut)>,
    times: Times,
}

impl Draft {
    /// The generation. `pools` have just been made of the same routes.
    pub(crate) fn generation(self, pools: &Pools) -> Generation {
        let routes = self.ways.into_iter().zip(pools.newest());
        let list = routes.map(|((name, way, proxy), pool)| Route { name, way, proxy, pool }).collect();
        Generation { routes: Routes { router: self.router, list }, times: self.times }
    }
}

fn front_config(bundle: &Bundle) -> net::Config {
    let listen = bundle.listeners.iter().map(|listener| net::Listen { address: listener.address, port: listener.port });
    net_config(&bundle.front, listen.collect(), front_limits(bundle))
}

fn back_config(bundle: &Bundle) -> net::Config {
    net_config(&bundle.back, Vec::new(), back_limits(bundle))
}

/// How much the front link's stack takes on.
pub(crate) fn front_limits(bundle: &Bundle) -> net::Limits {
    let (ring_bytes, _) = bundle.memory.rings(&bundle.limits);
    net::Limits {
        flows_per_source: count(bundle.limits.connections_per_source),
        exempt_sources: Doors::new(&bundle.listeners).front_ends(),
        assured_tx_ring: FRONT_TX_RING,
        ..net_limits(&bundle.limits, ring_bytes)
    }
}

/// How much the back link's stack takes on.
pub(crate) fn back_limits(bundle: &Bundle) -> net::Limits {
    let (_, ring_bytes) = bundle.memory.rings(&bundle.limits);
    net::Limits {
        connect_timeout: Duration::from_millis(bundle.limits.connect_timeout_ms),
        assured_tx_ring: BACK_TX_RING,
        ..net_limits(&bundle.limits, ring_bytes)
    }
}

fn net_limits(limits: &bundle::Limits, ring_bytes: u64) -> net::Limits {
    let connections = count(limits.connections);
    net::Limits {
        flows: connections.saturating_add(connections.min(CLOSING_FLOWS)).min(net::limits::FLOWS_MAX),
        time_waits: connections.min(TIME_WAITS_MAX),
        persist_timeout: Duration::from_millis(limits.stall_timeout_ms),
        ring_bytes: usize::try_from(ring_bytes).unwrap_or(usize::MAX),
        first_rx_ring: FIRST_RX_RING,
        first_tx_ring: FRONT_TX_RING,
        ..net::Limits::default()
    }
}

fn net_config(link: &bundle::Link, listen: Vec<net::Listen>, limits: net::Limits) -> net::Config {
    net::Config {
        mac: link.mac,
        addresses: link.addresses.iter().map(|cidr| net::Cidr { address: cidr.address, prefix_len: cidr.prefix_len }).collect(),
        gateways: link.gateways.iter().map(|gateway| net::Gateway { address: gateway.address, mac: gateway.mac }).collect(),
        mtu: link.mtu,
        offload: link.offload,
        trust: match link.kind {
            LinkKind::User => Trust::Private,
            LinkKind::Wire => Trust::Public,
        },
        listen,
        limits,
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
