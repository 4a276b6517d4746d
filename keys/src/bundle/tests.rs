//! Behaviours of the bundle: what goes in comes out, each rule holds at both ends, and bytes that are anything end in a fault.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::collection::vec as many;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::{
    Balance, Bundle, BundleFault, Certificate, Check, CheckKind, Cidr, ClientAuth, Contest, Door, Flag, FlagTier, Gateway, Limits, Link,
    LinkKind, Listener, Memory, Mode, ProxyOut, Role, Route, TicketKey, Tls, Upstream, Version,
};
use crate::Secret;
use crate::limits::{
    ADDRESSES_MAX, ALPN_LEN_MAX, BACKENDS_MAX, BUNDLE_LEN_MAX, CERTIFICATE_LEN_MAX, CHAIN_MAX, CHECK_COUNT_MAX, CHECK_INTERVAL_MS_MIN,
    COUNT_MAX, CRL_LEN_MAX, CRLS_LEN_MAX, DOORS_MAX, GATEWAYS_MAX, KEY_LEN_MAX, LISTENERS_MAX, MTU_MIN, PRIZE_LEN_MAX, QUEUE_MAX,
    RETRIES_MAX, ROUTE_BACKENDS_MAX, TICKET_LIFETIME_S_MAX, TICKET_ROTATION_S_MIN, TIMEOUT_MS_MAX,
};

fn link(third: u8) -> Link {
    Link {
        kind: LinkKind::User,
        mac: [2, 0, 0, 0, 0, third],
        addresses: vec![Cidr { address: Ipv4Addr::new(10, 0, third, 15).into(), prefix_len: 24 }],
        gateways: vec![Gateway { address: Ipv4Addr::new(10, 0, third, 2).into(), mac: None }],
        mtu: 1500,
        offload: true,
    }
}

fn certificate() -> Certificate {
    Certificate { chain: vec![vec![0x30; 700]], key: Secret::new(vec![0x5e; 138]), names: vec!["localhost".into(), "*.example.org".into()] }
}

fn route(names: &[&str]) -> Route {
    Route {
        name: names.first().unwrap_or(&"default").to_string(),
        sni: names.iter().map(ToString::to_string).collect(),
        alpn: vec!["http/1.1".into()],
        mode: Mode::Terminate,
        certificates: vec![0],
        client: None,
        backends: vec![backend(80)],
        upstream: Upstream::default(),
        proxy: ProxyOut::Off,
    }
}

fn backend(port: u16) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(100, 64, 0, 1).into(), port)
}

fn sample() -> Bundle {
    Bundle {
        front: link(2),
        back: link(3),
        listeners: vec![Listener { address: None, port: 8443, known_as: None, proxy_from: Vec::new() }],
        certificates: vec![certificate()],
        routes: vec![route(&["localhost", "*.example.org"]), route(&[])],
        tls: Tls::default(),
        ticket_key: None,
        limits: Limits::default(),
        memory: Memory::default(),
        contest: None,
    }
}

/// The fault of a bundle that one change made wrong, seen at both ends.
fn fault_after(change: impl FnOnce(&mut Bundle)) -> Option<BundleFault> {
    let mut bundle = sample();
    change(&mut bundle);
    let made = bundle.encode().err();
    assert_eq!(made, bundle.check().err());
    let mut bytes = b"BB\x00\x04".to_vec();
    bytes.extend(postcard::to_allocvec(&bundle).unwrap());
    assert_eq!(Bundle::decode(&bytes).err(), made, "both ends say the same");
    made
}

#[test]
fn what_goes_in_comes_out() {
    let encoded = sample().encode().unwrap();
    assert_eq!(Bundle::decode(encoded.expose()), Ok(sample()));
}

#[test]
fn the_encoding_is_made_in_a_buffer_of_its_exact_size() {
    let encoded = sample().encode().unwrap();
    assert_eq!(encoded.expose().len(), encoded.expose().capacity());
}

#[test]
fn a_decoded_key_lies_in_a_buffer_of_its_exact_size() {
    let bundle = Bundle::decode(sample().encode().unwrap().expose()).unwrap();
    assert_eq!(bundle.certificates[0].key.expose().capacity(), 138);
}

