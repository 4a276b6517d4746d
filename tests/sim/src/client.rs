//! Clients: rustls' own client, or raw bytes, each with a plan, on one stack that speaks for all their addresses.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::sync::Arc;

use net::{CloseReason, Event, FlowId, Net};
use rustls_std::pki_types::ServerName;
use rustls_std::{AlertDescription, ClientConfig, ClientConnection, Error};

use crate::host::{self, Host};
use crate::offer;
use crate::wire::Lane;

/// What a client does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its address; with port 0 any port.
    pub from: SocketAddr,
    /// Where it connects to.
    pub to: SocketAddr,
    /// When it begins.
    pub at: Duration,
    /// Raw bytes before anything else.
    pub before: Vec<u8>,
    /// How it speaks.
    pub speech: Speech,
    /// What it says.
    pub talk: Talk,
    /// What it does when it has said it.
    pub then: Then,
    /// It sends no more than so many bytes each so often, if it is slow.
    pub trickle: Option<(usize, Duration)>,
    /// It reads nothing between these times.
    pub deaf: Option<(Duration, Duration)>,
}

impl Plan {
    /// Client `n` sends these bytes as they are, from the start on, and waits for the server to finish.
    #[must_use]
    pub fn raw(n: u16, bytes: Vec<u8>) -> Self {
        Self {
            from: crate::client(n),
            to: crate::SERVER,
            at: Duration::ZERO,
            before: Vec::new(),
            speech: Speech::Raw,
            talk: Talk::Stream(bytes),
            then: Then::Wait,
            trickle: None,
            deaf: None,
        }
    }
}

/// How a client speaks.
#[derive(Debug, Clone)]
pub enum Speech {
    /// TLS, asking for this name.
    Tls(Arc<ClientConfig>, &'static str),
    /// The bytes as they are.
    Raw,
}

/// What a client says.
#[derive(Debug, Clone)]
pub enum Talk {
    /// All of this.
    Stream(Vec<u8>),
    /// A request as often as this, each after the whole reply to the one before.
    Exchanges {
        /// The request.
        request: Vec<u8>,
        /// Bytes of one reply.
        reply_len: usize,
        /// How often.
        count: usize,
    },
}

/// What a client does when it has said what it had to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Waits for the server to finish, then finishes too.
    Wait,
    /// Says so (close_notify and FIN), and goes on reading.
    Close,
    /// The same once it has received so many bytes.
    CloseAfter(usize),
    /// Goes with a FIN and no close_notify.
    Vanish,
    /// Resets the connection.
    Reset,
}

/// How a connection ended for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientEnd {
    /// close_notify, then FIN: nothing is missing.
    Whole,
    /// FIN without close_notify.
    Truncated,
    /// A fatal alert, then FIN.
    Alert(AlertDescription),
    /// The TCP connection broke.
    Broken(CloseReason),
    /// The client did not like what it got.
    Disliked,
}

/// What a client has seen.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Plaintext, or the raw bytes.
    pub received: Vec<u8>,
    /// When the handshake was done.
    pub established: Option<Duration>,
    /// Suite and group, once that is so.
    pub agreed: Option<(rustls_std::CipherSuite, rustls_std::NamedGroup)>,
    /// The ticket that its hello offered, and when that left.
    pub offered: Option<(Vec<u8>, Duration)>,
    /// Whether a ticket took the place of a full handshake.
    pub resumed: bool,
    /// What it did not like, or the alert that it got.
    pub fault: Option<Error>,
    /// How and when it ended.
    pub end: Option<(ClientEnd, Duration)>,
}

/// All clients.
#[derive(Debug)]
pub struct Clients {
    host: Host,
    list: Vec<Client>,
    by_flow: BTreeMap<FlowId, usize>,
    alarms: BTreeSet<(Duration, usize)>,
}

