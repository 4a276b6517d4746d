//! Another bundle for a cell that serves: whole or not at all, for those who come next.

use core::time::Duration;

use appliance::ReloadFault;
use keys::bundle::{Limits, Memory, Tls};
use sim::{ClientEnd, Manners, Plan, Setup, Sim, Talk, Then, backend};

const MINUTE: Duration = Duration::from_secs(60);

/// Two backends that say their names, and one default route to backend `n`.
fn to(n: u8) -> Setup {
    let speaks = |n: u8| (backend(n), Manners::Speak(format!("backend {n}").into_bytes()));
    Setup { routes: vec![(vec![], vec![backend(n)])], backends: vec![speaks(1), speaks(2)], ..Setup::default() }
}

fn visitor(sim: &Sim, n: u16) -> Plan {
    sim.plan(n, "default.test", Talk::Stream(b"hello".to_vec()), Then::Close)
}

fn is_answered(sim: &mut Sim, plan: Plan, answer: &str) {
    let client = sim.clients.add(plan);
    assert!(sim.run_all(MINUTE));
    let outcome = sim.clients.outcome(client);
    assert_eq!(outcome.end.map(|(end, _)| end), Some(ClientEnd::Whole));
    assert_eq!(String::from_utf8_lossy(&outcome.received), answer);
}

#[test]
fn a_connection_keeps_the_configuration_that_it_began_with() {
    let mut sim = Sim::new(to(1));
    // Its hello takes a second: it trusts the certificate of the first configuration and no other.
    let slow = Plan { trickle: Some((2, Duration::from_millis(5))), ..visitor(&sim, 1) };
    let slow = sim.clients.add(slow);
    sim.run_to(Duration::from_millis(100));
    sim.reissue(&to(2));
    sim.reload(&to(2)).unwrap();
    let next = visitor(&sim, 2);
    is_answered(&mut sim, next, "backend 2");
    let outcome = sim.clients.outcome(slow);
    assert!(outcome.established > Some(Duration::from_millis(100)), "the reload came before its handshake was done");
    assert_eq!((&*outcome.received, outcome.end.map(|(end, _)| end)), (&b"backend 1"[..], Some(ClientEnd::Whole)));
}

#[test]
fn bytes_flow_on_through_many_reloads() {
    let bytes = sim::Rng::new(5).bytes(1 << 20);
    let setup = Setup { backends: vec![(backend(1), Manners::Echo), (backend(2), Manners::Echo)], ..to(1) };
    let mut sim = Sim::new(setup);
    let plan = sim.plan(1, "default.test", Talk::Stream(bytes.clone()), Then::Close);
    let client = sim.clients.add(plan);
    for n in 0..50_u8 {
        sim.run_to(Duration::from_millis(5 * u64::from(n)));
        sim.reload(&to(2 - n % 2)).unwrap();
    }
    assert!(sim.run_all(MINUTE));
    assert!(sim.clients.outcome(client).received == bytes);
    assert_eq!(sim.cell.appliance.counters().ended.done, 1);
}

#[test]
fn a_ticket_outlives_a_reload_wherever_its_route_then_stands() {
    let routes = vec![(vec!["a.test"], vec![backend(1)]), (vec!["b.test"], vec![backend(1)])];
    let mut setup = Setup { routes, ..to(1) };
    let mut sim = Sim::new(Setup { routes: setup.routes.clone(), ..to(1) });
    let visit = |sim: &mut Sim, n: u16| {
        let plan = sim.plan(n, "b.test", Talk::Stream(b"hello".to_vec()), Then::Close);
        let client = sim.clients.add(plan);
        assert!(sim.run_all(MINUTE));
        sim.clients.outcome(client).resumed
    };
    assert!(!visit(&mut sim, 1));
    // The names change places, and keep the certificates by their index.
    setup.routes.swap(0, 1);
    setup.amend = |bundle| bundle.routes.iter_mut().zip([1, 0]).for_each(|(route, index)| route.certificates = vec![index]);
    sim.reload(&setup).unwrap();
    assert!(visit(&mut sim, 2));
}

#[test]
fn a_bundle_that_is_refused_changes_nothing() {
    let mut sim = Sim::new(to(1));
    let first = visitor(&sim, 1);
    is_answered(&mut sim, first, "backend 1");
    let memory = Setup { memory: Memory(Memory::default().0 / 2), ..to(2) };
    assert_eq!(sim.reload(&memory), Err(ReloadFault::ConfigFixed));
    let listener = Setup { amend: |bundle| bundle.listeners[0].port += 1, ..to(2) };
    assert_eq!(sim.reload(&listener), Err(ReloadFault::ConfigFixed));
    let nobody = |bundle: &mut keys::bundle::Bundle| {
        bundle.tls = Tls { ticket_lifetime_s: 60, ticket_rotation_s: 60, ..Tls::default() };
        bundle.routes[0].certificates = vec![9];
    };
    assert!(matches!(sim.reload(&Setup { amend: nobody, ..to(2) }), Err(ReloadFault::Config(_))));
    let again = visitor(&sim, 2);
    is_answered(&mut sim, again, "backend 1");
    // A sound one of the old times finds the old ticket keys, whatever the refused one wanted.
    let resumptions = sim.cell.appliance.counters().resumptions;
    sim.reload(&to(1)).unwrap();
    let last = visitor(&sim, 3);
    is_answered(&mut sim, last, "backend 1");
    assert_eq!(sim.cell.appliance.counters().resumptions, resumptions + 1);
}

#[test]
fn new_limits_hold_for_those_who_come_next() {
    let quiet = |limits| Setup { backends: vec![(backend(1), Manners::Echo)], limits, ..to(1) };
    let mut sim = Sim::new(quiet(Limits::default()));
    let stay = |sim: &mut Sim, n| {
        let plan = sim.plan(n, "default.test", Talk::Stream(b"hello".to_vec()), Then::Wait);
        let client = sim.clients.add(plan);
        sim.run_to(sim.now + Duration::from_secs(1));
        sim.clients.outcome(client).received.len()
    };
    assert_eq!((stay(&mut sim, 1), stay(&mut sim, 2)), (5, 5));
    sim.reload(&quiet(Limits { connections: 2, handshakes: 2, waiting: 2, ..Limits::default() })).unwrap();
    assert_eq!(stay(&mut sim, 3), 0, "there are two already");
    assert_eq!(sim.cell.appliance.counters().connections, 2, "who was in stays in");
    sim.reload(&quiet(Limits::default())).unwrap();
    assert_eq!(stay(&mut sim, 4), 5);
}
