//! The user net: the link ends in a TCP of our own, and each of its flows goes on as one host socket.
//!
//! It needs no privilege and reaches nothing but the configured listeners and backends: the *front* accepts on host listeners and connects to
//! the guest under the client's address; the *back* holds what the guest asks for, if it stands in the table of backends, until the host has connected to
//! where that backend really is, and then accepts it. A front with a call-back does so too, for those who have lately come to its door.
//! Nothing is buffered here: bytes go from a socket straight into the flow's ring and back, so a side that stops reading
//! stops the other side's sender by TCP alone.

mod dials;
mod front;
mod knock;
mod pipe;
mod socket;
mod targets;
#[cfg(test)]
mod tests;

use core::net::SocketAddr;
use core::time::Duration;
use std::os::fd::OwnedFd;

use net::{Cidr, Config, Event, Gateway, Limits, Listen, Trust};
use queue::{Batch, Frame};

use crate::limits::{CALLS_DIALLED_MAX, PIPES_MAX, PUMP_LEN_MAX, RING_BYTES};
use crate::nets::{Dropped, Net, Progress};
use crate::order::{Backend, CallBack, Ends};
use crate::poller::{Poller, Readiness, Token};
use dials::Dials;
use front::Front;
use knock::Syn;
use pipe::{Fate, Pipe, Pipes};

/// [`Token::kind`]: a listener; the index is the door's.
const KIND_DOOR: u8 = 1;
/// [`Token::kind`]: a connection.
const KIND_PIPE: u8 = 2;
/// [`Token::kind`]: a dial that has no flow yet; the index is the knock's.
const KIND_KNOCK: u8 = 3;

/// One link of the user net.
#[derive(Debug)]
pub struct User {
    net: net::Net,
    pipes: Pipes,
    dials: Dials,
    side: Side,
}

#[derive(Debug)]
enum Side {
    Front(Front),
    Back,
}

impl User {
    /// The public side: `doors` pairs each host listener with the guest's listener behind it. The guest reaches whoever is to be called back, and
    /// nothing else.
    ///
    /// # Errors
    /// The link's own description is unsound.
    pub fn front(
        ends: &Ends,
        doors: Vec<(OwnedFd, SocketAddr)>,
        call_back: Option<CallBack>,
        seed: [u8; 32],
        pipes_max: usize,
        now: Duration,
    ) -> Result<Self, net::ConfigFault> {
        let net = net::Net::new(config(ends, Vec::new(), pipes_max), seed, now)?;
        let dials = Dials::new(abi::boot::FRONT, Vec::new(), now);
        Ok(Self { net, pipes: Pipes::new(abi::boot::FRONT, pipes_max), dials, side: Side::Front(Front::new(doors, call_back)) })
    }

    /// The private side: the guest reaches `backends` and nothing else.
    ///
    /// # Errors
    /// The link's own description is unsound.
    pub fn back(ends: &Ends, backends: Vec<Backend>, seed: [u8; 32], pipes_max: usize, now: Duration) -> Result<Self, net::ConfigFault> {
        let dials = Dials::new(abi::boot::BACK, backends, now);
        let net = net::Net::new(config(ends, listeners(&dials), pipes_max), seed, now)?;
        Ok(Self { net, pipes: Pipes::new(abi::boot::BACK, pipes_max), dials, side: Side::Back })
    }

    /// Watches the listeners; to be called once, before the first turn.
    ///
    /// # Errors
    /// What epoll_ctl(2) says.
    pub fn watch(&self, poller: &Poller) -> std::io::Result<()> {
        match &self.side {
            Side::Front(front) => front.watch(poller),
            Side::Back => Ok(()),
        }
    }

    fn take_events(&mut self, poller: &Poller) {
        while let Some(event) = self.net.poll_event() {
            match event {
                Event::Accepted { flow, local, peer } => self.join_dialled(poller, flow, local, peer),
                Event::Connected(flow) | Event::Readable(flow) | Event::Writable(flow) => self.pipes.queue(flow),
                Event::Finished(flow) => {
                    self.pipes.edit(flow, Pipe::guest_has_finished);
                    self.pipes.queue(flow);
                }
                Event::Closed { flow, reason } => self.pipes.flow_is_gone(flow, reason),
            }
        }
    }

    /// The guest has completed a connection: the host's goes with it. Without one, what the guest acknowledges is long over.
    fn join_dialled(&mut self, poller: &Poller, flow: net::FlowId, backend: SocketAddr, guest: SocketAddr) {
        let joined = self.dials.claim(backend, guest).map(|socket| self.pipes.adopt(poller, Pipe::connected(flow, socket)));
        match joined {
            Some(Ok(())) => self.pipes.queue(flow),
            Some(Err(_)) | None => self.net.abort(flow),
        }
    }

    fn pump_all(&mut self, now: Duration) {
        for _ in 0..self.pipes.queued() {
            let Some(flow) = self.pipes.next() else { break };
            let Some(pipe) = self.pipes.get(flow) else { continue };
            match pipe.pump(&mut self.net, PUMP_LEN_MAX) {
                Fate::Rests => {}
                Fate::GoesOn => self.pipes.queue(flow),
                Fate::Ends => {
                    self.net.close(flow, now);
                    self.pipes.remove(flow);
                }
                Fate::Breaks => {
                    self.net.abort(flow);
                    self.pipes.remove_with_reset(flow);
                }
            }
        }
    }

