//! The connections of a link: found by their handshakes, followed to their ends.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use crate::limits::{CONNECTIONS_MAX, KEPT_LEN_MAX, KNOCKS_MAX, MESSAGES_MAX, MESSAGES_PER_CONNECTION_MAX};
use crate::message::{Message, Speaker};
use crate::segment::{Flags, Segment};
use crate::stream::Stream;
use crate::talk::{Page, Talk};

/// See the module.
#[derive(Debug, Default)]
pub struct Transcript {
    knocks: BTreeMap<Ends, Knock>,
    /// By age, which is what they are numbered by.
    knocks_by_age: BTreeMap<u64, Ends>,
    knocked: u64,
    open: BTreeMap<Ends, Open>,
    told: Vec<(Ends, Duration, Page)>,
    unfollowed: u64,
    messages: usize,
    kept_len: usize,
}

/// What a [`Transcript`] has to tell.
#[derive(Debug, Default)]
pub struct Told {
    /// By the time at which they were made.
    pub connections: Vec<Connection>,
    /// Connections of which there is nothing, as there were too many.
    pub unfollowed: u64,
}

/// What was said on a connection.
#[derive(Debug)]
pub struct Connection {
    /// Who made it, as the guest sees it.
    pub client: SocketAddr,
    /// What it was made to.
    pub guest: SocketAddr,
    /// When it was made.
    pub opened: Duration,
    /// By time.
    pub messages: Vec<Message>,
    /// Messages that are not among them, as there were too many.
    pub left_out: u64,
}

/// Client and guest.
type Ends = (SocketAddr, SocketAddr);

/// A SYN, and the numbers that it was answered with. There may be two: a doorman without a memory answers it anew each time.
#[derive(Debug, Clone, Copy)]
struct Knock {
    number: u64,
    first: u32,
    answers: [Option<u32>; 2],
}

/// A connection that is being followed.
#[derive(Debug)]
struct Open {
    place: usize,
    client: Stream,
    guest: Stream,
    talk: Talk,
}

impl Transcript {
    /// Takes the next frame of the link.
    pub fn frame(&mut self, now: Duration, from: Speaker, frame: &[u8]) {
        let Some(segment) = Segment::parse(frame) else { return };
        let ends = match from {
            Speaker::Client => (segment.source, segment.destination),
            Speaker::Guest => (segment.destination, segment.source),
        };
        match segment.flags {
            Flags::Syn => self.syn(ends, from, &segment),
            Flags::Reset => self.reset(now, ends, from, &segment),
            Flags::Fin | Flags::None => {
                if from == Speaker::Client {
                    self.begin(now, ends, &segment);
                }
                self.follow(now, ends, from, &segment);
            }
        }
    }

    /// What was said.
    #[must_use]
    pub fn end(mut self) -> Told {
        while let Some((_, mut open)) = self.open.pop_first() {
            if let Some((_, since, page)) = self.told.get_mut(open.place) {
                let last = page.messages.last().map_or(*since, |message| message.at);
                open.tell_holes(last, page);
            }
        }
        let connections = self.told.into_iter().map(|((client, guest), opened, Page { messages, left_out, .. })| Connection {
            client,
            guest,
            opened,
            messages,
            left_out,
        });
        Told { connections: connections.collect(), unfollowed: self.unfollowed }
    }

    fn syn(&mut self, ends: Ends, from: Speaker, segment: &Segment<'_>) {
        let first = segment.sequence.wrapping_add(1);
        match (from, self.knocks.get_mut(&ends)) {
            (Speaker::Client, Some(knock)) if knock.first == first => {}
            (Speaker::Client, Some(knock)) => *knock = Knock { first, answers: [None; 2], ..*knock },
            (Speaker::Client, None) => self.knock(ends, first),
            (Speaker::Guest, Some(knock)) if segment.acknowledges == Some(knock.first) => knock.answers = [Some(first), knock.answers[0]],
            (Speaker::Guest, _) => {}
        }
    }

    fn knock(&mut self, ends: Ends, first: u32) {
        if self.knocks.len() >= KNOCKS_MAX
            && let Some((_, oldest)) = self.knocks_by_age.pop_first()
        {
            self.knocks.remove(&oldest);
        }
        self.knocked = self.knocked.saturating_add(1);
        self.knocks.insert(ends, Knock { number: self.knocked, first, answers: [None; 2] });
        self.knocks_by_age.insert(self.knocked, ends);
    }

