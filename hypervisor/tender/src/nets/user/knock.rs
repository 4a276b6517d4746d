//! Knocks: SYNs of the guest that wait for what the host says of the backend they ask for.
//!
//! The store only: who dials and who answers is [`Dials`](super::dials::Dials). Bounded in number by what its owner admits, and in time by a deadline for each.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::HashMap;

use net::{Timer, Wheel};
use queue::{Frame, Offload};

use crate::egress::packet::{Body, Kind, Packet, Payload};
use crate::limits::SYN_LEN_MAX;
use crate::nets::user::socket::Socket;
use crate::nets::user::targets::Attempt;

/// Both ends of a connection that the guest asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ends {
    pub(super) guest: SocketAddr,
    /// As the guest knows the backend.
    pub(super) backend: SocketAddr,
}

/// A frame that holds a SYN, kept as it came.
#[derive(Debug, Clone)]
pub(super) struct Syn {
    pub(super) ends: Ends,
    pub(super) offload: Offload,
    bytes: Box<[u8]>,
}

/// A SYN and the host's connection for it.
#[derive(Debug)]
pub(super) struct Knock {
    pub(super) syn: Syn,
    pub(super) socket: Socket,
    pub(super) stage: Stage,
    serial: u16,
    timer: Timer,
}

/// How far a knock has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The host is dialling.
    Dialling(Attempt),
    /// The host is connected, and our TCP end has the SYN: the guest's ACK is still to come.
    Opened,
}

/// The knocks, by their ends and by a small number that a token can carry.
#[derive(Debug)]
pub(super) struct Knocks {
    by_ends: HashMap<Ends, usize>,
    slots: Vec<Option<Knock>>,
    free: Vec<usize>,
    deadlines: Wheel<(usize, u16)>,
    serial: u16,
}

/// Names a knock for as long as it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnockId {
    pub(super) index: usize,
    pub(super) serial: u16,
}

impl Syn {
    /// The frame, if it opens a connection and is no longer than the headers of a SYN can be.
    pub(super) fn of(frame: &Frame<'_>) -> Option<Self> {
        if frame.bytes.len() > SYN_LEN_MAX {
            return None;
        }
        let Body::Ip { source, destination, payload: Payload::Tcp(tcp) } = Packet::parse(frame.bytes)?.body else { return None };
        let ends = Ends { guest: SocketAddr::new(source, tcp.source_port), backend: SocketAddr::new(destination, tcp.destination_port) };
        (tcp.kind == Kind::Syn).then(|| Self { ends, offload: frame.offload, bytes: frame.bytes.into() })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Knocks {
    pub(super) fn new(now: Duration) -> Self {
        Self { by_ends: HashMap::new(), slots: Vec::new(), free: Vec::new(), deadlines: Wheel::new(now), serial: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.by_ends.len()
    }

    /// Keeps a SYN and the connection that was begun for it until `deadline`. Another knock between the same ends is over.
    pub(super) fn insert(&mut self, syn: Syn, socket: Socket, attempt: Attempt, deadline: Duration) -> KnockId {
        if let Some(index) = self.by_ends.get(&syn.ends).copied() {
            self.remove(index);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len().saturating_sub(1)
        });
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let timer = self.deadlines.arm(deadline, (index, serial));
        self.by_ends.insert(syn.ends, index);
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Some(Knock { syn, socket, stage: Stage::Dialling(attempt), serial, timer });
        }
        KnockId { index, serial }
    }

    /// The knock between these ends.
    pub(super) fn between(&mut self, ends: &Ends) -> Option<&mut Knock> {
        let index = *self.by_ends.get(ends)?;
        self.slots.get_mut(index)?.as_mut()
    }

    pub(super) fn get(&mut self, id: KnockId) -> Option<&mut Knock> {
        self.slots.get_mut(id.index)?.as_mut().filter(|knock| knock.serial == id.serial)
    }

    /// The host is connected; what is left to wait for may take until `deadline`.
    pub(super) fn open(&mut self, id: KnockId, deadline: Duration) -> Option<&Syn> {
        let timer = self.get(id)?.timer;
        self.deadlines.disarm(timer);
        let timer = self.deadlines.arm(deadline, (id.index, id.serial));
        let knock = self.get(id)?;
        knock.timer = timer;
        knock.stage = Stage::Opened;
        Some(&knock.syn)
    }

    pub(super) fn take(&mut self, id: KnockId) -> Option<Knock> {
        self.get(id)?;
        self.remove(id.index)
    }

    /// The opened knock between these ends.
    pub(super) fn claim(&mut self, ends: &Ends) -> Option<Knock> {
        let index = *self.by_ends.get(ends)?;
        let opened = self.slots.get(index)?.as_ref().is_some_and(|knock| knock.stage == Stage::Opened);
        if opened { self.remove(index) } else { None }
    }

    /// A knock that has waited long enough.
    pub(super) fn overdue(&mut self, now: Duration) -> Option<Knock> {
        let (index, serial) = self.deadlines.expired(now)?;
        self.take(KnockId { index, serial })
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadlines.deadline()
    }

    fn remove(&mut self, index: usize) -> Option<Knock> {
        let knock = self.slots.get_mut(index)?.take()?;
        self.deadlines.disarm(knock.timer);
        self.by_ends.remove(&knock.syn.ends);
        self.free.push(index);
        Some(knock)
    }
}