#[test]
fn printing_a_bundle_shows_no_key() {
    let shown = format!("{:?}", sample());
    assert!(shown.contains("Secret(..)") && !shown.contains("94, 94"), "0x5e is 94");
}

#[test]
fn every_prefix_of_a_bundle_is_refused() {
    let encoded = sample().encode().unwrap();
    for len in 0..encoded.expose().len() {
        assert!(Bundle::decode(&encoded.expose()[..len]).is_err(), "{len}");
    }
}

#[test]
fn bytes_behind_the_end_and_other_versions_are_refused() {
    let mut bytes = sample().encode().unwrap().expose().clone();
    bytes.push(0);
    assert_eq!(Bundle::decode(&bytes), Err(BundleFault::Trailing));
    bytes.pop();
    bytes[3] ^= 0xff;
    assert_eq!(Bundle::decode(&bytes), Err(BundleFault::Version));
    assert_eq!(Bundle::decode(&[]), Err(BundleFault::Version));
    assert_eq!(Bundle::decode(&vec![0; BUNDLE_LEN_MAX + 1]), Err(BundleFault::LimitLength));
}

#[test]
fn a_bundle_beyond_the_longest_is_not_made() {
    let chain = || Certificate { chain: vec![vec![0; CERTIFICATE_LEN_MAX]; CHAIN_MAX], ..certificate() };
    let fits = BUNDLE_LEN_MAX / (CERTIFICATE_LEN_MAX * CHAIN_MAX);
    let mut bundle = sample();
    bundle.certificates = (0..fits).map(|_| chain()).collect();
    assert!(bundle.encode().is_ok());
    bundle.certificates.push(chain());
    assert_eq!(bundle.encode().err(), Some(BundleFault::LimitLength));
}

#[test]
fn impossible_links_are_refused() {
    let changes: [fn(&mut Link); 12] = [
        |link| link.mac = [0; 6],
        |link| link.mac[0] = 1,
        |link| link.addresses.clear(),
        |link| link.addresses[0].prefix_len = 33,
        |link| link.addresses[0].address = Ipv4Addr::UNSPECIFIED.into(),
        |link| link.addresses[0].address = Ipv4Addr::LOCALHOST.into(),
        |link| link.addresses[0].address = Ipv4Addr::BROADCAST.into(),
        |link| link.addresses = vec![link.addresses[0]; ADDRESSES_MAX + 1],
        |link| link.gateways[0].address = Ipv6Addr::LOCALHOST.into(),
        |link| link.gateways[0].mac = Some([0xff; 6]),
        |link| link.gateways = vec![link.gateways[0]; GATEWAYS_MAX + 1],
        |link| link.mtu = MTU_MIN - 1,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert_eq!(fault_after(|bundle| change(&mut bundle.front)), Some(BundleFault::Link), "front {index}");
        assert_eq!(fault_after(|bundle| change(&mut bundle.back)), Some(BundleFault::Link), "back {index}");
    }
}

#[test]
fn links_at_their_bounds_are_taken() {
    let v6 = Cidr { address: "fd00::1".parse::<IpAddr>().unwrap(), prefix_len: 128 };
    assert_eq!(
        fault_after(|bundle| bundle.front.addresses = vec![v6; ADDRESSES_MAX]),
        Some(BundleFault::Link),
        "a v4 gateway wants a v4 address"
    );
    assert_eq!(fault_after(|bundle| bundle.front.addresses.push(v6)), None);
    assert_eq!(fault_after(|bundle| bundle.front.mtu = MTU_MIN), None);
    assert_eq!(fault_after(|bundle| bundle.front.gateways.clear()), None);
}

