//! What a frame costs with few and with many idle flows, and how many bytes a second two stacks move between them.
//!
//! `cargo bench -p net`. Prints medians; fails if 20,000 idle flows make a frame cost half as much again as 10.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::std_instead_of_core,
    reason = "a bench prints, and stops at the first surprise"
)]

use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use net::{Cidr, Config, Event, FlowId, Gateway, Limits, Listen, Net, Offload, Trust, limits};

const NOW: Duration = Duration::from_secs(1000);
const ROUNDS: usize = 9;
const ACTIVE: usize = 10;

fn main() {
    let few = per_frame(ACTIVE, ACTIVE);
    let many = per_frame(20_000, ACTIVE);
    let spread = per_frame(20_000, 20_000);
    println!("frame in, data out to the user, answer and frame out; {ACTIVE} active flows of     10: {few:>6.0} ns");
    println!("the same, {ACTIVE} active flows of 20,000: {many:>6.0} ns  ratio {:.2}", many / few);
    println!("the same, 20,000 active flows in turn (cache misses included): {spread:>6.0} ns  ratio {:.2}", spread / few);
    println!("SYN answered with a cookie: {:>6.0} ns", per_syn());
    for (name, offload) in [("with offloads", true), ("without offloads", false)] {
        println!("bulk, {name}: {:.2} GB/s through both stacks on one core", bulk(offload));
    }
    assert!(many / few < 1.5, "idle flows must cost nothing");
}

fn config(server: bool, offload: bool) -> Config {
    let (mine, other) = if server { (1, 2) } else { (2, 1) };
    Config {
        mac: [2, 0, 0, 0, 0, mine],
        addresses: vec![Cidr { address: IpAddr::from([10, 0, 0, mine]), prefix_len: 24 }],
        gateways: vec![Gateway { address: IpAddr::from([10, 0, 0, other]), mac: Some([2, 0, 0, 0, 0, other]) }],
        mtu: 1500,
        offload,
        trust: Trust::Private,
        listen: if server { vec![Listen { address: None, port: 443 }] } else { vec![] },
        limits: Limits { shrink_after: Duration::from_secs(1 << 30), ..Limits::default() },
    }
}

struct Pair {
    server: Net,
    client: Net,
    buf: Vec<u8>,
}

impl Pair {
    fn new(offload: bool) -> Self {
        let net = |server: bool| Net::new(config(server, offload), [u8::from(server); 32], NOW).unwrap();
        Self { server: net(true), client: net(false), buf: vec![0; limits::FRAME_LEN_MAX] }
    }

    /// Carries frames until both are quiet.
    fn settle(&mut self, now: Duration) {
        loop {
            let mut moved = false;
            while let Some((len, offload)) = self.client.poll_transmit(&mut self.buf, now) {
                self.server.receive(&self.buf[..len], offload, now);
                moved = true;
            }
            while let Some((len, offload)) = self.server.poll_transmit(&mut self.buf, now) {
                self.client.receive(&self.buf[..len], offload, now);
                moved = true;
            }
            if !moved {
                return;
            }
        }
    }

