//! What a segment must pass before the socket sees it: RFC 5961 against blind injection, and the bounds that smoltcp takes on trust.

use crate::flow::Flow;
use crate::segment::{Kind, Segment, before};

/// What is to be done with a segment for an established flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Show it to the socket.
    Pass,
    /// Drop it.
    Drop,
    /// Drop it and say where we stand: an ACK, as often as the flow's bucket allows.
    Challenge,
    /// The peer has ended the flow.
    Reset,
    /// It says nothing new.
    Redundant,
}

/// Judges a segment.
pub(crate) fn judge(flow: &Flow, segment: &Segment<'_>) -> Verdict {
    match segment.kind {
        // RFC 5961 section 4.2: whatever its sequence number. A SYN-ACK comes again when our ACK was lost; the answer is the same.
        Kind::Syn | Kind::SynAck { .. } => Verdict::Challenge,
        Kind::Reset { .. } => judge_reset(flow, segment),
        Kind::Ack { ack, .. } => judge_ack(flow, segment, ack),
    }
}

/// RFC 5961 section 3.2: exactly the next byte, or it is no RST.
fn judge_reset(flow: &Flow, segment: &Segment<'_>) -> Verdict {
    match segment.sequence.wrapping_sub(flow.receive_next()) {
        0 => Verdict::Reset,
        ahead if ahead < flow.receive_window() => Verdict::Challenge,
        _ => Verdict::Drop,
    }
}

/// RFC 5961 section 5.2, and RFC 9293 section 3.10.7.4 for what was never sent.
fn judge_ack(flow: &Flow, segment: &Segment<'_>, ack: u32) -> Verdict {
    let oldest = flow.unacknowledged().wrapping_sub(flow.peer_window_max());
    if before(ack, oldest) || before(flow.send_next(), ack) {
        return Verdict::Challenge;
    }
    // More than our window: no honest peer, but for the one byte with which it probes a window that is shut.
    let limit = flow.receive_next().wrapping_add(flow.receive_window());
    if !segment.payload.is_empty() && before(limit, segment.end()) && !segment.payload_ends_at(limit) {
        return Verdict::Challenge;
    }
    // RFC 9293 section 3.10.7.4: behind the peer's FIN there is nothing. smoltcp would take it for more of the stream.
    if flow.peer_finished() && before(flow.receive_next(), segment.end()) {
        return Verdict::Challenge;
    }
    // With only our FIN unacknowledged, three duplicate ACKs make smoltcp drop its timer for a fast retransmission that has no data to
    // send, and the FIN would never go out again.
    let bare = segment.payload.is_empty() && segment.sequence == flow.receive_next() && segment.end() == segment.sequence;
    if bare && flow.awaits_only_fin() && ack == flow.unacknowledged() {
        return Verdict::Redundant;
    }
    Verdict::Pass
}

impl Segment<'_> {
    /// Whether only a FIN lies beyond `limit`.
    fn payload_ends_at(&self, limit: u32) -> bool {
        self.end().wrapping_sub(1) == limit && matches!(self.kind, Kind::Ack { fin: crate::segment::Fin::Last, .. })
    }
}
