//! A flow's rings: small at first, large once somebody needs them, and the send ring small again when the flow has long been idle.
//!
//! smoltcp cannot swap a socket's rings. But a socket may be born at any point of a connection where nothing is under way, so the flow moves
//! to a new one, and takes along what its user has not read. Its peer sees nothing of it but a larger window.

use alloc::vec::Vec;
use core::time::Duration;

use smoltcp::socket::tcp::State;

use super::{Flow, len32};
use crate::config::Limits;
use crate::cookie::Offer;
use crate::engine::{Birth, Seat};
use crate::keys::Ends;

impl Flow {
    /// A ring is too small: nothing more is queued until all is acknowledged, and the flow can move to larger rings. That waits for the
    /// peer's stack only, never for anybody's application, so it cannot be part of a deadlock.
    pub(super) fn is_held(&self) -> bool {
        self.may_move() && (self.rx_pressed || self.tx_pressed)
    }

    /// The states in which we may send: a peer that has sent its FIN may still be owed a large answer.
    fn may_move(&self) -> bool {
        matches!(self.state(), State::Established | State::CloseWait)
    }

    /// Something came in, and will want an answer: an idle flow gets its first send ring back before its user writes.
    pub(crate) fn wake(&mut self, now: Duration) {
        self.active_at = now;
    }

    /// Whether nothing is under way that a new socket would not know of: nothing unacknowledged, no gap in what was received.
    fn is_quiet(&self) -> bool {
        let socket = self.seat.socket();
        self.may_move() && socket.send_queue() == 0 && self.received == self.receive_next()
    }

    /// The rings that the flow should move to now, if any.
    pub(crate) fn next_rings(&mut self, limits: &Limits, now: Duration) -> Option<(usize, usize)> {
        let (rx, tx) = (self.seat.socket().recv_capacity(), self.seat.socket().send_capacity());
        self.rx_pressed &= rx < limits.rx_ring;
        self.tx_pressed &= tx < limits.tx_ring;
        if !self.is_quiet() {
            return None;
        }
        let wanted_rx = if self.rx_pressed { limits.rx_ring } else { rx };
        let wanted_tx = match (self.tx_pressed, self.shrinks_at(limits)) {
            (true, _) => limits.tx_ring,
            (false, Some(at)) if at <= now => limits.idle_tx_ring,
            (false, _) if now < self.active_at.saturating_add(limits.shrink_after) => tx.max(limits.first_tx_ring),
            (false, _) => tx,
        };
        (wanted_rx != rx || wanted_tx != tx).then_some((wanted_rx, wanted_tx))
    }

    /// When the flow will have been idle for so long that its send ring may go. (The receive ring stays: its window was promised.)
    pub(crate) fn shrinks_at(&self, limits: &Limits) -> Option<Duration> {
        let large = self.seat.socket().send_capacity() > limits.idle_tx_ring;
        (large && self.is_quiet()).then(|| self.active_at.saturating_add(limits.shrink_after))
    }

    /// What a socket that takes over here must be born with.
    pub(crate) fn heir(&self, ends: Ends, (rx_ring, tx_ring): (usize, usize)) -> Birth {
        Birth {
            ends,
            local_sequence: self.unacknowledged().wrapping_sub(1),
            peer_sequence: self.first_unread().wrapping_sub(1),
            offer: Offer { mss: self.mss, ..self.offer },
            window: self.window_seen,
            rx_ring,
            tx_ring,
            keepalive: self.keepalive,
        }
    }

    /// The number of the first byte that the user has not read, or that is still to come.
    fn first_unread(&self) -> u32 {
        self.receive_next().wrapping_sub(self.peer_finished().into()).wrapping_sub(len32(self.readable()))
    }

    /// What the socket was last told, as far as that can be said in a birth's terms.
    pub(crate) fn present(&self, ends: Ends) -> Birth {
        let socket = self.seat.socket();
        let rings = (socket.recv_capacity(), socket.send_capacity());
        Birth { peer_sequence: self.receive_next().wrapping_sub(1), ..self.heir(ends, rings) }
    }

    /// What the old socket holds for its user.
    pub(crate) fn take_unread(&mut self) -> Vec<u8> {
        let mut unread = Vec::with_capacity(self.readable());
        while self.readable() > 0 {
            let take = |bytes: &mut [u8]| {
                unread.extend_from_slice(bytes);
                (bytes.len(), ())
            };
            self.seat.socket_mut().recv(take).expect("invariant: a socket with bytes in its ring may always be read");
        }
        unread
    }

    /// The new socket takes over.
    pub(crate) fn inherit(&mut self, seat: Seat) {
        self.seat = seat;
        (self.rx_pressed, self.tx_pressed) = (false, false);
        self.socket_scale = self.offer.scale.map_or(0, |_| window_scale(self.seat.socket().recv_capacity()));
    }

    /// A window field of the socket's, as the peer must read it.
    pub(crate) fn rescale(&self, window: u16) -> u16 {
        u16::try_from((u32::from(window) << self.socket_scale) >> self.own_scale).unwrap_or(u16::MAX)
    }
}

/// The shift that smoltcp uses for a ring of this size (and so what our SYN-ACK must announce).
pub(crate) fn window_scale(ring: usize) -> u8 {
    let bits = usize::BITS - ring.leading_zeros();
    u8::try_from(bits.saturating_sub(16)).unwrap_or(0)
}
