//! The last state: what the session still has to say (an alert, above all) goes out, then a FIN. The net drains what the client still sends, so
//! that no reset destroys the alert on its way (ATTACKS T16). There is no backend any more.

use core::time::Duration;

use super::client::{Client, Written};
use super::{State, Turn};
use crate::report::End;
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Draining {
    end: End,
    since: Duration,
}

impl Draining {
    /// Enters the state and does what can be done at once.
    pub(super) fn begin(end: End, client: &mut Client, world: &mut World) -> Turn {
        Self { end, since: world.now.mono }.turn(client, world)
    }

    pub(super) fn turn(self, client: &mut Client, world: &mut World) -> Turn {
        match client.write(&mut world.front) {
            Written::Waiting if !client.heard.is_broken() => Turn::Rest(State::Draining(self)),
            _ => {
                world.front.close(client.flow, world.now.mono);
                Turn::Over(self.end)
            }
        }
    }

    pub(super) fn deadline(&self, client: &Client) -> Duration {
        self.since.saturating_add(client.generation.times.half_close)
    }

    pub(super) fn expire(self, client: &mut Client, world: &mut World) -> Turn {
        world.front.abort(client.flow);
        Turn::Over(self.end)
    }
}
