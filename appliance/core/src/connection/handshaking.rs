//! The handshake runs with the configuration of the chosen route. The backend knows nothing of it yet.

use alloc::boxed::Box;

use tls::{Event, Summary};

use super::{Client, State, Turn, connecting::Search, draining::Draining};
use crate::report::End;
use crate::upstream::PoolId;
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Handshaking {
    /// The route's backends.
    pool: PoolId,
}

impl Handshaking {
    /// The hello was whole and its route is chosen.
    pub(super) fn begin(pool: PoolId, client: &mut Client, world: &mut World) -> Turn {
        world.admission.shake_hands(client.entry());
        Self { pool }.turn(client, world)
    }

    pub(super) fn turn(self, client: &mut Client, world: &mut World) -> Turn {
        client.read_handshake(&mut world.front);
        client.write(&mut world.front);
        match client.session.poll_event() {
            Some(Event::Established(summary)) => self.established(summary, client, world),
            Some(Event::Fault(fault)) => Draining::begin(End::ClientFault(fault), client, world),
            _ if client.is_exhausted(world) => Draining::begin(End::ClientGone, client, world),
            _ => Turn::Rest(State::Handshaking(self)),
        }
    }

    fn established(self, summary: Box<Summary>, client: &mut Client, world: &mut World) -> Turn {
        client.note_handshake(summary, world);
        Search::new(self.pool, client).begin(client, world)
    }
}
