//! Bytes of a stream as TLS records (RFC 8446 section 5.1). Of application data, which nobody here can read, nothing is kept but its length.

use misbehave::wire::registry::content::{CHANGE_CIPHER_SPEC, DATA};

use crate::limits::RECORD_LEN_MAX;

/// A whole record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) kind: u8,
    pub(crate) len: usize,
    /// Empty where it is application data.
    pub(crate) body: &'a [u8],
}

/// Why a stream has no more records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// What stands there is no record of TLS.
    NotTls,
    /// It claims to be longer than any record may be.
    TooLong,
}

/// Cuts a stream into records.
#[derive(Debug, Default)]
pub(crate) struct Records {
    header: Vec<u8>,
    body: Vec<u8>,
    /// Bytes of the record that have come, its header left out.
    come: usize,
}

const HEADER_LEN: usize = 5;
const MAJOR: u8 = 3;

impl Records {
    /// Takes bytes; `deliver` gets each record that is whole.
    pub(crate) fn receive(&mut self, mut bytes: &[u8], mut deliver: impl FnMut(Record<'_>)) -> Result<(), Broken> {
        // Each turn takes a byte at least, or ends a record.
        loop {
            let missing = HEADER_LEN.saturating_sub(self.header.len()).min(bytes.len());
            let (head, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
            self.header.extend_from_slice(head);
            bytes = rest;
            let Some((kind, len)) = self.claimed()? else { return Ok(()) };
            let (body, rest) = bytes.split_at_checked(len.saturating_sub(self.come)).unwrap_or((bytes, &[]));
            bytes = rest;
            self.come = self.come.saturating_add(body.len());
            if kind != DATA {
                self.body.extend_from_slice(body);
            }
            if self.come < len {
                return Ok(());
            }
            deliver(Record { kind, len, body: &self.body });
            *self = Self::default();
        }
    }

    /// Whether a record has begun and not ended.
    pub(crate) fn is_within(&self) -> bool {
        !self.header.is_empty()
    }

    /// Bytes of memory that it holds.
    pub(crate) fn kept_len(&self) -> usize {
        self.body.capacity()
    }

    /// Type and length, once the header is whole. A first byte that is none is told at once.
    fn claimed(&self) -> Result<Option<(u8, usize)>, Broken> {
        if self.header.first().is_some_and(|kind| !(CHANGE_CIPHER_SPEC..=DATA).contains(kind)) {
            return Err(Broken::NotTls);
        }
        let [kind, major, _, high, low] = self.header[..] else { return Ok(None) };
        let len = usize::from(u16::from_be_bytes([high, low]));
        match (major, len) {
            (MAJOR, 0..=RECORD_LEN_MAX) => Ok(Some((kind, len))),
            (MAJOR, _) => Err(Broken::TooLong),
            _ => Err(Broken::NotTls),
        }
    }
}
