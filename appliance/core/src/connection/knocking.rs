//! Somebody has come to a door of the contest behind which we are the client. There we speak first: on this connection, or on one that we make to whoever
//! knocked.

use alloc::rc::Rc;
use core::net::SocketAddr;

use tls::{Caller, Session};

use super::admitting::Admitting;
use super::returning::Returning;
use super::{Client, State, Turn};
use crate::flows::Owner;
use crate::heard::Heard;
use crate::lobby::Entrance;
use crate::report::End;
use crate::world::World;

/// See the module.
#[derive(Debug)]
pub(super) struct Knocking(pub(super) Rc<Entrance>);

impl Knocking {
    pub(super) fn turn(self, client: &mut Client, world: &mut World) -> Turn {
        match &*self.0 {
            // Nobody who is to be a client here comes this way.
            Entrance::Server(_) => {
                world.front.abort(client.flow);
                Turn::Over(End::ClientGone)
            }
            Entrance::Reverse(caller) => Self::call(caller, client, world),
            &Entrance::CallBack(_, port) => self.dial(port, client, world),
        }
    }

    /// Begins TLS as the client, on the flow that there is.
    pub(super) fn call(caller: &Caller, client: &mut Client, world: &mut World) -> Turn {
        client.session = Session::dial(caller);
        client.spoke = true;
        Admitting::begin(client, world)
    }

    /// Lets the one who knocked go, and makes a connection to where he came from.
    fn dial(self, port: u16, client: &mut Client, world: &mut World) -> Turn {
        world.front.close(client.flow, world.now.mono);
        // From the address that was knocked at: no other may call him back.
        let (from, to) = (client.log.accepted.local.ip(), client.log.accepted.peer.ip());
        let (from, to) = (SocketAddr::new(from, 0), SocketAddr::new(to, port));
        let Ok(flow) = world.front.connect(to, Some(from), world.now.mono) else { return Turn::Over(End::NotAnswered) };
        world.front_flows.give(flow, Owner::Connection(client.id));
        (client.flow, client.heard) = (flow, Heard::Nothing);
        Turn::Rest(State::Returning(Returning { entrance: self.0, since: world.now.mono }))
    }
}
