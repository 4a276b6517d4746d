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
    /// A SYN that was too old to begin anew was told where we stand.
    pub(crate) challenged: bool,
}

/// What a segment means to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Say where we stand.
    Acknowledge,
    /// It may begin a new connection: for the doorman (RFC 9293 section 3.10.7.4, RFC 6191 without timestamps).
    Reopen,
    /// The peer has nothing left of the connection, and wants another one.
    End,
    Ignore,
}

impl Linger {
    pub(crate) fn judge(&self, segment: &Segment<'_>) -> Answer {
        match segment.kind {
            // Who begins anew with numbers that lag behind what he sent before (they follow a clock, and bulk outruns it) answers the challenge by this one RST, as RFC 5961
            // section 4 has it. But for that, TIME-WAIT is not cut short by a RST (RFC 1337).
            Kind::Reset { .. } if self.challenged && segment.sequence == self.receive_next => Answer::End,
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