#[derive(Debug)]
struct Client {
    plan: Plan,
    flow: Option<FlowId>,
    tls: Option<ClientConnection>,
    /// Bytes of the plan given to TLS, requests begun, and what waits for the flow.
    said: usize,
    requests: usize,
    out: Vec<u8>,
    next_drip: Duration,
    heard_close: bool,
    /// Its hello is on its way, and was looked at.
    greeted: bool,
    closing: Closing,
    /// The server's host has answered.
    connected: bool,
    finished: bool,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    /// close_notify is given to TLS; the FIN follows the last byte.
    Said,
    Done,
}

const OUT_MAX: usize = 64 * 1024;

impl Clients {
    /// None yet.
    #[must_use]
    pub fn new(net: Net) -> Self {
        Self { host: Host::new(net), list: Vec::new(), by_flow: BTreeMap::new(), alarms: BTreeSet::new() }
    }

    /// Adds one; its number.
    pub fn add(&mut self, plan: Plan) -> usize {
        let index = self.list.len();
        self.alarms.insert((plan.at, index));
        self.list.push(Client::new(plan));
        index
    }

    /// What a client has seen so far.
    #[must_use]
    pub fn outcome(&self, index: usize) -> &Outcome {
        &self.list[index].outcome
    }

    /// Lets a client that waits close in order now.
    pub fn release(&mut self, index: usize, now: Duration) {
        self.list[index].plan.then = Then::Close;
        self.alarms.insert((now, index));
    }

    /// Whoever is still there says that it is done: whose cell is gone, or has forgotten it, hears of that when it speaks. Who has said so before and waits
    /// for an answer can say nothing more, and goes.
    pub fn leave(&mut self, now: Duration) {
        for (index, client) in self.list.iter_mut().enumerate().filter(|(_, client)| client.outcome.end.is_none()) {
            let Some(flow) = client.flow else { continue };
            if client.closing == Closing::Done {
                self.host.net.abort(flow);
                self.by_flow.remove(&flow);
                client.flow = None;
                client.outcome.end = Some((ClientEnd::Broken(CloseReason::Done), now));
            } else {
                self.host.net.shutdown(flow);
                client.closing = Closing::Done;
            }
            self.alarms.insert((now, index));
        }
    }

    /// Clients whose connection has not ended.
    #[must_use]
    pub fn open(&self) -> usize {
        self.list.iter().filter(|client| client.outcome.end.is_none()).count()
    }

    /// Clients that are still on their way: nobody has answered their SYN, and they have not given up. The server knows nothing of them.
    #[must_use]
    pub fn dialing(&self) -> usize {
        let on_its_way = |client: &&Client| client.flow.is_some() && !client.connected && client.outcome.end.is_none();
        self.list.iter().filter(on_its_way).count()
    }

    /// When something happens here, if no frame comes before.
    #[must_use]
    pub fn next(&self) -> Option<Duration> {
        let alarm = self.alarms.first().map(|(at, _)| *at);
        [self.host.net.deadline(), alarm].into_iter().flatten().min()
    }

    /// Takes what has arrived, acts on it, sends.
    pub fn run(&mut self, now: Duration, lanes: (&mut Lane, &mut Lane)) {
        let mut happened = self.host.receive(now, lanes.0);
        while let Some(event) = self.host.net.poll_event() {
            self.hear(event, now);
        }
        while let Some(alarm) = self.alarms.first().copied().filter(|(at, _)| *at <= now) {
            self.alarms.remove(&alarm);
            self.wake(alarm.1, now);
            happened = true;
        }
        if happened {
            self.host.transmit(now, lanes.1);
        }
    }

    fn wake(&mut self, index: usize, now: Duration) {
        let client = &mut self.list[index];
        if client.flow.is_none() && client.outcome.end.is_none() {
            match self.host.net.connect(client.plan.to, Some(client.plan.from), now) {
                Ok(flow) => {
                    client.flow = Some(flow);
                    self.by_flow.insert(flow, index);
                }
                Err(_) => client.outcome.end = Some((ClientEnd::Broken(CloseReason::Unreachable), now)),
            }
            return;
        }
        self.turn(index, now);
    }

