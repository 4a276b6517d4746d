//! Pools as connections use them: places, lines, failures, reloads.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use keys::bundle::{Balance, Check, CheckKind, Eject, Mode, ProxyOut, Route, Upstream};
use net::{Cidr, Config, Limits, Listen, Net, Trust};

use super::*;
use crate::flows::Flows;
use crate::report::{Change, NoBackend};
use crate::table::ConnectionId;

const START: Duration = Duration::from_secs(100);
const MS: Duration = Duration::from_millis(1);

fn address(n: u8) -> SocketAddr {
    SocketAddr::from(([100, 64, 0, n], 80))
}

fn route(name: &str, backends: &[u8], upstream: Upstream) -> Route {
    Route {
        name: name.to_string(),
        sni: Vec::new(),
        alpn: Vec::new(),
        certificates: vec![0],
        mode: Mode::Terminate,
        client: None,
        backends: backends.iter().copied().map(address).collect(),
        upstream,
        proxy: ProxyOut::Off,
    }
}

fn source(n: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x5102_0000 + n).into()
}

/// One route's pool, and those who ask it.
struct Desk {
    pools: Pools,
    pool: PoolId,
    now: Duration,
}

impl Desk {
    fn new(backends: &[u8], upstream: Upstream) -> Self {
        let pools = Pools::new(&[route("shop", backends, upstream)], [3; 8], START);
        let pool = pools.newest().next().unwrap();
        Self { pools, pool, now: START }
    }

    fn seek(&mut self, seeker: &mut Seeker) -> Result<Lease, Denial> {
        self.pools.pick(&self.pool, seeker, self.now)
    }

    fn pick(&mut self) -> Result<Lease, Denial> {
        self.seek(&mut Seeker::new(source(1)))
    }

    fn wait(&mut self, n: u32) -> Result<Ticket, NoBackend> {
        self.pools.wait(&self.pool, ConnectionId::numbered(n), Seeker::new(source(n)))
    }

    fn granted(&mut self) -> Vec<Grant> {
        self.pools.serve(self.now);
        core::iter::from_fn(|| self.pools.granted()).collect()
    }

    /// A client's attempt at `n` fails: another one may have to be asked first.
    fn fail(&mut self, n: u8) {
        let mut seeker = Seeker::new(source(1));
        while let Ok(lease) = self.seek(&mut seeker) {
            if lease.address == address(n) {
                return self.pools.failed(lease, self.now);
            }
        }
        panic!("{n} is not to be had");
    }

    fn states(&self) -> Vec<BackendState> {
        self.pools.view(self.now).flat_map(|pool| pool.backends).map(|backend| backend.state).collect()
    }

    fn active(&self) -> Vec<u32> {
        self.pools.view(self.now).flat_map(|pool| pool.backends).map(|backend| backend.active).collect()
    }

    fn changes(&mut self) -> Vec<Change> {
        core::iter::from_fn(|| self.pools.changed()).map(|changed| changed.change).collect()
    }
}

fn addresses(leases: &[Lease]) -> Vec<SocketAddr> {
    leases.iter().map(|lease| lease.address).collect()
}

#[test]
fn backends_take_turns_and_a_place_is_given_back_when_its_connection_is_over() {
    let mut desk = Desk::new(&[1, 2, 3], Upstream::default());
    let leases: Vec<_> = (0..6).map(|_| desk.pick().unwrap()).collect();
    assert_eq!(addresses(&leases), [1, 2, 3, 1, 2, 3].map(address));
    assert_eq!(desk.active(), [2, 2, 2]);
    drop(leases);
    assert_eq!(desk.active(), [0, 0, 0]);
}

#[test]
fn least_connections_levels_what_lives() {
    let mut desk = Desk::new(&[1, 2], Upstream { balance: Balance::LeastConnections, ..Upstream::default() });
    let first: Vec<_> = (0..4).map(|_| desk.pick().unwrap()).collect();
    assert_eq!(desk.active(), [2, 2]);
    let (one, two): (Vec<_>, Vec<_>) = first.into_iter().partition(|lease| lease.address == address(1));
    drop(one);
    let next: Vec<_> = (0..2).map(|_| desk.pick().unwrap()).collect();
    assert_eq!(addresses(&next), [1, 1].map(address));
    drop(two);
}

