//! One TLS session: hello, handshake, traffic, end. Bytes come in and go out; nothing here knows of sockets or clocks.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::handshake::{Handshake, Progress};
use crate::hello::{self, Assembler, Cuts, Step};
use crate::limits::{EVENTS_MAX, RECORD_HEADER_LEN};
use crate::outbox::Outbox;
use crate::record::fragment_len;
use crate::traffic::{Inbound, Traffic};
use crate::{Alert, Caller, Config, Event, Fault, Hello, Refusal, Replay, Sink};

/// One end of a TLS connection: the server's ([`new`](Self::new)), or the client's ([`dial`](Self::dial)).
///
/// The verbs: [`receive`](Self::receive) takes what the peer sent, [`poll_event`](Self::poll_event) says what happened,
/// [`poll_transmit`](Self::poll_transmit) gives handshake and alerts, [`send`](Self::send) seals data, [`close`](Self::close) and
/// [`finish`](Self::finish) end the two directions. Time is not among the arguments: deadlines are the owner's, and tickets and certificates
/// are held against the [`Clock`](crate::Clock) of their configuration.
#[derive(Debug)]
pub struct Session {
    state: State,
    /// A record whose end has not come, or one that waits for room; its memory is given back when it is empty.
    partial: Vec<u8>,
    outbox: Outbox,
    events: heapless::Deque<Event, EVENTS_MAX>,
    inbound: Direction,
    outbound: Direction,
}

#[derive(Debug)]
enum State {
    /// Awaiting the ClientHello.
    Hello(Box<Assembler>),
    /// The ClientHello is whole and awaits `accept` or `refuse`.
    Greeted(Box<Greeting>),
    Handshake(Box<Handshake>, Option<String>),
    Traffic(Box<Traffic>),
    /// Nothing is taken any more; what is in the outbox may still go out.
    Over,
}

#[derive(Debug, Default)]
struct Greeting {
    message: Vec<u8>,
    cuts: Cuts,
    server_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Open,
    Closed,
}