    fn hear(&mut self, event: Event, now: Duration) {
        let Some(index) = self.by_flow.get(&host::flow_of(event)).copied() else { return };
        match event {
            Event::Connected(_) => self.list[index].connected = true,
            Event::Finished(_) => self.list[index].finished = true,
            Event::Closed { reason, flow } => {
                self.by_flow.remove(&flow);
                self.list[index].lose(reason, now);
                return;
            }
            _ => {}
        }
        self.turn(index, now);
    }

    fn turn(&mut self, index: usize, now: Duration) {
        let client = &mut self.list[index];
        let Some(flow) = client.flow else { return };
        let wake = client.turn(&mut self.host.net, flow, now);
        if let Some(at) = wake {
            self.alarms.insert((at, index));
        }
        if client.flow.is_none() {
            self.by_flow.remove(&flow);
        }
    }
}

impl Client {
    fn new(plan: Plan) -> Self {
        let tls = match &plan.speech {
            Speech::Tls(config, name) => {
                let name = ServerName::try_from(*name).expect("a valid name in the plan");
                Some(ClientConnection::new(Arc::clone(config), name).expect("a configuration that works"))
            }
            Speech::Raw => None,
        };
        let (next_drip, out) = (plan.at, plan.before.clone());
        Self {
            plan,
            flow: None,
            tls,
            said: 0,
            requests: 0,
            out,
            next_drip,
            heard_close: false,
            greeted: false,
            closing: Closing::No,
            connected: false,
            finished: false,
            outcome: Outcome::default(),
        }
    }

    /// Reads, thinks, writes. Gives up its flow when both ends are done. Says when it wants to be woken.
    fn turn(&mut self, net: &mut Net, flow: FlowId, now: Duration) -> Option<Duration> {
        let deaf_until = self.plan.deaf.filter(|(from, to)| *from <= now && now < *to).map(|(_, to)| to);
        if deaf_until.is_none() {
            while self.read(net, flow, now) > 0 {}
        }
        self.say();
        let drip = self.write(net, flow, now);
        if self.finished && net.readable(flow) == 0 {
            self.end(now);
            if self.plan.then == Then::Wait || self.outcome.fault.is_some() {
                self.close();
                self.write(net, flow, now);
            }
        }
        self.act(net, flow, now);
        [deaf_until, drip].into_iter().flatten().min()
    }

    fn act(&mut self, net: &mut Net, flow: FlowId, now: Duration) {
        let said = self.has_said_all() && self.out.is_empty();
        match self.plan.then {
            Then::Reset if said => {
                net.abort(flow);
                self.flow = None;
                self.outcome.end.get_or_insert((ClientEnd::Broken(CloseReason::Done), now));
            }
            Then::Vanish if said && self.closing == Closing::No => {
                net.shutdown(flow);
                self.closing = Closing::Done;
            }
            _ => {}
        }
        if self.closing == Closing::Said && self.out.is_empty() {
            net.shutdown(flow);
            self.closing = Closing::Done;
        }
        if self.closing == Closing::Done && self.outcome.end.is_some() && self.flow.is_some() {
            net.close(flow, now);
            self.flow = None;
        }
    }

    fn read(&mut self, net: &mut Net, flow: FlowId, now: Duration) -> usize {
        let Some(tls) = &mut self.tls else {
            let received = &mut self.outcome.received;
            let read = net.recv(flow, |bytes| {
                received.extend_from_slice(bytes);
                (bytes.len(), bytes.len())
            });
            return read.unwrap_or_default();
        };
        let Outcome { received, fault, .. } = &mut self.outcome;
        let read = net.recv(flow, |bytes| {
            let mut rest: &[u8] = bytes;
            while !rest.is_empty() && fault.is_none() && tls.read_tls(&mut rest).is_ok_and(|read| read > 0) {
                match tls.process_new_packets() {
                    Ok(state) => {
                        self.heard_close |= state.peer_has_closed();
                        let before = received.len();
                        received.resize(before + state.plaintext_bytes_to_read(), 0);
                        tls.reader().read_exact(&mut received[before..]).expect("rustls has what it says");
                    }
                    Err(error) => *fault = Some(error),
                }
            }
            (bytes.len(), bytes.len())
        });
        if self.outcome.established.is_none() && !tls.is_handshaking() {
            self.outcome.established = Some(now);
            let suite = tls.negotiated_cipher_suite().map(|suite| suite.suite());
            let group = tls.negotiated_key_exchange_group().map(|group| group.name());
            self.outcome.agreed = suite.zip(group);
            self.outcome.resumed = tls.handshake_kind() == Some(rustls_std::HandshakeKind::Resumed);
        }
        read.unwrap_or_default()
    }

