//! A call-back is on its way: nobody has answered it yet.

use alloc::rc::Rc;
use core::time::Duration;

use super::knocking::Knocking;
use super::{Client, State, Turn};
use crate::heard::Heard;
use crate::lobby::Entrance;
use crate::report::End;
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Returning {
    pub(super) entrance: Rc<Entrance>,
    pub(super) since: Duration,
}

impl Returning {
    pub(super) fn turn(self, client: &mut Client, world: &mut World) -> Turn {
        match (client.heard, &*self.entrance) {
            (Heard::Nothing, _) => Turn::Rest(State::Returning(self)),
            (Heard::Connected, Entrance::CallBack(caller, _)) => Knocking::call(caller, client, world),
            _ => self.expire(client, world),
        }
    }

    pub(super) fn deadline(&self, client: &Client) -> Duration {
        self.since.saturating_add(client.generation.times.connect)
    }

    pub(super) fn expire(self, client: &Client, world: &mut World) -> Turn {
        world.front.abort(client.flow);
        Turn::Over(End::NotAnswered)
    }
}
