//! Endpoints written the obvious way, or worse. Each attack names one, and a trial demands that it succeeds there: so no attack is a test that cannot fail.
//!
//! - [`raw`]: TCP servers that know no TLS;
//! - [`tls`]: servers on rustls, with what is commonly forgotten;
//! - [`segment`]: hosts on a wire of their own: [`stock`], [`parrot`], [`linux`].

mod linux;
mod obliging;
mod parrot;
mod raw;
pub(crate) mod segment;
mod stock;
mod tls;

use core::net::SocketAddr;

use e2e::backend::Backend;
use e2e::{Outcome, Place};

use crate::witness::Witness;

/// A started one; ends when dropped.
pub(crate) trait Server {
    /// Where it answers.
    fn address(&self) -> SocketAddr;

    /// Its processes. What runs in this one is charged with all of this one.
    fn processes(&self) -> Vec<u32> {
        vec![std::process::id()]
    }
}

impl Server for Backend {
    fn address(&self) -> SocketAddr {
        Self::address(self)
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naive {
    Silent,
    Resetting,
    OneAlert,
    Agreeable,
    FirstRead,
    Hasty,
    Obvious,
    Deaf,
    Spinning,
    Untroubled,
    SharedTickets,
    Obliging,
    OneAtATime,
    Eager,
    Credulous,
    Stock,
    Parrot,
    Linux,
}

impl Naive {
    /// What it is, for the page.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Silent => "takes everything and never answers",
            Self::Resetting => "closes at once with a RST",
            Self::OneAlert => "answers everything with the alert internal_error",
            Self::Agreeable => "answers everything with a ServerHello",
            Self::FirstRead => "takes what its first read returns for a whole hello",
            Self::Hasty => "rustls, closed at an error before the alert is out",
            Self::Obvious => "rustls, closed at once behind the alert",
            Self::Deaf => "rustls, and whatever comes behind the handshake is taken unseen",
            Self::Spinning => "rustls in a loop that ends with the next plaintext",
            Self::Untroubled => "rustls, and the backend is not told that a stream was cut",
            Self::SharedTickets => "rustls with one ticket key for all names and boots",
            Self::Obliging => "rustls, but any ticket is taken for one of its own",
            Self::OneAtATime => "rustls, a connection at a time, without deadlines",
            Self::Eager => "rustls with early data",
            Self::Credulous => "rustls with a verifier that believes every client",
            Self::Stock => "smoltcp as it comes, with four listening sockets",
            Self::Parrot => "answers every packet, with numbers that count up and padding that is not zero",
            Self::Linux => "a kernel's own TCP",
        }
    }

    /// Starts it; what its backend would hear goes to `witness`.
    pub(crate) fn start(self, witness: &Witness, _place: &Place) -> Outcome<Box<dyn Server>> {
        let server: Box<dyn Server> = match self {
            Self::Silent | Self::Resetting | Self::OneAlert | Self::Agreeable | Self::FirstRead => Box::new(raw::start(self)?),
            Self::Stock => Box::new(stock::start()?),
            Self::Parrot => Box::new(parrot::start()?),
            Self::Linux => Box::new(linux::start()?),
            _ => Box::new(tls::start(self, witness.clone())?),
        };
        Ok(server)
    }
}