    /// Gives what may be said now to TLS, or to the flow.
    fn say(&mut self) {
        if self.closing != Closing::No || self.out.len() >= OUT_MAX {
            return;
        }
        let Some(tls) = &mut self.tls else {
            if let Talk::Stream(bytes) = &self.plan.talk {
                self.out.extend_from_slice(&bytes[self.said..]);
                self.said = bytes.len();
            }
            return;
        };
        match &self.plan.talk {
            Talk::Stream(bytes) => {
                if !tls.is_handshaking() {
                    self.said += tls.writer().write(&bytes[self.said..]).unwrap_or(0);
                }
            }
            Talk::Exchanges { request, reply_len, count } => {
                let replied = self.outcome.received.len() >= reply_len * self.requests;
                if !tls.is_handshaking() && replied && self.requests < *count {
                    self.requests += 1;
                    tls.writer().write_all(request).expect("a request fits rustls' buffer");
                }
            }
        }
        let close = match self.plan.then {
            Then::Close => self.has_said_all(),
            Then::CloseAfter(len) => self.has_said_all() && self.outcome.received.len() >= len,
            Then::Wait | Then::Vanish | Then::Reset => false,
        };
        if close {
            self.close();
        }
    }

    fn close(&mut self) {
        if self.closing == Closing::No {
            self.closing = Closing::Said;
            if let Some(tls) = &mut self.tls {
                tls.send_close_notify();
            }
        }
    }

    fn has_said_all(&self) -> bool {
        if self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
            return false;
        }
        match &self.plan.talk {
            Talk::Stream(bytes) => self.said == bytes.len(),
            Talk::Exchanges { reply_len, count, .. } => self.outcome.received.len() >= reply_len * count,
        }
    }

    /// Moves what waits to the flow; says when the next drip is due.
    fn write(&mut self, net: &mut Net, flow: FlowId, now: Duration) -> Option<Duration> {
        loop {
            if let Some(tls) = &mut self.tls {
                let begin = self.out.len();
                while tls.wants_write() && self.out.len() < OUT_MAX {
                    tls.write_tls(&mut self.out).expect("a vector takes everything");
                }
                if !self.greeted {
                    self.greeted = true;
                    self.outcome.offered = offer::ticket(&self.out[begin..]).map(|ticket| (ticket.to_vec(), now));
                }
            }
            if self.out.is_empty() {
                return None;
            }
            let len_max = match self.plan.trickle {
                Some(_) if now < self.next_drip => return Some(self.next_drip),
                Some((len, _)) => len,
                None => usize::MAX,
            };
            let out = &self.out;
            let sent = net.send(flow, |space| {
                let len = out.len().min(space.len()).min(len_max);
                space[..len].copy_from_slice(&out[..len]);
                (len, len)
            });
            let sent = sent.unwrap_or(0);
            if sent == 0 {
                return None;
            }
            self.out.drain(..sent);
            if let Some((_, pause)) = self.plan.trickle {
                self.next_drip = now + pause;
            }
            self.say();
        }
    }

    fn end(&mut self, now: Duration) {
        let end = match &self.outcome.fault {
            Some(Error::AlertReceived(alert)) => ClientEnd::Alert(*alert),
            Some(_) => ClientEnd::Disliked,
            None if self.heard_close => ClientEnd::Whole,
            None => ClientEnd::Truncated,
        };
        self.outcome.end.get_or_insert((end, now));
    }

    fn lose(&mut self, reason: CloseReason, now: Duration) {
        self.flow = None;
        if reason == CloseReason::Done {
            self.end(now);
        } else {
            self.outcome.end.get_or_insert((ClientEnd::Broken(reason), now));
        }
    }
}