    /// The guest asks for a connection on the public side: it is to hear at once if it may not have it.
    fn call_back(&mut self, syn: Syn, now: Duration) {
        let Side::Front(front) = &self.side else { return };
        let Some(host) = front.called_back(syn.ends.backend, now) else {
            return self.net.refuse(syn.bytes(), of_queue(syn.offload));
        };
        if self.dials.lend(syn.ends.backend, host, now) {
            self.listen();
        }
        self.dials.knock(syn);
    }

    /// Makes the guest reach what stands in the table.
    fn listen(&mut self) {
        // The table is bounded by what a net can listen at, and nothing in it has port 0.
        let _refused = self.net.listen_at(listeners(&self.dials));
    }
}

impl Net for User {
    fn transmit(&mut self, frame: Frame<'_>, now: Duration) {
        match &self.side {
            Side::Back => {
                if let Some(syn) = Syn::of(&frame).filter(|syn| self.dials.has(syn.ends.backend)) {
                    return self.dials.knock(syn);
                }
            }
            Side::Front(front) if front.calls_back() => {
                if let Some(syn) = Syn::of(&frame) {
                    return self.call_back(syn, now);
                }
            }
            Side::Front(_) => {}
        }
        self.net.receive(frame.bytes, of_queue(frame.offload), now);
    }

    fn ready(&mut self, token: Token, readiness: Readiness) {
        match (token.kind, &mut self.side) {
            (KIND_DOOR, Side::Front(front)) => front.knock(token.index),
            (KIND_PIPE, _) => self.pipes.ready(token, readiness),
            (KIND_KNOCK, _) => self.dials.ready(token, readiness),
            _ => {}
        }
    }

    fn turn(&mut self, poller: &Poller, now: Duration) -> Progress {
        if self.net.deadline().is_some_and(|deadline| deadline <= now) {
            self.net.handle_timeout(now);
        }
        let mut dials_max = self.pipes.room();
        if let Side::Front(front) = &mut self.side {
            front.accept(&mut self.net, &mut self.pipes, poller, now);
            dials_max = self.pipes.room().min(CALLS_DIALLED_MAX);
        }
        self.dials.turn(&mut self.net, poller, dials_max, now);
        if self.dials.forget_retired(now) {
            self.listen();
        }
        self.take_events(poller);
        self.pump_all(now);
        // What was pumped may have brought news: a last byte taken, a window opened.
        self.take_events(poller);
        let knocked = matches!(&self.side, Side::Front(front) if front.is_knocked());
        if self.pipes.queued() > 0 || (knocked && !self.pipes.is_full()) { Progress::More } else { Progress::Idle }
    }

    fn receive(&mut self, batch: &mut Batch<'_>, now: Duration) {
        while batch.room() >= abi::limits::FRAME_LEN_MAX {
            let filled = batch
                .fill(abi::limits::FRAME_LEN_MAX, |space| self.net.poll_transmit(space, now).map(|(len, offload)| (len, of_net(offload))));
            if filled != Ok(true) {
                break;
            }
        }
    }

    fn deadline(&self) -> Option<Duration> {
        self.net.deadline().into_iter().chain(self.dials.deadline()).min()
    }

    fn reload(&mut self, backends: &[Backend], linger: Duration, now: Duration) {
        if matches!(self.side, Side::Back) {
            self.dials.reload(backends, linger, now);
            self.listen();
        }
    }

    fn drain(&mut self) {
        if let Side::Front(front) = &mut self.side {
            front.close();
        }
    }

    fn real(&self, guest: SocketAddr) -> Option<SocketAddr> {
        self.dials.real(guest)
    }

    fn dropped(&self) -> Dropped {
        let counters = self.net.counters();
        let filtered = counters.dropped_not_ours.saturating_add(counters.dropped_malformed).saturating_add(counters.dropped_source);
        Dropped { filtered, host: 0 }
    }
}

fn listeners(dials: &Dials) -> Vec<Listen> {
    dials.guests().map(|guest| Listen { address: Some(guest.ip()), port: guest.port() }).collect()
}

/// Our end of the link. The guest is its only neighbour, with a pinned link address: there is nobody to resolve.
fn config(ends: &Ends, listen: Vec<Listen>, pipes_max: usize) -> Config {
    let host_prefix = |address: &core::net::IpAddr| Cidr { address: *address, prefix_len: if address.is_ipv4() { 32 } else { 128 } };
    let flows = pipes_max.clamp(1, PIPES_MAX);
    let limits = Limits { flows, ring_bytes: RING_BYTES, time_wait: Duration::from_secs(1), ..Limits::default() };
    Config {
        mac: ends.host_mac,
        addresses: ends.host.iter().map(host_prefix).collect(),
        gateways: ends.guest.iter().map(|address| Gateway { address: *address, mac: Some(ends.guest_mac) }).collect(),
        mtu: ends.mtu,
        offload: true,
        trust: Trust::Private,
        listen,
        limits,
    }
}

fn of_queue(from: queue::Offload) -> net::Offload {
    let queue::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = from;
    net::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset }
}

fn of_net(from: net::Offload) -> queue::Offload {
    let net::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = from;
    queue::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset }
}
