//! The client's end: what it agrees on, with whom, and what it shows. Hostile servers stand in `servers`.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use peers::Order;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, WebPkiSupportedAlgorithms};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SignatureScheme};

use crate::testing::duo::{Calling, Dialled, Duo, End, OF_CLIENTS, OF_SERVERS, identity_of};
use crate::testing::{NAME, Server, ticket_keys};
use crate::{Caller, CallerParts, Clients, ClientsFault, Clock, Config, ConfigFault, Event, Own, Servers, Session, Version};

const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

fn data() -> Vec<u8> {
    (0..70_000_u32).map(|i| (i % 251) as u8).collect()
}

/// The box as a door has it: it demands a client's certificate.
fn door() -> Config {
    let identities = vec![identity_of(&OF_SERVERS.make(&Order::for_server(NAME)))];
    Server { identities, clients: Some(Arc::new(Clients::strict(OF_CLIENTS.der(), NAME).unwrap())), ..Server::default() }.config()
}

/// What a real server of a test differs in.
pub(super) struct Real {
    pub(super) version: Version,
    pub(super) groups: Vec<&'static dyn SupportedKxGroup>,
    pub(super) asks: bool,
    pub(super) verifies: WebPkiSupportedAlgorithms,
}

impl Real {
    pub(super) fn of(version: Version) -> Self {
        let provider = default_provider();
        Self { version, groups: provider.kx_groups, asks: true, verifies: provider.signature_verification_algorithms }
    }

    pub(super) fn config(self) -> Arc<ServerConfig> {
        let Self { version, groups: kx_groups, asks, verifies } = self;
        let provider = Arc::new(CryptoProvider { kx_groups, signature_verification_algorithms: verifies, ..default_provider() });
        let versions = if version == Version::Tls12 { [&rustls::version::TLS12] } else { [&rustls::version::TLS13] };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&versions).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(OF_CLIENTS.der().to_vec().into()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).allow_unauthenticated().build().unwrap();
        let builder = if asks { builder.with_client_cert_verifier(verifier) } else { builder.with_no_client_auth() };
        let shown = OF_SERVERS.make(&Order::for_server(NAME));
        let chain = shown.chain.into_iter().map(Into::into).collect();
        let mut config = builder.with_single_cert(chain, PrivatePkcs8KeyDer::from(shown.key).into()).unwrap();
        config.enable_secret_extraction = true;
        Arc::new(config)
    }
}

pub(super) fn dialled(real: Real) -> Dialled {
    let mut dialled = Dialled::new(&Calling::default().caller(), &real.config());
    dialled.run();
    assert!(dialled.client.session.is_established(), "{:?} {:?}", dialled.client.events, dialled.server_fault);
    dialled
}

#[test]
fn the_box_talks_to_itself_and_both_ends_know_each_other() {
    for (version, segment_len) in VERSIONS.into_iter().flat_map(|version| [1, 3, 99, 1400, usize::MAX].map(|len| (version, len))) {
        let calling = Calling::of(version);
        let shown = calling.shown.clone();
        let mut duo = Duo::new(&calling.caller(), &door());
        (duo.client.segment_len, duo.server.segment_len) = (segment_len, segment_len);
        duo.run();
        let (client, server) = (duo.client.summary().clone(), duo.server.summary().clone());
        assert_eq!((client.version, client.suite, client.group), (version, server.suite, server.group));
        assert_eq!((client.own, server.own), (Own::Shown, Own::Shown));
        assert_eq!((client.server_name.as_deref(), server.server_name.as_deref()), (Some(NAME), Some(NAME)));
        assert_eq!((client.alpn, client.resumed, client.retried, client.client), (None, false, false, None));
        assert_eq!(client.server.unwrap().subject, "CN=peer");
        assert_eq!((server.client.unwrap().der.clone(), server.server), (shown.chain[0].clone(), None));
        let (there, back) = (duo.client.sealed(&data()), duo.server.sealed(&data()));
        duo.server.deliver(&there, None);
        duo.client.deliver(&back, None);
        assert!(duo.server.plain == data() && duo.client.plain == data(), "{version:?} {segment_len}");
        assert_eq!((duo.client.session.buffered(), duo.server.session.buffered()), (0, 0));
    }
}

#[test]
fn both_ends_close_and_neither_is_cut_off() {
    for version in VERSIONS {
        let mut duo = Duo::new(&Calling::of(version).caller(), &door());
        duo.run();
        duo.client.session.close();
        duo.run();
        assert_eq!(duo.server.events.last(), Some(&Event::PeerClosed));
        let late = duo.server.sealed(b"prize");
        duo.client.deliver(&late, None);
        duo.server.session.close();
        duo.run();
        assert_eq!((duo.client.plain.as_slice(), duo.client.events.last()), (&b"prize"[..], Some(&Event::PeerClosed)));
        assert!(duo.client.session.is_over() && duo.server.session.is_over(), "{version:?}");
    }
    let mut dropped = End::new(Session::dial(&Calling::default().caller()));
    dropped.bytes();
    dropped.session.finish();
    dropped.collect_events(None);
    assert_eq!(dropped.faults(), [crate::Fault::PeerTruncated]);
}

#[test]
fn a_real_server_carries_data_both_ways_and_whether_it_asked_is_told() {
    for (version, asks) in VERSIONS.into_iter().flat_map(|version| [(version, true), (version, false)]) {
        let mut dialled = dialled(Real { asks, ..Real::of(version) });
        let summary = dialled.client.summary();
        assert_eq!((summary.version, summary.own), (version, if asks { Own::Shown } else { Own::NotAsked }));
        assert_eq!(dialled.server.peer_certificates().is_some(), asks);
        assert_eq!(dialled.server.server_name(), Some(NAME));
        assert_eq!(dialled.server.alpn_protocol(), None);
        assert!(dialled.send(&data()) == data(), "client to server");
        dialled.server_sends(&data());
        assert!(dialled.client.plain == data(), "server to client, its tickets before it");
        dialled.server.send_close_notify();
        let bytes = dialled.server_bytes();
        dialled.client.deliver(&bytes, None);
        assert_eq!(dialled.client.events.last(), Some(&Event::PeerClosed));
    }
}

