//! Boundary: all of them. Clients, some of whom speak TLS, backends, time and faults of the wire, all as the script says, round one whole appliance.
//!
//! What must hold, whatever happens: what a backend hears is what one client said, from its beginning and without a gap, and the other way round; no more
//! connections than the limits allow; no key on any wire; and once everybody is silent, everything ends within its time.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, LazyLock};

use appliance::{Appliance, Deadline};
use net::{Event, FlowId, Offload};
use proxy::{Decoder, Header};
use rustls_std::pki_types::ServerName;
use rustls_std::{ClientConfig, ClientConnection};
use tls::Version;

use crate::draws;
use crate::hosts::{Batches, Fault, Host, service};
use crate::peer::client_config;
use crate::script::Script;
use crate::setting::{FRONT, NAME, PASSED, PORTS, appliance, backends, bundle_of, limits, now};

/// Clients that one input has at most, and acts.
const CLIENTS_MAX: usize = 6;
const ACTS_MAX: usize = 32;
/// Rounds of frames back and forth after one act, at one time.
const ROUNDS_MAX: usize = 64;
/// Every limit that ends something is far below it.
const SILENCE: Duration = Duration::from_secs(60);
/// Times that something wants to be done within it.
const ALARMS_MAX: usize = 2_000;

/// What a check wants to hear.
const OK: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";

/// Hellos for either route, and what else a client may begin with.
static OPENINGS: LazyLock<[Vec<u8>; 6]> = LazyLock::new(|| {
    draws::apart(|| {
        let [to_end, to_pass] = [NAME, PASSED].map(|name| bytes_of(&mut client(&client_config(Version::Tls13), name)));
        let proxied = b"PROXY TCP4 203.0.113.7 203.0.113.8 4711 443\r\n".to_vec();
        let whole = [&proxied[..], &to_pass].concat();
        [to_end, to_pass, proxied, whole, b"GET / HTTP/1.1\r\n\r\n".to_vec(), bytes_of(&mut with_protocols())]
    })
});

/// Hellos and the like with their names, for whoever wants them by themselves.
pub(crate) fn openings() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    ["to-end", "to-pass", "proxied", "proxied-to-pass", "http", "protocols"].into_iter().zip(OPENINGS.iter().map(|bytes| &bytes[..]))
}

fn client(config: &Arc<ClientConfig>, name: &'static str) -> ClientConnection {
    let name = ServerName::try_from(name).expect("a name");
    ClientConnection::new(Arc::clone(config), name).expect("a client")
}

/// One that offers protocols.
fn with_protocols() -> ClientConnection {
    let mut config = (*client_config(Version::Tls13)).clone();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    ClientConnection::new(Arc::new(config), ServerName::try_from(NAME).expect("a name")).expect("a client")
}

/// Everything that a client wants to send.
fn bytes_of(client: &mut ClientConnection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes).expect("room");
    }
    bytes
}

/// What everybody says, as far as any input gets: made once, because a fuzzer counts every turn of a loop.
static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| (0..TEXT_LEN).map(|at| at.wrapping_mul(0x9e37_79b9).to_le_bytes()[3]).collect());
/// Each act adds less than 64 KiB to it.
const TEXT_LEN: usize = ACTS_MAX << 16;

/// What a client says, or a backend, from this place on. The first byte names the client.
fn text(who: u8, at: usize, len: usize) -> Vec<u8> {
    let mut text = TEXT[at..at + len].to_vec();
    if let (0, Some(first)) = (at, text.first_mut()) {
        *first = who;
    }
    text
}

/// How much is said at once: mostly a few segments, and at times more than any buffer takes. What is long costs a fuzzer most of its time.
fn amount(word: u16) -> usize {
    usize::from(if word & 7 == 7 { word } else { word % 4096 })
}

/// The first byte chooses the configuration; each act is a byte and what it needs.
pub fn cell(data: &[u8]) {
    let mut script = Script(data);
    draws::rewind();
    let mut world = World::new(script.byte());
    for _ in 0..ACTS_MAX {
        if script.is_over() {
            break;
        }
        world.act(&mut script);
        world.settle();
    }
    world.fall_silent();
}

