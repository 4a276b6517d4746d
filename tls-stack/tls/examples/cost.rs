//! What TLS costs, in memory and without a network: handshakes by group, bulk both ways, bytes that an idle session holds.
//!
//! `CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo run -p tls --example cost` (or `--release`). The client is rustls over aws-lc-rs in the same thread; its time is
//! not counted, only what passes inside the session.
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails has nothing to say")]

use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Instant;

use keys::{Secret, Signer};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedCipherSuite};
use tls::{Clock, Config, ConfigParts, Event, Identity, Provider, Session, TicketKeys, TicketTimes, Tickets, Version};

const NAME: &str = "box.example.org";
const HANDSHAKES: u32 = 500;
const IDLE: u32 = 5000;
const BULK_LEN: usize = 128 << 20;
const WINDOW_LEN: usize = 64 << 10;

fn main() {
    let (config, roots) = server();
    println!("handshakes, server's side only (P-256 certificate), medians of {HANDSHAKES}:");
    for (label, group) in [("X25519MLKEM768", kx_group::X25519MLKEM768), ("X25519", kx_group::X25519), ("P-256", kx_group::SECP256R1)] {
        let client = client(&roots, group, cipher_suite::TLS13_AES_128_GCM_SHA256, false);
        report(label, &config, &client);
    }
    report("X25519, resumed", &config, &client(&roots, kx_group::X25519, cipher_suite::TLS13_AES_128_GCM_SHA256, true));
    idle(&config, &client(&roots, kx_group::X25519, cipher_suite::TLS13_AES_128_GCM_SHA256, false));
    println!("bulk, one core:");
    for suite in
        [cipher_suite::TLS13_AES_128_GCM_SHA256, cipher_suite::TLS13_AES_256_GCM_SHA384, cipher_suite::TLS13_CHACHA20_POLY1305_SHA256]
    {
        bulk(&config, &client(&roots, kx_group::X25519, suite, false), suite);
    }
}

