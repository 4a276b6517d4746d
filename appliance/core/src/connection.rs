//! One client's connection, from the accepted flow to its access record.
//!
//! ```text
//!                                           Waiting
//!                                            ^  |
//!                                            |  v
//! Introducing -> Peeking -> Handshaking -> Connecting -> Relaying -> over
//!     |            |             |            |  |          |
//!     |            |             |            |  +-> Passing -> over
//!     +------------+-------------+------------+-------------+--> Draining -> over
//! ```
//!
//! At a door of the contest: Peeking -> Admitting -> Rewarding -> Draining -> over, or, where we are the client, Knocking (-> Returning) -> Admitting.
//!
//! Only a front end's connection begins with Introducing. Where TLS passes through there is no Handshaking before Passing, and no Draining after it.
//!
//! Each state is a type whose `turn` consumes it and says what follows, so that what belongs to one state (the backend's flow, a half that
//! is open) does not exist in another. Bytes are never held here: what cannot go on stays in the ring it came in, and its TCP window closes.

mod admitting;
mod client;
mod connecting;
mod draining;
mod handshaking;
mod introducing;
mod knocking;
mod passing;
mod peeking;
mod preface;
mod relay;
mod relaying;
mod returning;
mod rewarding;
mod waiting;

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::time::Duration;

use net::Timer;

use admitting::Admitting;
pub(crate) use client::Client;
use connecting::Connecting;
use draining::Draining;
use handshaking::Handshaking;
use introducing::Introducing;
use knocking::Knocking;
use passing::Passing;
use peeking::Peeking;
use relaying::Relaying;
use returning::Returning;
use rewarding::Rewarding;
use waiting::Waiting;

use crate::heard::Heard;
use crate::lobby::Entrance;
use crate::ready::Place;
use crate::report::{End, Record, Timeout};
use crate::upstream::Grant;
use crate::world::World;

/// A connection: what every state has, and the state.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// Whether it stands in the queue of those with something to do.
    pub(crate) place: Place,
    /// When the timer wheel will wake it. A wake-up that comes early because the deadline has moved is put right then.
    pub(crate) armed: Option<(Duration, Timer)>,
    /// `None` only while a turn runs.
    state: Option<State>,
}

#[derive(Debug)]
enum State {
    Introducing(Introducing),
    Peeking(Peeking),
    Handshaking(Handshaking),
    Waiting(Waiting),
    Connecting(Connecting),
    Relaying(Relaying),
    Passing(Passing),
    Knocking(Knocking),
    Returning(Returning),
    Admitting(Admitting),
    Rewarding(Rewarding),
    Draining(Draining),
}

/// Who is at the other end of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A client.
    Client,
    /// Somebody who speaks for a client, and says first for which.
    FrontEnd,
}

/// What follows a turn.
#[derive(Debug)]
enum Turn {
    /// Nothing to do before an event or the deadline.
    Rest(State),
    /// There is more to do than one turn allows.
    Again(State),
    /// The connection is over, and its flows have been given up.
    Over(End),
}

/// What the owner of a connection does after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Wake it at this time, if no event comes before.
    Rest(Duration),
    /// Give it another turn when the others have had theirs.
    Again,
    /// Take it out of the table.
    Over(End),
}

impl Connection {
    pub(crate) fn new(client: Client, peer: Peer) -> Self {
        let state = match (peer, client.entrance.as_ref()) {
            (Peer::Client, None) => State::Peeking(Peeking),
            (_, Some(entrance)) if matches!(**entrance, Entrance::Server(_)) => State::Peeking(Peeking),
            (_, Some(entrance)) => State::Knocking(Knocking(Rc::clone(entrance))),
            (Peer::FrontEnd, None) => State::Introducing(Introducing::default()),
        };
        Self { client, place: Place::default(), armed: None, state: Some(state) }
    }

    /// Whether it has something to do before the peer has said anything.
    pub(crate) fn speaks_first(&self) -> bool {
        matches!(self.state, Some(State::Knocking(_)))
    }

    /// Does what there is to do, within the bounds of one turn.
    pub(crate) fn turn(&mut self, world: &mut World) -> Next {
        let Some(state) = self.state.take() else { return Next::Over(End::ClientGone) };
        let turn = if state.deadline(&self.client) <= world.now.mono {
            state.expire(&mut self.client, world)
        } else {
            state.turn(&mut self.client, world)
        };
        match turn {
            Turn::Rest(state) => {
                let deadline = state.deadline(&self.client);
                self.state = Some(state);
                Next::Rest(deadline)
            }
            Turn::Again(state) => {
                self.state = Some(state);
                Next::Again
            }
            Turn::Over(end) => Next::Over(end),
        }
    }