#[test]
fn a_client_is_never_sent_twice_to_where_it_failed() {
    let mut desk = Desk::new(&[1, 2], Upstream::default());
    let mut seeker = Seeker::new(source(1));
    let first = desk.seek(&mut seeker).unwrap().address;
    let second = desk.seek(&mut seeker).unwrap().address;
    assert_ne!(first, second);
    assert_eq!(desk.seek(&mut seeker).unwrap_err(), Denial::Nobody(NoBackend::Failed));
}

#[test]
fn full_backends_are_passed_over_and_when_all_are_full_clients_wait_in_order() {
    let mut desk = Desk::new(&[1, 2], Upstream { connections: 1, queue: 2, ..Upstream::default() });
    let (one, two) = (desk.pick().unwrap(), desk.pick().unwrap());
    assert_eq!([one.address, two.address], [1, 2].map(address));
    assert_eq!(desk.pick().unwrap_err(), Denial::Full);
    desk.wait(10).unwrap();
    desk.wait(11).unwrap();
    assert_eq!(desk.wait(12), Err(NoBackend::QueueFull));
    assert!(desk.granted().is_empty());
    drop(two);
    assert_eq!(desk.pick().unwrap_err(), Denial::Full, "a newcomer does not go before those who wait");
    let granted = desk.granted();
    assert_eq!(granted.len(), 1);
    assert_eq!(granted[0].connection, ConnectionId::numbered(10));
    assert_eq!(granted[0].outcome.as_ref().unwrap().address, address(2));
    drop(one);
    let more = desk.granted();
    assert_eq!(more[0].connection, ConnectionId::numbered(11));
    drop((granted, more));
    assert!(desk.pick().is_ok());
}

#[test]
fn who_leaves_the_line_is_not_served() {
    let mut desk = Desk::new(&[1], Upstream { connections: 1, ..Upstream::default() });
    let lease = desk.pick().unwrap();
    let ticket = desk.wait(10).unwrap();
    desk.wait(11).unwrap();
    desk.pools.leave(&desk.pool, ticket);
    drop(lease);
    assert_eq!(desk.granted()[0].connection, ConnectionId::numbered(11));
}

#[test]
fn who_waits_for_one_backend_does_not_hold_up_those_who_can_take_another() {
    let mut desk = Desk::new(&[1, 2], Upstream { connections: 1, ..Upstream::default() });
    let mut picky = Seeker::new(source(1));
    let one = desk.seek(&mut picky).unwrap();
    let two = desk.pick().unwrap();
    // It has failed at the first, so it waits for the second only.
    desk.pools.wait(&desk.pool, ConnectionId::numbered(10), picky).unwrap();
    desk.wait(11).unwrap();
    drop(one);
    assert_eq!(desk.granted()[0].connection, ConnectionId::numbered(11));
    drop(two);
    assert_eq!(desk.granted()[0].connection, ConnectionId::numbered(10));
}

#[test]
fn a_backend_that_fails_in_a_row_rests_and_comes_back() {
    let mut desk = Desk::new(&[1, 2], Upstream { eject: Eject { failures: 3, for_ms: 10_000 }, ..Upstream::default() });
    for _ in 0..3 {
        desk.fail(1);
    }
    assert_eq!(desk.states(), [BackendState::Ejected, BackendState::Up]);
    assert_eq!(desk.changes(), [Change::Ejected]);
    assert!((0..10).all(|_| desk.pick().unwrap().address == address(2)));
    desk.now += Duration::from_secs(10);
    let back = (0..2).map(|_| desk.pick().unwrap()).find(|lease| lease.address == address(1)).unwrap();
    desk.pools.connected(&back);
    assert_eq!(desk.changes(), [Change::Returned]);
    assert_eq!(desk.states(), [BackendState::Up; 2]);
}