/// What [`Session::send`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// Bytes of plaintext that were taken.
    pub consumed: usize,
    /// Bytes of `out` that were written.
    pub produced: usize,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// The server's end: a session that awaits a ClientHello.
    pub fn new() -> Self {
        Self {
            state: State::Hello(Box::default()),
            partial: Vec::new(),
            outbox: Outbox::default(),
            events: heapless::Deque::new(),
            inbound: Direction::Open,
            outbound: Direction::Open,
        }
    }

    /// The client's end: a session whose hello is ready to be transmitted. What it makes of the server's answer comes as
    /// [`Event::Established`] or [`Event::Fault`].
    pub fn dial(caller: &Caller) -> Self {
        let mut session = Self { state: State::Over, ..Self::new() };
        match Handshake::dial(caller, &mut session.outbox) {
            Ok(handshake) => session.state = State::Handshake(Box::new(handshake), Some(caller.name())),
            Err(fault) => session.fail(fault),
        }
        session
    }

    /// Takes bytes of the peer's stream; returns how many were taken from the front.
    ///
    /// Whole records are decrypted where they lie in `bytes`, and their plaintext goes to `plain`. Of a record that is cut by the end of `bytes`
    /// the part that is there is taken and kept. Bytes are left untaken only where the session must wait: for
    /// [`accept`](Self::accept), or for room in `plain`. When room comes back, call this again, with what is there or with nothing: a whole record may be waiting within.
    ///
    /// After the end (a fault, or the peer's close_notify) everything is taken and dropped, so that a flow can be drained.
    pub fn receive(&mut self, bytes: &mut [u8], plain: &mut dyn Sink) -> usize {
        let mut taken = 0;
        loop {
            let rest = bytes.get_mut(taken..).unwrap_or_default();
            let step = match &mut self.state {
                State::Greeted(_) => return taken,
                _ if self.inbound == Direction::Closed => {
                    self.partial = Vec::new();
                    return bytes.len();
                }
                State::Over => {
                    self.partial = Vec::new();
                    return bytes.len();
                }
                State::Hello(_) => self.receive_hello(rest),
                State::Handshake(..) | State::Traffic(_) => self.receive_record(rest, plain),
            };
            match step {
                0 => break,
                len => taken += len,
            }
        }
        if self.partial.is_empty() {
            self.partial = Vec::new();
        }
        taken
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Goes on with the handshake under `config`: the answer to [`Event::Hello`]. At any other time it does nothing.
    pub fn accept(&mut self, config: &Config) {
        let State::Greeted(greeting) = &mut self.state else { return };
        let Greeting { message, server_name, .. } = core::mem::take(&mut **greeting);
        if let Err(alert) = hello::check(&message) {
            return self.fail_in_clear(Fault::Peer(alert));
        }
        let started = Handshake::answer(config).map(Box::new);
        let outcome = started.and_then(|mut handshake| Ok((handshake.receive_hello(&message, &mut self.outbox)?, handshake)));
        match outcome {
            Ok((progress, handshake)) => self.advance(handshake, server_name, progress),
            Err(fault) => self.fail(fault),
        }
    }

    /// Gives the hello back, in the records in which it came, to be passed on untouched: another answer to [`Event::Hello`]. The session is over then,
    /// and whatever follows on the peer's stream is not for it.
    ///
    /// `None` changes nothing: there is no hello, or it was cut in a way that no honest client does and that was not remembered
    /// ([`HELLO_CUTS_MAX`](crate::limits::HELLO_CUTS_MAX)).
    pub fn give_back(&mut self) -> Option<Replay> {
        let State::Greeted(greeting) = &mut self.state else { return None };
        if !greeting.cuts.are_known() {
            return None;
        }
        let Greeting { message, cuts, .. } = core::mem::take(&mut **greeting);
        self.state = State::Over;
        Some(Replay::new(message, cuts))
    }

    /// Ends the session before it is established: the other answer to [`Event::Hello`], and the way to give up on a handshake. The alert is queued as far
    /// as no keys are in use; an established session is left alone.
    pub fn refuse(&mut self, refusal: Refusal) {
        match &mut self.state {
            State::Hello(_) | State::Greeted(_) => self.outbox.push(&refusal.alert().plain_record()),
            State::Handshake(handshake, _) => handshake.give_up(refusal.alert(), &mut self.outbox),
            State::Traffic(_) | State::Over => return,
        }
        self.fail(Fault::Refused(refusal.alert()));
    }

    /// True if [`poll_transmit`](Self::poll_transmit) has something.
    pub fn wants_transmit(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Writes handshake records and alerts into the front of `buf`; returns how many bytes.
    pub fn poll_transmit(&mut self, buf: &mut [u8]) -> usize {
        self.outbox.take(buf)
    }

    /// Seals `plain` into records in the front of `out`, as much as fits. What [`poll_transmit`](Self::poll_transmit) still had goes first.
    ///
    /// Before the session is established, after [`close`](Self::close) and after a fault nothing is taken.
    pub fn send(&mut self, plain: &[u8], out: &mut [u8]) -> Sent {
        let flushed = self.outbox.take(out);
        let mut sent = Sent { consumed: 0, produced: flushed };
        if self.wants_transmit() || self.outbound == Direction::Closed {
            return sent;
        }
        let State::Traffic(traffic) = &mut self.state else { return sent };
        match traffic.send(plain, out.get_mut(flushed..).unwrap_or_default(), &mut self.outbox) {
            Ok(Sent { consumed, produced }) => {
                sent.consumed = consumed;
                sent.produced = sent.produced.saturating_add(produced);
            }
            Err(fault) => self.fail(fault),
        }
        sent
    }

    /// Says that we have nothing more to send: queues close_notify. Receiving goes on (a half-close).
    pub fn close(&mut self) {
        if core::mem::replace(&mut self.outbound, Direction::Closed) == Direction::Closed {
            return;
        }
        match &mut self.state {
            State::Hello(_) | State::Greeted(_) => {
                self.outbox.push(&Alert::CLOSE_NOTIFY.plain_record());
                self.state = State::Over;
            }
            State::Handshake(handshake, _) => {
                handshake.give_up(Alert::CLOSE_NOTIFY, &mut self.outbox);
                self.state = State::Over;
            }
            State::Traffic(traffic) => traffic.push_alert(Alert::CLOSE_NOTIFY, &mut self.outbox),
            State::Over => {}
        }
    }

    /// Tells the session that the peer's stream has ended (its FIN). Without close_notify before it, that is [`Fault::PeerTruncated`].
    pub fn finish(&mut self) {
        if self.inbound == Direction::Open && !matches!(self.state, State::Over) {
            self.fail(Fault::PeerTruncated);
        }
    }

    /// True once data may flow.
    pub fn is_established(&self) -> bool {
        matches!(self.state, State::Traffic(_))
    }

    /// True if both directions are done: nothing will be taken from the peer, and nothing is left to transmit.
    pub fn is_over(&self) -> bool {
        let done = matches!(self.state, State::Over) || (self.inbound == Direction::Closed && self.outbound == Direction::Closed);
        done && self.outbox.is_empty()
    }

    /// Bytes that the session holds on the heap for records in transit; 0 when idle.
    pub fn buffered(&self) -> usize {
        self.partial.capacity().saturating_add(self.outbox.due().len())
    }

    fn receive_hello(&mut self, bytes: &[u8]) -> usize {
        let State::Hello(assembler) = &mut self.state else { return 0 };
        let (taken, step) = assembler.receive(bytes);
        match step {
            Ok(Step::More) => {}
            Ok(Step::Whole(message, cuts)) => self.greet(message, cuts),
            Err(fault) => self.fail_in_clear(fault),
        }
        taken
    }

    fn greet(&mut self, message: Vec<u8>, cuts: Cuts) {
        match Hello::parse(&message) {
            Ok(hello) => {
                self.state = State::Greeted(Box::new(Greeting { message, cuts, server_name: hello.server_name.clone() }));
                self.report(Event::Hello(Box::new(hello)));
            }
            Err(alert) => self.fail_in_clear(Fault::Peer(alert)),
        }
    }

    /// Takes one record, or what is there of it. 0 means that nothing more can be done with `bytes` now.
    fn receive_record(&mut self, bytes: &mut [u8], plain: &mut dyn Sink) -> usize {
        if let Some(len) = whole_record(bytes).filter(|_| self.partial.is_empty()) {
            return self.take_record(bytes.get_mut(..len).unwrap_or_default(), plain);
        }
        self.receive_partial(bytes, plain)
    }

    /// Adds to the partial record, up to its end; then takes it.
    fn receive_partial(&mut self, bytes: &[u8], plain: &mut dyn Sink) -> usize {
        let mut taken = 0;
        while let Some(missing) = missing_len(&self.partial) {
            let part = bytes.get(taken..).unwrap_or_default();
            let part = part.get(..missing.min(part.len())).unwrap_or_default();
            if part.is_empty() {
                return taken;
            }
            // The length is known after the header, and what it claims is bounded: room for it is taken once, and no more than that.
            self.partial.reserve_exact(missing);
            self.partial.extend_from_slice(part);
            taken += part.len();
        }
        let mut record = core::mem::take(&mut self.partial);
        if self.take_record(&mut record, plain) > 0 {
            record.clear();
        }
        // Kept for the next partial record, or with this one in it if there was no room for its plaintext.
        self.partial = record;
        taken
    }

    /// Acts on one whole record; returns its length, or 0 if it must wait for room.
    fn take_record(&mut self, record: &mut [u8], plain: &mut dyn Sink) -> usize {
        let len = record.len();
        if let (State::Handshake(handshake, _), [kind, major, ..]) = (&self.state, &*record)
            && handshake.is_unanswered()
            && let Some(fault) = hello::not_tls(*kind, *major)
        {
            self.fail_in_clear(fault);
            return len;
        }
        if let Some(Err(alert)) = record.first_chunk().map(|header| fragment_len(*header)) {
            self.refuse_record(alert);
            return len;
        }
        match core::mem::replace(&mut self.state, State::Over) {
            State::Traffic(mut traffic) => {
                let room = plain.room();
                if traffic.plain_len_max(len.saturating_sub(RECORD_HEADER_LEN)) > room {
                    self.state = State::Traffic(traffic);
                    return 0;
                }
                let outcome = traffic.receive(record, &mut self.outbox);
                self.state = State::Traffic(traffic);
                match outcome {
                    Ok(Inbound::Data(data)) => plain.put(data),
                    Ok(Inbound::Nothing) => {}
                    Ok(Inbound::Closed) => {
                        self.inbound = Direction::Closed;
                        self.report(Event::PeerClosed);
                    }
                    Err(fault) => self.fail(fault),
                }
            }
            State::Handshake(mut handshake, server_name) => match handshake.receive(record, &mut self.outbox) {
                Ok(progress) => self.advance(handshake, server_name, progress),
                Err(fault) => self.fail(fault),
            },
            other => self.state = other,
        }
        len
    }

    /// Ends the session for a record with an illegal header, of which nothing but the header was taken.
    fn refuse_record(&mut self, alert: Alert) {
        let fault = match &mut self.state {
            State::Handshake(handshake, _) => handshake.refuse_record(alert, &mut self.outbox),
            State::Traffic(traffic) => {
                traffic.push_alert(alert, &mut self.outbox);
                Fault::Peer(alert)
            }
            State::Hello(_) | State::Greeted(_) | State::Over => return,
        };
        self.fail(fault);
    }

    fn advance(&mut self, handshake: Box<Handshake>, server_name: Option<String>, progress: Progress) {
        if progress == Progress::Waiting {
            self.state = State::Handshake(handshake, server_name);
            return;
        }
        match handshake.finish() {
            Ok((mut summary, traffic)) => {
                summary.server_name = server_name;
                self.state = State::Traffic(traffic);
                self.report(Event::Established(summary));
            }
            Err(fault) => self.fail(fault),
        }
    }

    /// Ends the session with an alert in the clear.
    fn fail_in_clear(&mut self, fault: Fault) {
        if let Fault::Peer(alert) | Fault::PeerNotTls(_, alert) = fault {
            self.outbox.push(&alert.plain_record());
        }
        self.fail(fault);
    }

    /// Ends the session; the alert, if one is due, is queued already.
    fn fail(&mut self, fault: Fault) {
        self.state = State::Over;
        self.partial = Vec::new();
        self.report(Event::Fault(fault));
    }

    fn report(&mut self, event: Event) {
        // Never full: each kind of event happens once at most, and there are as many places as kinds.
        let _ = self.events.push_back(event);
    }
}

/// The length of the record at the front of `bytes`, if all of it is there. A header that is not legal counts as a whole record, to be refused by whoever takes it.
fn whole_record(bytes: &[u8]) -> Option<usize> {
    match missing_len(bytes.get(..RECORD_HEADER_LEN)?) {
        None => Some(RECORD_HEADER_LEN),
        Some(fragment) => RECORD_HEADER_LEN.checked_add(fragment).filter(|len| *len <= bytes.len()),
    }
}

/// How many bytes the record that starts with `bytes` lacks, as far as its header tells; none if it is whole.
fn missing_len(bytes: &[u8]) -> Option<usize> {
    let Some(header) = bytes.first_chunk::<RECORD_HEADER_LEN>() else { return Some(RECORD_HEADER_LEN.saturating_sub(bytes.len())) };
    let len = RECORD_HEADER_LEN.saturating_add(fragment_len(*header).unwrap_or(0));
    len.checked_sub(bytes.len()).filter(|missing| *missing > 0)
}

#[cfg(test)]
mod tests;