#[test]
fn impossible_listeners_are_refused() {
    let listener = |port| Listener { address: None, port, known_as: None, proxy_from: Vec::new() };
    assert_eq!(fault_after(|bundle| bundle.listeners.clear()), Some(BundleFault::Listener(0)));
    assert_eq!(fault_after(|bundle| bundle.listeners.push(listener(0))), Some(BundleFault::Listener(1)));
    assert_eq!(fault_after(|bundle| bundle.listeners.push(listener(8443))), Some(BundleFault::Listener(1)));
    let foreign = Listener { address: Some(Ipv4Addr::new(10, 0, 3, 15).into()), port: 1, known_as: None, proxy_from: Vec::new() };
    assert_eq!(fault_after(|bundle| bundle.listeners.push(foreign)), Some(BundleFault::Listener(1)));
    let own = Listener { address: Some(Ipv4Addr::new(10, 0, 2, 15).into()), port: 8443, known_as: None, proxy_from: Vec::new() };
    assert_eq!(fault_after(|bundle| bundle.listeners.push(own)), None);
    let most = u16::try_from(LISTENERS_MAX).unwrap();
    assert_eq!(fault_after(|bundle| bundle.listeners = (1..=most).map(listener).collect()), None);
    assert_eq!(
        fault_after(|bundle| bundle.listeners = (0..=most).map(|port| listener(port + 1)).collect()),
        Some(BundleFault::Listener(0))
    );
}

#[test]
fn impossible_certificates_are_refused() {
    let changes: [fn(&mut Certificate); 6] = [
        |certificate| certificate.chain.clear(),
        |certificate| certificate.chain.push(Vec::new()),
        |certificate| certificate.chain[0] = vec![0; CERTIFICATE_LEN_MAX + 1],
        |certificate| certificate.key = Secret::new(Vec::new()),
        |certificate| certificate.key = Secret::new(vec![0; KEY_LEN_MAX + 1]),
        |certificate| certificate.names.push("Upper.example".into()),
    ];
    for change in changes {
        assert_eq!(fault_after(|bundle| change(&mut bundle.certificates[0])), Some(BundleFault::Certificate(0)));
    }
    assert_eq!(fault_after(|bundle| bundle.certificates.clear()), Some(BundleFault::Route(0)), "a route wants one");
    assert_eq!(fault_after(|bundle| bundle.certificates[0].key = Secret::new(vec![0; KEY_LEN_MAX])), None);
}

#[test]
fn impossible_routes_are_refused() {
    let changes: [fn(&mut Route); 9] = [
        |route| route.sni.push("a b".into()),
        |route| route.sni.push("*".into()),
        |route| route.sni.push("LOCALHOST".into()),
        |route| route.sni.push("localhost".into()),
        |route| route.certificates.clear(),
        |route| route.certificates.push(1),
        |route| route.backends.clear(),
        |route| route.backends.push(backend(0)),
        |route| route.backends = vec![backend(1); ROUTE_BACKENDS_MAX + 1],
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert_eq!(fault_after(|bundle| change(&mut bundle.routes[0])), Some(BundleFault::Route(0)), "{index}");
    }
    assert_eq!(fault_after(|bundle| bundle.routes.clear()), Some(BundleFault::Route(0)));
    assert_eq!(fault_after(|bundle| bundle.routes.push(route(&[]))), Some(BundleFault::Route(2)), "a second default");
    assert_eq!(fault_after(|bundle| bundle.routes.push(route(&["localhost"]))), Some(BundleFault::Route(2)), "a name taken twice");
}

