//! Nets: where the frames of a link go to and come from.
//!
//! Two implementations: [`user::User`], whose other end are host sockets, and [`tap::Tap`], whose other end is an interface of the host's kernel.

pub mod tap;
pub mod user;

use core::net::SocketAddr;
use core::time::Duration;

use queue::{Batch, Frame};

use crate::order::Backend;
use crate::poller::{Poller, Readiness, Token};

/// One link's other end. All calls come between two turns of the guest; none blocks.
pub trait Net: core::fmt::Debug {
    /// Takes a frame that the guest sent. Its offload fields fit its length.
    fn transmit(&mut self, frame: Frame<'_>, now: Duration);

    /// Notes that a descriptor became ready.
    fn ready(&mut self, token: Token, readiness: Readiness);

    /// Moves what can be moved between this net's end of the link and the host. Says whether more could be moved at once.
    fn turn(&mut self, poller: &Poller, now: Duration) -> Progress;

    /// Fills the batch for the guest's next turn.
    fn receive(&mut self, batch: &mut Batch<'_>, now: Duration);

    /// When [`Net::turn`] wants to be called even if nothing becomes ready.
    fn deadline(&self) -> Option<Duration>;

    /// Lets the guest reach these backends from now on, and those that it could reach so far for `linger` more. Nothing on a public link.
    fn reload(&mut self, _backends: &[Backend], _linger: Duration, _now: Duration) {}

    /// Takes no new connections from now on.
    fn drain(&mut self);

    /// Where the backend really is that the guest knows under this address; `None` where nobody knows.
    fn real(&self, guest: SocketAddr) -> Option<SocketAddr>;

    /// Frames of the guest that were dropped, and by whom: its own lies, the filter, the host.
    fn dropped(&self) -> Dropped;
}

/// Whether a net has work left that needs no new event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing to do until something becomes ready.
    Idle,
    /// Its share of this turn is used up; there is more.
    More,
}

/// Frames of the guest that went nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// The egress filter refused them.
    pub filtered: u64,
    /// The host's kernel refused them.
    pub host: u64,
}

impl Dropped {
    /// Both together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.filtered.saturating_add(self.host)
    }
}