fn server() -> (Config, RootCertStore) {
    let made = rcgen::generate_simple_self_signed([NAME.to_string()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let signer = Signer::from_der(&Secret::new(made.signing_key.serialize_der())).unwrap();
    let identity = Identity::new(vec![made.cert.der().to_vec()], signer, vec![NAME.to_string()]).unwrap();
    let clock = Clock::new(Duration::from_secs(1_800_000_000));
    let keys = TicketKeys::of_boot(&Secret::new([1; 32]), TicketTimes { lifetime_s: 3600, rotation_s: 3600 }, &clock);
    let parts = ConfigParts {
        provider: &Provider::new(Secret::new([2; 32])),
        clock: &clock,
        identities: vec![identity],
        alpn: vec![],
        min_version: Version::Tls12,
        clients: None,
        tickets: Some(Tickets::new(&keys, b"route")),
    };
    (Config::new(parts).unwrap(), roots)
}

fn client(roots: &RootCertStore, group: &'static dyn SupportedKxGroup, suite: SupportedCipherSuite, resume: bool) -> Arc<ClientConfig> {
    let provider = CryptoProvider { kx_groups: vec![group], cipher_suites: vec![suite], ..default_provider() };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&[&rustls::version::TLS13]).unwrap();
    let mut config = builder.with_root_certificates(roots.clone()).with_no_client_auth();
    if !resume {
        config.resumption = Resumption::disabled();
    }
    Arc::new(config)
}

/// Where a session's time went: up to the hello, in `accept` (rustls' first flight), in the rest of the handshake.
#[derive(Default)]
struct Split {
    hello: Vec<Duration>,
    accept: Vec<Duration>,
    finish: Vec<Duration>,
}

fn shake(config: &Config, client: &Arc<ClientConfig>, split: &mut Split) -> (Session, ClientConnection) {
    let mut client = ClientConnection::new(Arc::clone(client), NAME.try_into().unwrap()).unwrap();
    let (mut session, mut wire, mut buf) = (Session::new(), vec![], vec![0; 16 << 10]);
    client.write_tls(&mut wire).unwrap();
    let start = Instant::now();
    session.receive(&mut wire, &mut vec![]);
    split.hello.push(start.elapsed());
    let start = Instant::now();
    session.accept(config);
    let len = session.poll_transmit(&mut buf);
    split.accept.push(start.elapsed());
    client.read_tls(&mut &buf[..len]).unwrap();
    client.process_new_packets().unwrap();
    wire.clear();
    while client.wants_write() {
        client.write_tls(&mut wire).unwrap();
    }
    let start = Instant::now();
    session.receive(&mut wire, &mut vec![]);
    let len = session.poll_transmit(&mut buf);
    split.finish.push(start.elapsed());
    client.read_tls(&mut &buf[..len]).unwrap();
    client.process_new_packets().unwrap();
    while let Some(event) = session.poll_event() {
        assert!(!matches!(event, Event::Fault(_)));
    }
    assert!(session.is_established());
    (session, client)
}

fn report(label: &str, config: &Config, client: &Arc<ClientConfig>) {
    shake(config, client, &mut Split::default());
    let mut split = Split::default();
    (0..HANDSHAKES).for_each(|_| drop(shake(config, client, &mut split)));
    let [hello, accept, finish] = [split.hello, split.accept, split.finish].map(median_us);
    let all = hello + accept + finish;
    println!("  {label:16} {all:7.1} us = {:6.0}/s   hello {hello:5.1}  accept {accept:6.1}  finish {finish:5.1}", 1e6 / all);
}

/// The median, so that what else the machine does in between counts for little.
fn median_us(mut parts: Vec<Duration>) -> f64 {
    parts.sort_unstable();
    parts[parts.len() / 2].as_secs_f64() * 1e6
}

/// Resident memory for each of many established sessions; allocator and page granularity included.
fn idle(config: &Config, client: &Arc<ClientConfig>) {
    let mut sessions = Vec::with_capacity(IDLE as usize);
    (0..200).for_each(|_| drop(shake(config, client, &mut Split::default())));
    let before = resident_len();
    (0..IDLE).for_each(|_| sessions.push(shake(config, client, &mut Split::default()).0));
    let each = (resident_len() - before) / u64::from(IDLE);
    println!("idle: {each} B resident a session, of which {} B are the Session itself", size_of::<Session>());
}

fn resident_len() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap() * 4096
}

fn bulk(config: &Config, client: &Arc<ClientConfig>, suite: SupportedCipherSuite) {
    let (mut session, mut client) = shake(config, client, &mut Split::default());
    client.set_buffer_limit(None);
    let (data, mut out) = (vec![7; WINDOW_LEN], vec![0; WINDOW_LEN + 4096]);
    let (mut sealed, mut opened, mut received, mut read) = (vec![], vec![], 0, vec![0; WINDOW_LEN]);
    for _ in 0..BULK_LEN / WINDOW_LEN {
        let start = Instant::now();
        let sent = session.send(&data, &mut out);
        sealed.push(start.elapsed());
        assert_eq!(sent.consumed, data.len());
        let mut wire = &out[..sent.produced];
        while !wire.is_empty() {
            client.read_tls(&mut wire).unwrap();
            client.process_new_packets().unwrap();
            while client.reader().read(&mut read).is_ok_and(|len| len > 0) {}
        }
        client.writer().write_all(&data).unwrap();
        let mut wire = Vec::with_capacity(WINDOW_LEN + 4096);
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut sink = Count(0);
        let start = Instant::now();
        assert_eq!(session.receive(&mut wire, &mut sink), wire.len());
        opened.push(start.elapsed());
        received += sink.0;
    }
    assert_eq!(received, BULK_LEN);
    let rate = |times: Vec<Duration>| f64::from(u32::try_from(WINDOW_LEN).unwrap()) / median_us(times) / 1e3;
    println!("  {:32} send {:5.2} GB/s   receive {:5.2} GB/s", format!("{:?}", suite.suite()), rate(sealed), rate(opened));
}

/// A sink that only counts.
struct Count(usize);

impl tls::Sink for Count {
    fn room(&self) -> usize {
        usize::MAX
    }

    fn put(&mut self, plain: &[u8]) {
        self.0 += plain.len();
    }
}