    /// Takes note of news of the backend's flow.
    pub(crate) fn hear_backend(&mut self, flow: net::FlowId, heard: Heard) {
        let backend = match &mut self.state {
            Some(State::Connecting(state)) => &mut state.backend,
            Some(State::Relaying(state)) => &mut state.backend,
            Some(State::Passing(state)) => &mut state.backend,
            _ => return,
        };
        if backend.flow == flow {
            backend.heard.note(heard);
        }
    }

    /// Takes note of what its waiting for a backend came to. Who waits no more has no use for it: it is dropped, and what it holds given back.
    pub(crate) fn hear_grant(&mut self, grant: Grant) {
        if let Some(State::Waiting(state)) = &mut self.state {
            state.grant(grant);
        }
    }

    /// Ends it now: both flows are reset.
    pub(crate) fn abort(&mut self, world: &mut World) {
        if let Some(state) = self.state.take() {
            state.abort(&self.client, world);
        }
    }

    /// The access record.
    pub(crate) fn close(self: Box<Self>, end: End, now: Duration) -> Record {
        let time = now.saturating_sub(self.client.opened);
        self.client.log.close(self.client.server_name, end, time)
    }
}

impl State {
    fn turn(self, client: &mut Client, world: &mut World) -> Turn {
        if client.heard.is_broken() {
            let is_returning = matches!(self, Self::Returning(_));
            self.abort(client, world);
            return Turn::Over(if is_returning { End::NotAnswered } else { client.heard.loss() });
        }
        match self {
            Self::Introducing(state) => state.turn(client, world),
            Self::Peeking(state) => state.turn(client, world),
            Self::Handshaking(state) => state.turn(client, world),
            Self::Waiting(state) => state.turn(client, world),
            Self::Connecting(state) => state.turn(client, world),
            Self::Relaying(state) => state.turn(client, world),
            Self::Passing(state) => state.turn(client, world),
            Self::Knocking(state) => state.turn(client, world),
            Self::Returning(state) => state.turn(client, world),
            Self::Admitting(state) => state.turn(client, world),
            Self::Rewarding(state) => state.turn(client, world),
            Self::Draining(state) => state.turn(client, world),
        }
    }

    /// When this state has lasted long enough.
    fn deadline(&self, client: &Client) -> Duration {
        match self {
            Self::Introducing(_) | Self::Peeking(_) => Peeking::deadline(client),
            Self::Handshaking(_) | Self::Knocking(_) | Self::Admitting(_) => {
                client.opened.saturating_add(client.generation.times.handshake)
            }
            Self::Waiting(state) => state.deadline(),
            Self::Connecting(state) => state.deadline(client),
            Self::Relaying(state) => state.deadline(client),
            Self::Passing(state) => state.deadline(client),
            Self::Returning(state) => state.deadline(client),
            Self::Rewarding(_) => Rewarding::deadline(client),
            Self::Draining(state) => state.deadline(client),
        }
    }

    /// What follows when it has.
    fn expire(self, client: &mut Client, world: &mut World) -> Turn {
        match self {
            Self::Introducing(_) | Self::Peeking(_) => Peeking::expire(client, world),
            Self::Handshaking(_) | Self::Knocking(_) | Self::Admitting(_) => {
                world.front.abort(client.flow);
                Turn::Over(End::Timeout(Timeout::Handshake))
            }
            Self::Returning(state) => state.expire(client, world),
            Self::Rewarding(_) => {
                world.front.abort(client.flow);
                Turn::Over(End::Timeout(Timeout::Linger))
            }
            Self::Waiting(state) => state.expire(client, world),
            Self::Connecting(state) => state.expire(client, world),
            Self::Relaying(state) => state.expire(client, world),
            Self::Passing(state) => state.expire(client, world),
            Self::Draining(state) => state.expire(client, world),
        }
    }

    fn abort(self, client: &Client, world: &mut World) {
        world.front.abort(client.flow);
        match self {
            Self::Waiting(state) => state.leave(world),
            Self::Connecting(state) => world.back.abort(state.backend.flow),
            Self::Relaying(state) => world.back.abort(state.backend.flow),
            Self::Passing(state) => world.back.abort(state.backend.flow),
            Self::Introducing(_) | Self::Peeking(_) | Self::Handshaking(_) | Self::Draining(_) => {}
            Self::Knocking(_) | Self::Returning(_) | Self::Admitting(_) | Self::Rewarding(_) => {}
        }
    }
}
