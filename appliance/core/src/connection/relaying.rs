//! Both sides are there: plaintext flows up to the backend and down to the client, each half until its sender has ended it.
//!
//! A half ends in order by the client's close_notify, which becomes a FIN to the backend, or by the backend's FIN, which becomes a
//! close_notify and a FIN to the client. What ends in any other way is never made to look like an end: the backend gets a RST, the client a FIN without
//! close_notify, so that each can tell a truncation (RFC 8446 section 6.1, ATTACKS T13).

use core::time::Duration;

use tls::Event;

use super::client::{Client, Written};
use super::connecting::Backend;
use super::draining::Draining;
use super::passing::Passing;
use super::preface::Preface;
use super::relay::{self, Pace};
use super::{State, Turn};
use crate::report::End;
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Relaying {
    pub(super) backend: Backend,
    preface: Preface,
    up: Half,
    down: Half,
}

/// One direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    /// Bytes may come.
    Open,
    /// Its sender has ended it; the session still has to say so.
    Ending,
    /// Its receiver has been told.
    Ended,
}

impl Relaying {
    /// The backend has taken the connection. Where TLS is not ended here, it is another state that goes on.
    pub(super) fn begin(backend: Backend, client: &mut Client, world: &mut World) -> Turn {
        client.log.note_backend(backend.lease.address, world.now.mono.saturating_sub(client.opened));
        client.moved = world.now.mono;
        if let Some(hello) = client.hello.take() {
            return Passing::begin(hello, backend, client, world);
        }
        let preface = Preface::of(client);
        client.log.forget_client_der();
        Self { backend, preface, up: Half::Open, down: Half::Open }.turn(client, world)
    }

    pub(super) fn turn(mut self, client: &mut Client, world: &mut World) -> Turn {
        let mut pace = match self.preface.write(&mut world.back, self.backend.flow) {
            Written::All => relay::up(client, self.backend.flow, world),
            Written::Waiting => Pace::Enough,
        };
        if self.down == Half::Open {
            pace = pace.and(relay::down(client, self.backend.flow, world));
        }
        if let Err(end) = self.read_events(client, world) {
            return self.give_up(end, client, world);
        }
        self.end_down(client, world);
        match self.verdict(client, world) {
            Some(End::Done) => self.finish(client, world),
            Some(end) => self.give_up(end, client, world),
            None if pace == Pace::More => Turn::Again(State::Relaying(self)),
            None => Turn::Rest(State::Relaying(self)),
        }
    }

    fn read_events(&mut self, client: &mut Client, world: &mut World) -> Result<(), End> {
        while let Some(event) = client.session.poll_event() {
            match event {
                Event::PeerClosed if self.up == Half::Open => {
                    world.back.shutdown(self.backend.flow);
                    self.up = Half::Ended;
                }
                Event::Fault(fault) => return Err(End::ClientFault(fault)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Passes the backend's end on once all before it has been passed on.
    fn end_down(&mut self, client: &mut Client, world: &mut World) {
        let read = world.back.readable(self.backend.flow) == 0;
        if self.down == Half::Open && self.backend.heard.is_finished_in_order() && read {
            client.session.close();
            self.down = Half::Ending;
        }
        if client.write(&mut world.front) == Written::All && self.down == Half::Ending {
            world.front.shutdown(client.flow);
            self.down = Half::Ended;
        }
    }

    /// How the connection ends, if it does.
    fn verdict(&self, client: &Client, world: &World) -> Option<End> {
        match (self.up, self.down) {
            (Half::Ended, Half::Ended) => Some(End::Done),
            (Half::Open, _) if self.is_truncated(client, world) => Some(End::ClientTruncated),
            (_, Half::Open) | (Half::Open, _) if self.backend.heard.is_broken() => Some(End::BackendGone),
            _ => None,
        }
    }

    fn is_truncated(&self, client: &Client, world: &World) -> bool {
        client.is_exhausted(world) && !relay::is_held_up(client, self.backend.flow, world)
    }

    fn finish(self, client: &mut Client, world: &mut World) -> Turn {
        world.back.close(self.backend.flow, world.now.mono);
        world.front.close(client.flow, world.now.mono);
        Turn::Over(End::Done)
    }

    fn give_up(self, end: End, client: &mut Client, world: &mut World) -> Turn {
        world.back.abort(self.backend.flow);
        Draining::begin(end, client, world)
    }

    pub(super) fn deadline(&self, client: &Client) -> Duration {
        client.patience(self.is_half()).0
    }

    fn is_half(&self) -> bool {
        self.up != Half::Open || self.down != Half::Open
    }

    pub(super) fn expire(self, client: &mut Client, world: &mut World) -> Turn {
        let (_, timeout) = client.patience(self.is_half());
        self.give_up(End::Timeout(timeout), client, world)
    }
}
