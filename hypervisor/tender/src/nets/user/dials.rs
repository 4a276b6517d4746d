//! What the guest asks for, and what the host's dial says to it: backends on the private side, and on the public side whoever is called back.
//!
//! Our TCP end is shown a SYN only when the backend has taken the host's connection. So what the guest sees is true: a SYN-ACK from a backend that
//! is there, a RST when each of its addresses has refused, and nothing when none has answered. Otherwise every backend would look alive to the guest,
//! and it could not go on with the next one.

use core::net::SocketAddr;
use core::time::Duration;

use crate::limits::{BACKEND_CONNECT_TIMEOUT, CALLS_DIALLED_MAX, KNOCK_CLAIM_TIMEOUT, KNOCKS_MAX};
use crate::nets::user::KIND_KNOCK;
use crate::nets::user::knock::{Ends, KnockId, Knocks, Stage, Syn};
use crate::nets::user::of_queue;
use crate::nets::user::socket::Socket;
use crate::nets::user::targets::{Attempt, Targets};
use crate::order::Backend;
use crate::poller::{Poller, Readiness, Token};

/// See the module.
#[derive(Debug)]
pub(super) struct Dials {
    /// The link that the guest asks on.
    owner: u8,
    targets: Targets,
    knocks: Knocks,
    /// SYNs that came since the last turn.
    arrived: Vec<Syn>,
    /// Knocks whose dial is over.
    settling: Vec<KnockId>,
}

/// Why an attempt at one address is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Refused,
    Silent,
}

impl Dials {
    /// For the link number `link`.
    pub(super) fn new(link: usize, backends: Vec<Backend>, now: Duration) -> Self {
        let owner = u8::try_from(link).unwrap_or(u8::MAX);
        Self { owner, targets: Targets::new(backends), knocks: Knocks::new(now), arrived: Vec::new(), settling: Vec::new() }
    }

    /// Where the backend is that the guest calls `guest`.
    pub(super) fn real(&self, guest: SocketAddr) -> Option<SocketAddr> {
        self.targets.real(guest)
    }

    /// Keeps a SYN for the next turn. Without room for it the guest says it again, as it does when the wire loses one.
    pub(super) fn knock(&mut self, syn: Syn) {
        if self.arrived.len() < KNOCKS_MAX {
            self.arrived.push(syn);
        }
    }

    /// Lets the guest reach these from now on, and what it could reach so far for `linger` more.
    pub(super) fn reload(&mut self, backends: &[Backend], linger: Duration, now: Duration) {
        self.targets.reload(backends, linger, now);
    }

    /// Lets one connection be asked for that is not in the table, and be completed as long as that can take. Says whether it is new there.
    pub(super) fn lend(&mut self, guest: SocketAddr, host: SocketAddr, now: Duration) -> bool {
        let until = now.saturating_add(BACKEND_CONNECT_TIMEOUT).saturating_add(KNOCK_CLAIM_TIMEOUT);
        self.targets.lend(guest, host, until, CALLS_DIALLED_MAX)
    }

    /// Lets go of what a reload has left out, or what was lent, when its time has come. Says whether there was any.
    pub(super) fn forget_retired(&mut self, now: Duration) -> bool {
        self.targets.forget_retired(now)
    }

    /// The addresses under which the guest reaches backends.
    pub(super) fn guests(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.targets.guests()
    }

    /// Whether there is a backend that the guest calls so.
    pub(super) fn has(&self, backend: SocketAddr) -> bool {
        self.targets.has(backend)
    }

    /// Notes that a dial is over, one way or the other: until then a socket is not writable.
    pub(super) fn ready(&mut self, token: Token, readiness: Readiness) {
        let index = usize::try_from(token.index).unwrap_or(usize::MAX);
        if readiness.writable {
            self.settling.push(KnockId { index, serial: token.serial });
        }
    }

    /// Dials for those that have come, and answers those whose dial is over. `room` says how many more host sockets there may be.
    pub(super) fn turn(&mut self, net: &mut net::Net, poller: &Poller, room: usize, now: Duration) {
        while let Some(knock) = self.knocks.overdue(now) {
            match knock.stage {
                Stage::Dialling(attempt) => self.go_on(net, poller, knock.syn, attempt, Failure::Silent, now),
                Stage::Opened => knock.socket.reset(),
            }
        }
        for id in core::mem::take(&mut self.settling) {
            self.settle(net, poller, id, now);
        }
        for syn in core::mem::take(&mut self.arrived) {
            self.greet(net, poller, syn, room, now);
        }
    }

    /// The host's connection for a flow that the guest has completed.
    pub(super) fn claim(&mut self, backend: SocketAddr, guest: SocketAddr) -> Option<Socket> {
        Some(self.knocks.claim(&Ends { guest, backend })?.socket)
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let arrived = (!self.arrived.is_empty()).then_some(Duration::ZERO);
        arrived.or(self.knocks.deadline())
    }

    fn greet(&mut self, net: &mut net::Net, poller: &Poller, syn: Syn, room: usize, now: Duration) {
        if let Some(knock) = self.knocks.between(&syn.ends) {
            // Said again: as the wire may have lost our answer, it is answered again, if there is one.
            knock.syn = syn;
            if knock.stage == Stage::Opened {
                net.receive(knock.syn.bytes(), of_queue(knock.syn.offload), now);
            }
            return;
        }
        if self.knocks.len() >= room.min(KNOCKS_MAX) {
            return;
        }
        match self.targets.first_attempt(syn.ends.backend) {
            Some((socket, attempt)) => self.dial(poller, syn, socket, attempt, now),
            None => net.refuse(syn.bytes(), of_queue(syn.offload)),
        }
    }

    fn dial(&mut self, poller: &Poller, syn: Syn, socket: Socket, attempt: Attempt, now: Duration) {
        let id = self.knocks.insert(syn, socket, attempt, now.saturating_add(BACKEND_CONNECT_TIMEOUT));
        let Some(knock) = self.knocks.get(id) else { return };
        let index = u32::try_from(id.index).unwrap_or(u32::MAX);
        if poller.watch(&knock.socket, Token { owner: self.owner, kind: KIND_KNOCK, serial: id.serial, index }).is_err() {
            self.knocks.take(id);
        }
    }

    /// A dial has become writable, or failed.
    fn settle(&mut self, net: &mut net::Net, poller: &Poller, id: KnockId, now: Duration) {
        let Some(knock) = self.knocks.get(id) else { return };
        let Stage::Dialling(attempt) = knock.stage else { return };
        if knock.socket.is_connected() {
            if let Some(syn) = self.knocks.open(id, now.saturating_add(KNOCK_CLAIM_TIMEOUT)) {
                net.receive(syn.bytes(), of_queue(syn.offload), now);
            }
        } else if let Some(knock) = self.knocks.take(id) {
            self.go_on(net, poller, knock.syn, attempt, Failure::Refused, now);
        }
    }

    /// Tries the backend's next address. The last one's failure is what the guest is told.
    fn go_on(&mut self, net: &mut net::Net, poller: &Poller, syn: Syn, failed: Attempt, failure: Failure, now: Duration) {
        match self.targets.next_attempt(failed) {
            Some((socket, attempt)) => self.dial(poller, syn, socket, attempt, now),
            None if failure == Failure::Refused => net.refuse(syn.bytes(), of_queue(syn.offload)),
            None => {}
        }
    }
}
