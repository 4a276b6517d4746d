//! One TCP connection of an attacker: it reads and writes records, protected or not, and says exactly how the other side ended it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use e2e::{Outcome, ensure};

use super::alert::{CLOSE_NOTIFY, FATAL};
use super::protection::Protection;
use crate::target::Target;

/// Content types (RFC 8446 section 5.1).
pub(crate) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(crate) const ALERT: u8 = 21;
pub(crate) const HANDSHAKE: u8 = 22;
pub(crate) const DATA: u8 = 23;

const HEADER_LEN: usize = 5;

/// See the module.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) tcp: TcpStream,
    received: Vec<u8>,
    /// Both are none until keys are agreed.
    pub(crate) sealer: Option<Protection>,
    pub(crate) opener: Option<Protection>,
    /// TLS 1.2: the opener from the next ChangeCipherSpec on.
    pub(crate) awaited: Option<Protection>,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Came {
    /// A record, opened if there are keys: its type and its content.
    Record(u8, Vec<u8>),
    /// FIN, and nothing before it.
    End,
    Reset,
    Silence,
}

/// A record in the clear, with the version that all have.
pub(crate) fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[kind, 3, 3, high, low], content].concat()
}

impl Peer {
    /// Connects.
    pub(crate) fn connect(target: &Target) -> Outcome<Self> {
        let tcp = TcpStream::connect_timeout(&target.address(), target.patience())?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(target.patience()))?;
        tcp.set_write_timeout(Some(target.patience()))?;
        Ok(Self { tcp, received: Vec::new(), sealer: None, opener: None, awaited: None })
    }

    /// Writes. A peer that is gone is found out by who reads.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self.tcp.write_all(bytes);
    }

    /// Writes one record, sealed if there are keys.
    pub(crate) fn send(&mut self, kind: u8, content: &[u8]) -> Outcome {
        let bytes = match &mut self.sealer {
            Some(sealer) => sealer.seal(kind, content)?,
            None => record(kind, content),
        };
        self.write(&bytes);
        Ok(())
    }

    /// Ends our direction.
    pub(crate) fn finish(&self) {
        let _ = self.tcp.shutdown(Shutdown::Write);
    }

    /// The next record, or the end.
    pub(crate) fn next(&mut self) -> Outcome<Came> {
        loop {
            if let Some(record) = self.take_record() {
                return self.open(record);
            }
            let mut part = [0; 4096];
            match self.tcp.read(&mut part) {
                Ok(0) if self.received.is_empty() => return Ok(Came::End),
                Ok(0) => return Err(format!("the stream ends within a record: {:02x?}", self.received).into()),
                Ok(len) => self.received.extend_from_slice(part.get(..len).unwrap_or_default()),
                Err(fault) if fault.kind() == io::ErrorKind::ConnectionReset => return Ok(Came::Reset),
                Err(fault) if matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => return Ok(Came::Silence),
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    fn take_record(&mut self) -> Option<Vec<u8>> {
        let [_, _, _, high, low] = *self.received.first_chunk::<HEADER_LEN>()?;
        let len = HEADER_LEN + usize::from(u16::from_be_bytes([high, low]));
        (self.received.len() >= len).then(|| self.received.drain(..len).collect())
    }

    fn open(&mut self, mut record: Vec<u8>) -> Outcome<Came> {
        let kind = record.first().copied().unwrap_or_default();
        if kind == CHANGE_CIPHER_SPEC && self.awaited.is_some() {
            self.opener = self.awaited.take();
        }
        let Some(opener) = self.opener.as_mut().filter(|opener| opener.covers(kind)) else {
            return Ok(Came::Record(kind, record.split_off(HEADER_LEN)));
        };
        let (kind, content) = opener.open(&record)?;
        Ok(Came::Record(kind, content))
    }

    /// Reads to the end, which must be one of these alerts, fatal, and behind it an orderly end: no reset that could have destroyed it.
    pub(crate) fn is_told(&mut self, wanted: &[u8]) -> Outcome {
        loop {
            match self.next()? {
                Came::Record(ALERT, content) => {
                    ensure(matches!(*content, [FATAL, told] if wanted.contains(&told)), format!("told {content:?}, not {wanted:?}"))?;
                    break;
                }
                Came::Record(HANDSHAKE | CHANGE_CIPHER_SPEC, _) => {}
                other => return Err(format!("{other:?} instead of an alert of {wanted:?}").into()),
            }
        }
        let end = self.next()?;
        ensure(end == Came::End, format!("{end:?} behind the alert instead of the end"))
    }

    /// Reads to the end, which must come without an alert of a fault, and in order.
    pub(crate) fn is_left(&mut self) -> Outcome {
        loop {
            match self.next()? {
                Came::Record(HANDSHAKE | CHANGE_CIPHER_SPEC, _) => {}
                Came::Record(ALERT, content) if content.last() == Some(&CLOSE_NOTIFY) => {}
                Came::End => return Ok(()),
                other => return Err(format!("{other:?} instead of the end").into()),
            }
        }
    }
}
