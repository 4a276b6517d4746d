//! The counters of one link.

use serde::{Deserialize, Serialize};

use crate::reason::named;

/// What one link has counted, and two gauges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Frames received.
    pub rx_frames: u64,
    /// Bytes of them.
    pub rx_bytes: u64,
    /// Frames transmitted.
    pub tx_frames: u64,
    /// Bytes of them.
    pub tx_bytes: u64,
    /// Gauge: TCP flows, TIME-WAIT not counted.
    pub flows: u64,
    /// Gauge: flows in TIME-WAIT.
    pub time_waits: u64,
    /// Gauge: bytes of rings that flows are charged.
    pub ring_bytes: u64,
    /// SYNs seen.
    pub syns: u64,
    /// SYN cookies sent.
    pub cookies_sent: u64,
    /// SYN cookies that came back and became flows.
    pub cookies_accepted: u64,
    /// SYN cookies that came back wrong or late.
    pub cookies_refused: u64,
    /// Connections begun by the cell.
    pub connects: u64,
    /// SYNs and flows turned away by a limit of the link.
    pub refused_by_limit: u64,
    /// Flows that wanted larger rings when there were none to be had.
    pub growths_refused: u64,
    /// RSTs sent.
    pub resets_sent: u64,
    /// Challenge ACKs sent (RFC 5961).
    pub challenge_acks: u64,
    /// Echo replies sent.
    pub echo_replies: u64,
    /// Replies that found no room or no token.
    pub replies_suppressed: u64,
    /// Batches that were full while frames waited.
    pub stalls: u64,
    /// Frames dropped, by reason.
    pub dropped: Drops,
}

named! {
    /// Why a frame was dropped.
    DropReason {
        /// Not for this cell, or a protocol that it does not speak.
        NotOurs "not_ours",
        /// Headers or lengths that make no sense.
        Malformed "malformed",
        /// A wrong checksum.
        Checksum "checksum",
        /// A fragment.
        Fragment "fragment",
        /// A source that no honest packet has.
        Source "source",
        /// Outside the window, or caught by RFC 5961's checks.
        OutOfWindow "out_of_window",
        /// Unsolicited or foreign ARP or NDP.
        Neighbor "neighbor",
        /// An ICMP error that quotes nothing of this cell's.
        Icmp "icmp",
    }
}

/// Frames dropped, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drops {
    /// [`DropReason::NotOurs`].
    pub not_ours: u64,
    /// [`DropReason::Malformed`].
    pub malformed: u64,
    /// [`DropReason::Checksum`].
    pub checksum: u64,
    /// [`DropReason::Fragment`].
    pub fragment: u64,
    /// [`DropReason::Source`].
    pub source: u64,
    /// [`DropReason::OutOfWindow`].
    pub out_of_window: u64,
    /// [`DropReason::Neighbor`].
    pub neighbor: u64,
    /// [`DropReason::Icmp`].
    pub icmp: u64,
}

impl Drops {
    /// How many for this reason.
    #[must_use]
    pub fn of(&self, reason: DropReason) -> u64 {
        match reason {
            DropReason::NotOurs => self.not_ours,
            DropReason::Malformed => self.malformed,
            DropReason::Checksum => self.checksum,
            DropReason::Fragment => self.fragment,
            DropReason::Source => self.source,
            DropReason::OutOfWindow => self.out_of_window,
            DropReason::Neighbor => self.neighbor,
            DropReason::Icmp => self.icmp,
        }
    }
}
