//! One TCP connection: it reads and writes records, protected or not, and says exactly how the other side ended it.

use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use super::Fault;
use super::protection::Protection;
use super::registry::content::CHANGE_CIPHER_SPEC;

const HEADER_LEN: usize = 5;

/// See the module.
#[derive(Debug)]
pub struct Peer {
    /// For who has more to do with it than records.
    pub tcp: TcpStream,
    received: Vec<u8>,
    /// What seals our records; none until keys are agreed.
    pub sealer: Option<Protection>,
    /// What opens theirs; likewise.
    pub opener: Option<Protection>,
    /// TLS 1.2: the opener from the next ChangeCipherSpec on.
    pub awaited: Option<Protection>,
    patience: Duration,
    until: Option<Instant>,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// A record, opened if there are keys: its type and its content.
    Record(u8, Vec<u8>),
    /// FIN, and nothing before it.
    End,
    /// RST.
    Reset,
    /// Nothing, for as long as we wait.
    Silence,
}

/// A record in the clear, with the version that all have.
#[must_use]
pub fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[kind, 3, 3, high, low], content].concat()
}

impl Peer {
    /// Over a connection that is there: each read and each write may take as long as `patience`.
    ///
    /// # Errors
    /// The connection does not take its time-outs.
    pub fn over(tcp: TcpStream, patience: Duration) -> Result<Self, Fault> {
        tcp.set_nodelay(true)?;
        tcp.set_write_timeout(Some(patience))?;
        Ok(Self { tcp, received: Vec::new(), sealer: None, opener: None, awaited: None, patience, until: None })
    }

    /// From now on a read may take so long.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Nothing is read any more after that, however steadily it trickles in.
    pub fn end_at(&mut self, until: Instant) {
        self.until = Some(until);
    }

    /// Writes. A peer that is gone is found out by who reads.
    pub fn write(&mut self, bytes: &[u8]) {
        let _ = self.tcp.write_all(bytes);
    }

    /// Writes one record, sealed if there are keys.
    ///
    /// # Errors
    /// [`Fault::OwnForm`]: it is too long for a record.
    pub fn send(&mut self, kind: u8, content: &[u8]) -> Result<(), Fault> {
        let bytes = match &mut self.sealer {
            Some(sealer) => sealer.seal(kind, content)?,
            None => record(kind, content),
        };
        self.write(&bytes);
        Ok(())
    }

    /// Ends our direction.
    pub fn finish(&self) {
        let _ = self.tcp.shutdown(Shutdown::Write);
    }

    /// The next record, or the end.
    ///
    /// # Errors
    /// The stream ends within a record, or a record does not open.
    pub fn hear(&mut self) -> Result<Came, Fault> {
        loop {
            if let Some(record) = self.take_record() {
                return self.open(record);
            }
            let mut part = [0; 4096];
            match self.read(&mut part) {
                Ok(0) if self.received.is_empty() => return Ok(Came::End),
                Ok(0) => return Err(Fault::PeerCut),
                Ok(len) => self.received.extend_from_slice(part.get(..len).unwrap_or_default()),
                Err(fault) if fault.kind() == io::ErrorKind::ConnectionReset => return Ok(Came::Reset),
                Err(fault) if matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => return Ok(Came::Silence),
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    fn read(&mut self, part: &mut [u8]) -> io::Result<usize> {
        let left = self.until.map_or(self.patience, |until| until.saturating_duration_since(Instant::now()).min(self.patience));
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.tcp.set_read_timeout(Some(left))?;
        self.tcp.read(part)
    }

    fn take_record(&mut self) -> Option<Vec<u8>> {
        let [_, _, _, high, low] = *self.received.first_chunk::<HEADER_LEN>()?;
        let len = HEADER_LEN + usize::from(u16::from_be_bytes([high, low]));
        (self.received.len() >= len).then(|| self.received.drain(..len).collect())
    }

    fn open(&mut self, mut record: Vec<u8>) -> Result<Came, Fault> {
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
}
