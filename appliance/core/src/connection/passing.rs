//! TLS passes through: what the client sends goes to the backend as it came, the hello first, and what the backend sends goes back. We hold no key
//! of it and change no byte.
//!
//! A half ends when its sender's FIN has come and all before it has gone on. A reset of either side becomes a reset of the other.

use alloc::boxed::Box;
use core::time::Duration;

use tls::Replay;

use super::client::{Client, Written};
use super::connecting::Backend;
use super::preface::Preface;
use super::relay::{self, Pace};
use super::{State, Turn};
use crate::report::End;
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Passing {
    pub(super) backend: Backend,
    preface: Preface,
    /// Until all of it has gone on.
    hello: Option<Box<Replay>>,
    up: Half,
    down: Half,
}

/// One direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    /// Bytes may come.
    Open,
    /// Its sender has ended it, and its receiver has been told.
    Ended,
}

impl Passing {
    /// The backend has taken the connection.
    pub(super) fn begin(hello: Box<Replay>, backend: Backend, client: &mut Client, world: &mut World) -> Turn {
        let preface = Preface::of(client);
        Self { backend, preface, hello: Some(hello), up: Half::Open, down: Half::Open }.turn(client, world)
    }

    pub(super) fn turn(mut self, client: &mut Client, world: &mut World) -> Turn {
        let mut pace = Pace::Enough;
        if self.up == Half::Open && self.introduce(client, world) == Written::All {
            pace = relay::pass_up(client, self.backend.flow, world);
            self.end_up(client, world);
        }
        if self.down == Half::Open {
            pace = pace.and(relay::pass_down(client, self.backend.flow, world));
            self.end_down(client, world);
        }
        match (self.up, self.down) {
            (Half::Ended, Half::Ended) => self.finish(client, world),
            _ if self.backend.heard.is_broken() => self.give_up(End::BackendGone, client, world),
            _ if pace == Pace::More => Turn::Again(State::Passing(self)),
            _ => Turn::Rest(State::Passing(self)),
        }
    }

    /// Writes what comes before the client's stream goes on: the PROXY header and the hello.
    fn introduce(&mut self, client: &mut Client, world: &mut World) -> Written {
        let flow = self.backend.flow;
        if self.preface.write(&mut world.back, flow) == Written::Waiting {
            return Written::Waiting;
        }
        let Some(hello) = &mut self.hello else { return Written::All };
        while !hello.is_empty() {
            let sent = world.back.send(flow, |space| {
                let len = hello.read(space);
                (len, len)
            });
            let len = sent.unwrap_or(0);
            relay::count_up(len, client, world);
            if len == 0 {
                world.back.want_room(flow, 1);
                return Written::Waiting;
            }
        }
        self.hello = None;
        Written::All
    }

    fn end_up(&mut self, client: &Client, world: &mut World) {
        if client.heard.is_finished_in_order() && world.front.readable(client.flow) == 0 {
            world.back.shutdown(self.backend.flow);
            self.up = Half::Ended;
        }
    }

    fn end_down(&mut self, client: &Client, world: &mut World) {
        if self.backend.heard.is_finished_in_order() && world.back.readable(self.backend.flow) == 0 {
            world.front.shutdown(client.flow);
            self.down = Half::Ended;
        }
    }

    fn finish(self, client: &Client, world: &mut World) -> Turn {
        world.back.close(self.backend.flow, world.now.mono);
        world.front.close(client.flow, world.now.mono);
        Turn::Over(End::Done)
    }

    fn give_up(self, end: End, client: &Client, world: &mut World) -> Turn {
        world.back.abort(self.backend.flow);
        world.front.abort(client.flow);
        Turn::Over(end)
    }

    fn is_half(&self) -> bool {
        self.up != Half::Open || self.down != Half::Open
    }

    pub(super) fn deadline(&self, client: &Client) -> Duration {
        client.patience(self.is_half()).0
    }

    pub(super) fn expire(self, client: &Client, world: &mut World) -> Turn {
        let (_, timeout) = client.patience(self.is_half());
        self.give_up(End::Timeout(timeout), client, world)
    }
}
