//! A flow's rings: small at first, large once somebody needs them and the budget has room, and small again when the flow has long been idle.
//!
//! smoltcp cannot swap a socket's rings. But a socket may be born at any point of a connection where nothing is under way, so the flow moves
//! to a new one, and takes along what its user has not read. Its peer sees nothing of it but a larger window.

use alloc::vec::Vec;
use core::time::Duration;

use smoltcp::socket::tcp::State;

use super::{Flow, len32};
use crate::budget::{Budget, Rings};
use crate::config::Limits;
use crate::cookie::Offer;
use crate::engine::{Birth, Seat};
use crate::keys::Ends;
use crate::limits::{GROWTH_RETRY, PRESSED_HASTE};

/// What a flow that should move to other rings may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Growth {
    /// What it wants.
    Granted(Rings),
    /// What it is assured of, and that may be what it has: the budget has no room for what it wants.
    Refused(Rings),
}

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

    /// Something came in, and will want an answer: an idle flow gets its receive ring back before it is put there, and its first send ring
    /// before its user writes.
    pub(crate) fn wake(&mut self, now: Duration) {
        self.note_activity(now);
    }

    pub(super) fn note_activity(&mut self, now: Duration) {
        (self.active_at, self.shrunk) = (now, false);
    }

    /// Whether nothing is under way that a new socket would not know of: nothing unacknowledged, no gap in what was received.
    fn is_quiet(&self) -> bool {
        let socket = self.seat.socket();
        self.may_move() && socket.send_queue() == 0 && self.received == self.receive_next()
    }

    /// What the flow holds.
    pub(crate) fn rings(&self) -> Rings {
        let socket = self.seat.socket();
        Rings { rx: socket.recv_capacity(), tx: socket.send_capacity() }
    }

    /// The rings that the flow should move to now, if any.
    pub(crate) fn next_rings(&mut self, limits: &Limits, budget: &Budget, now: Duration) -> Option<Growth> {
        let rings = self.rings();
        self.rx_pressed &= rings.rx < limits.rx_ring;
        self.tx_pressed &= rings.tx < limits.tx_ring;
        if self.rx_pressed || self.tx_pressed {
            // Whoever asks for room is about to use it: what is given now must not be taken back at once.
            self.note_activity(now);
        }
        if !self.is_quiet() {
            return None;
        }
        let wanted = self.wanted_rings(limits, budget, now);
        if budget.allows(rings, wanted) {
            return (wanted != rings).then_some(Growth::Granted(wanted));
        }
        Some(Growth::Refused(self.settle_for_less(wanted, limits, now)))
    }

    fn wanted_rings(&self, limits: &Limits, budget: &Budget, now: Duration) -> Rings {
        let rings = self.rings();
        let idle = self.shrinks_at(limits, budget).is_some_and(|at| at <= now);
        // Giving rings back may end the pressure that made patience short: that alone is no reason to take them again.
        let active = !self.shrunk && now < self.idle_from(limits, budget);
        Rings {
            rx: match (self.rx_pressed, idle && self.readable() == 0) {
                (true, _) => limits.rx_ring,
                (false, true) => limits.idle_rx_ring,
                (false, false) if active => rings.rx.max(self.promised_rx),
                (false, false) => rings.rx,
            },
            tx: match (self.tx_pressed, idle) {
                (true, _) => limits.tx_ring,
                (false, true) => limits.idle_tx_ring,
                (false, false) if active => rings.tx.max(limits.first_tx_ring),
                (false, false) => rings.tx,
            },
        }
    }

    /// There is no room for what the flow wants: it goes on with what it is assured of, and asks again later.
    fn settle_for_less(&mut self, wanted: Rings, limits: &Limits, now: Duration) -> Rings {
        let mut settled = wanted;
        let rings = self.rings();
        if wanted.rx > rings.rx {
            settled.rx = rings.rx.max(limits.first_rx_ring);
            self.promised_rx = settled.rx;
            self.rx_refused_at = Some(now);
        }
        if wanted.tx > rings.tx {
            settled.tx = rings.tx.max(limits.assured_tx_ring);
            self.tx_refused_at = Some(now);
        }
        (self.rx_pressed, self.tx_pressed) = (false, false);
        settled
    }

    /// What was refused may be asked for again after a while.
    pub(super) fn forget_refusals(&mut self, now: Duration) {
        for refused_at in [&mut self.rx_refused_at, &mut self.tx_refused_at] {
            *refused_at = refused_at.filter(|at| now < at.saturating_add(GROWTH_RETRY));
        }
    }

    /// When the flow will have been idle for so long that its rings may go. What its user has not read keeps the receive ring. Its window was
    /// promised, but nothing is on its way in so long a silence: the first bytes that break it find the old ring again.
    pub(crate) fn shrinks_at(&self, limits: &Limits, budget: &Budget) -> Option<Duration> {
        let rings = self.rings();
        let large = rings.tx > limits.idle_tx_ring || (rings.rx > limits.idle_rx_ring && self.readable() == 0);
        (large && self.is_quiet()).then(|| self.idle_from(limits, budget))
    }

    fn idle_from(&self, limits: &Limits, budget: &Budget) -> Duration {
        let patience = if budget.is_pressed() { limits.shrink_after / PRESSED_HASTE } else { limits.shrink_after };
        self.active_at.saturating_add(patience)
    }

    /// What a socket that takes over here must be born with.
    pub(crate) fn heir(&self, ends: Ends, rings: Rings) -> Birth {
        Birth {
            ends,
            local_sequence: self.unacknowledged().wrapping_sub(1),
            peer_sequence: self.first_unread().wrapping_sub(1),
            offer: Offer { mss: self.mss, ..self.offer },
            window: self.window_seen,
            rx_ring: rings.rx,
            tx_ring: rings.tx,
            keepalive: self.keepalive,
        }
    }

    /// The number of the first byte that the user has not read, or that is still to come.
    fn first_unread(&self) -> u32 {
        self.receive_next().wrapping_sub(self.peer_finished().into()).wrapping_sub(len32(self.readable()))
    }

    /// What the socket was last told, as far as that can be said in a birth's terms.
    pub(crate) fn present(&self, ends: Ends) -> Birth {
        Birth { peer_sequence: self.receive_next().wrapping_sub(1), ..self.heir(ends, self.rings()) }
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
        let before = core::mem::replace(&mut self.seat, seat);
        let rings = self.rings();
        self.promised_rx = self.promised_rx.max(rings.rx);
        if rings.tx < before.socket().send_capacity() {
            self.tx_refused_at = None;
        }
        self.shrunk |= rings.rx < before.socket().recv_capacity() || rings.tx < before.socket().send_capacity();
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
