//! From a bundle to a world: the links' configurations, the routes' TLS, the budgets.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use keys::bundle::{self, Bundle, LinkKind, Mode};
use keys::{Secret, Signer, SignerFault};
use net::{Net, Trust};
use tls::{Clock, ConfigParts, Identity, Provider, Tickets};

use crate::admission::Admission;
use crate::counters::Counters;
use crate::flows::Flows;
use crate::limits::{BACK_TX_RING, CLOSING_FLOWS, FIRST_RX_RING, FRONT_TX_RING, TIME_WAITS_MAX};
use crate::report::Reports;
use crate::router::{RouteId, Router, RouterFault};
use crate::routes::{Route, Routes, Way};
use crate::seeds::Seeds;
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
    /// There are more routes than a route's number can say.
    ConfigRoutes,
    /// A route's certificate is not in the bundle.
    ConfigCertificate(RouteId),
    /// The key of a route's certificate.
    ConfigKey(RouteId, SignerFault),
    /// A route's TLS configuration.
    ConfigTls(RouteId, tls::ConfigFault),
}

/// The world, and the wall clock that its TLS configurations read.
pub(crate) fn world(bundle: &Bundle, seed: [u8; 32], now: Now) -> Result<(World, Clock), StartFault> {
    let Seeds { front, back, tls, tickets, checks } = Seeds::from(seed);
    let clock = Clock::new(now.unix);
    let shared = Shared { bundle, provider: Provider::new(tls), clock: &clock, tickets };
    let pools = Pools::new(&bundle.routes, checks, now.mono);
    let world = World {
        now,
        front: Net::new(front_config(bundle), front, now.mono).map_err(StartFault::ConfigFront)?,
        back: Net::new(back_config(bundle), back, now.mono).map_err(StartFault::ConfigBack)?,
        back_flows: Flows::default(),
        routes: shared.routes(&pools)?,
        pools,
        times: Times::from(&bundle.limits),
        admission: Admission::new(&bundle.limits),
        counters: Counters::default(),
        reports: Reports::default(),
    };
    Ok((world, clock))
}

/// What the TLS configurations of all routes have in common.
struct Shared<'b> {
    bundle: &'b Bundle,
    provider: Provider,
    clock: &'b Clock,
    tickets: Secret<[u8; 32]>,
}

impl Shared<'_> {
    fn routes(&self, pools: &Pools) -> Result<Routes, StartFault> {
        let mut router = Router::default();
        let mut list = Vec::with_capacity(self.bundle.routes.len());
        for (route, index) in self.bundle.routes.iter().zip(0..) {
            let id = RouteId(index);
            router.add(id, route.sni.iter().map(String::as_str), &route.alpn).map_err(StartFault::ConfigNames)?;
            let way = match route.mode {
                Mode::Terminate => Way::Terminate(self.config(id, route)?),
                Mode::Passthrough => Way::Passthrough,
            };
            let pool = pools.of_route(id).ok_or(StartFault::ConfigRoutes)?;
            list.push(Route { way, proxy: route.proxy, pool });
        }
        Ok(Routes { router, list })
    }

    fn config(&self, id: RouteId, route: &bundle::Route) -> Result<tls::Config, StartFault> {
        let tls = &self.bundle.tls;
        let alpn = if route.alpn.is_empty() { &tls.alpn } else { &route.alpn };
        // A ticket of one route is nothing to another (ATTACKS T14).
        let domain = id.0.to_be_bytes();
        let parts = ConfigParts {
            provider: &self.provider,
            clock: self.clock,
            identities: route.certificates.iter().map(|index| self.identity(id, *index)).collect::<Result<_, _>>()?,
            alpn: alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect(),
            min_version: match tls.min_version {
                bundle::Version::Tls12 => tls::Version::Tls12,
                bundle::Version::Tls13 => tls::Version::Tls13,
            },
            tickets: (tls.ticket_lifetime_s > 0).then(|| Tickets::new(&self.tickets, &domain, tls.ticket_lifetime_s)),
        };
        tls::Config::new(parts).map_err(|fault| StartFault::ConfigTls(id, fault))
    }

    fn identity(&self, id: RouteId, index: u16) -> Result<Identity, StartFault> {
        let certificate = self.bundle.certificates.get(usize::from(index)).ok_or(StartFault::ConfigCertificate(id))?;
        let signer = Signer::from_der(&certificate.key).map_err(|fault| StartFault::ConfigKey(id, fault))?;
        let identity = Identity::new(certificate.chain.clone(), signer, certificate.names.clone());
        identity.map_err(|fault| StartFault::ConfigTls(id, fault))
    }
}

fn front_config(bundle: &Bundle) -> net::Config {
    let listen = bundle.listeners.iter().map(|listener| net::Listen { address: listener.address, port: listener.port });
    let (ring_bytes, _) = bundle.memory.rings(&bundle.limits);
    let limits = net::Limits {
        flows_per_source: count(bundle.limits.connections_per_source),
        assured_tx_ring: FRONT_TX_RING,
        ..net_limits(&bundle.limits, ring_bytes)
    };
    net_config(&bundle.front, listen.collect(), limits)
}

fn back_config(bundle: &Bundle) -> net::Config {
    let (_, ring_bytes) = bundle.memory.rings(&bundle.limits);
    let limits = net::Limits {
        connect_timeout: Duration::from_millis(bundle.limits.connect_timeout_ms),
        assured_tx_ring: BACK_TX_RING,
        ..net_limits(&bundle.limits, ring_bytes)
    };
    net_config(&bundle.back, Vec::new(), limits)
}

fn net_limits(limits: &bundle::Limits, ring_bytes: u64) -> net::Limits {
    let connections = count(limits.connections);
    net::Limits {
        flows: connections.saturating_add(connections.min(CLOSING_FLOWS)).min(net::limits::FLOWS_MAX),
        time_waits: connections.min(TIME_WAITS_MAX),
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