    fn connect(&mut self, number: usize) -> (FlowId, FlowId) {
        let [.., high, low] = (number / 10_000 + 256).to_be_bytes();
        let local = SocketAddr::new(IpAddr::from([10, 9, high, low]), u16::try_from(1024 + number % 10_000).unwrap());
        let ours = self.client.connect(SocketAddr::new(IpAddr::from([10, 0, 0, 1]), 443), Some(local), NOW).unwrap();
        self.settle(NOW);
        while self.client.poll_event().is_some() {}
        let Some(Event::Accepted { flow, .. }) = self.server.poll_event() else { panic!("not accepted") };
        (flow, ours)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds for one request frame and its answer on a server with `flows` flows of which `active` talk.
fn per_frame(flows: usize, active: usize) -> f64 {
    let mut pair = Pair::new(false);
    let names: Vec<(FlowId, FlowId)> = (0..flows).map(|number| pair.connect(number)).collect();
    let mut now = NOW;
    let mut round = || {
        let mut spent = Duration::ZERO;
        let mut frames = 0;
        for batch in 0..200 {
            now += Duration::from_millis(1);
            pair.client.handle_timeout(now);
            let mut incoming: Vec<Vec<u8>> = Vec::new();
            for i in 0..ACTIVE {
                let (_, ours) = names[(batch * ACTIVE + i * (active / ACTIVE)) % active];
                pair.client.send(ours, |room| (100, room[..100].fill(1))).unwrap();
            }
            while let Some((len, _)) = pair.client.poll_transmit(&mut pair.buf, now) {
                incoming.push(pair.buf[..len].to_vec());
            }
            let mut outgoing = Vec::with_capacity(2 * ACTIVE);
            let begin = Instant::now();
            pair.server.handle_timeout(now);
            for frame in &incoming {
                pair.server.receive(frame, Offload::default(), now);
            }
            while let Some(event) = pair.server.poll_event() {
                if let Event::Readable(flow) = event {
                    pair.server.recv(flow, |bytes| (bytes.len(), black_box(bytes.len()))).unwrap();
                    pair.server.send(flow, |room| (100, room[..100].fill(2))).unwrap();
                }
            }
            while let Some((len, _)) = pair.server.poll_transmit(&mut pair.buf, now) {
                outgoing.push(pair.buf[..len].to_vec());
            }
            spent += begin.elapsed();
            frames += incoming.len();
            for frame in &outgoing {
                pair.client.receive(frame, Offload::default(), now);
            }
            while let Some(event) = pair.client.poll_event() {
                if let Event::Readable(flow) = event {
                    pair.client.recv(flow, |bytes| (bytes.len(), ())).unwrap();
                }
            }
        }
        spent.as_secs_f64() * 1e9 / f64::from(u32::try_from(frames).unwrap())
    };
    round();
    median((0..ROUNDS).map(|_| round()).collect())
}

fn per_syn() -> f64 {
    let mut pair = Pair::new(false);
    pair.client.connect("10.0.0.1:443".parse().unwrap(), None, NOW).unwrap();
    let (len, _) = pair.client.poll_transmit(&mut pair.buf, NOW).unwrap();
    let syn = pair.buf[..len].to_vec();
    let mut round = || {
        let begin = Instant::now();
        for _ in 0..10_000 {
            pair.server.receive(black_box(&syn), Offload::default(), NOW);
            black_box(pair.server.poll_transmit(&mut pair.buf, NOW));
        }
        begin.elapsed().as_secs_f64() * 1e9 / 10_000.0
    };
    median((0..ROUNDS).map(|_| round()).collect())
}

/// Gigabytes a second from one user to the other.
fn bulk(offload: bool) -> f64 {
    let mut pair = Pair::new(offload);
    let (theirs, ours) = pair.connect(0);
    let total: usize = if offload { 2 << 30 } else { 512 << 20 };
    let mut now = NOW;
    let mut round = || {
        let mut got = 0;
        let begin = Instant::now();
        while got < total {
            now += Duration::from_micros(50);
            if pair.client.deadline().is_some_and(|at| at <= now) {
                pair.client.handle_timeout(now);
            }
            if pair.server.deadline().is_some_and(|at| at <= now) {
                pair.server.handle_timeout(now);
            }
            while pair.client.send(ours, |room| (room.len(), room.len())).unwrap() > 0 {}
            while let Some((len, note)) = pair.client.poll_transmit(&mut pair.buf, now) {
                pair.server.receive(&pair.buf[..len], note, now);
            }
            while let Ok(len @ 1..) = pair.server.recv(theirs, |bytes| (bytes.len(), bytes.len())) {
                got += len;
            }
            while let Some((len, note)) = pair.server.poll_transmit(&mut pair.buf, now) {
                pair.client.receive(&pair.buf[..len], note, now);
            }
            while pair.server.poll_event().is_some() || pair.client.poll_event().is_some() {}
        }
        f64::from(u32::try_from(got >> 10).unwrap()) * 1024.0 / 1e9 / begin.elapsed().as_secs_f64()
    };
    round();
    median((0..3).map(|_| round()).collect())
}
