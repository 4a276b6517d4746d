//! Front ends: their PROXY header says whom they speak for, and from then on that client is the one that limits, logs and backends see.

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use appliance::report::{Budget, End, Record, Timeout};
use keys::bundle::{Bundle, Cidr, Limits, Mode, ProxyOut};
use proxy::{Addresses, Fault};
use rustls_std::ClientConnection;
use rustls_std::pki_types::ServerName;
use sim::{ClientEnd, Plan, Setup, Sim, Talk, Then};

const MINUTE: Duration = Duration::from_secs(60);

/// Clients up to 255 are front ends; TLS passes through, and the backend, which echoes, gets PROXY headers.
fn setup() -> Setup {
    Setup { amend: |bundle| amend(bundle, ProxyOut::V1), ..Setup::default() }
}

fn amend(bundle: &mut Bundle, proxy: ProxyOut) {
    bundle.listeners[0].proxy_from = vec![Cidr { address: [81, 2, 0, 0].into(), prefix_len: 24 }];
    bundle.routes[0].mode = Mode::Passthrough;
    bundle.routes[0].certificates.clear();
    bundle.routes[0].proxy = proxy;
}

fn hello(sim: &Sim) -> Vec<u8> {
    let name = ServerName::try_from("default.test").expect("a name");
    let mut hello = Vec::new();
    ClientConnection::new(Arc::new(sim.config()), name).expect("a client").write_tls(&mut hello).expect("a hello");
    hello
}

fn addresses(source: &str) -> Addresses {
    Addresses::new(source.parse().expect("an address"), "198.51.100.1:443".parse().expect("an address"))
}

/// What comes of these bytes in front of a hello, from client `n`: the record, what the client got, and what of it is the echoed hello.
fn after(n: u16, header: &[u8], trickle: Option<(usize, Duration)>) -> (Record, Vec<u8>, bool) {
    let mut sim = Sim::new(setup());
    let hello = hello(&sim);
    let bytes = [header, &hello].concat();
    let client = sim.clients.add(Plan { trickle, then: Then::Vanish, ..Plan::raw(n, bytes) });
    assert!(sim.run_all(MINUTE));
    assert!(sim.run_until(MINUTE, |sim| !sim.records().is_empty()));
    let record = (*sim.records().last().expect("a record")).clone();
    let received = sim.clients.outcome(client).received.clone();
    let echoed = received.ends_with(&hello);
    (record, received, echoed)
}

#[test]
fn the_named_client_is_the_one_that_logs_and_backends_see() {
    let line = b"PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\n";
    let block = proxy::block(&addresses("192.0.2.7:51234"), Some(&proxy::Known::default()));
    for header in [line.as_slice(), &block] {
        for trickle in [None, Some((1, Duration::from_millis(1)))] {
            let (record, received, echoed) = after(1, header, trickle);
            assert_eq!(record.end, End::Done);
            assert_eq!(record.peer, "192.0.2.7:51234".parse().expect("an address"));
            assert_eq!(record.front_end.map(|front_end| front_end.ip()), Some(sim::client(1).ip()));
            assert!(received.starts_with(line) && echoed, "the backend hears both addresses as the header has them");
        }
    }
}

#[test]
fn a_front_end_that_speaks_for_itself_keeps_its_own_address() {
    for header in [b"PROXY UNKNOWN\r\n".as_slice(), &proxy::local_block()] {
        let (record, received, echoed) = after(1, header, None);
        assert_eq!((record.end, record.peer.ip(), record.front_end), (End::Done, sim::client(1).ip(), None));
        assert!(received.starts_with(b"PROXY TCP4 81.2.0.1 10.0.2.15 ") && echoed);
    }
}

#[test]
fn a_front_end_without_a_sound_header_is_reset() {
    for (header, fault) in [
        (b"".as_slice(), Fault::Absent),
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 51234 0443\r\n", Fault::Line),
        (b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c192.168.0.12", Fault::Command),
    ] {
        let (record, received, _) = after(1, header, None);
        assert_eq!((record.end, received.len()), (End::FrontEndFault(fault), 0));
    }
}

#[test]
fn from_everybody_else_a_header_is_not_tls() {
    let (record, received, _) = after(256, b"PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\n", None);
    assert!(matches!(record.end, End::ClientFault(tls::Fault::PeerNotTls(..))), "{:?}", record.end);
    assert_eq!((record.peer.ip(), received.first()), (sim::client(256).ip(), Some(&21)), "an alert, and nothing was believed");
    let (record, ..) = after(256, b"", None);
    assert_eq!(record.end, End::Done, "and needs none");
}

#[test]
fn a_header_that_never_comes_or_never_ends_is_waited_for_as_long_as_a_hello() {
    for bytes in [b"".as_slice(), b"PROXY TCP4 192.0.2.7 "] {
        let limits = Limits { handshake_timeout_ms: 3_000, ..Limits::default() };
        let mut sim = Sim::new(Setup { limits, ..setup() });
        sim.clients.add(Plan::raw(1, bytes.to_vec()));
        assert!(sim.run_all(MINUTE));
        let record = (*sim.records().last().expect("a record")).clone();
        assert_eq!((record.end, record.time.as_secs()), (End::Timeout(Timeout::Handshake), 3));
    }
}

#[test]
fn limits_of_a_source_are_the_clients_and_never_the_front_ends() {
    let limits = Limits { connections_per_source: 2, ..Limits::default() };
    let mut sim = Sim::new(Setup { limits, ..setup() });
    let hello = hello(&sim);
    let mut begin = |source: &str, at: u64| {
        let bytes = [proxy::line(&addresses(source)).as_slice(), &hello].concat();
        let from = SocketAddr::new(sim::client(1).ip(), 0);
        sim.clients.add(Plan { from, at: Duration::from_millis(at), ..Plan::raw(1, bytes) })
    };
    let many: Vec<usize> = (0..8).map(|n| begin(&format!("192.0.2.{n}:1000"), 100)).collect();
    let (second, third) = (begin("192.0.2.0:1001", 200), begin("192.0.2.0:1002", 300));
    sim.run_to(Duration::from_secs(1));
    assert_eq!(sim.cell.appliance.counters().connections, 9, "eight clients of one front end, one of them twice");
    for client in many.iter().chain([&second]) {
        assert!(sim.clients.outcome(*client).end.is_none());
    }
    assert!(matches!(sim.clients.outcome(third).end, Some((ClientEnd::Broken(_), _))));
    let record = (*sim.records().last().expect("a record")).clone();
    assert_eq!(record.end, End::Refused(Budget::ConnectionsPerSource));
    let counters = sim.cell.appliance.counters();
    assert_eq!((counters.refused.connections_per_source, counters.ended.refused), (1, 1));
}

#[test]
fn tls_that_ends_here_begins_right_behind_the_header() {
    let mut sim = Sim::new(Setup {
        amend: |bundle| bundle.listeners[0].proxy_from = vec![Cidr { address: [81, 2, 0, 0].into(), prefix_len: 24 }],
        ..Setup::default()
    });
    let plan = sim.plan(1, "default.test", Talk::Stream(b"hello".to_vec()), Then::CloseAfter(5));
    let header = proxy::line(&addresses("192.0.2.7:51234")).to_vec();
    let client = sim.clients.add(Plan { before: header, trickle: Some((3, Duration::from_millis(1))), ..plan });
    assert!(sim.run_all(MINUTE));
    assert_eq!(sim.clients.outcome(client).received, b"hello");
    let record = (*sim.records().last().expect("a record")).clone();
    assert_eq!((record.end, record.peer), (End::Done, "192.0.2.7:51234".parse().expect("an address")));
}
