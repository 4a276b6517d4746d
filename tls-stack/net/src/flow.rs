//! One established connection: its socket, and the books that we keep beside it because smoltcp does not show its own.

mod rings;

use alloc::boxed::Box;
use core::time::Duration;

use smoltcp::socket::tcp::State;

use crate::bucket::Bucket;
use crate::config::Limits;
use crate::cookie::Offer;
use crate::engine::{Birth, Seat};
use crate::limits::CHALLENGE_PER_S;
use crate::reply::Mac;
use crate::segment::{Kind, Segment, before};

pub(crate) use rings::{Growth, window_scale};

/// See the module.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) seat: Seat,
    /// Where its frames go at link level: where its handshake came from, or its gateway.
    pub(crate) next_hop: Mac,
    /// Payload bytes of our largest segment.
    pub(crate) mss: u16,
    pub(crate) challenges: Bucket,
    /// Our first data byte's sequence number, and how many bytes were queued since.
    send_base: u32,
    queued: u32,
    /// The peer's first data byte's sequence number, and how many bytes our user has taken.
    receive_base: u32,
    consumed: u32,
    /// Behind the last byte ever sent.
    sent: u32,
    /// The last acknowledgement sent.
    acknowledged: u32,
    /// Our window scale, as the peer knows it, and as the socket does.
    own_scale: u8,
    socket_scale: u8,
    /// What the peer's SYN said, for the next socket of this flow.
    offer: Offer,
    /// The window field of the peer's latest segment.
    window_seen: u16,
    /// Behind the last byte ever received, in order or not.
    received: u32,
    /// The ring was found too small.
    rx_pressed: bool,
    tx_pressed: bool,
    /// When there was no larger ring to be had.
    rx_refused_at: Option<Duration>,
    tx_refused_at: Option<Duration>,
    /// The receive ring that the peer was last told of, before the flow fell idle.
    promised_rx: usize,
    active_at: Duration,
    /// It has given rings back since then.
    shrunk: bool,
    peer_scale: u8,
    peer_window: u32,
    peer_window_max: u32,
    /// Where the first unacknowledged byte stood when the peer last made progress worth the name, and when that was.
    progress: u32,
    progress_at: Duration,
    /// Data was queued where none was: the stall clock starts at the next transmission.
    restart_clock: bool,
    heard_at: Duration,
    keepalive: Option<Duration>,
    /// Free space when the user last left with less than it wanted.
    starved_at: Option<usize>,
    /// Bytes that were there to read when the user was last told.
    told_readable: usize,
    told_finished: bool,
    /// After `close`: until when, and how many more bytes, the peer may go on.
    discard: Option<Discard>,
}

/// How long a closed flow still listens.
#[derive(Debug, Clone, Copy)]
struct Discard {
    until: Duration,
    bytes_left: usize,
}

/// Why time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// The peer's window stayed shut.
    Stalled,
    /// No acknowledgement, no answer to probes.
    Silent,
    /// The drain after `close` has lasted long enough.
    Drained,
}

/// What has happened to a flow that its user should hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct News {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) finished: bool,
}

impl Flow {
    /// `rx_ring` is the size that the peer was told to scale for.
    pub(crate) fn new(seat: Seat, birth: &Birth, next_hop: Mac, rx_ring: usize, now: Duration) -> Box<Self> {
        let scaled = |ring: usize| birth.offer.scale.map_or(0, |_| window_scale(ring));
        let peer_scale = birth.offer.scale.unwrap_or(0);
        let send_base = birth.local_sequence.wrapping_add(1);
        let peer_window = u32::from(birth.window) << peer_scale;
        Box::new(Self {
            seat,
            next_hop,
            mss: birth.offer.mss,
            challenges: Bucket::new(CHALLENGE_PER_S, now),
            send_base,
            queued: 0,
            receive_base: birth.peer_sequence.wrapping_add(1),
            consumed: 0,
            sent: send_base,
            acknowledged: birth.peer_sequence.wrapping_add(1),
            own_scale: scaled(rx_ring),
            socket_scale: scaled(birth.rx_ring),
            offer: birth.offer,
            window_seen: birth.window,
            received: birth.peer_sequence.wrapping_add(1),
            rx_pressed: false,
            tx_pressed: false,
            rx_refused_at: None,
            tx_refused_at: None,
            promised_rx: birth.rx_ring,
            active_at: now,
            shrunk: false,
            peer_scale,
            peer_window,
            peer_window_max: peer_window,
            progress: send_base,
            progress_at: now,
            restart_clock: false,
            heard_at: now,
            keepalive: birth.keepalive,
            starved_at: None,
            told_readable: 0,
            told_finished: false,
            discard: None,
        })
    }

    /// SND.UNA.
    pub(crate) fn unacknowledged(&self) -> u32 {
        let acknowledged = self.queued.wrapping_sub(len32(self.seat.socket().send_queue()));
        self.send_base.wrapping_add(acknowledged).wrapping_add(self.own_fin_acknowledged().into())
    }

