//! TIME-WAIT without buffers: what is left of a flow that we have ended first (RFC 9293 section 3.6, ATTACKS N17).

use crate::bucket::Bucket;
use crate::reply::Mac;
use crate::segment::{Kind, Segment, before};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linger {
    pub(crate) next_hop: Mac,
    pub(crate) send_next: u32,
    pub(crate) receive_next: u32,
    pub(crate) window: u16,
    pub(crate) answers: Bucket,
}

/// What a segment means to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Say where we stand.
    Acknowledge,
    /// It may begin a new connection: for the doorman (RFC 9293 section 3.10.7.4, RFC 6191 without timestamps).
    Reopen,
    Ignore,
}

impl Linger {
    pub(crate) fn judge(&self, segment: &Segment<'_>) -> Answer {
        match segment.kind {
            // RFC 1337: a RST does not cut TIME-WAIT short.
            Kind::Reset { .. } => Answer::Ignore,
            Kind::Syn if before(self.receive_next.wrapping_sub(1), segment.sequence) => Answer::Reopen,
            // The ACK of a handshake that the doorman has begun while we lingered.
            Kind::Ack { ack, .. } if ack != self.send_next && before(self.receive_next, segment.sequence) => Answer::Reopen,
            Kind::Ack { ack, .. } if ack == self.send_next && segment.end() == self.receive_next && segment.payload.is_empty() => {
                if segment.sequence == self.receive_next { Answer::Ignore } else { Answer::Acknowledge }
            }
            Kind::Syn | Kind::SynAck { .. } | Kind::Ack { .. } => Answer::Acknowledge,
        }
    }
}
