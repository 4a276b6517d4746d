//! Somebody was let in at a door of the contest: the prize goes out, close_notify behind it, and a FIN.

use core::time::Duration;

use super::client::Written;
use super::draining::Draining;
use super::{Client, State, Turn};
use crate::report::End;
use crate::world::World;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rewarding {
    /// Bytes of the prize that are on their way.
    sent: usize,
}

impl Rewarding {
    pub(super) fn turn(mut self, client: &mut Client, world: &mut World) -> Turn {
        if client.write(&mut world.front) == Written::Waiting {
            return Turn::Rest(State::Rewarding(self));
        }
        let lobby = world.lobby.clone();
        let prize = lobby.as_ref().map(|lobby| lobby.prize()).unwrap_or_default();
        loop {
            let rest = prize.get(self.sent..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let session = &mut client.session;
            let sent = world.front.send(client.flow, |space| {
                let sent = session.send(rest, space);
                (sent.produced, sent.consumed)
            });
            match sent {
                Ok(consumed) if consumed > 0 => {
                    self.sent = self.sent.saturating_add(consumed);
                    client.log.bytes_down = client.log.bytes_down.saturating_add(u64::try_from(consumed).unwrap_or(0));
                }
                _ => return Turn::Rest(State::Rewarding(self)),
            }
        }
        client.session.close();
        Draining::begin(End::Released, client, world)
    }

    pub(super) fn deadline(client: &Client) -> Duration {
        client.opened.saturating_add(client.generation.times.handshake).saturating_add(client.generation.times.half_close)
    }
}
