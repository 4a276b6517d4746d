//! What is negotiated, with whom, by which certificate.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};

use crate::testing::{Client, KeyKind, NAME, Pair, Server, certified, chained, identity};
use crate::{Alert, Event, Fault, Version};

/// A message each way, longer than one record.
fn exchange(pair: &mut Pair) {
    let data: Vec<u8> = (0..70_000_u32).map(|i| (i % 251) as u8).collect();
    pair.client_sends(&data);
    assert!(pair.plain == data, "client to server");
    assert!(pair.send(&data) == data, "server to client");
    assert_eq!(pair.client_fault, None);
}

#[test]
fn every_suite_carries_data_both_ways() {
    let all = [
        (Version::Tls13, KeyKind::P256, cipher_suite::TLS13_AES_128_GCM_SHA256),
        (Version::Tls13, KeyKind::P256, cipher_suite::TLS13_AES_256_GCM_SHA384),
        (Version::Tls13, KeyKind::P256, cipher_suite::TLS13_CHACHA20_POLY1305_SHA256),
        (Version::Tls12, KeyKind::P256, cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        (Version::Tls12, KeyKind::P256, cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        (Version::Tls12, KeyKind::P256, cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
        (Version::Tls12, KeyKind::Rsa, cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
        (Version::Tls12, KeyKind::Rsa, cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
        (Version::Tls12, KeyKind::Rsa, cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ];
    for (version, key, suite) in all {
        let config = Server { identities: vec![identity(key, &[NAME])], ..Server::default() }.config();
        let client = Client { suites: Some(suite), ..Client::of(version) }.config();
        let mut pair = Pair::established(&config, &client);
        assert_eq!((pair.summary().version, pair.summary().suite), (version, u16::from(suite.suite())));
        exchange(&mut pair);
    }
}

#[test]
fn a_client_of_today_gets_the_hybrid_group() {
    let mut pair = Pair::established(&Server::default().config(), &Client::default().config());
    assert_eq!((pair.summary().version, pair.summary().group), (Version::Tls13, Some(0x11ec)));
    assert!(!pair.summary().retried);
    exchange(&mut pair);
}

#[test]
fn every_classical_group_is_served_in_both_versions() {
    let groups = [(kx_group::X25519, 0x1d), (kx_group::SECP256R1, 0x17), (kx_group::SECP384R1, 0x18)];
    for version in [Version::Tls12, Version::Tls13] {
        for (group, number) in groups {
            let client = Client { groups: vec![group], ..Client::of(version) }.config();
            let mut pair = Pair::established(&Server::default().config(), &client);
            assert_eq!((pair.summary().version, pair.summary().group), (version, Some(number)));
            exchange(&mut pair);
        }
    }
}

#[test]
fn tls12_never_gets_the_hybrid_group() {
    let pair = Pair::established(&Server::default().config(), &Client::tls12().config());
    assert_eq!((pair.summary().version, pair.summary().group), (Version::Tls12, Some(0x1d)));
}

#[test]
fn a_share_for_a_group_that_we_lack_is_retried() {
    let groups = vec![kx_group::SECP256R1MLKEM768, kx_group::SECP384R1];
    let client = Client { groups, ..Client::of(Version::Tls13) }.config();
    let mut pair = Pair::established(&Server::default().config(), &client);
    assert_eq!(pair.summary().group, Some(0x18));
    assert!(pair.summary().retried);
    exchange(&mut pair);
}

#[test]
fn every_kind_of_key_signs() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Ed25519, KeyKind::Rsa] {
        for version in [Version::Tls12, Version::Tls13] {
            let config = Server { identities: vec![identity(kind, &[NAME])], ..Server::default() }.config();
            Pair::established(&config, &Client::of(version).config());
        }
    }
}

fn served(pair: &Pair) -> Vec<u8> {
    pair.client.peer_certificates().unwrap()[0].to_vec()
}

fn holds(certificate: &[u8], text: &str) -> bool {
    certificate.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn an_exact_name_beats_a_wildcard_and_a_wildcard_the_default() {
    let sans = ["*.example.org", "example.org", "a.b.example.org", "elsewhere.net"];
    let identities = ["default.example.org", "*.example.org", "www.example.org"].map(|name| certified(KeyKind::P256, &[name], &sans));
    let config = Server { identities: identities.into(), ..Server::default() }.config();
    let client = Client::default().config();
    for (asked, expected) in [
        ("www.example.org", "P256 www.example.org"),
        ("WWW.Example.ORG", "P256 www.example.org"),
        ("mail.example.org", "P256 *.example.org"),
        ("default.example.org", "P256 default.example.org"),
        ("a.b.example.org", "P256 default.example.org"),
        ("example.org", "P256 default.example.org"),
        ("elsewhere.net", "P256 default.example.org"),
    ] {
        let mut pair = Pair::named(&config, &client, asked);
        pair.run();
        assert!(holds(&served(&pair), expected), "{asked}");
    }
}

#[test]
fn without_a_name_the_default_is_served() {
    let identities = vec![identity(KeyKind::P256, &[NAME]), identity(KeyKind::P256, &["other.example.org"])];
    let config = Server { identities, ..Server::default() }.config();
    let pair = Pair::established(&config, &Client { sni: false, ..Client::default() }.config());
    assert_eq!(pair.summary().server_name, None);
}

#[test]
fn of_several_keys_for_a_name_the_one_that_the_client_can_verify_is_served() {
    for kinds in [[KeyKind::P256, KeyKind::Rsa], [KeyKind::Rsa, KeyKind::P256]] {
        let config = Server { identities: kinds.map(|kind| identity(kind, &[NAME])).into(), ..Server::default() }.config();
        for (suite, expected) in
            [(cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "P256"), (cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "Rsa")]
        {
            let pair = Pair::established(&config, &Client { suites: Some(suite), ..Client::tls12() }.config());
            assert!(holds(&served(&pair), expected), "{expected}");
        }
        let either = Pair::established(&config, &Client::default().config());
        assert!(holds(&served(&either), "P256"), "RSA is for those who know nothing else");
    }
}

#[test]
fn a_key_that_fits_a_wildcard_alone_is_served_to_who_cannot_verify_the_exact_one() {
    let identities = vec![certified(KeyKind::P256, &[NAME], &[NAME]), certified(KeyKind::Rsa, &["*.example.org"], &["*.example.org"])];
    let config = Server { identities, ..Server::default() }.config();
    let rsa_only = Client { suites: Some(cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), ..Client::tls12() };
    assert!(holds(&served(&Pair::established(&config, &rsa_only.config())), "Rsa"));
    assert!(holds(&served(&Pair::established(&config, &Client::tls12().config())), "P256"));
}

#[test]
fn the_chain_is_shown_as_it_was_configured() {
    let (identity, chain) = chained(NAME);
    let config = Server { identities: vec![identity], ..Server::default() }.config();
    for version in [Version::Tls12, Version::Tls13] {
        let pair = Pair::established(&config, &Client::of(version).config());
        let shown: Vec<_> = pair.client.peer_certificates().unwrap().iter().map(|der| der.to_vec()).collect();
        assert_eq!(shown, chain);
    }
}

#[test]
fn nothing_but_the_configured_suites_and_groups_is_agreed_on() {
    let config = Server { offer: (vec![0x1303, 0xcca9], vec![24]), ..Server::default() }.config();
    for (version, suite) in [(Version::Tls12, 0xcca9), (Version::Tls13, 0x1303)] {
        let pair = Pair::established(&config, &Client::of(version).config());
        assert_eq!((pair.summary().suite, pair.summary().group), (suite, Some(24)));
    }
    let other = Client { suites: Some(cipher_suite::TLS13_AES_128_GCM_SHA256), ..Client::of(Version::Tls13) };
    let mut pair = Pair::new(&config, &other.config());
    pair.run();
    assert_eq!(pair.fault(), Some(Fault::Peer(Alert::HANDSHAKE_FAILURE)));
}

#[test]
fn a_version_without_a_suite_is_not_spoken() {
    let config = Server { offer: (vec![0x1301], vec![29]), ..Server::default() }.config();
    let mut pair = Pair::new(&config, &Client::tls12().config());
    pair.run();
    assert_eq!(pair.fault(), Some(Fault::Peer(Alert::PROTOCOL_VERSION)));
}

#[test]
fn alpn_follows_our_order_and_is_reported() {
    let config = Server { alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()], ..Server::default() }.config();
    let both = Client { alpn: vec![b"http/1.1".to_vec(), b"h2".to_vec()], ..Client::default() }.config();
    let pair = Pair::established(&config, &both);
    assert_eq!(pair.summary().alpn.as_deref(), Some(&b"h2"[..]));
    let Some(Event::Hello(hello)) = pair.events.first() else { panic!("{:?}", pair.events) };
    assert_eq!(hello.alpn().collect::<Vec<_>>(), [&b"http/1.1"[..], b"h2"]);
    assert_eq!(hello.server_name.as_deref(), Some(NAME));
    assert!(hello.speaks(Version::Tls12) && hello.speaks(Version::Tls13));
    let none = Pair::established(&config, &Client::default().config());
    assert_eq!(none.summary().alpn, None);
}

#[test]
fn the_minimum_version_is_kept() {
    let config = || Server { min_version: Version::Tls13, ..Server::default() }.config();
    let mut pair = Pair::new(&config(), &Client::tls12().config());
    pair.run();
    assert_eq!(pair.client_fault.as_ref().map(ToString::to_string).as_deref(), Some("received fatal alert: ProtocolVersion"));
    Pair::established(&config(), &Client::default().config());
}

/// T1: each place to cut, and each size of segment.
#[test]
fn a_hello_cut_anywhere_is_understood() {
    let (config, client) = (Server::default().config(), Client { groups: vec![kx_group::X25519], ..Client::default() }.config());
    let len = Pair::new(&config, &client).client_bytes().len();
    for cut in 0..=len {
        let mut pair = Pair::new(&config, &client);
        let hello = pair.client_bytes();
        pair.deliver(&hello[..cut]);
        assert_eq!(pair.events.is_empty(), cut < len, "cut at {cut}");
        pair.deliver(&hello[cut..]);
        let back = pair.session_bytes();
        pair.client_reads(&back);
        pair.run();
        assert!(pair.session.is_established(), "cut at {cut}");
    }
}

/// T1, and RUSTSEC-2024-0399: the hello in records of every small size, all of it in segments of every small size.
#[test]
fn a_hello_in_tiny_records_and_segments_is_understood() {
    let (config, client) = (Server::default().config(), Client::default().config());
    for (record_len, segment_len) in [(1, usize::MAX), (1, 1), (2, 3), (3, 7), (5, 1), (100, 99), (1400, 64)] {
        let mut pair = Pair::new(&config, &client);
        pair.segment_len = segment_len;
        let hello = pair.client_bytes();
        let mut records = vec![];
        for fragment in hello[5..].chunks(record_len) {
            records.extend([22, 3, 1, 0, 0]);
            let at = records.len() - 2;
            records[at..].copy_from_slice(&u16::try_from(fragment.len()).unwrap().to_be_bytes());
            records.extend_from_slice(fragment);
        }
        pair.deliver(&records);
        let back = pair.session_bytes();
        pair.client_reads(&back);
        pair.run();
        exchange(&mut pair);
    }
}

#[test]
fn an_idle_session_holds_no_buffers() {
    for version in [Version::Tls12, Version::Tls13] {
        let mut pair = Pair::established(&Server::default().config(), &Client::of(version).config());
        exchange(&mut pair);
        assert_eq!(pair.session.buffered(), 0);
        assert_eq!(pair.session.partial.capacity(), 0);
        assert_eq!(pair.session.outbox.capacity(), 0);
    }
}
