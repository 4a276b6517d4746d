//! A connection that we have begun: SYN-SENT, without buffers. The socket is made when the peer has answered.
//!
//! Simultaneous open (RFC 9293 section 3.5, MUST-10) is the one extra turn: a SYN from the peer is answered with a SYN-ACK.

use core::net::IpAddr;
use core::time::Duration;

use crate::cookie::Offer;
use crate::reply::Mac;
use crate::segment::{Kind, Segment};

/// First wait for an answer (RFC 6298 section 2.1); doubled with each SYN.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(crate) struct Dial {
    pub(crate) sequence: u32,
    /// Who is on the link for the peer: the peer itself or a gateway.
    pub(crate) hop: IpAddr,
    /// The hop's link address, once it is known.
    pub(crate) next_hop: Option<Mac>,
    pub(crate) give_up_at: Duration,
    pub(crate) next_try_at: Duration,
    wait: Duration,
    /// What the peer's own SYN offered, if it has sent one.
    crossed: Option<(u32, Offer)>,
    /// The peer was told once that it has something left of an earlier connection.
    pub(crate) cleared: bool,
}

/// What a segment means to a connection that we have begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Established: the peer's first sequence number, and what it offers.
    Open(u32, Offer),
    /// The peer's SYN crossed ours: answer it with a SYN-ACK of this acknowledgement.
    Cross(u32),
    /// The peer refuses.
    Refused,
    /// It acknowledges what we never sent: a RST with this sequence number.
    Reset(u32),
    Ignore,
}

impl Dial {
    pub(crate) fn new(sequence: u32, hop: IpAddr, timeout: Duration, now: Duration) -> Self {
        Self {
            sequence,
            hop,
            next_hop: None,
            give_up_at: now.saturating_add(timeout),
            next_try_at: now,
            wait: FIRST_WAIT,
            crossed: None,
            cleared: false,
        }
    }

    /// Books a SYN that was sent, or a request for the hop's link address.
    pub(crate) fn tried(&mut self, now: Duration) {
        self.next_try_at = now.saturating_add(self.wait);
        if self.next_hop.is_some() {
            self.wait = self.wait.saturating_mul(2);
        }
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.next_try_at.min(self.give_up_at)
    }

    /// RFC 9293 section 3.10.7.3.
    pub(crate) fn judge(&mut self, segment: &Segment<'_>) -> Answer {
        let ours = self.sequence.wrapping_add(1);
        match segment.kind {
            Kind::Reset { ack } if ack == Some(ours) => Answer::Refused,
            Kind::Reset { .. } => Answer::Ignore,
            Kind::SynAck { ack } | Kind::Ack { ack, .. } if ack != ours => Answer::Reset(ack),
            Kind::SynAck { .. } => segment.offer().map_or(Answer::Ignore, |offer| Answer::Open(segment.sequence, offer)),
            Kind::Syn => self.cross(segment),
            Kind::Ack { .. } => match self.crossed {
                Some((peer, offer)) if segment.sequence == peer.wrapping_add(1) => Answer::Open(peer, offer),
                _ => Answer::Ignore,
            },
        }
    }

    fn cross(&mut self, segment: &Segment<'_>) -> Answer {
        let Some(offer) = segment.offer() else { return Answer::Ignore };
        self.crossed = Some((segment.sequence, offer));
        Answer::Cross(segment.sequence.wrapping_add(1))
    }
}
