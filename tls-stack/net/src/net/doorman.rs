//! The doorman: answers segments that belong to no flow, and remembers nothing of them. A flow begins when a cookie of ours comes back.

use core::net::SocketAddr;
use core::time::Duration;

use smoltcp::wire::TcpControl;

use super::Net;
use crate::cookie::{self, Offer};
use crate::engine::{Birth, EMPTY_LEN_MAX};
use crate::flow::{Flow, window_scale};
use crate::packet::Reject;
use crate::reply::{self, Route};
use crate::segment::{Fin, Kind, Segment};
use crate::table::{Counted, State};

impl Net {
    /// A segment that belongs to no flow: states LISTEN and CLOSED of RFC 9293 section 3.10.7.
    pub(super) fn greet(&mut self, segment: &Segment<'_>, route: Route, now: Duration) -> Result<(), Reject> {
        let listening = self.listens_at(segment.ends.local);
        if !listening && !self.is_local(segment.ends.local.ip()) {
            return Err(Reject::NotOurs);
        }
        match segment.kind {
            Kind::Reset { .. } => {}
            Kind::Syn if listening => return self.answer_syn(segment, route, now),
            Kind::Ack { ack, .. } if listening => self.answer_ack(segment, ack, route, now),
            Kind::Syn | Kind::SynAck { .. } | Kind::Ack { .. } => self.reset(segment, route, now),
        }
        Ok(())
    }

    /// A segment that may begin anew what lingers: the same, but what lingers goes only when the new flow is there.
    pub(super) fn greet_again(&mut self, index: u32, segment: &Segment<'_>, route: Route, now: Duration) -> Result<(), Reject> {
        let Kind::Ack { ack, .. } = segment.kind else { return self.greet(segment, route, now) };
        match self.judge_cookie(segment, ack, now) {
            cookie::Verdict::Genuine(offer) => {
                self.end(index, None);
                self.accept(segment, offer, ack, route, now);
            }
            cookie::Verdict::Overtaken | cookie::Verdict::Forged => self.answer_for(index, now),
        }
        Ok(())
    }

    fn listens_at(&self, local: SocketAddr) -> bool {
        self.config.listen.iter().any(|listen| {
            listen.port == local.port() && listen.address.map_or_else(|| self.is_local(local.ip()), |address| address == local.ip())
        })
    }

    /// Sends a SYN-ACK whose sequence number is a cookie. It has no option that the SYN did not have, so it is never longer (ATTACKS N18);
    /// it is sent once for each SYN, never again.
    fn answer_syn(&mut self, segment: &Segment<'_>, route: Route, now: Duration) -> Result<(), Reject> {
        self.counters.syns += 1;
        let offer = segment.offer().ok_or(Reject::Malformed)?;
        // A SYN proves nothing, so nobody makes way for it yet.
        if self.is_full() && self.closing.is_empty() {
            self.refuse_for_want();
            return Ok(());
        }
        let own_mss = self.own_mss(segment.ends.local.ip());
        let offer = Offer { mss: offer.mss.min(own_mss), ..offer };
        let cookie = cookie::bake(&self.keys, &segment.ends, segment.sequence, offer, now);
        let window = self.first_window();
        let mut repr = reply::blank(&segment.ends, TcpControl::Syn, cookie, Some(segment.sequence.wrapping_add(1)), window);
        repr.max_seg_size = segment.names_size().then_some(own_mss);
        repr.window_scale = offer.scale.map(|_| window_scale(self.config.limits.rx_ring));
        repr.sack_permitted = offer.sack;
        let sent = reply::tcp(&mut self.outbox, route, &segment.ends, &repr);
        self.counters.cookies_sent += u64::from(sent);
        self.counters.replies_suppressed += u64::from(!sent);
        Ok(())
    }

