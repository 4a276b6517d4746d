//! What is behind the doors of a contest: for each of them how TLS is spoken there, and the prize that whoever is let in gets.
//!
//! Nothing here is routed, and nothing reaches a backend. A connection keeps the entrance that it came in by.

use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;

use keys::bundle::{Bundle, Contest, Door, Role};
use keys::{Secret, SignerFault};
use tls::{Caller, CallerParts, Clients, ConfigParts, Servers};

use crate::makings::{Makings, Shared, version};
use crate::start::StartFault;

/// See the module.
#[derive(Debug)]
pub(crate) struct Lobby {
    /// By the listener's place in the bundle.
    entrances: Vec<(usize, Rc<Entrance>)>,
    prize: Secret<Vec<u8>>,
}

/// How TLS is spoken behind one door.
#[derive(Debug)]
pub(crate) enum Entrance {
    /// We are the server, and demand a certificate.
    Server(tls::Config),
    /// We are the client, on the connection that was made to us.
    Reverse(Caller),
    /// We are the client, on a connection that we make to this port of whoever knocked.
    CallBack(Caller, u16),
}

/// What is wrong with a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoorFault {
    /// Its certificate is not in the bundle.
    Certificate,
    /// The key of its certificate.
    Key(SignerFault),
    /// Its authority or its peer's name.
    Authority(tls::ClientsFault),
    /// Its TLS configuration.
    Tls(tls::ConfigFault),
}

impl Lobby {
    /// What is behind this listener, if it is a door.
    pub(crate) fn entrance(&self, listener: usize) -> Option<Rc<Entrance>> {
        self.entrances.iter().find(|(door, _)| *door == listener).map(|(_, entrance)| Rc::clone(entrance))
    }

    /// What whoever is let in gets.
    pub(crate) fn prize(&self) -> &[u8] {
        self.prize.expose()
    }
}

impl Makings {
    /// The lobby of a bundle that has a contest.
    pub(crate) fn lobby(&mut self, bundle: &Bundle) -> Result<Option<Lobby>, StartFault> {
        let Some(contest) = &bundle.contest else { return Ok(None) };
        let shared = self.of(bundle)?;
        let entrances = contest.doors.iter().zip(0..).map(|(door, number)| {
            let entrance = shared.entrance(door).map_err(|fault| StartFault::ConfigDoor(number, fault))?;
            Ok((usize::from(door.listener), Rc::new(entrance)))
        });
        let Contest { prize, .. } = contest;
        Ok(Some(Lobby { entrances: entrances.collect::<Result<_, _>>()?, prize: Secret::from_slice(prize.expose()) }))
    }
}

impl Shared<'_> {
    fn entrance(&self, door: &Door) -> Result<Entrance, DoorFault> {
        match door.role {
            Role::Server => self.server(door).map(Entrance::Server),
            Role::Reverse => self.caller(door).map(Entrance::Reverse),
            Role::CallBack { port } => self.caller(door).map(|caller| Entrance::CallBack(caller, port)),
        }
    }

    fn server(&self, door: &Door) -> Result<tls::Config, DoorFault> {
        let clients = Clients::strict(&door.authority, &door.peer).map_err(DoorFault::Authority)?;
        let parts = ConfigParts {
            provider: &self.provider,
            clock: &self.clock,
            identities: alloc::vec![self.identity(door.certificate)?],
            alpn: Vec::new(),
            min_version: version(self.bundle.tls.min_version),
            clients: Some(Arc::new(clients)),
            tickets: None,
        };
        tls::Config::new(parts).map_err(DoorFault::Tls)
    }

    fn caller(&self, door: &Door) -> Result<Caller, DoorFault> {
        let parts = CallerParts {
            provider: &self.provider,
            clock: &self.clock,
            identity: self.identity(door.certificate)?,
            servers: Arc::new(Servers::new(&door.authority, &door.peer).map_err(DoorFault::Authority)?),
            min_version: version(self.bundle.tls.min_version),
        };
        Caller::new(parts).map_err(DoorFault::Tls)
    }
}

impl DoorFault {
    /// The same of a route's certificate.
    pub(crate) fn of_route(self, id: crate::router::RouteId) -> StartFault {
        match self {
            Self::Certificate => StartFault::ConfigCertificate(id),
            Self::Key(fault) => StartFault::ConfigKey(id, fault),
            Self::Authority(fault) => StartFault::ConfigClients(id, fault),
            Self::Tls(fault) => StartFault::ConfigTls(id, fault),
        }
    }
}