#[test]
fn impossible_upstreams_checks_and_clients_are_refused() {
    let check = |kind| Check { kind, interval_ms: 2000, timeout_ms: 1000, rise: 2, fall: 3 };
    let http = |path: &str, expect| check(CheckKind::Http { path: path.into(), host: "app".into(), expect });
    let client = ClientAuth { required: true, roots: vec![vec![0x30]], crls: Vec::new(), names: Vec::new(), subjects: Vec::new() };
    type Change = Box<dyn Fn(&mut Route)>;
    let mut changes: Vec<Change> = Vec::new();
    for wrong in [
        http("healthz", (200, 399)),
        http("/a b", (200, 399)),
        http("/", (399, 200)),
        http("/", (0, 200)),
        Check { rise: 0, ..check(CheckKind::Tcp) },
        Check { fall: CHECK_COUNT_MAX + 1, ..check(CheckKind::Tcp) },
        Check { interval_ms: CHECK_INTERVAL_MS_MIN - 1, ..check(CheckKind::Tcp) },
    ] {
        changes.push(Box::new(move |route| route.upstream.check = Some(wrong.clone())));
    }
    for wrong in [
        ClientAuth { roots: Vec::new(), ..client.clone() },
        ClientAuth { roots: vec![Vec::new()], ..client.clone() },
        ClientAuth { names: vec![String::new()], ..client.clone() },
        ClientAuth { names: vec!["*".into()], ..client.clone() },
        ClientAuth { subjects: vec![String::new()], ..client.clone() },
        ClientAuth { crls: vec![vec![0x30; CRL_LEN_MAX + 1]], ..client.clone() },
    ] {
        changes.push(Box::new(move |route| route.client = Some(wrong.clone())));
    }
    changes.push(Box::new(|route| route.upstream.queue_timeout_ms = 0));
    changes.push(Box::new(|route| route.upstream.queue = QUEUE_MAX + 1));
    changes.push(Box::new(|route| route.upstream.retries = RETRIES_MAX + 1));
    changes.push(Box::new(|route| route.mode = Mode::Passthrough));
    changes.push(Box::new(|route| route.name = String::new()));
    changes.push(Box::new(|route| route.name = "default".into()));
    for (index, change) in changes.iter().enumerate() {
        let fault = fault_after(|bundle| change(&mut bundle.routes[0]));
        assert!(matches!(fault, Some(BundleFault::Route(_))), "{index}: {fault:?}");
    }
    let sound = |bundle: &mut Bundle| {
        bundle.routes[0].client = Some(client.clone());
        bundle.routes[0].upstream =
            Upstream { balance: Balance::SourceHash, check: Some(http("/healthz", (200, 399))), ..Upstream::default() };
        bundle.listeners[0].proxy_from = vec![Cidr { address: Ipv4Addr::UNSPECIFIED.into(), prefix_len: 0 }];
    };
    assert_eq!(fault_after(sound), None);
    let wide = Cidr { address: Ipv4Addr::UNSPECIFIED.into(), prefix_len: 33 };
    assert_eq!(fault_after(|bundle| bundle.listeners[0].proxy_from = vec![wide]), Some(BundleFault::Listener(0)));
}

fn contest() -> Contest {
    let flag = |tier, byte| Flag { tier, key: Secret::new(vec![byte; 32]) };
    Contest {
        manifest: [7; 32],
        prize: Secret::new(b"prize".to_vec()),
        flags: vec![flag(FlagTier::Auth, 1), flag(FlagTier::Write, 2), flag(FlagTier::Key, 3), flag(FlagTier::Wallet, 4)],
        write_value: 0x626f_756e_7479_2121,
        doors: vec![Door { listener: 0, role: Role::Server, certificate: 0, authority: vec![0x30], peer: "peer.server".into() }],
    }
}

#[test]
fn impossible_contests_are_refused() {
    let changes: [fn(&mut Contest); 14] = [
        |contest| contest.prize = Secret::new(Vec::new()),
        |contest| contest.prize = Secret::new(vec![0; PRIZE_LEN_MAX + 1]),
        |contest| contest.flags[1].tier = FlagTier::Auth,
        |contest| contest.flags[1].key = Secret::new(vec![0; 31]),
        |contest| contest.doors.clear(),
        |contest| contest.doors.push(contest.doors[0].clone()),
        |contest| contest.doors = vec![contest.doors[0].clone(); DOORS_MAX + 1],
        |contest| contest.doors[0].listener = 1,
        |contest| contest.doors[0].certificate = 1,
        |contest| contest.doors[0].authority.clear(),
        |contest| contest.doors[0].authority = vec![0; 8 * 1024 + 1],
        |contest| contest.doors[0].peer = String::new(),
        |contest| contest.doors[0].peer = "Peer".into(),
        |contest| contest.doors[0].role = Role::CallBack { port: 0 },
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let changed = |bundle: &mut Bundle| {
            let mut contest = contest();
            change(&mut contest);
            bundle.contest = Some(contest);
        };
        assert_eq!(fault_after(changed), Some(BundleFault::Contest), "{index}");
    }
    assert_eq!(fault_after(|bundle| bundle.contest = Some(contest())), None);
    assert_eq!(fault_after(|bundle| bundle.contest = Some(Contest { flags: Vec::new(), ..contest() })), None);
    let shown = format!("{:?}", contest());
    assert!(!shown.contains("112, 114") && shown.contains("Secret(..)"), "{shown}");
}