/// One client.
#[derive(Default)]
struct Client {
    flow: Option<FlowId>,
    tls: Option<ClientConnection>,
    /// It has said its last alert: rustls, built with its assertions, is not to be given what it would have to say another of.
    is_deaf: bool,
    said: usize,
    heard: usize,
    /// Bytes that found no room yet.
    waiting: Vec<u8>,
}

/// One connection to a backend.
#[derive(Default)]
struct Backing {
    /// Whose text this is, once its first byte has come.
    who: Option<u8>,
    heard: usize,
    said: usize,
    /// It hears what was passed through, or a check, which is no text of ours.
    other: bool,
    /// The header that comes first, if one does.
    header: Option<Decoder>,
}

impl Backing {
    /// What it hears: behind the header, one client's text.
    fn hear(&mut self, mut bytes: &[u8]) {
        if let Some(decoder) = &mut self.header {
            let (taken, outcome) = decoder.receive(bytes);
            match outcome.expect("a header") {
                None => return,
                Some(header) => self.other |= header == Header::Own,
            }
            self.header = None;
            bytes = &bytes[taken..];
        }
        let Some(first) = bytes.first().filter(|_| !self.other) else { return };
        let who = *self.who.get_or_insert(*first);
        if who == b'G' {
            self.other = true;
            return;
        }
        assert!(usize::from(who) < CLIENTS_MAX, "a client that nobody knows");
        assert_eq!(bytes, text(who, self.heard, bytes.len()), "not what a client said");
        self.heard += bytes.len();
    }
}

struct World {
    choice: u8,
    appliance: Appliance,
    deadline: Deadline,
    time: Duration,
    front: Host,
    back: Host,
    clients: [Client; CLIENTS_MAX],
    /// What all that speak TLS 1.2 have in common, and all that speak TLS 1.3: their tickets.
    configs: [Arc<ClientConfig>; 2],
    backings: BTreeMap<FlowId, Backing>,
}

impl World {
    fn new(choice: u8) -> Self {
        Self {
            choice,
            appliance: appliance(bundle_of(choice)),
            deadline: Deadline::Flush,
            time: Duration::ZERO,
            front: Host::clients(),
            back: Host::backends(),
            clients: Default::default(),
            configs: [Version::Tls12, Version::Tls13].map(client_config),
            backings: BTreeMap::new(),
        }
    }

    fn act(&mut self, script: &mut Script<'_>) {
        let (what, who) = (script.byte() % 12, usize::from(script.byte()) % CLIENTS_MAX);
        match what {
            0 | 1 => self.connect(who, script.byte()),
            2 => self.say(who, script.text()),
            3 => self.say(who, &OPENINGS[usize::from(script.byte()) % OPENINGS.len()]),
            4 => self.write(who, amount(script.short())),
            5 => self.leave(who, script.byte()),
            6 => self.reply(script.byte(), amount(script.short())),
            7 => self.wait(Duration::from_millis(1 << (script.byte() % 16))),
            8 => self.front.fault = Fault { lost: script.byte() % 8, doubled: script.byte() % 8, spoilt: script.byte() % 8 },
            9 => {
                let len = script.short();
                self.front.send((script.take(len.into()).to_vec(), Offload::default()));
            }
            10 => self.back.fault = Fault { lost: script.byte() % 8, doubled: script.byte() % 8, spoilt: 0 },
            _ => self.steer(script.byte()),
        }
    }

    /// A client comes, from an address of its own or from the front end's.
    fn connect(&mut self, who: usize, how: u8) {
        let port = PORTS[usize::from(how & 1)];
        let own = Ipv4Addr::new(81, 2, 0, u8::try_from(who).unwrap_or(0) + 1);
        let from = if how & 2 == 0 { own } else { FRONT[1] };
        self.part(who);
        let flow = self.front.net.connect(service(port), Some(SocketAddr::new(from.into(), 0)), self.time).ok();
        let tls = match how >> 2 & 3 {
            0 | 1 => Some(client(&self.configs[1], NAME)),
            2 => Some(client(&self.configs[0], NAME)),
            _ => None,
        };
        self.clients[who] = Client { flow, tls, ..Client::default() };
    }

