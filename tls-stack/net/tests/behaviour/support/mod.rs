//! A wire between two `Net`s that loses, doubles, delays and reorders by a seed; and what the tests share.
pub(crate) mod raw;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use net::{Cidr, Config, Event, FlowId, Limits, Listen, Net, Offload, Trust, limits};

pub(crate) const SERVER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub(crate) const CLIENT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];
pub(crate) const PORT: u16 = 443;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) fn server(self) -> IpAddr {
        match self {
            Self::V4 => "192.0.2.1".parse().unwrap(),
            Self::V6 => "2001:db8::1".parse().unwrap(),
        }
    }

    pub(crate) fn client(self) -> IpAddr {
        match self {
            Self::V4 => "192.0.2.2".parse().unwrap(),
            Self::V6 => "2001:db8::2".parse().unwrap(),
        }
    }

    pub(crate) fn service(self) -> SocketAddr {
        SocketAddr::new(self.server(), PORT)
    }
}

pub(crate) fn config(family: Family, server: bool) -> Config {
    let prefix_len = if family == Family::V4 { 24 } else { 64 };
    let address = if server { family.server() } else { family.client() };
    Config {
        mac: if server { SERVER_MAC } else { CLIENT_MAC },
        addresses: vec![Cidr { address, prefix_len }],
        gateways: vec![],
        mtu: 1500,
        offload: false,
        trust: Trust::Public,
        listen: if server { vec![Listen { address: None, port: PORT }] } else { vec![] },
        limits: Limits::default(),
    }
}

/// Chances in a thousand, and the longest extra delay.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) loss: u64,
    pub(crate) duplicate: u64,
    pub(crate) reorder: u64,
}

