//! Plain TCP backends: one stack with many addresses, each listener with its manners.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use net::{Event, FlowId, Net};

use crate::host::{self, Host};
use crate::wire::Lane;

/// What a backend does with a connection.
#[derive(Debug, Clone)]
pub enum Manners {
    /// Sends back what it gets; finishes when the client has.
    Echo,
    /// After each `request_len` bytes, sends `reply`.
    Answer {
        /// Bytes of one request.
        request_len: usize,
        /// What is sent for each.
        reply: Vec<u8>,
    },
    /// Answers the first four bytes, `n` in big endian, by `n` bytes that depend on them: see [`reply_to`].
    Own,
    /// Sends this at once and finishes; takes what the client sends.
    Speak(Vec<u8>),
    /// Reads to the client's end, and only then sends everything back.
    EchoAfterEnd,
    /// Resets the connection after so many bytes.
    ResetAfter(usize),
    /// Takes everything and says nothing.
    Silent,
    /// Sends without end, and takes everything.
    Endless,
}

/// The answer that belongs to `request`, and to no other.
#[must_use]
pub fn reply_to(request: [u8; 4]) -> Vec<u8> {
    let len = u32::from_be_bytes(request) as usize;
    crate::Rng::new(u64::from(u32::from_be_bytes(request))).bytes(len)
}

/// All backends.
#[derive(Debug)]
pub struct Backends {
    host: Host,
    manners: BTreeMap<SocketAddr, Arc<Manners>>,
    peers: BTreeMap<FlowId, Peer>,
    /// Connections ever accepted, by listener.
    pub accepted: BTreeMap<SocketAddr, u64>,
    /// How connections ended that did not end in order.
    pub broken: Vec<net::CloseReason>,
    /// What each connection brought, and to which listener, if that is to be kept.
    pub heard: Option<Vec<(SocketAddr, Vec<u8>)>>,
}

#[derive(Debug)]
struct Peer {
    local: SocketAddr,
    manners: Arc<Manners>,
    /// What waits to be sent.
    pending: VecDeque<u8>,
    received: usize,
    /// Its place in [`Backends::heard`].
    ear: Option<usize>,
    finished: bool,
    shut: bool,
}

/// An echo holds no more than this, so that back-pressure passes through it.
const PENDING_MAX: usize = 64 * 1024;

impl Backends {
    /// Backends at these addresses.
    #[must_use]
    pub fn new(net: Net, manners: BTreeMap<SocketAddr, Manners>) -> Self {
        let manners = manners.into_iter().map(|(at, manners)| (at, Arc::new(manners))).collect();
        Self { host: Host::new(net), manners, peers: BTreeMap::new(), accepted: BTreeMap::new(), broken: Vec::new(), heard: None }
    }

    /// A backend dies: its connections are reset, and it refuses new ones.
    pub fn stop(&mut self, backend: SocketAddr) {
        self.host.closed.insert(backend);
        let dying: Vec<FlowId> = self.peers.iter().filter(|(_, peer)| peer.local == backend).map(|(flow, _)| *flow).collect();
        for flow in dying {
            self.peers.remove(&flow);
            self.host.net.abort(flow);
        }
    }

    /// A backend comes back.
    pub fn start(&mut self, backend: SocketAddr) {
        self.host.closed.remove(&backend);
    }

    /// What a backend does with new connections from now on.
    pub fn behave(&mut self, backend: SocketAddr, manners: Manners) {
        self.manners.insert(backend, Arc::new(manners));
    }

    /// Connections ever accepted by a backend.
    #[must_use]
    pub fn accepted_by(&self, backend: SocketAddr) -> u64 {
        self.accepted.get(&backend).copied().unwrap_or(0)
    }

