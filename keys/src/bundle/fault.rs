//! Why a bundle was refused.

use core::fmt;

/// Why a bundle was refused. An index says which of several it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleFault {
    /// Longer than [`BUNDLE_LEN_MAX`](crate::limits::BUNDLE_LEN_MAX).
    LimitLength,
    /// Made by another build.
    Version,
    /// Not a bundle, or cut off.
    Encoding,
    /// More bytes than a bundle.
    Trailing,
    /// A link without, or with too many, or with impossible addresses, gateways, MAC or MTU.
    Link,
    /// No listeners, too many, twice the same, port 0, an address that the front link has not, or impossible front ends.
    Listener(usize),
    /// No certificates, too many, an empty chain or key, one too long, or a name that is none.
    Certificate(usize),
    /// No routes or too many; a name that is none or stands twice; a second default; no or a wrong certificate or backend; client
    /// certificates, upstream or check out of bounds.
    Route(usize),
    /// A protocol's name that is empty or too long, or too many of them.
    Alpn,
    /// Revocation lists that are too long together.
    RevocationLists,
    /// Tickets that live too long, a rotation that never comes or comes too late, or a shared key of the wrong length.
    Tickets,
    /// No suites or groups, one that is unknown or there twice, or none that works with a version that is spoken.
    Suites,
    /// A limit that is zero or beyond reason.
    Limits,
    /// More connections or handshakes than the memory holds.
    Memory,
    /// A contest without prize or doors, a flag twice or of the wrong length, or a door without its listener, certificate, authority or name.
    Contest,
}

impl fmt::Display for BundleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LimitLength => f.write_str("the bundle is too long"),
            Self::Version => f.write_str("the bundle was made by another build"),
            Self::Encoding => f.write_str("the bundle is damaged"),
            Self::Trailing => f.write_str("the bundle has bytes behind its end"),
            Self::Link => f.write_str("a link of the bundle has impossible addresses, gateways, MAC or MTU"),
            Self::Listener(index) => write!(f, "listener {index} of the bundle is missing, impossible or there twice"),
            Self::Certificate(index) => {
                write!(f, "certificate {index} of the bundle is missing, empty, too long or has an impossible name")
            }
            Self::Route(index) => write!(f, "route {index} of the bundle is missing, impossible, or takes another's name"),
            Self::Alpn => f.write_str("an ALPN list of the bundle is too long or has an impossible name"),
            Self::RevocationLists => f.write_str("the revocation lists of the bundle are too long together"),
            Self::Tickets => f.write_str("the tickets of the bundle live too long, or their keys are impossible"),
            Self::Suites => f.write_str("the bundle has no cipher suites or groups, or impossible ones"),
            Self::Memory => f.write_str("the bundle allows more connections or handshakes than its memory holds"),
            Self::Contest => f.write_str("the contest of the bundle lacks a prize, a flag, or what a door needs"),
            Self::Limits => f.write_str("a limit of the bundle is zero or beyond reason"),
        }
    }
}

impl core::error::Error for BundleFault {}
