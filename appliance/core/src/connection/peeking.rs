//! The first state: the client's hello is not whole yet. No certificate, no backend, no key has been touched.

use tls::{Event, Hello, Refusal};

use super::{Client, State, Turn, draining::Draining, handshaking::Handshaking};
use crate::report::End;
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Peeking;

impl Peeking {
    pub(super) fn turn(self, client: &mut Client, world: &mut World) -> Turn {
        client.read_handshake(&mut world.front);
        match client.session.poll_event() {
            Some(Event::Hello(hello)) => Self::route(&hello, client, world),
            Some(Event::Fault(fault)) => Draining::begin(End::ClientFault(fault), client, world),
            _ if client.is_exhausted(world) => Draining::begin(End::ClientGone, client, world),
            _ => Turn::Rest(State::Peeking(self)),
        }
    }

    fn route(hello: &Hello, client: &mut Client, world: &mut World) -> Turn {
        let Some((id, route)) = world.routes.find(hello.server_name.as_deref()) else {
            client.session.refuse(Refusal::UnrecognizedName);
            return Draining::begin(End::UnknownName, client, world);
        };
        client.log.route = Some(id);
        client.session.accept(&route.config);
        Handshaking { route: id }.turn(client, world)
    }
}
