//! A child that is many clients: one thread, one event loop. Whoever is ended begins anew after a pause.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use e2e::{Outcome, client};
use mio::{Events, Poll, Token};
use rustls_std::ClientConnection;
use rustls_std::pki_types::ServerName;

use crate::limits::{BEGINNINGS_PER_PLACE, LEAVING_PER_TICK, SLEEP_MAX, TICK};
use crate::orders::{Manner, Progress, Visit};
use crate::visitor::{Makings, Turn, Visitor};
use crate::voice::Voice;

/// Carries out the orders until standard input ends.
pub(crate) fn run(orders: &Visit) -> Outcome {
    let mut crowd = Crowd::new(orders)?;
    let mut voice = Voice::new();
    let mut events = Events::with_capacity(1024);
    while voice.goes_on() {
        crowd.poll.poll(&mut events, Some(crowd.sleep()))?;
        for event in &events {
            crowd.turn(event.token().0, |visitor, makings| visitor.ready(makings, event));
        }
        crowd.begin_due()?;
        crowd.drip_due();
        voice.say(crowd.progress)?;
    }
    crowd.leave();
    voice.say_now(crowd.progress)
}

struct Crowd<'o> {
    orders: &'o Visit,
    makings: Makings,
    poll: Poll,
    places: Vec<Place>,
    progress: Progress,
    /// Places to be taken, and places where a byte is due: all wait for the same time, so each line stands in order.
    beginners: VecDeque<(Instant, usize)>,
    drips: VecDeque<(Instant, Serial)>,
    /// Until when the rate of beginnings has been used up.
    next_beginning: Instant,
}

/// A place, and which of its clients.
type Serial = (usize, u64);

struct Place {
    visitor: Option<Visitor>,
    stands: bool,
    beginnings: u64,
}

impl<'o> Crowd<'o> {
    fn new(orders: &'o Visit) -> Outcome<Self> {
        let now = Instant::now();
        let tls = client::trusting(&[&orders.ca])?;
        let name = ServerName::try_from(orders.name.clone())?;
        let hello = client::hello_bytes(&mut ClientConnection::new(Arc::clone(&tls), name.clone())?)?;
        let makings = Makings { manner: orders.manner, target: orders.target, name, tls, hello };
        let places: Vec<_> = (0..orders.count).map(|_| Place { visitor: None, stands: false, beginnings: 0 }).collect();
        let beginners = (0..places.len()).map(|index| (now, index)).collect();
        let (poll, progress, drips) = (Poll::new()?, Progress::default(), VecDeque::new());
        Ok(Self { orders, makings, poll, places, progress, beginners, drips, next_beginning: now })
    }

    /// Until something is due; a crowd that stands costs its host nothing.
    fn sleep(&self) -> Duration {
        let begins = self.beginners.front().map(|(due, _)| *due.max(&self.next_beginning));
        let drips = self.drips.front().map(|(due, _)| *due);
        let due = begins.into_iter().chain(drips).min();
        due.map_or(SLEEP_MAX, |due| due.saturating_duration_since(Instant::now()).clamp(TICK, SLEEP_MAX))
    }

    fn turn(&mut self, index: usize, turn: impl FnOnce(&mut Visitor, &Makings) -> Turn) {
        let Some(place) = self.places.get_mut(index) else { return };
        let Some(visitor) = &mut place.visitor else { return };
        match turn(visitor, &self.makings) {
            Turn::Goes => {}
            Turn::Stands => {
                place.stands = true;
                self.progress.open += 1;
                let serial = (index, place.beginnings);
                self.drip_later(serial);
            }
            Turn::Ended => {
                self.progress.ended += 1;
                self.progress.open -= u64::from(place.stands);
                self.progress.failed += u64::from(!place.stands);
                (place.visitor, place.stands) = (None, false);
                self.beginners.push_back((Instant::now() + Duration::from_millis(self.orders.pause_ms), index));
            }
        }
    }

    fn drip_later(&mut self, serial: Serial) {
        if matches!(self.makings.manner, Manner::DripHello | Manner::DripStream) {
            self.drips.push_back((Instant::now() + Duration::from_millis(self.orders.drip_ms), serial));
        }
    }

    fn drip_due(&mut self) {
        let now = Instant::now();
        while let Some((_, serial)) = self.drips.pop_front_if(|(due, _)| *due <= now) {
            let place = self.places.get(serial.0);
            if place.is_some_and(|place| place.visitor.is_some() && place.beginnings == serial.1) {
                self.turn(serial.0, Visitor::drip);
                self.drip_later(serial);
            }
        }
    }

    fn begin_due(&mut self) -> Outcome {
        let now = Instant::now();
        // What was not used of the rate is not saved for later, but for one tick's worth.
        self.next_beginning = self.next_beginning.max(now.checked_sub(TICK).unwrap_or(now));
        while self.next_beginning <= now
            && let Some((_, index)) = self.beginners.pop_front_if(|(due, _)| *due <= now)
        {
            self.begin(index)?;
        }
        Ok(())
    }

    fn begin(&mut self, index: usize) -> Outcome {
        let Some(place) = self.places.get_mut(index).filter(|place| place.beginnings < BEGINNINGS_PER_PLACE) else { return Ok(()) };
        let offset = u32::try_from(index)? % self.orders.sources.max(1);
        let source = Ipv4Addr::from_bits(self.orders.source.to_bits() + offset);
        place.visitor = Some(Visitor::begin(&self.makings, source, self.poll.registry(), Token(index))?);
        place.beginnings += 1;
        self.progress.begun += 1;
        self.next_beginning += Duration::from_secs(1) / self.orders.per_s.max(1);
        Ok(())
    }

    /// All go, but not in one burst: what a TAP's queue cannot hold is lost, and who went unheard would stand in the box until its idle limit.
    fn leave(&mut self) {
        for places in self.places.chunks_mut(LEAVING_PER_TICK) {
            places.iter_mut().for_each(|place| place.visitor = None);
            thread::sleep(TICK);
        }
    }
}