#[test]
fn ejection_never_empties_a_pool() {
    let mut desk = Desk::new(&[1, 2], Upstream { eject: Eject { failures: 1, for_ms: 10_000 }, ..Upstream::default() });
    desk.fail(1);
    desk.fail(2);
    assert_eq!(desk.states(), [BackendState::Ejected; 2]);
    let lease = desk.pick().unwrap();
    desk.pools.connected(&lease);
    assert_eq!(desk.changes(), [Change::Ejected, Change::Ejected, Change::Returned], "a success ends the rest early");
}

#[test]
fn the_end_of_a_rest_wakes_those_who_wait() {
    let rules = Upstream { connections: 1, eject: Eject { failures: 1, for_ms: 10_000 }, ..Upstream::default() };
    let mut desk = Desk::new(&[1, 2], rules);
    desk.fail(1);
    let _two = desk.pick().unwrap();
    assert_eq!(desk.pools.deadline(desk.now), None, "nobody waits");
    assert_eq!(desk.pick().unwrap_err(), Denial::Full, "the one that rests is not asked while another is there");
    desk.wait(10).unwrap();
    assert_eq!(desk.pools.deadline(desk.now), Some(START + Duration::from_secs(10)));
    desk.now += Duration::from_secs(10);
    assert_eq!(desk.granted()[0].outcome.as_ref().unwrap().address, address(1));
}

/// The link to the backends, with one that takes connections at `address(1)`.
struct Link {
    cell: Net,
    host: Net,
    flows: Flows,
    buf: Vec<u8>,
}

fn net(last: u8, listen: Vec<Listen>) -> Net {
    let mac = |last| [2, 0, 0, 0, 0, last];
    let other = 3 - last;
    let config = Config {
        mac: mac(last),
        addresses: vec![Cidr { address: [10, 0, 3, last].into(), prefix_len: 24 }],
        gateways: vec![net::Gateway { address: [10, 0, 3, other].into(), mac: Some(mac(other)) }],
        mtu: 1500,
        offload: false,
        trust: Trust::Private,
        listen,
        limits: Limits::default(),
    };
    Net::new(config, [last; 32], START).unwrap()
}

impl Link {
    fn new() -> Self {
        let listen = vec![Listen { address: Some(address(1).ip()), port: address(1).port() }];
        Self { cell: net(1, Vec::new()), host: net(2, listen), flows: Flows::default(), buf: vec![0; net::limits::FRAME_LEN_MAX] }
    }

    fn exchange(&mut self, now: Duration) {
        for _ in 0..8 {
            while let Some((len, offload)) = self.cell.poll_transmit(&mut self.buf, now) {
                self.host.receive(&self.buf[..len], offload, now);
            }
            while let Some((len, offload)) = self.host.poll_transmit(&mut self.buf, now) {
                self.cell.receive(&self.buf[..len], offload, now);
            }
        }
    }

    /// Lets `desk` check for a while.
    fn run(&mut self, desk: &mut Desk, time: Duration) {
        let end = desk.now + time;
        while desk.now < end {
            let now = desk.now;
            desk.pools.expire(&mut self.cell, now);
            desk.pools.check(&mut self.cell, &mut self.flows, now);
            self.exchange(now);
            self.cell.handle_timeout(now);
            while let Some(event) = self.cell.poll_event() {
                let (flow, heard) = crate::appliance::news(event);
                if let Some(crate::flows::Owner::Check(id)) = self.flows.owner(flow) {
                    desk.pools.hear(id, flow, heard, &mut self.cell, now);
                }
            }
            desk.now += MS;
        }
    }
}

fn checked(rise: u32, fall: u32) -> Upstream {
    Upstream { check: Some(Check { kind: CheckKind::Tcp, interval_ms: 1000, timeout_ms: 500, rise, fall }), ..Upstream::default() }
}

#[test]
fn a_backend_that_does_not_answer_its_check_is_down_and_gets_nobody() {
    let (mut desk, mut link) = (Desk::new(&[1, 2], checked(2, 3)), Link::new());
    link.run(&mut desk, 2000 * MS);
    assert_eq!(desk.states(), [BackendState::Up, BackendState::Down]);
    assert_eq!(desk.changes(), [Change::Down(crate::report::CheckFault::Silent)], "once");
    assert!((0..5).all(|_| desk.pick().unwrap().address == address(1)));
    let mut seeker = Seeker::new(source(1));
    desk.seek(&mut seeker).unwrap();
    assert_eq!(desk.seek(&mut seeker).unwrap_err(), Denial::Nobody(NoBackend::Failed), "not even as the last resort");
}

