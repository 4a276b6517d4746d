//! What appliances of the targets are made of: addresses, two links, a key of this run, and routes.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::LazyLock;

use appliance::{Appliance, Now};
use keys::Secret;
use keys::bundle::{
    self, Balance, Bundle, Check, CheckKind, Cidr, ClientAuth, Gateway, Limits, Link, LinkKind, Listener, Mode, ProxyOut, Route, Upstream,
};
use keys::profile::Profile;
use rcgen::CertificateParams;
use tls::Provider;

use crate::exchange;

/// The name of the route that ends TLS here; who asks for no name gets it, too.
pub(crate) const NAME: &str = "end.test";
/// The name of the route that passes TLS on.
pub(crate) const PASSED: &str = "pass.test";
/// The listener for everybody, and the one that wants a PROXY header.
pub(crate) const PORTS: [u16; 2] = [443, 8443];

pub(crate) const FRONT: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 2, 15), Ipv4Addr::new(10, 0, 2, 2)];
pub(crate) const BACK: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 3, 15), Ipv4Addr::new(10, 0, 3, 2)];
/// The link address of the appliance, and of who is at the other end of either link.
pub(crate) const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];

/// Where the route that ends TLS leads to, and the one that passes it on; and where nobody listens.
pub(crate) fn backends() -> [SocketAddr; 3] {
    [1, 2, 3].map(|n| SocketAddr::new(Ipv4Addr::new(100, 64, 0, n).into(), 8080))
}

/// A certificate for [`NAME`] and its key, the same in each run. It is Ed25519: a signature draws nothing and is always as long.
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

pub(crate) static IDENTITY: LazyLock<Identity> = LazyLock::new(|| {
    // A digest, so that nothing on a wire looks like it.
    let key = peers::ed25519(ring::digest::digest(&ring::digest::SHA256, b"targets: identity").as_ref().try_into().expect("32 bytes"));
    let params = CertificateParams::new([NAME.to_owned()]).expect("a name");
    Identity { certificate: params.self_signed(&key).expect("ring signs").der().to_vec(), key: key.serialize_der() }
});

impl Identity {
    /// The 32 bytes that nobody may ever see.
    pub(crate) fn secret(&self) -> &[u8] {
        const OCTET_STRING_OF_32: [u8; 2] = [4, 32];
        let at = self.key.windows(2).position(|pair| pair == OCTET_STRING_OF_32).map_or(0, |at| at + 2);
        &self.key[at..at + 32]
    }
}

/// Everything that ends by itself does so within a minute.
pub(crate) fn limits() -> Limits {
    Limits {
        first_byte_timeout_ms: 2_000,
        handshake_timeout_ms: 4_000,
        idle_timeout_ms: 10_000,
        lifetime_ms: 40_000,
        half_close_timeout_ms: 5_000,
        stall_timeout_ms: 5_000,
        connections: 8,
        connections_per_source: 4,
        waiting: 4,
        handshakes: 4,
        ..Limits::default()
    }
}

/// Two routes behind two listeners. `choice` varies what stands in them: the header that backends hear, how they are balanced and checked, whether clients
/// are asked for certificates, and tickets.
pub(crate) fn bundle_of(choice: u8) -> Bundle {
    let pick = |shift: u32| usize::from(choice >> shift & 3);
    let [ends, passes, refuses] = backends();
    let upstream = Upstream {
        balance: [Balance::RoundRobin, Balance::RoundRobin, Balance::LeastConnections, Balance::SourceHash][pick(2)],
        connections: if pick(2) == 2 { 2 } else { 0 },
        queue: 2,
        queue_timeout_ms: 1_000,
        check: [None, None, Some(CheckKind::Tcp), Some(http_check())][pick(4)].clone().map(check),
        ..Upstream::default()
    };
    let roots = vec![crate::client::AUTHORITY.to_vec()];
    let asks = ClientAuth { required: false, roots, crls: vec![], names: vec![], subjects: vec![] };
    let end = Route {
        name: "end".to_owned(),
        sni: vec![],
        alpn: vec![],
        mode: Mode::Terminate,
        certificates: vec![0],
        client: (choice & 64 != 0).then_some(asks),
        backends: if pick(2) == 0 { vec![ends] } else { vec![ends, refuses] },
        upstream: upstream.clone(),
        proxy: [ProxyOut::Off, ProxyOut::V1, ProxyOut::V2, ProxyOut::V2Tls][pick(0)],
    };
    let pass = Route {
        name: "pass".to_owned(),
        sni: vec![PASSED.to_owned()],
        alpn: vec![],
        mode: Mode::Passthrough,
        certificates: vec![],
        client: None,
        backends: vec![passes],
        upstream: Upstream { check: None, ..upstream },
        proxy: ProxyOut::V2,
    };
    let front_end = Cidr { address: FRONT[1].into(), prefix_len: 32 };
    let listener = |port, proxy_from| Listener { address: None, port, known_as: None, proxy_from };
    Bundle {
        front: link(LinkKind::Wire, FRONT),
        back: link(LinkKind::User, BACK),
        listeners: vec![listener(PORTS[0], vec![]), listener(PORTS[1], vec![front_end])],
        certificates: vec![bundle::Certificate {
            chain: vec![IDENTITY.certificate.clone()],
            key: Secret::new(IDENTITY.key.clone()),
            names: vec![NAME.to_owned()],
        }],
        routes: vec![end, pass],
        tls: bundle::Tls {
            groups: vec![29],
            suites: Profile::Intermediate.suites(),
            min_version: Profile::Intermediate.min_version(),
            ticket_lifetime_s: if choice & 128 == 0 { 7200 } else { 0 },
            ..bundle::Tls::default()
        },
        ticket_key: None,
        limits: limits(),
        memory: bundle::Memory::default(),
        contest: None,
    }
}

/// The simplest.
pub(crate) fn bundle() -> Bundle {
    bundle_of(0)
}

fn http_check() -> CheckKind {
    CheckKind::Http { path: "/healthz".to_owned(), host: NAME.to_owned(), expect: (200, 299) }
}

/// Rarely: virtual minutes pass in every input.
fn check(kind: CheckKind) -> Check {
    Check { kind, interval_ms: 20_000, timeout_ms: 2_000, rise: 1, fall: 2 }
}

fn link(kind: LinkKind, [cell, gateway]: [Ipv4Addr; 2]) -> Link {
    Link {
        kind,
        mac: MACS[0],
        addresses: vec![Cidr { address: IpAddr::from(cell), prefix_len: 24 }],
        gateways: vec![Gateway { address: gateway.into(), mac: Some(MACS[1]) }],
        mtu: 1500,
        offload: false,
    }
}

/// A fresh appliance.
pub(crate) fn appliance(bundle: Bundle) -> Appliance {
    let provide = |seed| Provider::with_groups(seed, exchange::of_server);
    Appliance::with_provider(bundle, [9; 32], now(core::time::Duration::ZERO), provide).expect("a bundle that works")
}

/// That long after the start, in 2026.
pub(crate) fn now(mono: core::time::Duration) -> Now {
    Now { mono, unix: mono + core::time::Duration::from_secs(1_790_000_000) }
}
