//! One handshake message out of the first records of a stream.

use alloc::vec::Vec;

use super::Cuts;
use crate::limits::{HELLO_LEN_MAX, HELLO_RECORD_LEN_MAX, RECORD_HEADER_LEN};
use crate::{Alert, Fault, Foreign};

const MAJOR: u8 = 3;
const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const CLIENT_HELLO: u8 = 1;
const MESSAGE_HEADER_LEN: usize = 4;

/// Collects the first handshake message of a stream, byte by byte if it must.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    header: heapless::Vec<u8, RECORD_HEADER_LEN>,
    /// What the current record still owes.
    record_rest: usize,
    /// The current record holds an alert, not a part of the hello.
    in_alert: bool,
    alert: heapless::Vec<u8, 2>,
    message: Vec<u8>,
    /// How the message was cut, for those who pass it on.
    cuts: Cuts,
}

/// How far the hello has come.
#[derive(Debug)]
pub(crate) enum Step {
    /// All bytes were taken, and more are needed.
    More,
    /// The message is whole; bytes behind it were not taken.
    Whole(Vec<u8>, Cuts),
}

impl Assembler {
    /// Takes bytes up to the end of the hello; returns how many, and what came of it.
    ///
    /// # Errors
    /// Anything but a handshake record that carries a ClientHello within bounds.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> (usize, Result<Step, Fault>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = if self.record_rest == 0 { self.take_header(rest) } else { self.take_fragment(rest) };
            let taken = match taken {
                Ok(taken) => taken,
                Err(fault) => return (bytes.len(), Err(fault)),
            };
            rest = rest.get(taken..).unwrap_or_default();
            if self.is_whole() {
                let whole = Step::Whole(core::mem::take(&mut self.message), core::mem::take(&mut self.cuts));
                return (bytes.len() - rest.len(), Ok(whole));
            }
        }
        (bytes.len(), Ok(Step::More))
    }

    fn take_header(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let Some(&byte) = bytes.first() else { return Ok(0) };
        if self.header.is_full() {
            self.header.clear();
        }
        // There is room: a full header was cleared just now.
        let _ = self.header.push(byte);
        match *self.header.as_slice() {
            [kind] if self.message.is_empty() => not_tls(kind, MAJOR).map_or(Ok(()), Err)?,
            [_, major] => not_tls(HANDSHAKE, major).map_or(Ok(()), Err)?,
            [kind, _, minor, high, low] => {
                let len = u16::from_be_bytes([high, low]);
                self.begin_record(kind, usize::from(len))?;
                self.cuts.push(minor, len);
            }
            _ => {}
        }
        Ok(1)
    }

    fn begin_record(&mut self, kind: u8, len: usize) -> Result<(), Fault> {
        self.in_alert = kind == ALERT;
        self.record_rest = len;
        match (kind, len) {
            // RFC 8446 §5.1: no empty fragments of handshake messages, and nothing between the fragments of one.
            (HANDSHAKE, 1..=HELLO_RECORD_LEN_MAX) | (ALERT, 2) => Ok(()),
            (HANDSHAKE | ALERT, len) if len > HELLO_RECORD_LEN_MAX => Err(Fault::Peer(Alert::RECORD_OVERFLOW)),
            (ALERT, _) => Err(Fault::Peer(Alert::DECODE_ERROR)),
            _ => Err(Fault::Peer(Alert::UNEXPECTED_MESSAGE)),
        }
    }

    fn take_fragment(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let fragment = bytes.get(..bytes.len().min(self.record_rest)).unwrap_or_default();
        if self.in_alert {
            self.take_alert(fragment)?;
        } else {
            self.take_part(fragment)?;
        }
        self.record_rest -= fragment.len();
        Ok(fragment.len())
    }

    /// Keeps a part of the hello, once the length that the hello claims is known to be in bounds.
    fn take_part(&mut self, fragment: &[u8]) -> Result<(), Fault> {
        let mut header: heapless::Vec<u8, MESSAGE_HEADER_LEN> = heapless::Vec::new();
        header.extend(self.message.iter().chain(fragment).copied().take(MESSAGE_HEADER_LEN));
        // RFC 8446 §5.1: the ClientHello stands right before a key change, so its record ends with it.
        if claimed_len(&header)?.is_some_and(|claimed| self.message.len() + self.record_rest > claimed) {
            return Err(Fault::Peer(Alert::UNEXPECTED_MESSAGE));
        }
        self.message.extend_from_slice(fragment);
        Ok(())
    }

    fn take_alert(&mut self, fragment: &[u8]) -> Result<(), Fault> {
        self.alert.extend(fragment.iter().copied().take(2));
        match *self.alert.as_slice() {
            // Whatever a client warns of before its hello, there is no connection to go on with.
            [_, description] => Err(Fault::PeerAlert(Alert(description))),
            _ => Ok(()),
        }
    }

    fn is_whole(&self) -> bool {
        self.record_rest == 0 && matches!(claimed_len(&self.message), Ok(Some(claimed)) if self.message.len() == claimed)
    }
}

/// The length that a message claims, header included, once its header is there.
fn claimed_len(message: &[u8]) -> Result<Option<usize>, Fault> {
    match *message {
        [kind, ..] if kind != CLIENT_HELLO => Err(Fault::Peer(Alert::UNEXPECTED_MESSAGE)),
        [_, high, mid, low, ..] => {
            let claimed = MESSAGE_HEADER_LEN + ((usize::from(high) << 16) | (usize::from(mid) << 8) | usize::from(low));
            if claimed > HELLO_LEN_MAX { Err(Fault::Peer(Alert::ILLEGAL_PARAMETER)) } else { Ok(Some(claimed)) }
        }
        _ => Ok(None),
    }
}

/// What the first two bytes of a stream tell, if they are no TLS record's.
pub(crate) fn not_tls(kind: u8, major: u8) -> Option<Fault> {
    match kind {
        20..=24 => (major != MAJOR).then_some(Fault::PeerNotTls(Foreign::Unknown, Alert::PROTOCOL_VERSION)),
        _ => Some(foreign(kind)),
    }
}

/// What the first byte of a stream tells when it is no TLS record's.
fn foreign(byte: u8) -> Fault {
    match byte {
        // The two-byte header of an SSL 2.0 record has its top bit set.
        0x80.. => Fault::PeerNotTls(Foreign::Ssl2, Alert::PROTOCOL_VERSION),
        b'A'..=b'Z' => Fault::PeerNotTls(Foreign::Http, Alert::UNEXPECTED_MESSAGE),
        // RFC 8446 §5: an unexpected record type.
        _ => Fault::PeerNotTls(Foreign::Unknown, Alert::UNEXPECTED_MESSAGE),
    }
}
