//! How flows end, and what their timers mean.

use core::time::Duration;

use smoltcp::socket::tcp::State as Tcp;
use smoltcp::wire::TcpControl;

use super::Net;
use crate::bucket::Bucket;
use crate::engine::EMPTY_LEN_MAX;
use crate::event::CloseReason;
use crate::flow::{Expiry, Growth};
use crate::limits::CHALLENGE_PER_S;
use crate::linger::Linger;
use crate::reply::{self, Route};
use crate::table::State;

/// A socket that says "now" but has nothing to send is asked again after this long, never at once.
const SETTLE: Duration = Duration::from_millis(1);

impl Net {
    /// A slot's timer has fired.
    pub(super) fn ring(&mut self, index: u32, now: Duration) {
        self.table.slot_mut(index).timer = None;
        match &self.table.slot(index).state {
            State::Open(flow) => {
                let due = flow.expiry(&self.config.limits).filter(|(at, _)| *at <= now);
                match due {
                    Some((_, expiry)) => self.expire(index, expiry),
                    None => self.table.mark_ready(index),
                }
            }
            State::Dialing(_) => self.redial(index, now),
            State::Lingering(_) => self.end(index, None),
            State::Vacant => {}
        }
    }

    fn expire(&mut self, index: u32, expiry: Expiry) {
        self.reset_flow(index);
        self.end(
            index,
            match expiry {
                Expiry::Stalled => Some(CloseReason::PeerStalled),
                Expiry::Silent => Some(CloseReason::PeerSilent),
                Expiry::Drained => None,
            },
        );
    }

    /// The flow may have news, or be over.
    pub(super) fn settle(&mut self, index: u32, now: Duration) {
        let slot = self.table.slot_mut(index);
        let State::Open(flow) = &mut slot.state else { return };
        if flow.is_discarding() {
            if !flow.discard() {
                self.reset_flow(index);
                return self.end(index, None);
            }
        } else {
            let news = flow.news();
            slot.pending.readable |= news.readable;
            slot.pending.writable |= news.writable;
            slot.pending.finished |= news.finished;
        }
        if flow.readable() == 0 {
            match flow.state() {
                Tcp::Closed => return self.end(index, Some(CloseReason::Done)),
                Tcp::TimeWait => return self.linger(index, now),
                _ => {}
            }
        }
        self.table.mark_news(index);
    }

    /// The flow has nothing to send for the moment: when is it to be looked at again?
    pub(super) fn rest(&mut self, index: u32, now: Duration) {
        self.settle(index, now);
        let slot = self.table.slot_mut(index);
        let State::Open(flow) = &mut slot.state else { return };
        if flow.seat.socket().send_queue() > 0 && self.engine.poll_at(&flow.seat, now).is_none() {
            let present = flow.present(slot.ends);
            self.engine.prompt_probe(&present, &mut flow.seat, now);
        }
        let polled = if flow.awaits_reader() { None } else { self.engine.poll_at(&flow.seat, now) };
        let polled = polled.map(|at| at.max(now.saturating_add(SETTLE)));
        let expiry = flow.expiry(&self.config.limits).map(|(at, _)| at);
        let shrink = flow.shrinks_at(&self.config.limits, &self.budget).map(|at| at.max(now.saturating_add(SETTLE)));
        if let Some(at) = [polled, expiry, shrink].into_iter().flatten().min() {
            self.wake_at(index, at);
        }
    }

    /// Moves the flow to a socket with other rings, if it should and can. smoltcp cannot swap a socket's rings, but a socket may be born at
    /// any point of a connection where nothing is under way.
    pub(super) fn resize(&mut self, index: u32, now: Duration) {
        let slot = self.table.slot_mut(index);
        let State::Open(flow) = &mut slot.state else { return };
        let before = flow.rings();
        let rings = match flow.next_rings(&self.config.limits, &self.budget, now) {
            None => return,
            Some(Growth::Granted(rings)) => rings,
            Some(Growth::Refused(rings)) => {
                self.counters.growths_refused += 1;
                rings
            }
        };
        if rings == before {
            return;
        }
        let grows = rings.rx > before.rx;
        let birth = flow.heir(slot.ends, rings);
        let Ok((mut seat, _)) = self.engine.birth(&birth, &mut [0; EMPTY_LEN_MAX], now) else { return };
        let (finished, unread) = (flow.peer_finished(), flow.take_unread());
        self.engine.hand_over(&birth, &mut seat, &unread, now);
        if finished {
            self.engine.hand_over_fin(&birth, &mut seat, u32::try_from(unread.len()).unwrap_or(0), now);
        }
        flow.inherit(seat);
        self.budget.exchange(before, rings);
        self.note_budget();
        if grows {
            // The larger window, at once.
            self.send_control(index, TcpControl::None);
        }
        self.settle(index, now);
    }

    /// Makes sure that the slot is looked at no later than `at`. An earlier timer stays: re-arming at each segment would cost more than
    /// the odd look too many.
    pub(super) fn wake_at(&mut self, index: u32, at: Duration) {
        let slot = self.table.slot_mut(index);
        match slot.timer {
            Some((_, earlier)) if earlier <= at => {}
            later => {
                if let Some((timer, _)) = later {
                    self.wheel.disarm(timer);
                }
                slot.timer = Some((self.wheel.arm(at, index), at));
            }
        }
    }

