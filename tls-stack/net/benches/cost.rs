//! What a frame costs with few and with many idle flows, and how many bytes a second two stacks move between them.
//!
//! `cargo bench -p net`. Prints medians; fails if 20,000 idle flows make a frame cost half as much again as 10.
#![expect(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a bench prints, and stops at the first surprise")]

use core::hint::black_box;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::time::Instant;

use net::{Cidr, Config, Event, FlowId, Gateway, Limits, Listen, Net, Offload, Trust, limits};

const NOW: Duration = Duration::from_secs(1000);
const ROUNDS: usize = 21;
const BATCHES: usize = 200;
const ACTIVE: usize = 10;

fn main() {
    let mut setups = [Setup::new(ACTIVE, ACTIVE), Setup::new(20_000, ACTIVE), Setup::new(20_000, 20_000)];
    // In turn, so that what else the machine does meets all alike.
    for round in 0..=ROUNDS {
        for setup in &mut setups {
            let cost = setup.round();
            if round > 0 {
                setup.costs.push(cost);
            }
        }
    }
    let [few, many, spread] = setups.map(|setup| median(setup.costs));
    println!("frame in, data to the user, answer, frame out; 10 active flows of 10: {few:.0} ns");
    println!("the same, 10 active flows of 20,000: {many:.0} ns, ratio {:.2}", many / few);
    println!("the same, 20,000 active flows in turn, cache misses included: {spread:.0} ns, ratio {:.2}", spread / few);
    println!("SYN answered with a cookie: {:.0} ns", per_syn());
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

/// A server with its flows, of which some talk.
struct Setup {
    pair: Pair,
    names: Vec<(FlowId, FlowId)>,
    active: usize,
    turn: usize,
    now: Duration,
    costs: Vec<f64>,
}

impl Setup {
    fn new(flows: usize, active: usize) -> Self {
        let mut pair = Pair::new(false);
        let names = (0..flows).map(|number| pair.connect(number)).collect();
        Self { pair, names, active, turn: 0, now: NOW, costs: vec![] }
    }

    /// Nanoseconds of the server for one request frame and its answer.
    fn round(&mut self) -> f64 {
        let mut spent = Duration::ZERO;
        for _ in 0..BATCHES {
            self.now += Duration::from_millis(1);
            let requests = self.requests();
            let mut answers = Vec::with_capacity(1 << 16);
            let mut lens = Vec::with_capacity(4 * ACTIVE);
            let begin = Instant::now();
            serve(&mut self.pair, &requests, &mut answers, &mut lens, self.now);
            spent += begin.elapsed();
            let mut rest = &answers[..];
            for len in lens {
                let (frame, others) = rest.split_at(len);
                self.pair.client.receive(frame, Offload::default(), self.now);
                rest = others;
            }
            while let Some(event) = self.pair.client.poll_event() {
                if let Event::Readable(flow) = event {
                    self.pair.client.recv(flow, |bytes| (bytes.len(), ())).unwrap();
                }
            }
        }
        spent.as_secs_f64() * 1e9 / f64::from(u32::try_from(BATCHES * ACTIVE).unwrap())
    }

    fn requests(&mut self) -> Vec<Vec<u8>> {
        let client = &mut self.pair.client;
        client.handle_timeout(self.now);
        while client.poll_transmit(&mut self.pair.buf, self.now).is_some() {}
        for _ in 0..ACTIVE {
            // A step that is prime to the number of flows, so that neighbours in time are none in memory.
            self.turn = (self.turn + 7919) % self.active;
            client.send(self.names[self.turn].1, |room| (100, room[..100].fill(1))).unwrap();
        }
        let buf = &mut self.pair.buf;
        core::iter::from_fn(|| client.poll_transmit(buf, self.now).map(|(len, _)| buf[..len].to_vec())).collect()
    }
}

fn serve(pair: &mut Pair, requests: &[Vec<u8>], answers: &mut Vec<u8>, lens: &mut Vec<usize>, now: Duration) {
    pair.server.handle_timeout(now);
    for frame in requests {
        pair.server.receive(frame, Offload::default(), now);
    }
    while let Some(event) = pair.server.poll_event() {
        if let Event::Readable(flow) = event {
            pair.server.recv(flow, |bytes| (bytes.len(), black_box(bytes.len()))).unwrap();
            pair.server.send(flow, |room| (100, room[..100].fill(2))).unwrap();
        }
    }
    while let Some((len, _)) = pair.server.poll_transmit(&mut pair.buf, now) {
        answers.extend_from_slice(&pair.buf[..len]);
        lens.push(len);
    }
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
