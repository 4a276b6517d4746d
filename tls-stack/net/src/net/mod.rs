//! The whole stack of one link: what its user holds. The work is done next door: `receive`, `doorman`, `link`, `errors` (frames in),
//! `transmit` (frames out), `dialing`, `refusal`, `life` (beginnings and ends), `retune` (other limits and listeners).

mod dialing;
mod doorman;
mod errors;
mod life;
mod link;
mod receive;
mod refusal;
mod retune;
mod transmit;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use crate::bucket::Bucket;
use crate::budget::Budget;
use crate::closing::Closing;
use crate::config::{Config, ConfigFault, Trust};
use crate::counters::Counters;
use crate::engine::{Engine, Segmentation};
use crate::event::{ConnectFault, Event, FlowGone, FlowId};
use crate::flow::Flow;
use crate::keys::Keys;
use crate::limits;
use crate::neighbor::Neighbors;
use crate::offload::Offload;
use crate::outbox::Outbox;
use crate::table::{State, Table};
use crate::wheel::Wheel;

/// The network stack of one link. See the crate's page for an example.
#[derive(Debug)]
pub struct Net {
    config: Config,
    keys: Keys,
    counters: Counters,
    engine: Engine,
    table: Table,
    /// Of the flows' rings.
    budget: Budget,
    /// Flows that belong to nobody any more.
    closing: Closing,
    /// When to look at which slot again.
    wheel: Wheel<u32>,
    outbox: Outbox,
    neighbors: Neighbors,
    echoes: Bucket,
    resets: Bucket,
    /// Moves the search for a free port on, from one connection to the next.
    port_turn: u32,
}

impl Net {
    /// A stack that has heard nothing yet. `seed` is its only randomness: two stacks with the same seed are the same stack, so it must be
    /// fresh at each start. `now` is any monotonic time; no later call may name an earlier one.
    pub fn new(config: Config, seed: [u8; 32], now: Duration) -> Result<Self, ConfigFault> {
        config.check()?;
        let segmentation = if config.offload { Segmentation::ByHost } else { Segmentation::Ours };
        let pinned = config.gateways.iter().filter_map(|gateway| Some((gateway.address, gateway.mac?)));
        Ok(Self {
            keys: Keys::new(&seed),
            counters: Counters::default(),
            engine: Engine::new(segmentation, now),
            table: Table::new(),
            budget: Budget::new(&config.limits),
            closing: Closing::default(),
            wheel: Wheel::new(now),
            outbox: Outbox::new(),
            neighbors: Neighbors::new(pinned),
            echoes: Bucket::new(limits::ECHO_PER_S, now),
            resets: Bucket::new(limits::RESET_PER_S, now),
            port_turn: 0,
            config,
        })
    }

    /// Takes one Ethernet frame. Whatever it holds, this neither fails nor panics.
    pub fn receive(&mut self, frame: &[u8], offload: Offload, now: Duration) {
        self.counters.rx_frames += 1;
        self.counters.rx_bytes += u64::try_from(frame.len()).unwrap_or(0);
        if let Err(reject) = self.take_frame(frame, offload, now) {
            self.count_reject(reject);
        }
    }

    /// Answers the SYN in this frame as a port does that nobody listens at, whoever listens there: for a user who looks at a SYN before it
    /// gives it to [`Net::receive`], and finds that what it asks for is not to be had. No other frame is answered.
    pub fn refuse(&mut self, frame: &[u8], offload: Offload) {
        self.refuse_syn(frame, offload);
    }

    /// The next thing its user should know.
    pub fn poll_event(&mut self) -> Option<Event> {
        let index = self.table.first_news()?;
        let flow = self.table.name(index);
        let slot = self.table.slot_mut(index);
        let (pending, ends) = (&mut slot.pending, slot.ends);
        if core::mem::take(&mut pending.accepted) {
            return Some(Event::Accepted { flow, local: ends.local, peer: ends.peer });
        }
        if core::mem::take(&mut pending.connected) {
            return Some(Event::Connected(flow));
        }
        if core::mem::take(&mut pending.readable) {
            return Some(Event::Readable(flow));
        }
        if core::mem::take(&mut pending.writable) {
            return Some(Event::Writable(flow));
        }
        if core::mem::take(&mut pending.finished) {
            return Some(Event::Finished(flow));
        }
        let reason = pending.closed.take()?;
        self.table.disown(index);
        Some(Event::Closed { flow, reason })
    }

    /// Writes one frame to the front of `buf`, which must hold [`limits::FRAME_LEN_MAX`] bytes; gives its
    /// length and what is left to be done to it. Call until `None`, after everything else of a turn.
    pub fn poll_transmit(&mut self, buf: &mut [u8], now: Duration) -> Option<(usize, Offload)> {
        let (len, offload) = self.next_frame(buf, now)?;
        self.counters.tx_frames += 1;
        self.counters.tx_bytes += u64::try_from(len).unwrap_or(0);
        Some((len, offload))
    }

