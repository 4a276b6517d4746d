//! What a `Net` tells its user, and the names it does so by.

use core::net::SocketAddr;

/// Names one flow for as long as it lives; a later flow never has the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl FlowId {
    /// A small number that no other living flow has: an index for the user's own table. It is used again after the flow's end, so
    /// store the `FlowId` with what the table holds and compare.
    #[must_use]
    pub fn index(self) -> usize {
        self.index as usize
    }
}

/// News of a flow. Edge-triggered and coalesced: each kind is pending at most once per flow. `Accepted` or `Connected` come first and
/// `Closed` last; after `Closed` the name means nothing any more. No event comes for a flow after its user called `close` or `abort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A peer whose address is proven has connected to a listener.
    Accepted {
        /// The new flow.
        flow: FlowId,
        /// Our end.
        local: SocketAddr,
        /// The peer's end.
        peer: SocketAddr,
    },
    /// The peer of a `connect` has answered.
    Connected(FlowId),
    /// There are bytes to `recv` that were not there before.
    Readable(FlowId),
    /// There is room to `send` after a `send` found less than it could have filled.
    Writable(FlowId),
    /// The peer has sent its FIN and every byte before it is there to be read. Sending may go on.
    Finished(FlowId),
    /// The flow is gone: both ends have finished and all is read, or `reason` says what broke it.
    Closed {
        /// The flow that was.
        flow: FlowId,
        /// Why.
        reason: CloseReason,
    },
}

/// Why a flow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Both ends have sent their FINs, everything was acknowledged and read.
    Done,
    /// The peer has reset the flow.
    PeerReset,
    /// The peer refused the connection attempt.
    PeerRefused,
    /// The peer kept its window shut for too long.
    PeerStalled,
    /// The peer fell silent: data or a keep-alive probe stayed unanswered.
    PeerSilent,
    /// The connection attempt took too long.
    ConnectTimeout,
    /// Nobody answered for the next hop's link address, or a router said that there is no way.
    Unreachable,
}

/// Why a `connect` was not even begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectFault {
    /// No address or gateway of ours has the peer's family, the peer is not a unicast address, or a port is 0.
    Unroutable,
    /// The wanted source is not one of ours, and the wire is not `Trust::Private`.
    ForeignSource,
    /// The wanted pair of ends is in use.
    InUse,
    /// No free port towards this peer was found.
    LimitPorts,
    /// The limit on flows, or on the bytes of their rings, is reached.
    LimitFlows,
    /// Too many attempts wait for this next hop, or for too many next hops.
    LimitNeighbors,
}

/// The flow of this name is gone, or not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowGone;