    /// Both ends have finished and we did first: the buffers go, the ends stay taken for a while.
    fn linger(&mut self, index: u32, now: Duration) {
        let State::Open(flow) = &self.table.slot(index).state else { return };
        let linger = Linger {
            next_hop: flow.next_hop,
            send_next: flow.send_next(),
            receive_next: flow.receive_next(),
            window: flow.window_field(),
            answers: Bucket::new(CHALLENGE_PER_S, now),
            challenged: false,
        };
        let discarding = flow.is_discarding();
        self.acknowledge_last(index);
        if self.counters.time_waits >= u64::try_from(self.config.limits.time_waits).unwrap_or(u64::MAX) {
            return self.end(index, Some(CloseReason::Done));
        }
        self.release_account(index);
        self.disarm(index);
        self.table.slot_mut(index).state = State::Lingering(linger);
        self.counters.time_waits += 1;
        if !discarding {
            self.table.slot_mut(index).pending.closed = Some(CloseReason::Done);
            self.table.mark_news(index);
        }
        self.wake_at(index, now.saturating_add(self.config.limits.time_wait));
    }

    /// The flow in this slot is over, in whatever state it was. `reason` is for the user, who hears it if the flow is still theirs.
    pub(super) fn end(&mut self, index: u32, reason: Option<CloseReason>) {
        self.disarm(index);
        let theirs = match &self.table.slot(index).state {
            State::Open(flow) => !flow.is_discarding(),
            State::Dialing(_) => true,
            State::Lingering(_) => {
                self.counters.time_waits -= 1;
                false
            }
            State::Vacant => false,
        };
        self.release_account(index);
        if theirs && reason.is_some() {
            self.table.slot_mut(index).pending.closed = reason;
            self.table.mark_news(index);
        }
        self.table.vacate(index);
    }

    /// The flow in this slot was closed, and lives on for as long as its room is not needed.
    pub(super) fn note_closing(&mut self, index: u32) {
        self.counters.closing += 1;
        let table = &self.table;
        self.closing.push(table.name(index), |flow| table.closing(flow).is_some());
    }

    /// Whether a newcomer finds room. Of those that are only closing, the one that was closed first makes way if it must.
    pub(super) fn make_room(&mut self) -> bool {
        while self.is_full() && !self.closing.is_empty() {
            let Some(flow) = self.closing.pop() else { break };
            if let Some(index) = self.table.closing(flow) {
                self.reset_flow(index);
                self.end(index, None);
                self.counters.closed_early += 1;
            }
        }
        !self.is_full()
    }

    fn release_account(&mut self, index: u32) {
        match &self.table.slot(index).state {
            State::Open(flow) => {
                if flow.is_discarding() {
                    self.closing.over();
                    self.counters.closing -= 1;
                }
                self.budget.leave(flow.rings());
            }
            State::Dialing(_) => self.budget.leave_unopened(),
            State::Lingering(_) | State::Vacant => return self.table.discount(&self.keys, index),
        }
        self.counters.flows -= 1;
        self.note_budget();
        self.table.discount(&self.keys, index);
    }

    /// A flow is there, open or dialing.
    pub(super) fn open_account(&mut self) {
        self.counters.flows += 1;
        self.budget.enter();
        self.note_budget();
    }

    fn note_budget(&mut self) {
        self.counters.ring_bytes = u64::try_from(self.budget.charged()).unwrap_or(u64::MAX);
    }

    fn disarm(&mut self, index: u32) {
        if let Some((timer, _)) = self.table.slot_mut(index).timer.take() {
            self.wheel.disarm(timer);
        }
    }

    /// Says where an established or lingering flow stands: a challenge ACK, within the flow's own rate (RFC 5961 section 7).
    pub(super) fn answer_for(&mut self, index: u32, now: Duration) {
        let slot = self.table.slot_mut(index);
        let (allowed, next_hop, sequence, ack, window) = match &mut slot.state {
            State::Open(flow) => (flow.challenges.take(now), flow.next_hop, flow.bare_sequence(), flow.receive_next(), flow.window_field()),
            State::Lingering(linger) => (linger.answers.take(now), linger.next_hop, linger.send_next, linger.receive_next, linger.window),
            State::Dialing(_) | State::Vacant => return,
        };
        let ends = slot.ends;
        let repr = reply::blank(&ends, TcpControl::None, sequence, Some(ack), window);
        let route = Route { ours: self.config.mac, next_hop };
        let sent = allowed && reply::tcp(&mut self.outbox, route, &ends, &repr);
        self.counters.challenge_acks += u64::from(sent);
        self.counters.replies_suppressed += u64::from(!sent);
    }

    /// The ACK of the peer's FIN, if the socket that goes now has not sent it yet.
    fn acknowledge_last(&mut self, index: u32) {
        if matches!(&self.table.slot(index).state, State::Open(flow) if flow.owes_acknowledgement()) {
            self.send_control(index, TcpControl::None);
        }
    }

    /// Tells the peer that the flow is no more.
    pub(super) fn reset_flow(&mut self, index: u32) {
        if self.send_control(index, TcpControl::Rst) {
            self.counters.resets_sent += 1;
        }
    }

    fn send_control(&mut self, index: u32, control: TcpControl) -> bool {
        let slot = self.table.slot(index);
        let State::Open(flow) = &slot.state else { return false };
        let repr = reply::blank(&slot.ends, control, flow.bare_sequence(), Some(flow.receive_next()), flow.window_field());
        let route = Route { ours: self.config.mac, next_hop: flow.next_hop };
        reply::tcp(&mut self.outbox, route, &slot.ends, &repr)
    }
}
