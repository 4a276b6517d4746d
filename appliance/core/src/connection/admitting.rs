//! The handshake at a door of the contest: whoever is at the other end must show a certificate that nobody can have. There is no backend behind it.

use alloc::boxed::Box;

use tls::{Event, Own, Refusal, Summary};

use super::draining::Draining;
use super::rewarding::Rewarding;
use super::{Client, State, Turn};
use crate::report::End;
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Admitting;

impl Admitting {
    pub(super) fn begin(client: &mut Client, world: &mut World) -> Turn {
        world.admission.shake_hands(client.entry());
        Self.turn(client, world)
    }

    pub(super) fn turn(self, client: &mut Client, world: &mut World) -> Turn {
        client.read_handshake(&mut world.front);
        client.write(&mut world.front);
        match client.session.poll_event() {
            Some(Event::Established(summary)) => Self::established(summary, client, world),
            Some(Event::Fault(fault)) => Draining::begin(End::ClientFault(fault), client, world),
            _ if client.is_exhausted(world) => Draining::begin(End::ClientGone, client, world),
            _ => Turn::Rest(State::Admitting(self)),
        }
    }

    /// TLS says that the peer is authenticated; that each of us has shown a certificate, and verified one, is looked at once more.
    fn established(summary: Box<Summary>, client: &mut Client, world: &mut World) -> Turn {
        let is_mutual = summary.own == Own::Shown && (summary.client.is_some() || summary.server.is_some());
        client.note_handshake(summary, world);
        if is_mutual {
            return Rewarding::default().turn(client, world);
        }
        client.session.close();
        Draining::begin(End::ClientFault(tls::Fault::Refused(Refusal::Internal.alert())), client, world)
    }
}