    fn answer_ack(&mut self, segment: &Segment<'_>, ack: u32, route: Route, now: Duration) {
        match self.judge_cookie(segment, ack, now) {
            cookie::Verdict::Genuine(offer) => self.accept(segment, offer, ack, route, now),
            cookie::Verdict::Overtaken => self.counters.dropped_out_of_window += 1,
            cookie::Verdict::Forged => {
                self.counters.cookies_refused += 1;
                self.reset(segment, route, now);
            }
        }
    }

    fn judge_cookie(&self, segment: &Segment<'_>, ack: u32, now: Duration) -> cookie::Verdict {
        if !self.listens_at(segment.ends.local) {
            return cookie::Verdict::Forged;
        }
        cookie::taste(&self.keys, &segment.ends, segment.sequence.wrapping_sub(1), ack.wrapping_sub(1), now)
    }

    /// The peer's address is proven: a flow begins.
    fn accept(&mut self, segment: &Segment<'_>, offer: Offer, ack: u32, route: Route, now: Duration) {
        if self.source_is_full(segment) {
            self.counters.refused_by_source += 1;
            return self.reset(segment, route, now);
        }
        if !self.make_room() {
            self.refuse_for_want();
            return self.reset(segment, route, now);
        }
        let birth = Birth {
            ends: segment.ends,
            local_sequence: ack.wrapping_sub(1),
            peer_sequence: segment.sequence.wrapping_sub(1),
            offer: Offer { mss: offer.mss.min(self.own_mss(segment.ends.local.ip())), ..offer },
            window: segment.window,
            rx_ring: self.config.limits.first_rx_ring,
            tx_ring: self.config.limits.first_tx_ring,
            keepalive: self.config.limits.keepalive,
        };
        let Ok((seat, _)) = self.engine.birth(&birth, &mut [0; EMPTY_LEN_MAX], now) else { return };
        let flow = Flow::new(seat, &birth, route.next_hop, self.config.limits.rx_ring, now);
        let index = self.table.insert(&self.keys, segment.ends, State::Open(flow), Counted::BySource);
        self.counters.cookies_accepted += 1;
        self.open_account();
        self.table.slot_mut(index).pending.accepted = true;
        self.table.mark_news(index);
        self.table.mark_ready(index);
        if !segment.payload.is_empty() || matches!(segment.kind, Kind::Ack { fin: Fin::Last, .. }) {
            self.feed(index, segment, now);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.counters.flows >= u64::try_from(self.config.limits.flows).unwrap_or(u64::MAX) || !self.budget.has_room()
    }

    fn refuse_for_want(&mut self) {
        self.counters.refused_by_limit += 1;
        self.counters.refused_by_memory += u64::from(!self.budget.has_room());
    }

    fn source_is_full(&self, segment: &Segment<'_>) -> bool {
        let limits = &self.config.limits;
        let is_full = || self.table.flows_of_source(&self.keys, &segment.ends) >= limits.flows_per_source;
        let is_exempt = || limits.exempt_sources.iter().any(|network| network.contains(segment.ends.peer.ip()));
        !self.is_private() && is_full() && !is_exempt()
    }

    /// The window field of a SYN or SYN-ACK, which is never scaled (RFC 7323 section 2.2).
    pub(super) fn first_window(&self) -> u16 {
        u16::try_from(self.config.limits.first_rx_ring).unwrap_or(u16::MAX)
    }

    /// RFC 9293 section 3.10.7.1, within the bucket's rate.
    pub(super) fn reset(&mut self, segment: &Segment<'_>, route: Route, now: Duration) {
        let (sequence, ack) = match segment.kind {
            Kind::Reset { .. } => return,
            Kind::SynAck { ack } | Kind::Ack { ack, .. } => (ack, None),
            Kind::Syn => (0, Some(segment.end())),
        };
        let repr = reply::blank(&segment.ends, TcpControl::Rst, sequence, ack, 0);
        let sent = self.resets.take(now) && reply::tcp(&mut self.outbox, route, &segment.ends, &repr);
        self.counters.resets_sent += u64::from(sent);
        self.counters.replies_suppressed += u64::from(!sent);
    }
}
