//! The user net: the link ends in a TCP of our own, and each of its flows goes on as one host socket.
//!
//! It needs no privilege and reaches nothing but the configured listeners and backends: the *front* accepts on host listeners and connects to
//! the guest under the client's address; the *back* holds what the guest asks for, if it stands in the table of backends, until the host has connected to
//! where that backend really is, and then accepts it. Nothing is buffered here: bytes go from a socket straight into the flow's ring and back, so a side that stops reading
//! stops the other side's sender by TCP alone.

mod back;
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

use crate::limits::{PIPES_MAX, PUMP_LEN_MAX, RING_BYTES};
use crate::nets::{Dropped, Net, Progress};
use crate::order::{Backend, Ends};
use crate::poller::{Poller, Readiness, Token};
use back::Back;
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
    side: Side,
}

#[derive(Debug)]
enum Side {
    Front(Front),
    Back(Box<Back>),
}

impl User {
    /// The public side: `doors` pairs each host listener with the guest's listener behind it.
    ///
    /// # Errors
    /// The link's own description is unsound.
    pub fn front(
        ends: &Ends,
        doors: Vec<(OwnedFd, SocketAddr)>,
        seed: [u8; 32],
        pipes_max: usize,
        now: Duration,
    ) -> Result<Self, net::ConfigFault> {
        let net = net::Net::new(config(ends, Vec::new(), pipes_max), seed, now)?;
        Ok(Self { net, pipes: Pipes::new(abi::boot::FRONT, pipes_max), side: Side::Front(Front::new(doors)) })
    }

    /// The private side: the guest reaches `backends` and nothing else.
    ///
    /// # Errors
    /// The link's own description is unsound.
    pub fn back(ends: &Ends, backends: Vec<Backend>, seed: [u8; 32], pipes_max: usize, now: Duration) -> Result<Self, net::ConfigFault> {
        let back = Back::new(backends, now);
        let net = net::Net::new(config(ends, listeners(&back), pipes_max), seed, now)?;
        Ok(Self { net, pipes: Pipes::new(abi::boot::BACK, pipes_max), side: Side::Back(Box::new(back)) })
    }

    /// Watches the listeners; to be called once, before the first turn.
    ///
    /// # Errors
    /// What epoll_ctl(2) says.
    pub fn watch(&self, poller: &Poller) -> std::io::Result<()> {
        match &self.side {
            Side::Front(front) => front.watch(poller),
            Side::Back(_) => Ok(()),
        }
    }

    fn take_events(&mut self, poller: &Poller) {
        while let Some(event) = self.net.poll_event() {
            match event {
                Event::Accepted { flow, local, peer } => self.join_backend(poller, flow, local, peer),
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
    fn join_backend(&mut self, poller: &Poller, flow: net::FlowId, backend: SocketAddr, guest: SocketAddr) {
        let Side::Back(back) = &mut self.side else { return self.net.abort(flow) };
        let joined = back.claim(backend, guest).map(|socket| self.pipes.adopt(poller, Pipe::connected(flow, socket)));
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

    /// Makes the guest reach what stands in the table.
    fn listen(&mut self) {
        if let Side::Back(back) = &self.side {
            // The table is bounded by what a net can listen at, and no backend's port is 0.
            let _refused = self.net.listen_at(listeners(back));
        }
    }
}

impl Net for User {
    fn transmit(&mut self, frame: Frame<'_>, now: Duration) {
        if let Side::Back(back) = &mut self.side
            && let Some(syn) = Syn::of(&frame).filter(|syn| back.has(syn.ends.backend))
        {
            return back.knock(syn);
        }
        self.net.receive(frame.bytes, of_queue(frame.offload), now);
    }

    fn ready(&mut self, token: Token, readiness: Readiness) {
        match (token.kind, &mut self.side) {
            (KIND_DOOR, Side::Front(front)) => front.knock(token.index),
            (KIND_PIPE, _) => self.pipes.ready(token, readiness),
            (KIND_KNOCK, Side::Back(back)) => back.ready(token, readiness),
            _ => {}
        }
    }

    fn turn(&mut self, poller: &Poller, now: Duration) -> Progress {
        if self.net.deadline().is_some_and(|deadline| deadline <= now) {
            self.net.handle_timeout(now);
        }
        match &mut self.side {
            Side::Front(front) => front.accept(&mut self.net, &mut self.pipes, poller, now),
            Side::Back(back) => {
                back.turn(&mut self.net, poller, self.pipes.room(), now);
                if back.forget_retired(now) {
                    self.listen();
                }
            }
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
        let knocks = match &self.side {
            Side::Front(_) => None,
            Side::Back(back) => back.deadline(),
        };
        self.net.deadline().into_iter().chain(knocks).min()
    }

    fn reload(&mut self, backends: &[Backend], linger: Duration, now: Duration) {
        if let Side::Back(back) = &mut self.side {
            back.reload(backends, linger, now);
            self.listen();
        }
    }

    fn drain(&mut self) {
        if let Side::Front(front) = &mut self.side {
            front.close();
        }
    }

    fn real(&self, guest: SocketAddr) -> Option<SocketAddr> {
        match &self.side {
            Side::Front(_) => None,
            Side::Back(back) => back.real(guest),
        }
    }

    fn dropped(&self) -> Dropped {
        let counters = self.net.counters();
        let filtered = counters.dropped_not_ours.saturating_add(counters.dropped_malformed).saturating_add(counters.dropped_source);
        Dropped { filtered, host: 0 }
    }
}

fn listeners(back: &Back) -> Vec<Listen> {
    back.guests().map(|guest| Listen { address: Some(guest.ip()), port: guest.port() }).collect()
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
