//! Routes that pass TLS through: every byte as it came, both ways, and each end as it was meant.

use core::time::Duration;
use std::sync::Arc;

use appliance::report::{End, Record, Timeout};
use keys::bundle::{Bundle, Limits, Mode};
use rustls_std::ClientConnection;
use rustls_std::pki_types::ServerName;
use sim::{ClientEnd, Faults, Manners, Plan, Rng, Setup, Sim, Talk, Then, backend};

const MINUTE: Duration = Duration::from_secs(60);

/// The route of `pass.test` passes TLS through to the second backend; the default one ends it.
fn setup(manners: Manners) -> Setup {
    Setup {
        routes: vec![(vec!["pass.test"], vec![backend(2)]), (vec![], vec![backend(1)])],
        backends: vec![(backend(1), Manners::Echo), (backend(2), manners)],
        amend: pass_first,
        ..Setup::default()
    }
}

fn pass_first(bundle: &mut Bundle) {
    bundle.routes[0].mode = Mode::Passthrough;
    bundle.routes[0].certificates.clear();
}

/// A hello for `pass.test` in records of `len` bytes, and these bytes behind it.
fn stream(sim: &Sim, len: usize, behind: &[u8]) -> Vec<u8> {
    let name = ServerName::try_from("pass.test").expect("a name");
    let mut tls = ClientConnection::new(Arc::new(sim.config()), name).expect("a client");
    let mut record = Vec::new();
    tls.write_tls(&mut record).expect("a hello");
    let mut stream: Vec<u8> = record[5..]
        .chunks(len)
        .flat_map(|piece| [&record[..3], &u16::try_from(piece.len()).expect("a record").to_be_bytes(), piece].concat())
        .collect();
    stream.extend(behind);
    stream
}

fn last(sim: &Sim) -> Record {
    (*sim.records().last().expect("a record")).clone()
}

#[test]
fn every_byte_arrives_as_it_came_however_the_hello_was_cut() {
    for (len, trickle) in [(16_000, None), (1, None), (100, Some((7, Duration::from_millis(1))))] {
        let mut sim = Sim::new(setup(Manners::Echo));
        let bytes = stream(&sim, len, &Rng::new(4).bytes(3000));
        let client = sim.clients.add(Plan { trickle, then: Then::Vanish, ..Plan::raw(1, bytes.clone()) });
        assert!(sim.run_all(10 * MINUTE), "{len}");
        assert!(sim.clients.outcome(client).received == bytes, "{len}: {}", sim.clients.outcome(client).received.len());
        let (record, sent) = (last(&sim), bytes.len() as u64);
        assert_eq!((record.end, record.passed, record.handshake, record.backend), (End::Done, true, None, Some(backend(2))));
        assert_eq!((record.bytes_up, record.bytes_down), (sent, sent));
    }
}

#[test]
fn megabytes_pass_under_loss_and_in_super_frames() {
    for (faults, offload, len) in
        [(Faults { loss: 10, duplicate: 10, late: 50, corrupt: 0 }, false, 256 << 10), (Faults::default(), true, 6 << 20)]
    {
        let mut sim = Sim::new(Setup { faults, offload, ..setup(Manners::Echo) });
        let bytes = stream(&sim, 16_000, &Rng::new(5).bytes(len));
        let client = sim.clients.add(Plan { then: Then::Vanish, ..Plan::raw(1, bytes.clone()) });
        assert!(sim.run_all(30 * MINUTE));
        assert!(sim.clients.outcome(client).received == bytes);
        assert_eq!(last(&sim).end, End::Done);
    }
}

#[test]
fn the_clients_fin_passes_and_the_answer_still_comes() {
    let mut sim = Sim::new(setup(Manners::EchoAfterEnd));
    let bytes = stream(&sim, 16_000, &Rng::new(6).bytes(40_000));
    let client = sim.clients.add(Plan { then: Then::Vanish, ..Plan::raw(1, bytes.clone()) });
    assert!(sim.run_all(MINUTE));
    assert!(sim.clients.outcome(client).received == bytes, "the backend answers only after the FIN");
    assert_eq!(last(&sim).end, End::Done);
}

#[test]
fn the_backends_fin_passes_while_the_client_speaks_on() {
    let words = Rng::new(7).bytes(50_000);
    let mut sim = Sim::new(setup(Manners::Speak(words.clone())));
    let bytes = stream(&sim, 16_000, &Rng::new(8).bytes(200_000));
    let plan = Plan { then: Then::Vanish, trickle: Some((2000, Duration::from_millis(5))), ..Plan::raw(1, bytes.clone()) };
    let client = sim.clients.add(plan);
    assert!(sim.run_until(MINUTE, |sim| sim.cell.appliance.counters().ended.done == 1));
    assert!(sim.clients.outcome(client).received == words);
    assert_eq!(sim.cell.appliance.counters().bytes_up, bytes.len() as u64, "what came after the backend's end went up too");
}