#[test]
fn backends_of_all_routes_together_have_a_bound() {
    let many = |backends: usize| {
        move |bundle: &mut Bundle| {
            let full = |n: usize| Route {
                name: n.to_string(),
                sni: vec![format!("r{n}.example")],
                backends: vec![backend(80); ROUTE_BACKENDS_MAX],
                ..route(&[])
            };
            bundle.routes = (0..backends / ROUTE_BACKENDS_MAX).map(full).collect();
        }
    };
    assert_eq!(fault_after(many(BACKENDS_MAX)), None);
    assert_eq!(fault_after(many(BACKENDS_MAX + ROUTE_BACKENDS_MAX)), Some(BundleFault::Route(0)));
}

#[test]
fn routes_share_a_name_if_their_protocols_tell_them_apart() {
    let with =
        |alpn: &[&str]| Route { name: "other".into(), alpn: alpn.iter().map(ToString::to_string).collect(), ..route(&["localhost"]) };
    assert_eq!(fault_after(|bundle| bundle.routes.push(with(&["h2"]))), None);
    assert_eq!(fault_after(|bundle| bundle.routes.push(with(&[]))), None);
    assert_eq!(fault_after(|bundle| bundle.routes.push(with(&["h2", "http/1.1"]))), Some(BundleFault::Route(2)));
}

#[test]
fn routes_that_pass_tls_through_need_no_certificate() {
    let all = |bundle: &mut Bundle| {
        bundle.certificates.clear();
        for route in &mut bundle.routes {
            route.certificates.clear();
            route.mode = Mode::Passthrough;
        }
    };
    assert_eq!(fault_after(all), None);
}

#[test]
fn protocols_tickets_and_limits_have_bounds() {
    let protocol = |len| "a".repeat(len);
    assert_eq!(fault_after(|bundle| bundle.tls.alpn = vec![protocol(ALPN_LEN_MAX)]), None);
    assert_eq!(fault_after(|bundle| bundle.tls.alpn = vec![protocol(ALPN_LEN_MAX + 1)]), Some(BundleFault::Alpn));
    assert_eq!(fault_after(|bundle| bundle.routes[0].alpn = vec![String::new()]), Some(BundleFault::Alpn));
    let tickets = |lifetime_s, rotation_s| {
        fault_after(|bundle| (bundle.tls.ticket_lifetime_s, bundle.tls.ticket_rotation_s) = (lifetime_s, rotation_s))
    };
    assert_eq!(tickets(TICKET_LIFETIME_S_MAX, TICKET_LIFETIME_S_MAX), None);
    assert_eq!(tickets(TICKET_LIFETIME_S_MAX + 1, TICKET_LIFETIME_S_MAX), Some(BundleFault::Tickets));
    assert_eq!(tickets(64 * 100, 100), None);
    assert_eq!(tickets(64 * 100 + 1, 100), Some(BundleFault::Tickets));
    assert_eq!(tickets(0, TICKET_ROTATION_S_MIN), None);
    for rotation_s in [0, TICKET_ROTATION_S_MIN - 1, TICKET_LIFETIME_S_MAX + 1] {
        assert_eq!(tickets(60, rotation_s), Some(BundleFault::Tickets), "{rotation_s}");
    }
    let key = |len| Some(TicketKey { secret: Secret::new(vec![7; len]) });
    assert_eq!(fault_after(|bundle| bundle.ticket_key = key(32)), None);
    assert_eq!(fault_after(|bundle| bundle.ticket_key = key(31)), Some(BundleFault::Tickets));
    assert_eq!(fault_after(|bundle| bundle.tls.suites.clear()), Some(BundleFault::Suites));
    assert_eq!(fault_after(|bundle| bundle.tls.groups.clear()), Some(BundleFault::Suites));
    for suites in [vec![0x1301, 0x1301], vec![0x1301, 0xc013]] {
        assert_eq!(fault_after(|bundle| bundle.tls.suites = suites), Some(BundleFault::Suites));
    }
    assert_eq!(fault_after(|bundle| bundle.tls.groups = vec![29, 256]), Some(BundleFault::Suites));
    assert_eq!(fault_after(|bundle| bundle.limits.idle_timeout_ms = TIMEOUT_MS_MAX), None);
    assert_eq!(fault_after(|bundle| bundle.limits.idle_timeout_ms = 0), Some(BundleFault::Limits));
    assert_eq!(fault_after(|bundle| bundle.limits.connections = COUNT_MAX + 1), Some(BundleFault::Limits));
}

