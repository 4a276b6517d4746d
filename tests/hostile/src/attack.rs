//! An attack: what it is, who stops it, and what it succeeds against.

use core::fmt;
use std::sync::Arc;

use e2e::{Net, Outcome};

use crate::naive::Naive;
use crate::set_up::SetUp;
use crate::target::Target;

/// One attack. Its function does not know whether it meets the box or something naive; it returns an error when it has got what it wanted, or when it was
/// not answered as a hardened endpoint answers.
pub(crate) struct Attack {
    /// A behaviour of the box, as a test's name.
    pub(crate) name: String,
    /// The row of the list of attacks: see [`ROWS`](crate::rows::ROWS).
    pub(crate) row: &'static str,
    /// What the attacker does, in a line.
    pub(crate) does: String,
    /// Who stops it.
    pub(crate) layer: Layer,
    /// Where it succeeds.
    pub(crate) naive: Naive,
    /// Part of the short profile.
    pub(crate) short: bool,
    pub(crate) run: Run,
}

/// See [`Attack`].
pub(crate) type Run = Arc<dyn Fn(&Target) -> Outcome + Send + Sync>;

/// The layers that stop attacks, from the wire inwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// Link and IP: what is not for us, or not whole, goes no further.
    Link,
    /// Answers SYNs, pings and strays without state.
    Doorman,
    /// RFC 5961's checks before a segment reaches a flow.
    Guard,
    /// smoltcp's state machine, one flow each.
    Flow,
    /// Limits, deadlines and displacement.
    Admission,
    /// The ClientHello, looked at before any configuration.
    Hello,
    /// rustls, fed one record at a time.
    Rustls,
    /// Records of an established session.
    Traffic,
    /// Clients' certificates, within a budget.
    Clients,
    /// Session tickets.
    Tickets,
    /// Bytes between client and backend, and how both ends are told of the end.
    Terminator,
    /// A closed flow that is kept until the peer has heard why.
    Closing,
    /// The jailed process of a cell, and the machine that it runs.
    Tender,
    /// The guest's own code.
    Image,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "net: link",
            Self::Doorman => "net: doorman",
            Self::Guard => "net: guard (RFC 5961)",
            Self::Flow => "smoltcp flow",
            Self::Admission => "appliance: admission",
            Self::Hello => "tls: hello",
            Self::Rustls => "rustls",
            Self::Traffic => "tls: traffic",
            Self::Clients => "tls: clients (webpki, metered)",
            Self::Tickets => "tls: ticketer",
            Self::Terminator => "appliance: terminator",
            Self::Closing => "net: closing",
            Self::Tender => "tender and machine",
            Self::Image => "guest",
        })
    }
}

impl Attack {
    /// An attack that both profiles run.
    pub(crate) fn new(
        row: &'static str,
        name: impl Into<String>,
        does: impl Into<String>,
        layer: Layer,
        naive: Naive,
        run: impl Fn(&Target) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), row, does: does.into(), layer, naive, short: true, run: Arc::new(run) }
    }

    /// Left out of the short profile.
    pub(crate) fn long(mut self) -> Self {
        self.short = false;
        self
    }
}

/// Attacks that share a box.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// Over which net; with a TAP everything runs in a network namespace of its own.
    pub(crate) net: Net,
    /// Makes the box's configuration and what stands behind it.
    pub(crate) set_up: fn() -> Outcome<SetUp>,
    pub(crate) attacks: Vec<Attack>,
}

/// How much of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Short,
    Full,
}

impl Profile {
    pub(crate) fn runs(self, attack: &Attack) -> bool {
        self == Self::Full || attack.short
    }

    /// One number or the other.
    pub(crate) fn choose<T>(self, short: T, full: T) -> T {
        match self {
            Self::Short => short,
            Self::Full => full,
        }
    }
}
