//! Calls: the connections that a guest may open on the public link, because it is called back whoever has connected to a door.
//!
//! The guest proves its peers' addresses by cookies before it believes them. This is there for a guest that lies, so it believes none of it: an address
//! may be called back once it has acknowledged, exactly, the SYN-ACK that it was sent from the door. Neither a SYN with another's address nor a RST that
//! an unasked-for segment is answered with does so. What is kept is bounded in number, and worth nothing after a while.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::{HashMap, VecDeque};

use crate::callers::Callers;
use crate::egress::packet::{Kind, Tcp};
use crate::limits::{CALL_SILENCE_MAX, CALLS_MAX, OFFERS_MAX};
use crate::order::CallBack;

/// See the module.
#[derive(Debug)]
pub struct Calls {
    call_back: CallBack,
    offers: Offers,
    callers: Callers,
    /// The connections that were opened, and when their peers last spoke.
    open: HashMap<Ends, Duration>,
}

/// Both ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ends {
    pub(super) guest: SocketAddr,
    pub(super) peer: SocketAddr,
}

impl Calls {
    /// Nobody has called yet.
    #[must_use]
    pub fn new(call_back: CallBack) -> Self {
        Self { call_back, offers: Offers::default(), callers: Callers::default(), open: HashMap::new() }
    }

    /// Looks at what the guest says as a server.
    pub(super) fn answered(&mut self, ends: Ends, tcp: &Tcp) {
        if tcp.kind == Kind::SynAck && self.call_back.door.is_at(ends.guest) {
            self.offers.note(ends, tcp.sequence);
        }
    }

    /// Looks at what is said to the guest. It means something only between ends of which the guest has spoken.
    pub(super) fn heard(&mut self, ends: Ends, tcp: &Tcp, now: Duration) {
        if !matches!(tcp.kind, Kind::Ack | Kind::SynAck) {
            return;
        }
        if self.is_alive(&ends, now) {
            self.open.insert(ends, now);
        }
        let completes = tcp.kind == Kind::Ack && self.call_back.door.is_at(ends.guest) && self.offers.is_taken(&ends, tcp.acknowledgement);
        if completes && is_somebody(ends.peer.ip()) && ends.peer.ip() != ends.guest.ip() {
            self.callers.remember(ends.peer, now);
        }
    }

    /// Whether the guest may say this as a client.
    pub(super) fn allows(&mut self, ends: Ends, tcp: &Tcp, now: Duration) -> bool {
        match tcp.kind {
            Kind::Syn => self.opens(ends, now),
            Kind::Reset | Kind::SynAck | Kind::Ack | Kind::Bare => self.is_alive(&ends, now),
        }
    }

    fn opens(&mut self, ends: Ends, now: Duration) -> bool {
        let may = ends.peer.port() == self.call_back.port && self.callers.find(ends.peer.ip(), now).is_some();
        if may && !self.is_alive(&ends, now) {
            if self.open.len() >= CALLS_MAX {
                self.drop_most_silent();
            }
            self.open.insert(ends, now);
        }
        may
    }

    fn is_alive(&self, ends: &Ends, now: Duration) -> bool {
        self.open.get(ends).is_some_and(|heard_at| now.saturating_sub(*heard_at) <= CALL_SILENCE_MAX)
    }

    fn drop_most_silent(&mut self) {
        let most_silent = self.open.iter().min_by_key(|(_, heard_at)| **heard_at).map(|(ends, _)| *ends);
        most_silent.map(|ends| self.open.remove(&ends));
    }
}

/// Whether an address can be that of one peer on a wire.
fn is_somebody(address: IpAddr) -> bool {
    let nobody = address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address == IpAddr::V4(core::net::Ipv4Addr::BROADCAST);
    !nobody && address.to_canonical() == address
}

/// The sequence numbers of the door's SYN-ACKs, by whom they were sent to.
#[derive(Debug, Default)]
struct Offers {
    by_ends: HashMap<Ends, u32>,
    /// Oldest first; the keys of the map.
    order: VecDeque<Ends>,
}

impl Offers {
    fn note(&mut self, ends: Ends, sequence: u32) {
        if self.by_ends.insert(ends, sequence).is_some() {
            return;
        }
        self.order.push_back(ends);
        if self.order.len() > OFFERS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_ends.remove(&oldest);
        }
    }

    /// Whether this acknowledges the SYN-ACK and nothing behind it.
    fn is_taken(&self, ends: &Ends, acknowledgement: u32) -> bool {
        self.by_ends.get(ends).is_some_and(|sequence| sequence.wrapping_add(1) == acknowledgement)
    }
}