#[test]
fn when_all_are_down_nobody_waits() {
    let (mut desk, mut link) = (Desk::new(&[2], Upstream { connections: 1, ..checked(2, 1) }), Link::new());
    let _lease = desk.pick().unwrap();
    desk.wait(10).unwrap();
    link.run(&mut desk, 2000 * MS);
    assert_eq!(desk.granted()[0].outcome.as_ref().unwrap_err(), &NoBackend::Down);
    assert_eq!(desk.pick().unwrap_err(), Denial::Nobody(NoBackend::Down));
}

#[test]
fn checks_of_many_backends_do_not_come_in_step() {
    let (mut desk, mut link) = (Desk::new(&[1; 50], checked(2, 3)), Link::new());
    let mut most = 0;
    for _ in 0..100 {
        let before = link.cell.counters().connects;
        link.run(&mut desk, 20 * MS);
        most = most.max(link.cell.counters().connects - before);
    }
    let connects = link.cell.counters().connects;
    assert!((75..=150).contains(&connects), "{connects} checks in two seconds");
    assert!(most <= 10, "{most} of them within 20 ms");
}

#[test]
fn a_reload_keeps_what_is_known_of_backends_that_stay() {
    let (mut desk, mut link) = (Desk::new(&[1, 2], checked(2, 3)), Link::new());
    link.run(&mut desk, 2000 * MS);
    let held = desk.pick().unwrap();
    let rules = Upstream { connections: 1, ..checked(2, 3) };
    desk.pools.adopt(&[route("new", &[9], Upstream::default()), route("shop", &[2, 3, 1], rules)], &mut link.cell, desk.now);
    let old = core::mem::replace(&mut desk.pool, desk.pools.newest().nth(1).unwrap());
    assert_eq!(desk.states(), [BackendState::Up, BackendState::Down, BackendState::Up, BackendState::Up]);
    assert_eq!(desk.active(), [0, 0, 0, 1], "the connection that lives counts on");
    assert_eq!(desk.pick().unwrap().address, address(3), "the first is full, the second down");
    let mut seeker = Seeker::new(source(1));
    assert_eq!(desk.pools.pick(&old, &mut seeker, desk.now).unwrap().address, address(1), "who began with the old pool keeps to it");
    drop((held, old));
    assert_eq!(desk.active(), [0; 4]);
}

#[test]
fn what_a_reload_leaves_out_is_forgotten_when_nobody_needs_it() {
    let (mut desk, mut link) = (Desk::new(&[1, 2], checked(2, 3)), Link::new());
    link.run(&mut desk, 1500 * MS);
    let lease = desk.pick().unwrap();
    desk.pools.adopt(&[route("shop", &[3], Upstream::default())], &mut link.cell, desk.now);
    desk.pool = desk.pools.newest().next().unwrap();
    link.run(&mut desk, 1500 * MS);
    let checks = link.cell.counters().connects;
    link.run(&mut desk, 3000 * MS);
    assert_eq!(link.cell.counters().connects, checks, "no check of what is not configured");
    desk.pools.failed(lease, desk.now);
    assert_eq!(desk.active(), [0], "a place at a backend that is forgotten is given back all the same");
}

#[test]
fn a_hundred_reloads_leave_no_more_than_one() {
    let (mut desk, mut link) = (Desk::new(&[1, 2], checked(2, 3)), Link::new());
    for n in 0..100 {
        desk.pools.adopt(&[route("shop", &[1, 10 + n], checked(2, 3))], &mut link.cell, desk.now);
        desk.pool = desk.pools.newest().next().unwrap();
        link.run(&mut desk, 5 * MS);
    }
    link.run(&mut desk, 2000 * MS);
    assert_eq!(desk.pools.sizes(), (2, 1));
}