    fn part(&mut self, who: usize) {
        if let Some(flow) = self.clients[who].flow.take() {
            self.front.net.abort(flow);
        }
    }

    /// Raw bytes, whatever the client is.
    fn say(&mut self, who: usize, bytes: &[u8]) {
        self.clients[who].waiting.extend_from_slice(bytes);
        self.push(who);
    }

    /// So much more of the client's text, if it speaks TLS.
    fn write(&mut self, who: usize, len: usize) {
        let client = &mut self.clients[who];
        let Some(tls) = client.tls.as_mut().filter(|tls| !tls.is_handshaking()) else { return };
        let name = u8::try_from(who).unwrap_or(0);
        let written = tls.writer().write(&text(name, client.said, len)).unwrap_or(0);
        client.said += written;
        self.push(who);
    }

    fn push(&mut self, who: usize) {
        let client = &mut self.clients[who];
        if let Some(tls) = &mut client.tls {
            client.waiting.extend(bytes_of(tls));
        }
        let Some(flow) = client.flow else { return };
        let waiting = &mut client.waiting;
        let sent = self.front.net.send(flow, |room| {
            let len = room.len().min(waiting.len());
            room[..len].copy_from_slice(&waiting[..len]);
            (len, len)
        });
        waiting.drain(..sent.unwrap_or(0));
    }

    fn leave(&mut self, who: usize, how: u8) {
        let client = &mut self.clients[who];
        if let Some(tls) = client.tls.as_mut().filter(|_| how & 4 != 0) {
            tls.send_close_notify();
            // Where the handshake is not done, what comes may be no TLS at all, and rustls has an alert to say of that; but this was its last.
            client.is_deaf |= tls.is_handshaking();
            self.push(who);
        }
        match (self.clients[who].flow, how & 3) {
            (Some(_), 0) => self.part(who),
            (Some(flow), 1) => self.front.net.shutdown(flow),
            (Some(flow), 2) => {
                self.front.net.close(flow, self.time);
                self.clients[who].flow = None;
            }
            _ => {}
        }
    }

    /// Every backend says so much more, or leaves.
    fn reply(&mut self, how: u8, len: usize) {
        for (flow, mut backing) in core::mem::take(&mut self.backings) {
            match how % 8 {
                0 => self.back.net.abort(flow),
                1 => self.back.net.close(flow, self.time),
                2 => self.back.net.shutdown(flow),
                3 if backing.other => {
                    self.tell(flow, OK);
                }
                3 => {}
                _ => backing.said += self.tell(flow, &text(0, backing.said, len)),
            }
            if how % 8 > 1 {
                self.backings.insert(flow, backing);
            }
        }
    }

    /// Sends what there is room for; how much that was.
    fn tell(&mut self, flow: FlowId, words: &[u8]) -> usize {
        let sent = self.back.net.send(flow, |room| {
            let len = room.len().min(words.len());
            room[..len].copy_from_slice(&words[..len]);
            (len, len)
        });
        sent.unwrap_or(0)
    }

    /// Asks for a drain, or gives the same bundle or one without a name again.
    fn steer(&mut self, how: u8) {
        match how % 4 {
            0 => self.appliance.drain(now(self.time)),
            1 => {
                let mut bundle = bundle_of(self.choice);
                bundle.routes.truncate(1 + usize::from(how >> 2 & 1));
                assert_eq!(self.appliance.reload(&bundle, now(self.time)), Ok(()));
            }
            _ => return,
        }
        self.deadline = Deadline::Flush;
    }

    /// Lets this much time pass, with everything that wants to be done in it.
    fn wait(&mut self, time: Duration) {
        let end = self.time + time;
        for _ in 0..ALARMS_MAX {
            let Some(next) = self.next().filter(|next| *next <= end) else { break };
            self.time = self.time.max(next);
            self.settle();
        }
        self.time = end;
    }