/// Bundles of many shapes, all sound.
fn bundles() -> impl Strategy<Value = Bundle> {
    let keys = many(many(any::<u8>(), 1..200), 1..4);
    let names = many("[a-z]{1,8}", 0..5);
    (keys, names, many(1..=u16::MAX, 1..5), any::<[bool; 2]>(), 0..=TICKET_LIFETIME_S_MAX).prop_map(
        |(keys, names, ports, [tls13, offload], lifetime)| {
            let certificates =
                keys.into_iter().map(|key| Certificate { chain: vec![key.clone()], key: Secret::new(key), names: Vec::new() });
            let mut bundle = Bundle { certificates: certificates.collect(), ..sample() };
            let named = names.iter().enumerate().map(|(index, name)| route(&[&format!("{name}.{index}.example")]));
            bundle.routes = named.chain([route(&[])]).collect();
            bundle.routes[0].backends = ports.into_iter().map(backend).collect();
            bundle.front.offload = offload;
            (bundle.tls.ticket_lifetime_s, bundle.tls.ticket_rotation_s) = (lifetime, lifetime.max(TICKET_ROTATION_S_MIN));
            bundle.tls.min_version = if tls13 { Version::Tls13 } else { Version::Tls12 };
            bundle
        },
    )
}

proptest! {
    #[test]
    fn any_sound_bundle_comes_back_as_it_was(bundle in bundles()) {
        let encoded = bundle.encode().unwrap();
        prop_assert_eq!(Bundle::decode(encoded.expose()), Ok(bundle));
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in many(any::<u8>(), 0..600)) {
        prop_assert_eq!(Bundle::decode(&bytes).err().is_some(), true);
        let versioned = [b"BB\x00\x03".as_slice(), &bytes].concat();
        if let Ok(bundle) = Bundle::decode(&versioned) {
            prop_assert!(bundle.check().is_ok());
        }
    }

    #[test]
    fn damaged_bundles_are_refused_or_sound(bundle in bundles(), damage in many((any::<usize>(), any::<u8>()), 1..6)) {
        let mut bytes = bundle.encode().unwrap().expose().clone();
        for (at, value) in damage {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        if let Ok(bundle) = Bundle::decode(&bytes) {
            prop_assert!(bundle.check().is_ok());
            prop_assert_eq!(bundle.encode().map(|again| again.expose().len() <= bytes.len()), Ok(true));
        }
    }
}

#[test]
fn suites_and_groups_that_serve_no_version_together_are_refused() {
    let tls = |min_version, suites: &[u16], groups: &[u16]| {
        let (suites, groups) = (suites.to_vec(), groups.to_vec());
        fault_after(move |bundle| bundle.tls = Tls { min_version, suites, groups, ..Tls::default() })
    };
    assert_eq!(tls(Version::Tls13, &[0xc02f], &[29]), Some(BundleFault::Suites), "suites of 1.2 alone");
    assert_eq!(tls(Version::Tls12, &[0xc02f], &[0x11ec]), Some(BundleFault::Suites), "a group of 1.3 alone");
    assert_eq!(tls(Version::Tls12, &[0xc02f], &[0x11ec, 29]), None);
    assert_eq!(tls(Version::Tls12, &[0x1301], &[0x11ec]), None);
}

#[test]
fn revocation_lists_have_a_bound_together() {
    let with_lists = |lens: [usize; 2]| {
        fault_after(move |bundle| {
            let crls = lens.map(|len| vec![0x30; len]).to_vec();
            bundle.routes[0].client = Some(ClientAuth { required: true, roots: vec![vec![0x30]], crls, names: vec![], subjects: vec![] });
        })
    };
    assert_eq!(with_lists([CRLS_LEN_MAX - 1, 1]), None);
    assert_eq!(with_lists([CRLS_LEN_MAX - 1, 2]), Some(BundleFault::RevocationLists));
}
