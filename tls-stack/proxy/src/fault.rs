//! Why a stream does not begin with a header.

use core::fmt;

/// What is wrong, and always the sender's fault. The stream cannot be used: the text wants it aborted (sections 2.1 and 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It begins with neither version's first bytes.
    Absent,
    /// The line of version 1 does not keep the grammar, or has no end within [`LINE_LEN_MAX`](crate::limits::LINE_LEN_MAX) bytes.
    Line,
    /// A version above 2, or a command that is neither LOCAL nor PROXY.
    Command,
    /// A family or a protocol that does not exist.
    Family,
    /// A length that does not hold the addresses of its family.
    Length,
    /// A field behind the addresses that does not end where the header does, or a checksum that is none.
    Field,
    /// The checksum is another's: the header was damaged.
    Checksum,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "no PROXY header",
            Self::Line => "a PROXY line out of grammar",
            Self::Command => "an unknown PROXY version or command",
            Self::Family => "an unknown family in a PROXY header",
            Self::Length => "a PROXY header too short for its addresses",
            Self::Field => "a field of a PROXY header out of bounds",
            Self::Checksum => "a PROXY header with a wrong checksum",
        })
    }
}

impl core::error::Error for Fault {}
