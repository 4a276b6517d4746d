//! The three doors behind which the prize lies, and whose certificate comes from whom.
//!
//! The authorities are crossed on purpose: what the box shows as server was signed by the authority that the reverse door asks for, and the other way round, so that a bridge between the two
//! lets the box talk to itself.

use core::fmt;

/// A door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DoorName {
    /// The box is a TLS server.
    Server,
    /// The box is a TLS client on a connection that it makes to whoever knocked.
    CallBack,
    /// The box is a TLS client on the connection that it was given.
    Reverse,
}

impl DoorName {
    /// All of them, in the order in which everything about them is kept.
    pub const ALL: [Self; 3] = [Self::Server, Self::CallBack, Self::Reverse];

    /// Its word in files' names and texts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::CallBack => "call-back",
            Self::Reverse => "reverse",
        }
    }

    /// The name that a peer's certificate must hold.
    #[must_use]
    pub const fn peer(self) -> &'static str {
        match self {
            Self::Server => "peer.server.bountybox",
            Self::CallBack => "peer.call-back.bountybox",
            Self::Reverse => "peer.reverse.bountybox",
        }
    }

    /// The name in the certificate that the box itself shows here. At the call-back's door it is nobody's that the box would let in.
    #[must_use]
    pub const fn own(self) -> &'static str {
        match self {
            Self::Server | Self::Reverse => self.issuer().peer(),
            Self::CallBack => "box.call-back.bountybox",
        }
    }

    /// Whose authority signs the certificate that the box shows here.
    #[must_use]
    pub const fn issuer(self) -> Self {
        match self {
            Self::Server => Self::Reverse,
            Self::CallBack => Self::CallBack,
            Self::Reverse => Self::Server,
        }
    }
}

impl fmt::Display for DoorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One thing for each door.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PerDoor<T> {
    /// Of the server's door.
    pub server: T,
    /// Of the call-back's.
    pub call_back: T,
    /// Of the reverse one.
    pub reverse: T,
}

impl<T> PerDoor<T> {
    /// Makes one for each, in the order of [`DoorName::ALL`].
    ///
    /// # Errors
    /// The first that was not made.
    pub fn try_make<E>(mut make: impl FnMut(DoorName) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self { server: make(DoorName::Server)?, call_back: make(DoorName::CallBack)?, reverse: make(DoorName::Reverse)? })
    }

    /// That of a door.
    pub const fn of(&self, door: DoorName) -> &T {
        match door {
            DoorName::Server => &self.server,
            DoorName::CallBack => &self.call_back,
            DoorName::Reverse => &self.reverse,
        }
    }
}