#[test]
fn a_reset_of_either_side_is_a_reset_of_the_other() {
    let mut sim = Sim::new(setup(Manners::ResetAfter(1000)));
    let bytes = stream(&sim, 16_000, &Rng::new(9).bytes(20_000));
    let client = sim.clients.add(Plan::raw(1, bytes));
    assert!(sim.run_all(MINUTE));
    assert!(matches!(sim.clients.outcome(client).end, Some((ClientEnd::Broken(net::CloseReason::PeerReset), _))));
    assert_eq!(last(&sim).end, End::BackendGone);

    let mut sim = Sim::new(setup(Manners::Silent));
    let bytes = stream(&sim, 16_000, &Rng::new(10).bytes(5_000));
    sim.clients.add(Plan { then: Then::Reset, trickle: Some((1000, Duration::from_millis(20))), ..Plan::raw(1, bytes) });
    assert!(sim.run_until(MINUTE, |sim| !sim.backends.broken.is_empty()));
    assert_eq!((sim.backends.broken.as_slice(), last(&sim).end), ([net::CloseReason::PeerReset].as_slice(), End::ClientGone));
}

#[test]
fn quiet_passing_connections_end_by_the_same_limits() {
    let limits = Limits { idle_timeout_ms: 2_000, half_close_timeout_ms: 500, ..Limits::default() };
    let end = |manners| {
        let mut sim = Sim::new(Setup { limits: limits.clone(), ..setup(manners) });
        let bytes = stream(&sim, 16_000, b"");
        let deaf = Some((Duration::ZERO, MINUTE));
        sim.clients.add(Plan { deaf, ..Plan::raw(1, bytes) });
        assert!(sim.run_until(MINUTE, |sim| !sim.records().is_empty()));
        (last(&sim).end, last(&sim).time.as_millis() / 100)
    };
    assert_eq!(end(Manners::Silent), (End::Timeout(Timeout::Idle), 20));
    assert_eq!(end(Manners::Speak(b"bye".to_vec())), (End::Timeout(Timeout::HalfClose), 5), "its client does not even look at the end");
}

#[test]
fn what_passes_takes_no_place_of_a_handshake() {
    let limits = Limits { handshakes: 1, ..Limits::default() };
    let mut sim = Sim::new(Setup { limits, ..setup(Manners::Echo) });
    let bytes = stream(&sim, 16_000, b"");
    for n in 1..=5 {
        sim.clients.add(Plan { at: Duration::from_millis(50 * u64::from(n)), ..Plan::raw(n, bytes.clone()) });
    }
    sim.run_to(Duration::from_secs(1));
    assert_eq!(sim.cell.appliance.counters().connections, 5);
    let plan = sim.plan(9, "default.test", Talk::Stream(b"hello".to_vec()), Then::CloseAfter(5));
    let client = sim.clients.add(plan);
    sim.run_to(Duration::from_secs(2));
    assert_eq!(sim.clients.outcome(client).received, b"hello");
    assert_eq!(sim.cell.appliance.counters().handshakes, 1);
}

#[test]
fn without_a_backend_the_client_sees_an_end_and_nothing_else() {
    let mut sim = Sim::new(Setup { routes: vec![(vec!["pass.test"], vec![sim::refusing()])], amend: pass_first, ..Setup::default() });
    let bytes = stream(&sim, 16_000, b"");
    let client = sim.clients.add(Plan::raw(1, bytes));
    assert!(sim.run_all(MINUTE));
    assert!(sim.clients.outcome(client).received.is_empty());
    assert!(sim.clients.outcome(client).end.is_some());
}

/// Two routes of one name: `acme-tls/1` passes through, everything else ends here.
#[test]
fn a_protocol_can_pass_where_others_end() {
    let mut sim = Sim::new(Setup {
        amend: |bundle| {
            pass_first(bundle);
            bundle.routes[0].sni.clear();
            bundle.routes[0].alpn = vec!["acme-tls/1".into()];
        },
        ..setup(Manners::Speak(b"passed".to_vec()))
    });
    let mut config = sim.config();
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    let mut tls = ClientConnection::new(Arc::new(config), ServerName::try_from("default.test").expect("a name")).expect("a client");
    let mut hello = Vec::new();
    tls.write_tls(&mut hello).expect("a hello");
    let passing = sim.clients.add(Plan::raw(1, hello));
    let plan = sim.plan(2, "default.test", Talk::Stream(b"hello".to_vec()), Then::CloseAfter(5));
    let ending = sim.clients.add(plan);
    assert!(sim.run_all(MINUTE));
    assert_eq!(sim.clients.outcome(passing).received, b"passed");
    assert_eq!(sim.clients.outcome(ending).received, b"hello");
}

#[test]
fn a_protocol_that_no_route_of_the_name_speaks_is_refused() {
    let mut sim = Sim::new(Setup { amend: |bundle| bundle.routes[0].alpn = vec!["h2".into()], ..Setup::default() });
    let mut config = sim.config();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let plan = sim.plan(1, "default.test", Talk::Stream(Vec::new()), Then::Wait);
    let client = sim.clients.add(Plan { speech: sim::Speech::Tls(Arc::new(config), "default.test"), ..plan });
    assert!(sim.run_all(MINUTE));
    let alert = rustls_std::AlertDescription::NoApplicationProtocol;
    assert_eq!(sim.clients.outcome(client).end.map(|(end, _)| end), Some(ClientEnd::Alert(alert)));
    assert_eq!((last(&sim).end, sim.cell.appliance.counters().ended.unknown_protocol), (End::UnknownProtocol, 1));
}