    fn next(&self) -> Option<Duration> {
        let own = match self.deadline {
            Deadline::Flush if self.appliance.drained() => None,
            Deadline::Flush => Some(self.time),
            Deadline::At(at) => Some(at),
            Deadline::Never => None,
        };
        [own, self.front.net.deadline(), self.back.net.deadline()].into_iter().flatten().min()
    }

    /// Frames back and forth until there are none.
    fn settle(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let mut moved = self.front.turn(self.time) | self.back.turn(self.time);
            moved |= self.hear_front() | self.hear_back();
            let is_due = self.deadline == Deadline::Flush || matches!(self.deadline, Deadline::At(at) if at <= self.time);
            if [&self.front, &self.back].iter().all(|host| host.lanes[0].is_empty()) && (!is_due || self.appliance.drained()) {
                if !moved {
                    break;
                }
                continue;
            }
            let mut wires = Batches::new(&mut self.front, &mut self.back);
            self.deadline = self.appliance.step(now(self.time), &mut wires);
            while self.appliance.poll_report().is_some() {}
        }
        let (counters, limits) = (self.appliance.counters(), limits());
        let held =
            [(counters.connections, limits.connections), (counters.waiting, limits.waiting), (counters.handshaking, limits.handshakes)];
        assert!(held.into_iter().all(|(count, most)| count <= u64::from(most)), "{counters:?}");
    }

    fn hear_front(&mut self) -> bool {
        let mut heard = false;
        while let Some(event) = self.front.net.poll_event() {
            heard = true;
            let flow = flow_of(event);
            let Some(who) = self.clients.iter().position(|client| client.flow == Some(flow)) else { continue };
            if matches!(event, Event::Closed { .. }) {
                self.clients[who].flow = None;
            }
            self.hear(who);
            self.push(who);
        }
        heard
    }

    /// Reads what has come for a client. What a client of TLS reads is a backend's text.
    fn hear(&mut self, who: usize) {
        let client = &mut self.clients[who];
        let Some(flow) = client.flow else { return };
        while let Ok(bytes) = self.front.net.recv(flow, |bytes| (bytes.len(), bytes.to_vec())) {
            if bytes.is_empty() {
                break;
            }
            let Some(tls) = client.tls.as_mut().filter(|_| !client.is_deaf) else { continue };
            let mut rest = &bytes[..];
            while !rest.is_empty() && tls.read_tls(&mut rest).is_ok_and(|len| len > 0) {
                if tls.process_new_packets().is_err() {
                    client.is_deaf = true;
                    break;
                }
                let mut plain = [0; 4096];
                while let Ok(len @ 1..) = tls.reader().read(&mut plain) {
                    assert_eq!(plain[..len], text(0, client.heard, len), "not what a backend said");
                    client.heard += len;
                }
            }
        }
    }

    fn hear_back(&mut self) -> bool {
        let mut heard = false;
        while let Some(event) = self.back.net.poll_event() {
            heard = true;
            let flow = flow_of(event);
            if let Event::Accepted { local, .. } = event {
                let other = local == backends()[1];
                let header = (other || self.choice & 3 != 0).then(Decoder::default);
                self.backings.insert(flow, Backing { other, header, ..Backing::default() });
            }
            while let Ok(bytes) = self.back.net.recv(flow, |bytes| (bytes.len(), bytes.to_vec())) {
                let Some(backing) = self.backings.get_mut(&flow).filter(|_| !bytes.is_empty()) else { break };
                backing.hear(&bytes);
            }
            if matches!(event, Event::Closed { .. }) {
                self.backings.remove(&flow);
            }
        }
        heard
    }

    /// Nobody says anything any more.
    fn fall_silent(mut self) {
        self.front.fault = Fault::default();
        self.back.fault = Fault::default();
        self.wait(SILENCE);
        let counters = self.appliance.counters();
        assert_eq!((counters.connections, counters.waiting, counters.handshaking), (0, 0, 0), "what never ends");
    }
}

fn flow_of(event: Event) -> FlowId {
    match event {
        Event::Accepted { flow, .. } | Event::Closed { flow, .. } => flow,
        Event::Connected(flow) | Event::Readable(flow) | Event::Writable(flow) | Event::Finished(flow) => flow,
    }
}
