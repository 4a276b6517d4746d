//! What goes wrong on the wire.

use core::fmt;
use std::io;

use super::peer::Came;

/// Whose fault it is stands in the first word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A field ends before its length.
    PeerShort,
    /// The stream ends within a record.
    PeerCut,
    /// A record does not open under the keys in use.
    PeerSealed {
        /// How many were opened before it.
        number: u64,
        /// Its outer type.
        kind: u8,
    },
    /// Something else came than what has to come here.
    PeerUnexpected(Came),
    /// A handshake message is longer than any that we wait for.
    PeerLong,
    /// A public key is none.
    PeerKey,
    /// It offers nothing that we could take.
    PeerOffer,
    /// Its Finished is wrong.
    PeerFinished,
    /// The connection failed.
    PeerGone(io::ErrorKind),
    /// Something to be sent has no form on the wire.
    OwnForm,
    /// A key or a signature could not be made.
    OwnKey,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerShort => f.write_str("a field is missing"),
            Self::PeerCut => f.write_str("the stream ends within a record"),
            Self::PeerSealed { number, kind } => write!(f, "record {number} of type {kind} does not open"),
            Self::PeerUnexpected(came) => write!(f, "{came:?} instead of a handshake message"),
            Self::PeerLong => f.write_str("a handshake message without end"),
            Self::PeerKey => f.write_str("a public key that is none"),
            Self::PeerOffer => f.write_str("it offers nothing that the judge knows"),
            Self::PeerFinished => f.write_str("a wrong Finished"),
            Self::PeerGone(kind) => write!(f, "the connection failed: {kind}"),
            Self::OwnForm => f.write_str("it does not fit a record"),
            Self::OwnKey => f.write_str("no key"),
        }
    }
}

impl core::error::Error for Fault {}

impl From<io::Error> for Fault {
    fn from(fault: io::Error) -> Self {
        Self::PeerGone(fault.kind())
    }
}