    /// When [`Net::handle_timeout`] and [`Net::poll_transmit`] want to be called, if nothing else happens before. The distant past, if
    /// there may be something to transmit already.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        if self.table.has_ready() || !self.outbox.is_empty() {
            return Some(Duration::ZERO);
        }
        self.wheel.deadline()
    }

    /// Lets time pass. Call `poll_event` and `poll_transmit` afterwards.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some(index) = self.wheel.expired(now) {
            self.ring(index, now);
        }
    }

    /// Begins a connection. `local` may fix our end; the unspecified address and port 0 in it mean any. `Event::Connected` or
    /// `Event::Closed` follows.
    pub fn connect(&mut self, peer: SocketAddr, local: Option<SocketAddr>, now: Duration) -> Result<FlowId, ConnectFault> {
        self.dial(peer, local, now)
    }

    /// Shows `f` the longest contiguous run of received bytes, possibly empty, to use (and alter) in place; `f` says how many it has
    /// consumed. At the ring's end a second call may show more.
    pub fn recv<R>(&mut self, flow: FlowId, f: impl FnOnce(&mut [u8]) -> (usize, R)) -> Result<R, FlowGone> {
        let (index, flow) = self.open_flow(flow).ok_or(FlowGone)?;
        let result = flow.recv(f);
        self.table.mark_ready(index);
        Ok(result)
    }

    /// Shows `f` the longest contiguous run of free space, possibly empty, to be filled from its front; `f` says how many bytes it has put
    /// there. If it fills nothing, or leaves no room in all, `Event::Writable` follows when there is more again. After `shutdown` the space
    /// is always empty.
    pub fn send<R>(&mut self, flow: FlowId, f: impl FnOnce(&mut [u8]) -> (usize, R)) -> Result<R, FlowGone> {
        let (index, flow) = self.open_flow(flow).ok_or(FlowGone)?;
        let result = flow.send(f);
        self.table.mark_ready(index);
        Ok(result)
    }

    /// Says that the user waits for room for `len` bytes at once: `Event::Writable` follows when there is more room than now, and a ring that
    /// could never hold as much makes way for a larger one.
    pub fn want_room(&mut self, flow: FlowId, len: usize) {
        if let Some((index, flow)) = self.open_flow(flow) {
            flow.want_room(len);
            self.table.mark_ready(index);
        }
    }

    /// Bytes that `recv` has to show in all; 0 for a flow that is gone.
    #[must_use]
    pub fn readable(&self, flow: FlowId) -> usize {
        self.open_flow_ref(flow).map_or(0, Flow::readable)
    }

    /// Bytes that `send` has room for in all; 0 for a flow that is gone, not yet connected, or shut down.
    #[must_use]
    pub fn writable(&self, flow: FlowId) -> usize {
        self.open_flow_ref(flow).map_or(0, Flow::writable)
    }

    /// Whether everything sent so far was acknowledged (a FIN too, after `shutdown`). True for a flow that is gone.
    #[must_use]
    pub fn flushed(&self, flow: FlowId) -> bool {
        self.open_flow_ref(flow).is_none_or(|flow| !flow.has_unacknowledged())
    }

    /// Sends a FIN behind what is queued; receiving goes on. A flow that is not connected yet is given up.
    pub fn shutdown(&mut self, flow: FlowId) {
        if let Some((index, flow)) = self.open_flow(flow) {
            flow.shutdown();
            self.table.mark_ready(index);
        } else {
            self.abort_dial(flow);
        }
    }

    /// The user is done with the flow: a FIN behind what is queued; what the peer still sends is discarded within a bound of bytes and
    /// time, so that no RST overtakes and destroys what was queued last (a fatal alert, say). The name means nothing any more. If a newcomer
    /// would find no room, the flow that was closed first makes way for it.
    pub fn close(&mut self, flow: FlowId, now: Duration) {
        let limits = self.config.limits.clone();
        if let Some((index, open)) = self.open_flow(flow) {
            open.begin_discard(&limits, now);
            self.table.mark_ready(index);
            self.table.disown(index);
            self.note_closing(index);
        } else {
            self.abort_dial(flow);
        }
    }

    /// The user is done with the flow: a RST, at once. The name means nothing any more.
    pub fn abort(&mut self, flow: FlowId) {
        if let Some((index, _)) = self.open_flow(flow) {
            self.reset_flow(index);
            self.end(index, None);
            self.table.disown(index);
        } else {
            self.abort_dial(flow);
        }
    }

    /// From now on every listener is closed; flows live on.
    pub fn stop_accepting(&mut self) {
        self.config.listen.clear();
    }

    /// What has been counted so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn open_flow(&mut self, flow: FlowId) -> Option<(u32, &mut Flow)> {
        let index = self.table.resolve(flow)?;
        match &mut self.table.slot_mut(index).state {
            State::Open(flow) => Some((index, flow)),
            _ => None,
        }
    }

    fn open_flow_ref(&self, flow: FlowId) -> Option<&Flow> {
        match &self.table.slot(self.table.resolve(flow)?).state {
            State::Open(flow) => Some(flow),
            _ => None,
        }
    }

    /// A flow that is not open but still has its name: a dial, or one whose end the user has not heard of.
    fn abort_dial(&mut self, flow: FlowId) {
        if let Some(index) = self.table.resolve(flow) {
            if matches!(self.table.slot(index).state, State::Dialing(_)) {
                self.end(index, None);
            }
            self.table.disown(index);
        }
    }

    fn is_local(&self, address: IpAddr) -> bool {
        self.config.addresses.iter().any(|cidr| cidr.address == address)
    }

    /// Payload bytes of the largest segment that this link carries.
    fn own_mss(&self, address: IpAddr) -> u16 {
        self.config.mtu - if address.is_ipv4() { 40 } else { 60 }
    }

    fn is_private(&self) -> bool {
        self.config.trust == Trust::Private
    }
}
