//! The handshake: rustls' unbuffered connection, fed one record at a time.
//!
//! This file alone knows that interface. Records are fed singly so that the handshake ends exactly at a record's end: what follows is opened by
//! [`Traffic`], and all that rustls held for the handshake is given back.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, UnbufferedStatus};
use rustls::{AlertDescription, Error, HandshakeKind, ProtocolVersion};

use crate::limits::HANDSHAKE_INPUT_LEN_MAX;
use crate::outbox::Outbox;
use crate::record::content;
use crate::traffic::Traffic;
use crate::{Alert, Config, Fault, Summary, Version};

/// A handshake in progress.
pub(crate) struct Handshake {
    connection: UnbufferedServerConnection,
    /// Records that rustls has not let go of: the start of a message whose end has not come.
    input: Vec<u8>,
}

/// Whether more records are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Waiting,
    Done,
}

impl Handshake {
    /// # Errors
    /// [`Fault::Internal`] if rustls refuses the configuration.
    pub(crate) fn new(config: &Config) -> Result<Self, Fault> {
        let connection = UnbufferedServerConnection::new(Arc::clone(&config.0)).map_err(|_| Fault::Internal)?;
        Ok(Self { connection, input: Vec::new() })
    }

    /// Feeds a ClientHello, which becomes one record again however it was cut.
    pub(crate) fn receive_hello(&mut self, message: &[u8], out: &mut Outbox) -> Result<Progress, Fault> {
        let len = u16::try_from(message.len()).map_err(|_| Fault::Internal)?;
        let [high, low] = len.to_be_bytes();
        self.input = [&[content::HANDSHAKE, 3, 3, high, low], message].concat();
        self.process(out)
    }

    /// Feeds one whole record. Flights and alerts go to `out`.
    ///
    /// # Errors
    /// The handshake has failed; the alert, if one can be sent, is in `out`.
    pub(crate) fn receive(&mut self, record: &[u8], out: &mut Outbox) -> Result<Progress, Fault> {
        if self.input.len().saturating_add(record.len()) > HANDSHAKE_INPUT_LEN_MAX {
            return Err(self.end(None, Alert::ILLEGAL_PARAMETER, out));
        }
        self.input.extend_from_slice(record);
        self.process(out)
    }

    fn process(&mut self, out: &mut Outbox) -> Result<Progress, Fault> {
        loop {
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(&mut self.input);
            let more = match state {
                Ok(ConnectionState::EncodeTlsData(flight)) => encode(flight, out).map(|()| true),
                Ok(ConnectionState::TransmitTlsData(flight)) => {
                    flight.done();
                    Ok(true)
                }
                Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => Ok(false),
                // Data or closure within the handshake: rustls refuses both before it would come to this.
                Ok(_) => Err(Error::HandshakeNotComplete),
                Err(error) => Err(error),
            };
            self.input.drain(..discard.min(self.input.len()));
            match more {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(self.fail(&error, out)),
            }
        }
        if self.input.is_empty() {
            self.input = Vec::new();
        }
        Ok(if self.connection.is_handshaking() { Progress::Waiting } else { Progress::Done })
    }

    /// Lets rustls say its alert, and tells which one it was.
    fn fail(&mut self, error: &Error, out: &mut Outbox) -> Fault {
        if let Error::AlertReceived(description) = error {
            return Fault::PeerAlert(Alert(u8::from(*description)));
        }
        self.input.clear();
        let before = out.due().len();
        while let Ok(ConnectionState::EncodeTlsData(flight)) = self.connection.process_tls_records(&mut []).state {
            if encode(flight, out).is_err() {
                break;
            }
        }
        let said = out.due().get(before..).filter(|said| !said.is_empty()).map(plain_alert);
        self.end(said, alert_of(error), out)
    }

