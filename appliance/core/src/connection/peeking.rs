//! The first state: the client's hello is not whole yet. No certificate, no backend, no key has been touched.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::time::Duration;

use tls::{Event, Hello, Refusal};

use super::{Client, State, Turn, admitting::Admitting, connecting::Search, draining::Draining, handshaking::Handshaking};
use crate::lobby::Entrance;
use crate::report::{End, Timeout};
use crate::router::Unroutable;
use crate::routes::Way;
use crate::times::Times;
use crate::upstream::PoolId;
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

    /// The first byte has its own limit, and the hello the handshake's.
    pub(super) fn deadline(client: &Client) -> Duration {
        let Times { first_byte, handshake, .. } = client.generation.times;
        client.opened.saturating_add(if client.spoke { handshake } else { first_byte.min(handshake) })
    }

    pub(super) fn expire(client: &Client, world: &mut World) -> Turn {
        world.front.abort(client.flow);
        let Times { first_byte, handshake, .. } = client.generation.times;
        let first_byte = !client.spoke && first_byte < handshake;
        Turn::Over(End::Timeout(if first_byte { Timeout::FirstByte } else { Timeout::Handshake }))
    }

    fn route(hello: &Hello, client: &mut Client, world: &mut World) -> Turn {
        client.server_name = hello.server_name.as_deref().map(Box::from);
        if let Some(Entrance::Server(config)) = client.entrance.as_deref() {
            client.session.accept(config);
            return Admitting::begin(client, world);
        }
        let (id, route) = match client.generation.routes.find(hello) {
            Ok(found) => found,
            Err(Unroutable::Name) => return Self::refuse(Refusal::UnrecognizedName, End::UnknownName, client, world),
            Err(Unroutable::Protocol) => return Self::refuse(Refusal::NoApplicationProtocol, End::UnknownProtocol, client, world),
        };
        client.log.route = Some((id, Rc::clone(&route.name)));
        client.proxy = route.proxy;
        match &route.way {
            Way::Terminate(config) => {
                client.session.accept(config);
                Handshaking::begin(route.pool.clone(), client, world)
            }
            Way::Passthrough => Self::pass(route.pool.clone(), client, world),
        }
    }

    /// The hello goes on as it is, and so will all that follows it: there is no handshake of ours.
    fn pass(pool: PoolId, client: &mut Client, world: &mut World) -> Turn {
        let Some(hello) = client.session.give_back() else {
            return Self::refuse(Refusal::Internal, End::ClientFault(tls::Fault::Refused(Refusal::Internal.alert())), client, world);
        };
        client.hello = Some(Box::new(hello));
        client.moved = world.now.mono;
        client.log.passed = true;
        world.admission.begun(client.entry());
        Search::new(pool, client).begin(client, world)
    }

    fn refuse(refusal: Refusal, end: End, client: &mut Client, world: &mut World) -> Turn {
        client.session.refuse(refusal);
        Draining::begin(end, client, world)
    }
}