    /// Connections there are now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.peers.len()
    }

    /// When something happens here, if no frame comes before.
    #[must_use]
    pub fn next(&self) -> Option<Duration> {
        self.host.net.deadline()
    }

    /// Takes what has arrived, acts on it, sends.
    pub fn run(&mut self, now: Duration, lanes: (&mut Lane, &mut Lane)) {
        if !self.host.receive(now, lanes.0) {
            return;
        }
        while let Some(event) = self.host.net.poll_event() {
            self.hear(event, now);
        }
        self.host.transmit(now, lanes.1);
    }

    fn hear(&mut self, event: Event, now: Duration) {
        let flow = host::flow_of(event);
        match event {
            Event::Accepted { local, .. } => {
                let Some(manners) = self.manners.get(&local).cloned() else { return self.host.net.abort(flow) };
                *self.accepted.entry(local).or_default() += 1;
                let mut peer = Peer::new(local, manners);
                if let Some(heard) = &mut self.heard {
                    peer.ear = Some(heard.len());
                    heard.push((local, Vec::new()));
                }
                self.peers.insert(flow, peer);
            }
            Event::Closed { reason, .. } => {
                if self.peers.remove(&flow).is_some() && reason != net::CloseReason::Done {
                    self.broken.push(reason);
                }
                return;
            }
            Event::Finished(_) => {
                if let Some(peer) = self.peers.get_mut(&flow) {
                    peer.finished = true;
                }
            }
            _ => {}
        }
        if let Some(peer) = self.peers.get_mut(&flow) {
            let ear = peer.ear.and_then(|ear| self.heard.as_mut()?.get_mut(ear)).map(|(_, bytes)| bytes);
            if peer.turn(&mut self.host.net, flow, ear) == After::Gone {
                self.peers.remove(&flow);
            } else if peer.shut && peer.finished {
                self.peers.remove(&flow);
                self.host.net.close(flow, now);
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum After {
    Stays,
    Gone,
}

impl Peer {
    fn new(local: SocketAddr, manners: Arc<Manners>) -> Self {
        let pending = if let Manners::Speak(words) = &*manners { words.clone().into() } else { VecDeque::new() };
        Self { local, manners, pending, received: 0, ear: None, finished: false, shut: false }
    }

    fn turn(&mut self, net: &mut Net, flow: FlowId, mut ear: Option<&mut Vec<u8>>) -> After {
        while self.read(net, flow, ear.as_deref_mut()) + self.write(net, flow) > 0 {}
        if matches!(*self.manners, Manners::ResetAfter(bytes) if self.received >= bytes) {
            net.abort(flow);
            return After::Gone;
        }
        let done = self.finished && net.readable(flow) == 0 || matches!(*self.manners, Manners::Speak(_));
        if done && self.pending.is_empty() && !self.shut {
            net.shutdown(flow);
            self.shut = true;
        }
        After::Stays
    }

    fn read(&mut self, net: &mut Net, flow: FlowId, ear: Option<&mut Vec<u8>>) -> usize {
        if self.pending.len() >= PENDING_MAX && matches!(*self.manners, Manners::Echo) {
            return 0;
        }
        let read = net.recv(flow, |bytes| {
            self.hear(bytes, ear);
            (bytes.len(), bytes.len())
        });
        read.unwrap_or_default()
    }

    fn hear(&mut self, bytes: &[u8], ear: Option<&mut Vec<u8>>) {
        if let Some(ear) = ear {
            ear.extend_from_slice(bytes);
        }
        let before = self.received;
        self.received += bytes.len();
        match &*self.manners {
            Manners::Echo | Manners::EchoAfterEnd => self.pending.extend(bytes),
            Manners::Answer { request_len, reply } => {
                for _ in before / request_len..self.received / request_len {
                    self.pending.extend(reply);
                }
            }
            Manners::Own => {
                for chunk in bytes.chunks_exact(4) {
                    self.pending.extend(reply_to([chunk[0], chunk[1], chunk[2], chunk[3]]));
                }
            }
            Manners::Speak(_) | Manners::ResetAfter(_) | Manners::Silent | Manners::Endless => {}
        }
    }

    fn write(&mut self, net: &mut Net, flow: FlowId) -> usize {
        if matches!(*self.manners, Manners::EchoAfterEnd) && !(self.finished && net.readable(flow) == 0) {
            return 0;
        }
        if matches!(*self.manners, Manners::Endless) {
            return net.send(flow, |space| (space.len(), space.len())).unwrap_or(0);
        }
        let pending = &mut self.pending;
        if pending.is_empty() {
            return 0;
        }
        let sent = net.send(flow, |space| {
            let first = pending.as_slices().0;
            let len = first.len().min(space.len());
            space[..len].copy_from_slice(&first[..len]);
            (len, len)
        });
        let sent = sent.unwrap_or(0);
        pending.drain(..sent);
        sent
    }
}