pub(crate) struct Rng(pub u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

struct InFlight {
    at: Duration,
    order: u64,
    to_server: bool,
    frame: Vec<u8>,
    offload: Offload,
}

pub(crate) struct Wire {
    pub(crate) server: Net,
    pub(crate) client: Net,
    pub(crate) now: Duration,
    pub(crate) faults: Faults,
    pub(crate) rng: Rng,
    pub(crate) delay: Duration,
    flying: Vec<InFlight>,
    order: u64,
    buf: Vec<u8>,
    /// Everything that was put on the wire, as a running hash.
    pub(crate) trace: u64,
    pub(crate) frames: u64,
}

impl Wire {
    pub(crate) fn new(server: Config, client: Config) -> Self {
        Self::seeded(server, client, 1)
    }

    pub(crate) fn seeded(server: Config, client: Config, seed: u8) -> Self {
        let now = Duration::from_secs(1000);
        Self {
            server: Net::new(server, [seed; 32], now).unwrap(),
            client: Net::new(client, [seed.wrapping_add(1); 32], now).unwrap(),
            now,
            faults: Faults::default(),
            rng: Rng(u64::from(seed)),
            delay: Duration::from_micros(100),
            flying: Vec::new(),
            order: 0,
            buf: vec![0; limits::FRAME_LEN_MAX],
            trace: 0,
            frames: 0,
        }
    }

    pub(crate) fn of(family: Family) -> Self {
        Self::new(config(family, true), config(family, false))
    }

    /// Sends what both have to send, then lets the next thing happen: a frame arrives or a timer fires. False if nothing would.
    pub(crate) fn step(&mut self) -> bool {
        self.collect(true);
        self.collect(false);
        let arrival = self.flying.iter().map(|frame| frame.at).min();
        let timer = [self.server.deadline(), self.client.deadline()].into_iter().flatten().min();
        let Some(next) = [arrival, timer].into_iter().flatten().min() else { return false };
        self.now = self.now.max(next);
        self.deliver();
        self.server.handle_timeout(self.now);
        self.client.handle_timeout(self.now);
        true
    }

    /// Frames and timers up to `until`.
    pub(crate) fn run_until(&mut self, until: Duration) {
        loop {
            self.collect(true);
            self.collect(false);
            let arrival = self.flying.iter().map(|frame| frame.at).min();
            let timer = [self.server.deadline(), self.client.deadline()].into_iter().flatten().min();
            match [arrival, timer].into_iter().flatten().min() {
                Some(next) if next <= until => {
                    self.step();
                }
                _ => break,
            }
        }
        self.now = until;
    }

    fn collect(&mut self, from_server: bool) {
        let mut buf = core::mem::take(&mut self.buf);
        loop {
            let net = if from_server { &mut self.server } else { &mut self.client };
            let Some((len, offload)) = net.poll_transmit(&mut buf, self.now) else { break };
            for byte in &buf[..len] {
                self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
            self.frames += 1;
            if self.rng.below(1000) < self.faults.loss {
                continue;
            }
            let copies = 1 + u64::from(self.rng.below(1000) < self.faults.duplicate);
            for _ in 0..copies {
                let late =
                    if self.rng.below(1000) < self.faults.reorder { Duration::from_micros(self.rng.below(3000)) } else { Duration::ZERO };
                self.order += 1;
                let at = self.now + self.delay + late;
                self.flying.push(InFlight { at, order: self.order, to_server: !from_server, frame: buf[..len].to_vec(), offload });
            }
        }
        self.buf = buf;
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (mut due, rest): (Vec<_>, Vec<_>) = core::mem::take(&mut self.flying).into_iter().partition(|frame| frame.at <= now);
        self.flying = rest;
        due.sort_by_key(|frame| (frame.at, frame.order));
        for frame in due {
            let net = if frame.to_server { &mut self.server } else { &mut self.client };
            net.receive(&frame.frame, frame.offload, now);
        }
    }

    /// Connects over a wire without faults, and gives both names of the flow.
    pub(crate) fn connect(&mut self, family: Family) -> (FlowId, FlowId) {
        self.connect_from(family, None)
    }

    /// The same, from this end of the client's.
    pub(crate) fn connect_from(&mut self, family: Family, local: Option<SocketAddr>) -> (FlowId, FlowId) {
        let faults = core::mem::take(&mut self.faults);
        let names = self.connect_anyhow(family, local);
        self.faults = faults;
        names
    }

    fn connect_anyhow(&mut self, family: Family, local: Option<SocketAddr>) -> (FlowId, FlowId) {
        let ours = self.client.connect(family.service(), local, self.now).unwrap();
        let (mut accepted, mut connected) = (None, false);
        for _ in 0..10_000 {
            self.step();
            while let Some(event) = self.server.poll_event() {
                if let Event::Accepted { flow, .. } = event {
                    accepted = Some(flow);
                }
            }
            while let Some(event) = self.client.poll_event() {
                assert!(!matches!(event, Event::Closed { .. }), "{event:?}");
                connected |= event == Event::Connected(ours);
            }
            if let (Some(theirs), true) = (accepted, connected) {
                return (theirs, ours);
            }
        }
        panic!("no connection");
    }
}

/// One end's part in a transfer: what it sends, and what it has received.
pub(crate) struct Party {
    pub(crate) flow: FlowId,
    pub(crate) to_send: Vec<u8>,
    pub(crate) sent: usize,
    pub(crate) received: Vec<u8>,
    pub(crate) shut: bool,
    pub(crate) finished: bool,
}

impl Party {
    pub(crate) fn new(flow: FlowId, to_send: Vec<u8>) -> Self {
        Self { flow, to_send, sent: 0, received: Vec::new(), shut: false, finished: false }
    }

    pub(crate) fn turn(&mut self, net: &mut Net) {
        while self.sent < self.to_send.len() {
            let rest = &self.to_send[self.sent..];
            let filled = net.send(self.flow, |room| {
                let len = room.len().min(rest.len());
                room[..len].copy_from_slice(&rest[..len]);
                (len, len)
            });
            match filled {
                Ok(0) | Err(_) => break,
                Ok(len) => self.sent += len,
            }
        }
        if self.sent == self.to_send.len() && !self.shut {
            net.shutdown(self.flow);
            self.shut = true;
        }
        while let Ok(len) = net.recv(self.flow, |bytes| {
            self.received.extend_from_slice(bytes);
            (bytes.len(), bytes.len())
        }) {
            if len == 0 {
                break;
            }
        }
    }
}

pub(crate) fn pattern(len: usize, seed: u64) -> Vec<u8> {
    let mut rng = Rng(seed);
    (0..len.div_ceil(8)).flat_map(|_| rng.next().to_le_bytes()).take(len).collect()
}

/// Runs both parties until both streams have ended; gives the close reasons.
pub(crate) fn exchange(wire: &mut Wire, server: &mut Party, client: &mut Party) {
    for _ in 0..2_000_000 {
        server.turn(&mut wire.server);
        client.turn(&mut wire.client);
        while let Some(event) = wire.server.poll_event() {
            note(event, server);
        }
        while let Some(event) = wire.client.poll_event() {
            note(event, client);
        }
        if server.finished && client.finished && server.shut && client.shut {
            return;
        }
        assert!(
            wire.step(),
            "nothing left to wait for: {} of {} and {} of {}",
            server.received.len(),
            client.to_send.len(),
            client.received.len(),
            server.to_send.len()
        );
    }
    panic!("the exchange does not end");
}

fn note(event: Event, party: &mut Party) {
    match event {
        Event::Finished(flow) => party.finished |= flow == party.flow,
        Event::Closed { flow, reason } if flow == party.flow => assert_eq!(reason, net::CloseReason::Done),
        _ => {}
    }
}
