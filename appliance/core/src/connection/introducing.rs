//! Before the hello, where the peer is a front end: its PROXY header, which says for whom it speaks. Nothing is guessed: it must come, whole and
//! sound, or the connection is reset. From then on the client that it names is the one that limits, logs and backends see.

use alloc::boxed::Box;

use proxy::{Addresses, Decoder, Fault, Header};

use super::draining::Draining;
use super::peeking::Peeking;
use super::{Client, State, Turn};
use crate::report::End;
use crate::world::World;

/// See the module. Its limits of time are those of the hello.
#[derive(Debug, Default)]
pub(super) struct Introducing(Box<Decoder>);

impl Introducing {
    pub(super) fn turn(mut self, client: &mut Client, world: &mut World) -> Turn {
        loop {
            match self.read(client, world) {
                Ok((_, Some(Header::Client(addresses)))) => return Self::introduce(&addresses, client, world),
                Ok((_, Some(Header::Own))) => return Peeking.turn(client, world),
                Ok((0, None)) if client.is_exhausted(world) => return Draining::begin(End::ClientGone, client, world),
                Ok((0, None)) => return Turn::Rest(State::Introducing(self)),
                // A header is bounded, so this goes on for a few pieces of the ring at most.
                Ok((_, None)) => {}
                Err(fault) => return Self::end(End::FrontEndFault(fault), client, world),
            }
        }
    }

    /// Takes what there is of the header, and nothing behind it.
    fn read(&mut self, client: &mut Client, world: &mut World) -> Result<(usize, Option<Header>), Fault> {
        let decoder = &mut self.0;
        let read = world.front.recv(client.flow, |bytes| {
            let (taken, outcome) = decoder.receive(bytes);
            (taken, (taken, outcome))
        });
        let (taken, outcome) = read.unwrap_or((0, Ok(None)));
        client.spoke |= taken > 0;
        outcome.map(|header| (taken, header))
    }

    fn introduce(addresses: &Addresses, client: &mut Client, world: &mut World) -> Turn {
        let source = addresses.source();
        let front_end = client.log.accepted.peer;
        if let Err(budget) = world.admission.introduce(client.entry(), source.ip(), world.now.mono) {
            world.counters.refused.count(budget);
            return Self::end(End::Refused(budget), client, world);
        }
        client.log.front_end = Some(front_end);
        client.log.accepted.peer = source;
        client.reached = addresses.destination();
        Peeking.turn(client, world)
    }

    fn end(end: End, client: &Client, world: &mut World) -> Turn {
        world.front.abort(client.flow);
        Turn::Over(end)
    }
}
