//! What a `Net` has counted. Plain numbers that only grow, but for the gauges.

/// Counters of one [`Net`](crate::Net).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames received.
    pub rx_frames: u64,
    /// Bytes of them.
    pub rx_bytes: u64,
    /// Frames transmitted.
    pub tx_frames: u64,
    /// Bytes of them.
    pub tx_bytes: u64,
    /// Dropped: not for us at link or IP level, or a protocol we do not speak (closed UDP ports are silent).
    pub dropped_not_ours: u64,
    /// Dropped: malformed headers or lengths, impossible flags, broken option lists.
    pub dropped_malformed: u64,
    /// Dropped: wrong checksum.
    pub dropped_checksum: u64,
    /// Dropped: a fragment.
    pub dropped_fragment: u64,
    /// Dropped: a source that no honest packet has (martian, broadcast, our own, LAND).
    pub dropped_source: u64,
    /// Dropped by RFC 5961's checks, or outside the window.
    pub dropped_out_of_window: u64,
    /// Dropped: unsolicited or foreign ARP or NDP.
    pub dropped_neighbor: u64,
    /// Dropped: an ICMP error that quotes nothing of ours.
    pub dropped_icmp: u64,
    /// Replies that found no room or no token.
    pub replies_suppressed: u64,
    /// SYNs seen by the doorman.
    pub syns: u64,
    /// SYN cookies sent.
    pub cookies_sent: u64,
    /// SYN cookies that came back and became flows.
    pub cookies_accepted: u64,
    /// ACKs with a cookie that was not ours or too old.
    pub cookies_refused: u64,
    /// Challenge ACKs sent (RFC 5961).
    pub challenge_acks: u64,
    /// RSTs sent.
    pub resets_sent: u64,
    /// Echo replies sent.
    pub echo_replies: u64,
    /// Flows or SYNs turned away because there were as many flows as there may be, or no memory for one more.
    pub refused_by_limit: u64,
    /// Those of them for want of memory.
    pub refused_by_memory: u64,
    /// Flows turned away because their source had as many as it may have.
    pub refused_by_source: u64,
    /// Flows that were closed and made way for others before their peers had ended.
    pub closed_early: u64,
    /// Flows that wanted larger rings when there were none to be had, and went on with their own.
    pub growths_refused: u64,
    /// Connections begun by `connect`.
    pub connects: u64,
    /// Gauge: flows that are there now, TIME-WAIT not counted.
    pub flows: u64,
    /// Gauge: those of them that are closed and wait for their peers' end.
    pub closing: u64,
    /// Gauge: flows in TIME-WAIT now.
    pub time_waits: u64,
    /// Gauge: bytes of [`Limits::ring_bytes`](crate::Limits::ring_bytes) that flows are charged now.
    pub ring_bytes: u64,
}
