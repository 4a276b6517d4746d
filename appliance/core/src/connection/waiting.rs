//! Every backend that could take the client is full: it stands in the pool's line. What it sends meanwhile stays encrypted where it came in.

use core::time::Duration;

use super::client::Client;
use super::connecting::Search;
use super::draining::Draining;
use super::{State, Turn};
use crate::report::{End, NoBackend};
use crate::upstream::{Grant, Ticket};
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Waiting {
    search: Search,
    ticket: Ticket,
    until: Duration,
    /// What the waiting came to; then the connection stands in the line no more.
    granted: Option<Grant>,
}

impl Waiting {
    /// Joins the line, if there is room in it.
    pub(super) fn begin(search: Search, client: &mut Client, world: &mut World) -> Turn {
        match world.pools.wait(&search.pool, client.id, search.seeker) {
            Ok(ticket) => {
                world.counters.backend_waits = world.counters.backend_waits.saturating_add(1);
                let until = world.now.mono.saturating_add(world.pools.patience(&search.pool));
                Turn::Rest(State::Waiting(Self { search, ticket, until, granted: None }))
            }
            Err(why) => Draining::begin(End::NoBackend(why), client, world),
        }
    }

    /// The waiting is over.
    pub(super) fn grant(&mut self, grant: Grant) {
        self.granted = Some(grant);
    }

    pub(super) fn turn(mut self, client: &mut Client, world: &mut World) -> Turn {
        client.write(&mut world.front);
        let Some(grant) = self.granted.take() else { return Turn::Rest(State::Waiting(self)) };
        self.search.seeker = grant.seeker;
        match grant.outcome {
            Ok(lease) => self.search.take(lease, client, world),
            Err(why) => Draining::begin(End::NoBackend(why), client, world),
        }
    }

    pub(super) fn deadline(&self) -> Duration {
        self.until
    }

    pub(super) fn expire(self, client: &mut Client, world: &mut World) -> Turn {
        if self.granted.is_some() {
            return self.turn(client, world);
        }
        self.leave(world);
        Draining::begin(End::NoBackend(NoBackend::QueueTimeout), client, world)
    }

    /// Leaves the line; a place that was granted meanwhile is dropped, and so another's.
    pub(super) fn leave(self, world: &mut World) {
        world.pools.leave(&self.search.pool, self.ticket);
    }
}