    /// SND.NXT: the highest that ever was on the wire, whatever was retransmitted since.
    pub(crate) fn send_next(&self) -> u32 {
        self.sent
    }

    /// The sequence number of a bare ACK or a RST: SND.NXT, but nothing beyond the peer's window, where a probe may have gone. A peer with a shut
    /// window takes no other number (RFC 9293 section 3.10.7.4), and would not hear that ours is open again, or that the flow is no more.
    pub(crate) fn bare_sequence(&self) -> u32 {
        let window_end = self.unacknowledged().wrapping_add(self.peer_window);
        if before(window_end, self.sent) { window_end } else { self.sent }
    }

    /// RCV.NXT.
    pub(crate) fn receive_next(&self) -> u32 {
        let received = self.consumed.wrapping_add(len32(self.seat.socket().recv_queue()));
        self.receive_base.wrapping_add(received).wrapping_add(self.peer_finished().into())
    }

    /// RCV.WND as our ring has it.
    pub(crate) fn receive_window(&self) -> u32 {
        let socket = self.seat.socket();
        len32(socket.recv_capacity() - socket.recv_queue())
    }

    /// Whether the peer waits for an acknowledgement of something that we have received.
    pub(crate) fn owes_acknowledgement(&self) -> bool {
        self.acknowledged != self.receive_next()
    }

    /// The window field for a segment of our own making.
    pub(crate) fn window_field(&self) -> u16 {
        u16::try_from(self.receive_window() >> self.own_scale).unwrap_or(u16::MAX)
    }

    /// The largest window the peer has announced (MAX.SND.WND of RFC 5961 section 5).
    pub(crate) fn peer_window_max(&self) -> u32 {
        self.peer_window_max
    }

    /// Whether the peer's FIN has come and everything before it too.
    pub(crate) fn peer_finished(&self) -> bool {
        matches!(self.state(), State::CloseWait | State::LastAck | State::Closing | State::TimeWait) || self.closed_in_order()
    }

    /// Both FINs are acknowledged, and ours was the last: nothing is left to linger for.
    pub(crate) fn closed_in_order(&self) -> bool {
        self.state() == State::Closed
    }

    pub(crate) fn state(&self) -> State {
        self.seat.socket().state()
    }

    fn own_fin_acknowledged(&self) -> bool {
        matches!(self.state(), State::FinWait2 | State::TimeWait | State::Closed)
    }

    /// Whether nothing but our FIN waits to be acknowledged.
    pub(crate) fn awaits_only_fin(&self) -> bool {
        self.seat.socket().send_queue() == 0 && matches!(self.state(), State::FinWait1 | State::Closing | State::LastAck)
    }

    /// Whether something of ours waits to be acknowledged.
    pub(crate) fn has_unacknowledged(&self) -> bool {
        self.seat.socket().send_queue() > 0 || matches!(self.state(), State::FinWait1 | State::Closing | State::LastAck)
    }

    /// Whether the peer's segment would be acknowledged late although it is a large one: smoltcp delays the first ACK after a silence,
    /// however much it acknowledges. (With nothing waiting for an ACK its timer is idle, and lifting the delay means "at once".)
    pub(crate) fn prepare(&mut self, segment: &Segment<'_>) {
        let large = segment.payload.len() > usize::from(self.mss);
        let delay = (!large || self.owes_acknowledgement()).then_some(smoltcp::time::Duration::from_millis(10));
        self.seat.socket_mut().set_ack_delay(delay);
    }

    /// Books a segment that the socket has been shown.
    pub(crate) fn heard(&mut self, segment: &Segment<'_>, now: Duration) {
        self.heard_at = now;
        self.note_activity(now);
        if before(self.received, segment.end()) {
            self.received = segment.end();
        }
        self.forget_refusals(now);
        self.rx_pressed |= self.rx_refused_at.is_none() && self.readable() > self.seat.socket().recv_capacity() / 2;
        let unacknowledged = self.unacknowledged();
        // RFC 9293 section 3.10.7.4: an older segment's window is history.
        if matches!(segment.kind, Kind::Ack { ack, .. } if !before(ack, unacknowledged)) {
            self.window_seen = segment.window;
            self.peer_window = u32::from(segment.window) << self.peer_scale;
            self.peer_window_max = self.peer_window_max.max(self.peer_window);
        }
        let step = unacknowledged.wrapping_sub(self.progress);
        // A byte now and then is no progress: it would let a peer hold our buffers for ever (ATTACKS N7).
        if step >= u32::from(self.mss) || (step > 0 && !self.has_unacknowledged()) {
            (self.progress, self.progress_at) = (unacknowledged, now);
        }
    }

    /// Books a segment of the socket's: the sequence number behind it, and what it acknowledges.
    pub(crate) fn spoke(&mut self, end: u32, ack: u32) {
        self.acknowledged = ack;
        if before(self.sent, end) {
            self.sent = end;
        }
    }

    /// Starts the stall clock if data was queued where none was.
    pub(crate) fn start_clock(&mut self, now: Duration) {
        if core::mem::take(&mut self.restart_clock) {
            (self.progress, self.progress_at) = (self.unacknowledged(), now);
        }
    }