    /// A segment that completes a handshake makes a connection. One that there was between the same ends is over, though nobody said so.
    fn begin(&mut self, now: Duration, ends: Ends, segment: &Segment<'_>) {
        let answered = |knock: &&Knock| {
            knock.first == segment.sequence && segment.acknowledges.is_some() && knock.answers.contains(&segment.acknowledges)
        };
        let Some((knock, guest)) = self.knocks.get(&ends).filter(answered).copied().zip(segment.acknowledges) else { return };
        self.knocks.remove(&ends);
        self.knocks_by_age.remove(&knock.number);
        self.retire(now, ends);
        if self.told.len() >= CONNECTIONS_MAX {
            self.unfollowed = self.unfollowed.saturating_add(1);
            return;
        }
        let open = Open { place: self.told.len(), client: Stream::new(knock.first), guest: Stream::new(guest), talk: Talk::default() };
        self.open.insert(ends, open);
        self.told.push((ends, now, Page::default()));
    }

    fn follow(&mut self, now: Duration, ends: Ends, from: Speaker, segment: &Segment<'_>) {
        let over = self.with(ends, |open, page| {
            open.follow(now, from, segment, page);
            open.client.is_over() && open.guest.is_over()
        });
        if over == Some(true) {
            self.retire(now, ends);
        }
    }

    /// Only one that stands in its place ends a connection (RFC 5961 section 3.2).
    fn reset(&mut self, now: Duration, ends: Ends, from: Speaker, segment: &Segment<'_>) {
        let ended = self.with(ends, |open, page| {
            let ends_it = open.side(from).expected() == segment.sequence;
            if ends_it {
                open.talk.end(now, from, "reset", page);
            }
            ends_it
        });
        if ended == Some(true) {
            self.retire(now, ends);
        }
    }

    /// Lets `act` on an open connection and what is told of it, within what all of them may hold.
    fn with<T>(&mut self, ends: Ends, act: impl FnOnce(&mut Open, &mut Page) -> T) -> Option<T> {
        let open = self.open.get_mut(&ends)?;
        let (_, since, page) = self.told.get_mut(open.place)?;
        let (kept, told) = (open.kept_len(), page.messages.len());
        page.room = MESSAGES_PER_CONNECTION_MAX.min(told.saturating_add(MESSAGES_MAX.saturating_sub(self.messages)));
        let outcome = act(open, page);
        self.kept_len = self.kept_len.saturating_sub(kept).saturating_add(open.kept_len());
        if self.kept_len > KEPT_LEN_MAX {
            let (now, kept) = (page.messages.last().map_or(*since, |message| message.at), open.kept_len());
            open.give_up(now, page);
            self.kept_len = self.kept_len.saturating_sub(kept).saturating_add(open.kept_len());
        }
        self.messages = self.messages.saturating_sub(told).saturating_add(page.messages.len());
        Some(outcome)
    }

    fn retire(&mut self, now: Duration, ends: Ends) {
        self.with(ends, |open, page| open.tell_holes(now, page));
        if let Some(open) = self.open.remove(&ends) {
            self.kept_len = self.kept_len.saturating_sub(open.kept_len());
        }
    }
}

impl Open {
    fn follow(&mut self, now: Duration, from: Speaker, segment: &Segment<'_>, page: &mut Page) {
        let (stream, talk) = match from {
            Speaker::Client => (&mut self.client, &mut self.talk),
            Speaker::Guest => (&mut self.guest, &mut self.talk),
        };
        if stream.is_over() {
            return;
        }
        let came = stream.receive(segment.sequence, segment.payload, |bytes| talk.receive(now, from, bytes, page));
        if came.is_err() {
            talk.stop(now, from, HOLE, page);
        }
        if segment.flags == Flags::Fin {
            let len = u32::try_from(segment.payload.len()).unwrap_or(0);
            stream.end_at(segment.sequence.wrapping_add(len));
        }
        if stream.is_over() {
            talk.end(now, from, "fin", page);
        }
    }

    /// What came behind something that never came.
    fn tell_holes(&mut self, now: Duration, page: &mut Page) {
        for (from, stream) in [(Speaker::Client, &self.client), (Speaker::Guest, &self.guest)] {
            if stream.has_hole() {
                self.talk.stop(now, from, HOLE, page);
            }
        }
    }

    /// It holds more than there is room for.
    fn give_up(&mut self, now: Duration, page: &mut Page) {
        for from in [Speaker::Client, Speaker::Guest] {
            self.talk.stop(now, from, "too much is kept", page);
        }
        self.client.lose();
        self.guest.lose();
    }

    fn side(&self, from: Speaker) -> &Stream {
        match from {
            Speaker::Client => &self.client,
            Speaker::Guest => &self.guest,
        }
    }

    fn kept_len(&self) -> usize {
        self.client.kept_len().saturating_add(self.guest.kept_len()).saturating_add(self.talk.kept_len())
    }
}

/// What a direction is called whose bytes are not all there.
const HOLE: &str = "hole";