#[test]
fn a_server_that_could_not_verify_our_key_is_shown_none_and_that_is_told() {
    static ED25519_ALONE: &[(SignatureScheme, &[&dyn rustls::pki_types::SignatureVerificationAlgorithm])] =
        &[(SignatureScheme::ED25519, &[webpki::ring::ED25519])];
    for version in VERSIONS {
        let usual = Real::of(version);
        let verifies = WebPkiSupportedAlgorithms { all: usual.verifies.all, mapping: ED25519_ALONE };
        let dialled = dialled(Real { verifies, ..usual });
        assert_eq!(dialled.client.summary().own, Own::Unfit, "{version:?}");
        assert!(dialled.server.peer_certificates().is_none());
    }
}

#[test]
fn the_best_group_of_both_is_agreed_on_and_a_second_hello_is_rarely_needed() {
    let cases: [(Version, &'static dyn SupportedKxGroup, u16, bool); 6] = [
        (Version::Tls13, kx_group::X25519MLKEM768, 0x11ec, false),
        (Version::Tls13, kx_group::X25519, 0x1d, false),
        (Version::Tls13, kx_group::SECP256R1, 0x17, true),
        (Version::Tls13, kx_group::SECP384R1, 0x18, true),
        (Version::Tls12, kx_group::X25519, 0x1d, false),
        (Version::Tls12, kx_group::SECP384R1, 0x18, false),
    ];
    for (version, group, number, retried) in cases {
        let mut dialled = dialled(Real { groups: vec![group], ..Real::of(version) });
        let summary = dialled.client.summary();
        assert_eq!((summary.group, summary.retried), (Some(number), retried), "{version:?}");
        assert_eq!(dialled.send(b"ping"), b"ping");
    }
    let mut duo = Duo::new(&Calling::default().caller(), &door());
    assert_eq!(duo.run().client.summary().group, Some(0x11ec), "and with ourselves");
}

#[test]
fn nothing_is_resumed_and_tickets_are_read_over() {
    for version in VERSIONS {
        let identities = vec![identity_of(&OF_SERVERS.make(&Order::for_server(NAME)))];
        let tickets = Some((ticket_keys(1, &Clock::new(crate::testing::START)), &b"route"[..], 8));
        let config = Server { identities, tickets, ..Server::default() }.config();
        let caller = Calling::of(version).caller();
        for _ in 0..2 {
            let mut duo = Duo::new(&caller, &config);
            duo.run();
            assert!(!duo.client.summary().resumed && !duo.server.summary().resumed);
            assert_eq!((duo.client.summary().own, duo.server.summary().own), (Own::NotAsked, Own::Shown));
            let back = duo.server.sealed(b"data");
            duo.client.deliver(&back, None);
            assert_eq!(duo.client.plain, b"data", "{version:?}");
        }
    }
}

#[test]
fn a_real_servers_key_updates_are_followed_and_answered() {
    let mut dialled = dialled(Real::of(Version::Tls13));
    for round in 1..4 {
        dialled.server.refresh_traffic_keys().unwrap();
        let bytes = dialled.server_bytes();
        dialled.client.deliver(&bytes, None);
        dialled.server_sends(b"data");
        assert_eq!(dialled.client.plain.len(), 4 * round);
        assert_eq!(dialled.send(b"pong"), b"pong", "under our new keys");
        assert_eq!(dialled.server_fault, None);
    }
}

#[test]
fn the_minimum_version_is_kept() {
    let caller = Calling { min_version: Version::Tls13, ..Calling::default() }.caller();
    let mut dialled = Dialled::new(&caller, &Real::of(Version::Tls12).config());
    dialled.run();
    assert!(!dialled.client.session.is_established() && dialled.server_fault.is_some());
    let bytes = End::new(Session::dial(&caller)).bytes();
    let hello = crate::Hello::parse(&bytes[5..]).unwrap();
    assert_eq!((hello.server_name.as_deref(), hello.alpn().count()), (Some(NAME), 0));
    assert!(hello.speaks(Version::Tls13) && !hello.speaks(Version::Tls12));
}

#[test]
fn what_cannot_work_is_refused() {
    assert_eq!(Servers::new(b"no certificate", NAME).unwrap_err(), ClientsFault::Root(0));
    for name in ["", "*.example.org", "192.0.2.1", "a b"] {
        assert_eq!(Servers::new(OF_SERVERS.der(), name).unwrap_err(), ClientsFault::Name(0), "{name:?}");
        assert_eq!(Clients::strict(OF_CLIENTS.der(), name).unwrap_err(), ClientsFault::Name(0), "{name:?}");
    }
    let leaf = OF_SERVERS.make(&Order::for_server(NAME)).chain.remove(0);
    assert_eq!(Servers::new(&leaf, NAME).unwrap_err(), ClientsFault::Root(0), "no authority");
    let only_1_2 = &crate::testing::PROVIDER.with(&[0xc02b], &[29]).unwrap();
    let parts = CallerParts {
        provider: only_1_2,
        clock: &Clock::default(),
        identity: identity_of(&OF_CLIENTS.make(&Order::for_client(NAME))),
        servers: Arc::new(Servers::new(OF_SERVERS.der(), NAME).unwrap()),
        min_version: Version::Tls13,
    };
    assert_eq!(Caller::new(parts).unwrap_err(), ConfigFault::Provider);
}
