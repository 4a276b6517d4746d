//! The whole stack of one link.

use core::net::SocketAddr;
use core::time::Duration;

use crate::config::{Config, ConfigFault};
use crate::counters::Counters;
use crate::event::{ConnectFault, Event, FlowGone, FlowId};
use crate::offload::Offload;

/// The network stack of one link. See the crate's page for an example.
#[derive(Debug)]
pub struct Net {
    config: Config,
    counters: Counters,
}

impl Net {
    /// A stack that has heard nothing yet. `seed` is its only randomness: two stacks with the same seed are the same stack, so it must be
    /// fresh at each start. `now` is any monotonic time; no later call may name an earlier one.
    pub fn new(config: Config, _seed: [u8; 32], _now: Duration) -> Result<Self, ConfigFault> {
        config.check()?;
        Ok(Self { config, counters: Counters::default() })
    }

    /// Takes one Ethernet frame. Whatever it holds, this neither fails nor panics.
    pub fn receive(&mut self, _frame: &[u8], _offload: Offload, _now: Duration) {
        self.counters.rx_frames += 1;
    }

    /// The next thing its user should know.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// Writes one frame to the front of `buf`, which must hold [`limits::FRAME_LEN_MAX`](crate::limits::FRAME_LEN_MAX) bytes; gives its
    /// length and what is left to be done to it. Call until `None`, after everything else of a turn.
    pub fn poll_transmit(&mut self, _buf: &mut [u8], _now: Duration) -> Option<(usize, Offload)> {
        None
    }

    /// When [`Net::handle_timeout`] wants to be called, if nothing else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        None
    }

    /// Lets time pass. Call `poll_event` and `poll_transmit` afterwards.
    pub fn handle_timeout(&mut self, _now: Duration) {}

    /// Begins a connection. `local` may fix our end; port 0 in it means any. `Event::Connected` or `Event::Closed` follows.
    pub fn connect(&mut self, _peer: SocketAddr, _local: Option<SocketAddr>, _now: Duration) -> Result<FlowId, ConnectFault> {
        Err(ConnectFault::Unroutable)
    }

    /// Shows `f` the longest contiguous run of received bytes, possibly empty, to use (and alter) in place; `f` says how many it has
    /// consumed. At the ring's end a second call may show more.
    pub fn recv<R>(&mut self, _flow: FlowId, _f: impl FnOnce(&mut [u8]) -> (usize, R)) -> Result<R, FlowGone> {
        Err(FlowGone)
    }

    /// Shows `f` the longest contiguous run of free space, possibly empty, to be filled from its front; `f` says how many bytes it has put
    /// there. If it leaves no room in all, `Event::Writable` follows when there is some again. After `shutdown` the space is always empty.
    pub fn send<R>(&mut self, _flow: FlowId, _f: impl FnOnce(&mut [u8]) -> (usize, R)) -> Result<R, FlowGone> {
        Err(FlowGone)
    }

    /// Bytes that `recv` has to show in all; 0 for a flow that is gone.
    #[must_use]
    pub fn readable(&self, _flow: FlowId) -> usize {
        0
    }

    /// Bytes that `send` has room for in all; 0 for a flow that is gone, not yet connected, or shut down.
    #[must_use]
    pub fn writable(&self, _flow: FlowId) -> usize {
        0
    }

    /// Whether everything sent so far was acknowledged (a FIN too, after `shutdown`). True for a flow that is gone.
    #[must_use]
    pub fn flushed(&self, _flow: FlowId) -> bool {
        true
    }

    /// Sends a FIN behind what is queued; receiving goes on.
    pub fn shutdown(&mut self, _flow: FlowId) {}

    /// The user is done with the flow: a FIN behind what is queued; what the peer still sends is discarded within a bound of bytes and
    /// time, so that no RST overtakes and destroys what was queued last (a fatal alert, say). The name means nothing any more.
    pub fn close(&mut self, _flow: FlowId, _now: Duration) {}

    /// The user is done with the flow: a RST, at once. The name means nothing any more.
    pub fn abort(&mut self, _flow: FlowId) {}

    /// From now on every listener is closed; flows live on.
    pub fn stop_accepting(&mut self) {
        self.config.listen.clear();
    }

    /// What has been counted so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}