    /// What its user has not heard yet.
    pub(crate) fn news(&mut self) -> News {
        let readable = self.seat.socket().recv_queue();
        let news = News {
            readable: readable > self.told_readable,
            writable: self.starved_at.is_some_and(|free| self.is_roomy(free)),
            finished: self.peer_finished() && !self.told_finished,
        };
        self.told_readable = readable;
        self.told_finished |= news.finished;
        if news.writable {
            self.starved_at = None;
        }
        news
    }

    fn is_roomy(&self, before: usize) -> bool {
        let capacity = self.seat.socket().send_capacity();
        let free = self.writable();
        free > before && (free == capacity || free >= capacity / 4)
    }

    /// Whether both ends have finished, we first, and our user has still to read what came before. smoltcp throws the rest away when its TIME-WAIT is over; so it is not let
    /// go on before all is read.
    pub(crate) fn awaits_reader(&self) -> bool {
        self.state() == State::TimeWait && self.readable() > 0
    }

    pub(crate) fn readable(&self) -> usize {
        self.seat.socket().recv_queue()
    }

    pub(crate) fn writable(&self) -> usize {
        let socket = self.seat.socket();
        if socket.may_send() && !self.is_held() { socket.send_capacity() - socket.send_queue() } else { 0 }
    }

    pub(crate) fn recv<R>(&mut self, f: impl FnOnce(&mut [u8]) -> (usize, R)) -> R {
        if self.readable() == 0 {
            return f(&mut []).1;
        }
        let take = |bytes: &mut [u8]| {
            let (consumed, result) = f(bytes);
            let consumed = consumed.min(bytes.len());
            (consumed, (consumed, result))
        };
        let (consumed, result) = self.seat.socket_mut().recv(take).expect("invariant: a socket with bytes in its ring may always be read");
        self.consumed = self.consumed.wrapping_add(len32(consumed));
        self.told_readable = self.readable();
        result
    }

    pub(crate) fn send<R>(&mut self, f: impl FnOnce(&mut [u8]) -> (usize, R)) -> R {
        if !self.seat.socket().may_send() || self.is_held() {
            self.starved_at = Some(0);
            return f(&mut []).1;
        }
        let idle = !self.has_unacknowledged();
        let fill = |room: &mut [u8]| {
            let (filled, result) = f(room);
            let filled = filled.min(room.len());
            (filled, (filled, result))
        };
        let (filled, result) = self.seat.socket_mut().send(fill).expect("invariant: the line above has asked");
        self.queued = self.queued.wrapping_add(len32(filled));
        self.restart_clock |= idle && filled > 0;
        let free = self.writable();
        self.tx_pressed |= free == 0 && self.tx_refused_at.is_none();
        if filled == 0 || free == 0 {
            self.starved_at = Some(self.writable());
        }
        result
    }

    /// The user waits for room for `len` bytes.
    pub(crate) fn want_room(&mut self, len: usize) {
        self.tx_pressed |= self.seat.socket().send_capacity() < len && self.tx_refused_at.is_none();
        self.starved_at = Some(self.writable());
    }

    pub(crate) fn shutdown(&mut self) {
        self.restart_clock |= !self.has_unacknowledged();
        self.seat.socket_mut().close();
    }

    /// After `close`: the peer may go on for a while, into the void.
    pub(crate) fn begin_discard(&mut self, limits: &Limits, now: Duration) {
        self.discard = Some(Discard { until: now.saturating_add(limits.drain_timeout), bytes_left: limits.drain_bytes });
        self.shutdown();
    }

    pub(crate) fn is_discarding(&self) -> bool {
        self.discard.is_some()
    }

    /// Throws away what a closed flow has received. False once the peer has sent more than it may.
    pub(crate) fn discard(&mut self) -> bool {
        while self.discard.is_some() && self.readable() > 0 {
            let taken = self.recv(|bytes| (bytes.len(), bytes.len()));
            let Some(discard) = &mut self.discard else { return true };
            match discard.bytes_left.checked_sub(taken) {
                Some(left) => discard.bytes_left = left,
                None => return false,
            }
        }
        true
    }

    /// When one of our own clocks runs out, and which.
    pub(crate) fn expiry(&self, limits: &Limits) -> Option<(Duration, Expiry)> {
        let shut = self.peer_window == 0;
        let patience = if shut { (limits.persist_timeout, Expiry::Stalled) } else { (limits.user_timeout, Expiry::Silent) };
        let stall = (self.has_unacknowledged() && !self.restart_clock).then(|| (self.progress_at.saturating_add(patience.0), patience.1));
        let dead = self
            .keepalive
            .filter(|_| !self.awaits_reader())
            .map(|interval| (self.heard_at.saturating_add(interval.saturating_mul(2)), Expiry::Silent));
        let drained = self.discard.map(|discard| (discard.until, Expiry::Drained));
        [stall, dead, drained].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

fn len32(len: usize) -> u32 {
    u32::try_from(len).expect("invariant: rings are at most 2^24 bytes")
}
