//! The client's side of a connection: its flow, its session, and what is known for the access record.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use keys::bundle::ProxyOut;
use net::{FlowId, Net};
use tls::{Replay, Session, Sink, Summary};

use crate::admission::Entry;
use crate::generation::Generation;
use crate::heard::Heard;
use crate::limits::TURN_LEN;
use crate::lobby::Entrance;
use crate::log::Log;
use crate::report::{Accepted, Timeout};
use crate::source::source_of;
use crate::table::ConnectionId;
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: ConnectionId,
    pub(crate) flow: FlowId,
    pub(crate) heard: Heard,
    pub(crate) session: Session,
    /// The configuration that the connection began with, and keeps.
    pub(crate) generation: Rc<Generation>,
    pub(crate) log: Log,
    /// When the flow was accepted.
    pub(crate) opened: Duration,
    /// When a byte last moved in either direction.
    pub(crate) moved: Duration,
    /// Whether it has said anything yet.
    pub(crate) spoke: bool,
    /// The address that it reached, as others know it.
    pub(crate) reached: SocketAddr,
    /// The name that its hello asks for.
    pub(crate) server_name: Option<Box<str>>,
    /// What the backends of its route hear first.
    pub(crate) proxy: ProxyOut,
    /// The door of the contest that it came to, if it came to one.
    pub(crate) entrance: Option<Rc<Entrance>>,
    /// Its hello, where the route passes TLS through and no backend has got it yet.
    pub(crate) hello: Option<Box<Replay>>,
}

impl Client {
    pub(crate) fn new(id: ConnectionId, flow: FlowId, accepted: Accepted, world: &World) -> Self {
        let now = world.now.mono;
        Self {
            id,
            flow,
            heard: Heard::Connected,
            session: Session::new(),
            generation: Rc::clone(&world.generation),
            log: Log::new(accepted),
            opened: now,
            moved: now,
            spoke: false,
            reached: world.doors.known_as(accepted.local),
            server_name: None,
            proxy: ProxyOut::Off,
            entrance: world.entrance(accepted.local),
            hello: None,
        }
    }

    /// Takes note of news of its flow. What is said of one that it has given up is not about it.
    pub(crate) fn hear(&mut self, flow: FlowId, heard: Heard) {
        if self.flow == flow {
            self.heard.note(heard);
        }
    }

    /// Where the client comes from, as backends are chosen by it: the same that limits count by.
    pub(crate) fn source(&self) -> IpAddr {
        source_of(self.log.accepted.peer.ip())
    }

    /// Lets the session take what has come in, its plaintext going to `sink`. Returns the bytes taken from the flow; the session may also have
    /// gone on with a record that it had taken before.
    pub(crate) fn read(&mut self, front: &mut Net, sink: &mut dyn Sink) -> usize {
        let session = &mut self.session;
        let taken = front.recv(self.flow, |bytes| {
            let taken = session.receive(bytes, sink);
            (taken, taken)
        });
        let taken = taken.unwrap_or(0);
        self.spoke |= taken > 0;
        taken
    }

    /// As it is counted.
    pub(crate) fn entry(&self) -> Entry {
        Entry { id: self.id, serial: self.log.serial(), peer: self.log.accepted.peer.ip() }
    }

    /// The handshake is done: it is counted, and the connection is no longer one of those that are beginning.
    pub(crate) fn note_handshake(&mut self, summary: Box<Summary>, world: &mut World) {
        let time = world.now.mono.saturating_sub(self.opened);
        self.moved = world.now.mono;
        world.counters.handshakes += 1;
        world.counters.resumptions += u64::from(summary.resumed);
        world.tallies.handshake(&summary);
        self.log.handshake = Some((summary, time));
        world.admission.begun(self.entry());
    }

    /// The same for as long as there is no backend: data stays where it came in.
    pub(crate) fn read_handshake(&mut self, front: &mut Net) {
        let mut read = 0_usize;
        while read < TURN_LEN {
            match self.read(front, &mut NoRoom) {
                0 => break,
                taken => read = read.saturating_add(taken),
            }
        }
    }

    /// Moves what the session itself has to say (handshake, tickets, alerts) to the flow. Until all of it has gone, no data may follow:
    /// records are numbered.
    pub(crate) fn write(&mut self, front: &mut Net) -> Written {
        let session = &mut self.session;
        while session.wants_transmit() {
            let sent = front.send(self.flow, |space| {
                let sent = session.poll_transmit(space);
                (sent, sent)
            });
            if !sent.is_ok_and(|sent| sent > 0) {
                return Written::Waiting;
            }
        }
        Written::All
    }

    /// Until when a connection with a backend may go on as it is, and what ends it then. One of its halves, or none, is over.
    pub(crate) fn patience(&self, is_half: bool) -> (Duration, Timeout) {
        let (quiet, timeout) = match is_half {
            true => (self.generation.times.half_close, Timeout::HalfClose),
            false => (self.generation.times.idle, Timeout::Idle),
        };
        let (quiet, lifetime) = (self.moved.saturating_add(quiet), self.opened.saturating_add(self.generation.times.lifetime));
        if lifetime <= quiet { (lifetime, Timeout::Lifetime) } else { (quiet, timeout) }
    }

    /// Whether the client has said all that it will ever say, and the session has taken all of it.
    pub(crate) fn is_exhausted(&self, world: &World) -> bool {
        self.heard.is_finished() && world.front.readable(self.flow) == 0
    }
}

/// Whether the session's own bytes are in the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    All,
    Waiting,
}

/// A sink without room: until a backend is there, data stays where it came in, encrypted.
struct NoRoom;

impl Sink for NoRoom {
    fn room(&self) -> usize {
        0
    }

    fn put(&mut self, _: &[u8]) {}
}