    /// Ends with the alert that rustls `said` (some: it did; some none: under keys). If it said nothing, ours is queued where no keys are in use yet.
    fn end(&self, said: Option<Option<Alert>>, ours: Alert, out: &mut Outbox) -> Fault {
        let encrypting = self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        if said.is_none() && !encrypting {
            out.push(&ours.plain_record());
        }
        match said.flatten().unwrap_or(ours) {
            Alert::INTERNAL_ERROR => Fault::Internal,
            alert => Fault::Peer(alert),
        }
    }

    /// Gives up: queues `alert` in the clear as long as that is what the peer expects. Under the keys of a TLS 1.3 handshake rustls lets nobody but
    /// itself speak, so there the peer sees the end of the stream alone.
    pub(crate) fn give_up(&self, alert: Alert, out: &mut Outbox) {
        if self.connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            out.push(&alert.plain_record());
        }
    }

    /// Ends the handshake: what was agreed, and the keys.
    ///
    /// # Errors
    /// [`Fault::Internal`] if the handshake was not done.
    pub(crate) fn finish(self) -> Result<(Box<Summary>, Box<Traffic>), Fault> {
        let summary = self.summary()?;
        let (secrets, kernel) = self.connection.dangerous_into_kernel_connection().map_err(|_| Fault::Internal)?;
        let traffic = Traffic::new(summary.version, &secrets, kernel).ok_or(Fault::Internal)?;
        Ok((Box::new(summary), Box::new(traffic)))
    }

    fn summary(&self) -> Result<Summary, Fault> {
        let version = match self.connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => Version::Tls13,
            Some(ProtocolVersion::TLSv1_2) => Version::Tls12,
            _ => return Err(Fault::Internal),
        };
        let kind = self.connection.handshake_kind();
        Ok(Summary {
            version,
            suite: self.connection.negotiated_cipher_suite().map(|suite| u16::from(suite.suite())).ok_or(Fault::Internal)?,
            group: self.connection.negotiated_key_exchange_group().map(|group| u16::from(group.name())),
            alpn: self.connection.alpn_protocol().map(<[u8]>::to_vec),
            server_name: None,
            resumed: kind == Some(HandshakeKind::Resumed),
            retried: kind == Some(HandshakeKind::FullWithHelloRetryRequest),
        })
    }
}

impl core::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Handshake").field("input", &self.input.len()).finish_non_exhaustive()
    }
}

fn encode<D>(mut flight: EncodeTlsData<'_, D>, out: &mut Outbox) -> Result<(), Error> {
    let len = match flight.encode(&mut []) {
        Err(EncodeError::InsufficientSize(needed)) => needed.required_size,
        Ok(_) | Err(EncodeError::AlreadyEncoded) => return Ok(()),
    };
    out.push_with(len, |buf| flight.encode(buf)).map_err(|_| Error::General("a flight changed its size".into()))
}

/// The alert in a record in the clear.
fn plain_alert(record: &[u8]) -> Option<Alert> {
    match *record {
        [content::ALERT, _, _, 0, 2, _, description] => Some(Alert(description)),
        _ => None,
    }
}

/// The alert that rustls sends for an error, for those that it sends under keys and those that it leaves to us.
fn alert_of(error: &Error) -> Alert {
    match error {
        Error::InvalidMessage(message) => Alert(u8::from(AlertDescription::from(message.clone()))),
        Error::DecryptError => Alert::BAD_RECORD_MAC,
        Error::PeerSentOversizedRecord => Alert::RECORD_OVERFLOW,
        Error::PeerIncompatible(_) | Error::NoApplicationProtocol => Alert::HANDSHAKE_FAILURE,
        Error::PeerMisbehaved(rustls::PeerMisbehaved::InvalidKeyShare) => Alert::ILLEGAL_PARAMETER,
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } | Error::PeerMisbehaved(_) => {
            Alert::UNEXPECTED_MESSAGE
        }
        _ => Alert::INTERNAL_ERROR,
    }
}
