//! Version 2: a binary block (section 2.2). Its fields are stepped over one byte at a time, so that nothing of them need be kept.

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use heapless::Vec;

use crate::checksum::Checksum;
use crate::limits::{FIXED_LEN, V4_LEN, V6_LEN};
use crate::tlv::kind::CRC32C;
use crate::{Addresses, Fault, Header};

/// What every block begins with.
pub(crate) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Version 2 in the upper half, the command in the lower.
pub(crate) const LOCAL: u8 = 0x20;
/// See [`LOCAL`].
pub(crate) const PROXY: u8 = 0x21;

/// The family in the upper half, a stream in the lower.
pub(crate) const TCP4: u8 = 0x11;
/// See [`TCP4`].
pub(crate) const TCP6: u8 = 0x21;

const CHECKSUM_LEN: u16 = 4;

/// The block behind its first 16 bytes.
#[derive(Debug)]
pub(crate) struct Block {
    meaning: Meaning,
    /// Bytes to come.
    rest: u16,
}

#[derive(Debug)]
enum Meaning {
    /// Read over: what it says is of no use here (LOCAL, UNSPEC, datagrams, Unix sockets).
    None,
    Addresses(Family, Vec<u8, V6_LEN>, Checksum),
    Fields(Addresses, Fields),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// The fields so far.
#[derive(Debug)]
struct Fields {
    at: At,
    /// What the sender says it is.
    claimed: Option<u32>,
    checksum: Checksum,
}

/// Where in a field the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Kind,
    LenHigh(u8),
    LenLow(u8, u8),
    /// So many bytes of the value are to come.
    Value(u8, u16),
}

/// What the first 16 bytes lead to.
#[derive(Debug)]
pub(crate) enum Begun {
    /// They are the header.
    Whole(Header),
    /// More follows.
    Part(Block),
}

/// Judges the first 16 bytes.
pub(crate) fn begin(fixed: [u8; FIXED_LEN]) -> Result<Begun, Fault> {
    let [.., command, family, high, low] = fixed;
    let rest = u16::from_be_bytes([high, low]);
    let family = match command {
        LOCAL => None,
        PROXY => stream_family(family)?,
        _ => return Err(Fault::Command),
    };
    let meaning = match family {
        // The family of a LOCAL header is ignored, and all that follows is skipped.
        None if rest == 0 => return Ok(Begun::Whole(Header::Own)),
        None => Meaning::None,
        Some(family) if usize::from(rest) < family.len() => return Err(Fault::Length),
        Some(family) => {
            let mut checksum = Checksum::new();
            checksum.update(&fixed);
            Meaning::Addresses(family, Vec::new(), checksum)
        }
    };
    Ok(Begun::Part(Block { meaning, rest }))
}

/// Whose addresses follow; none for what exists and is not TCP.
fn stream_family(byte: u8) -> Result<Option<Family>, Fault> {
    match byte {
        TCP4 => Ok(Some(Family::V4)),
        TCP6 => Ok(Some(Family::V6)),
        _ if byte >> 4 <= 3 && byte & 15 <= 2 => Ok(None),
        _ => Err(Fault::Family),
    }
}

impl Block {
    /// Takes a byte; the header once it is the last.
    pub(crate) fn push(&mut self, byte: u8) -> Result<Option<Header>, Fault> {
        self.rest = self.rest.saturating_sub(1);
        match &mut self.meaning {
            Meaning::None => {}
            Meaning::Addresses(family, bytes, checksum) => {
                checksum.update(&[byte]);
                // There is room: it is as long as the longest.
                let _ = bytes.push(byte);
                if let Some(addresses) = family.read(bytes) {
                    self.meaning = Meaning::Fields(addresses, Fields { at: At::Kind, claimed: None, checksum: checksum.clone() });
                }
            }
            Meaning::Fields(_, fields) => fields.push(byte, self.rest)?,
        }
        if self.rest == 0 { self.end().map(Some) } else { Ok(None) }
    }

    fn end(&self) -> Result<Header, Fault> {
        match &self.meaning {
            Meaning::None => Ok(Header::Own),
            Meaning::Addresses(..) => Err(Fault::Length),
            Meaning::Fields(addresses, fields) => fields.end().map(|()| Header::Client(*addresses)),
        }
    }
}

impl Family {
    fn len(self) -> usize {
        match self {
            Self::V4 => V4_LEN,
            Self::V6 => V6_LEN,
        }
    }

    /// The addresses, once all bytes of them are there.
    fn read(self, bytes: &[u8]) -> Option<Addresses> {
        let port = |at: usize| Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        let v4 = |at: usize| Some(Ipv4Addr::from(*bytes.get(at..)?.first_chunk::<4>()?));
        let v6 = |at: usize| Some(Ipv6Addr::from(*bytes.get(at..)?.first_chunk::<16>()?));
        let (source, destination) = match self {
            Self::V4 => (SocketAddr::new(v4(0)?.into(), port(8)?), SocketAddr::new(v4(4)?.into(), port(10)?)),
            Self::V6 => (SocketAddr::new(v6(0)?.into(), port(32)?), SocketAddr::new(v6(16)?.into(), port(34)?)),
        };
        Some(Addresses::new(source, destination))
    }
}

impl Fields {
    /// Takes a byte, behind which `rest` bytes of the header are to come.
    fn push(&mut self, byte: u8, rest: u16) -> Result<(), Fault> {
        let is_checksum = matches!(self.at, At::Value(CRC32C, _));
        self.checksum.update(&[if is_checksum { 0 } else { byte }]);
        self.at = match self.at {
            At::Kind => At::LenHigh(byte),
            At::LenHigh(kind) => At::LenLow(kind, byte),
            At::LenLow(kind, high) => self.begin_value(kind, u16::from_be_bytes([high, byte]), rest)?,
            At::Value(kind, left) => {
                if is_checksum {
                    self.claimed = self.claimed.map(|claimed| claimed << 8 | u32::from(byte));
                }
                if left > 1 { At::Value(kind, left.saturating_sub(1)) } else { At::Kind }
            }
        };
        Ok(())
    }

    fn begin_value(&mut self, kind: u8, len: u16, rest: u16) -> Result<At, Fault> {
        let is_sound = len <= rest && (kind != CRC32C || (len == CHECKSUM_LEN && self.claimed.is_none()));
        if !is_sound {
            return Err(Fault::Field);
        }
        if kind == CRC32C {
            self.claimed = Some(0);
        }
        Ok(if len == 0 { At::Kind } else { At::Value(kind, len) })
    }

    fn end(&self) -> Result<(), Fault> {
        match self.claimed {
            _ if self.at != At::Kind => Err(Fault::Field),
            Some(claimed) if claimed != self.checksum.clone().finish() => Err(Fault::Checksum),
            _ => Ok(()),
        }
    }
}
