//! The handshake: rustls' unbuffered connection, fed one record at a time.
//!
//! This file alone knows that interface. Records are fed singly so that the handshake ends exactly at a record's end: what follows is opened by
//! [`Traffic`], and all that rustls held for the handshake is given back.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, UnbufferedStatus};
use rustls::{AlertDescription, CommonState, Error, HandshakeKind, ProtocolVersion};

use crate::caller::{Caller, Certificate};

use crate::clients::fault_of;
use crate::limits::{FLIGHT_RECORDS_MAX, HANDSHAKE_INPUT_LEN_MAX, RECORD_HEADER_LEN};
use crate::outbox::Outbox;
use crate::record::content;
use crate::traffic::{Kernel, Traffic};
use crate::{Alert, Config, Fault, Own, PeerCertificate, Summary, Version};

/// A header whose record is longer than any that is fed, and still legal for rustls: it waits for the rest.
const UNFINISHED_HEADER: [u8; RECORD_HEADER_LEN] = [content::HANDSHAKE, 3, 3, 0x47, 0xff];

/// A header that makes rustls end the connection, with an alert under the keys that only it holds.
const ILLEGAL_HEADER: [u8; RECORD_HEADER_LEN] = [content::HANDSHAKE, 3, 3, 0xff, 0xff];

const ALERT_RECORD_LEN: usize = 7;

/// A handshake in progress.
pub(crate) struct Handshake {
    end: End,
    /// Our side's keys are in use, so that nobody but rustls can speak to the peer.
    encrypting: bool,
    /// Records that rustls has not let go of: the start of a message whose end has not come.
    input: Vec<u8>,
}

/// Which end of the connection we are. All else is the same for both.
enum End {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection, Arc<Certificate>),
}

/// Whether more records are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Waiting,
    Done,
}

impl Handshake {
    /// The server's end.
    ///
    /// # Errors
    /// [`Fault::Internal`] if rustls refuses the configuration.
    pub(crate) fn answer(config: &Config) -> Result<Self, Fault> {
        let connection = UnbufferedServerConnection::new(Arc::clone(&config.0)).map_err(|_| Fault::Internal)?;
        Ok(Self { end: End::Server(connection), encrypting: false, input: Vec::new() })
    }

    /// The client's end, whose hello goes to `out`.
    ///
    /// # Errors
    /// [`Fault::Internal`] if rustls refuses the configuration, or could not make a key share.
    pub(crate) fn dial(caller: &Caller, out: &mut Outbox) -> Result<Self, Fault> {
        let (connection, certificate) = caller.connect()?;
        let mut handshake = Self { end: End::Client(connection, certificate), encrypting: false, input: Vec::new() };
        handshake.process(out).map_err(|_| Fault::Internal)?;
        Ok(handshake)
    }

    /// Feeds a ClientHello, which becomes one record again however it was cut.
    pub(crate) fn receive_hello(&mut self, message: &[u8], out: &mut Outbox) -> Result<Progress, Fault> {
        let len = u16::try_from(message.len()).map_err(|_| Fault::Internal)?;
        let [high, low] = len.to_be_bytes();
        self.receive(&[&[content::HANDSHAKE, 3, 3, high, low], message].concat(), out)
    }

    /// Feeds one whole record. Flights and alerts go to `out`.
    ///
    /// # Errors
    /// The handshake has failed; the alert is in `out`.
    pub(crate) fn receive(&mut self, record: &[u8], out: &mut Outbox) -> Result<Progress, Fault> {
        if self.input.len().saturating_add(record.len()) > HANDSHAKE_INPUT_LEN_MAX {
            return Err(self.refuse_record(Alert::ILLEGAL_PARAMETER, out));
        }
        self.input.extend_from_slice(record);
        self.process(out).map_err(|error| self.fail(&error, record.len(), out))
    }

    /// Ends the handshake for a record that is not even fed: one with an illegal header, or one too many.
    pub(crate) fn refuse_record(&mut self, alert: Alert, out: &mut Outbox) -> Fault {
        if self.is_encrypting() {
            self.input.extend(ILLEGAL_HEADER);
            return self
                .speak(ILLEGAL_HEADER.len(), out)
                .map_or(Fault::Peer(alert), |said| Fault::Peer(said.unwrap_or(Alert::DECODE_ERROR)));
        }
        out.push(&alert.plain_record());
        Fault::Peer(alert)
    }

    fn process(&mut self, out: &mut Outbox) -> Result<Progress, Error> {
        while self.step(out)? {}
        if self.input.is_empty() {
            self.input = Vec::new();
        }
        Ok(if self.common().is_handshaking() { Progress::Waiting } else { Progress::Done })
    }

    /// One turn of rustls; true if there may be more to do.
    fn step(&mut self, out: &mut Outbox) -> Result<bool, Error> {
        let before = out.due().len();
        let (discard, more) = match &mut self.end {
            End::Server(connection) => turn(connection.process_tls_records(&mut self.input), out),
            End::Client(connection, _) => turn(connection.process_tls_records(&mut self.input), out),
        };
        self.input.drain(..discard.min(self.input.len()));
        // In TLS 1.2 it is the ChangeCipherSpec that says so (RFC 5246 §7.1), and it is a record of its own.
        let is_1_2 = self.common().protocol_version() == Some(ProtocolVersion::TLSv1_2);
        self.encrypting |= is_1_2 && out.due().get(before) == Some(&content::CHANGE_CIPHER_SPEC);
        more
    }

    /// What both ends know of the connection.
    fn common(&self) -> &CommonState {
        match &self.end {
            End::Server(connection) => connection,
            End::Client(connection, _) => connection,
        }
    }

    /// After an error in the last record, `record_len` bytes long: gets rustls' alert out of it, and tells which one it was.
    fn fail(&mut self, error: &Error, record_len: usize, out: &mut Outbox) -> Fault {
        if let Error::AlertReceived(description) = error {
            return Fault::PeerAlert(Alert(u8::from(*description)));
        }
        let was_read = self.input.len() < record_len;
        self.overwrite_header(record_len, UNFINISHED_HEADER);
        let own = self.alert_of(error, was_read);
        let alert = match self.speak(0, out) {
            Some(said) => said.unwrap_or(own),
            // Some errors leave the alert to us.
            None => match self.refuse_record(own, out) {
                Fault::Peer(alert) => alert,
                other => return other,
            },
        };
        match fault_of(error) {
            Some(fault) => Fault::PeerCertificate(fault, alert),
            None if alert == Alert::INTERNAL_ERROR => Fault::Internal,
            None => Fault::Peer(alert),
        }
    }

    /// Queues what rustls still has to say. None: nothing; some none: something under keys.
    fn speak(&mut self, illegal_len: usize, out: &mut Outbox) -> Option<Option<Alert>> {
        let before = out.due().len();
        let mut erred = false;
        // Errors repeat themselves; the bound is that of the records of one flight.
        for _ in 0..FLIGHT_RECORDS_MAX {
            match self.step(out) {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) if illegal_len > 0 => self.overwrite_header(illegal_len, UNFINISHED_HEADER),
                // What goes with an error comes out a turn later. Behind an alert that was said nothing more is to come.
                Err(_) if !erred && out.due().len() == before => erred = true,
                Err(_) => break,
            }
        }
        let said = out.due().get(before..).unwrap_or_default();
        let last = said.len().checked_sub(ALERT_RECORD_LEN).and_then(|at| said.get(at..));
        (!said.is_empty()).then(|| last.and_then(plain_alert))
    }

    /// Makes the last record unreadable in place, since rustls remembers how far it has read and must not read it again.
    fn overwrite_header(&mut self, record_len: usize, header: [u8; RECORD_HEADER_LEN]) {
        let record = self.input.len().checked_sub(record_len).and_then(|at| self.input.get_mut(at..));
        if let Some(first) = record.and_then(|record| record.first_chunk_mut()) {
            *first = header;
        }
    }

    /// As [`alert_of`], where it matters which end we are, and whether the record could be read.
    fn alert_of(&self, error: &Error, was_read: bool) -> Alert {
        match (&self.end, error) {
            // RFC 8446 §4.4.2.4: a server without a certificate is an error of form, which it is not for a client.
            (End::Client(..), Error::NoCertificatesPresented) => Alert::DECODE_ERROR,
            // RFC 8446 §4.4.4: rustls has one word for a record that does not open and for a Finished that is wrong.
            (_, Error::DecryptError) if was_read => Alert::DECRYPT_ERROR,
            _ => alert_of(error),
        }
    }

    /// Whether the peer is a server of which nothing is known yet, not even that it speaks TLS.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.end, End::Client(..)) && self.common().protocol_version().is_none()
    }

    fn is_encrypting(&self) -> bool {
        self.encrypting || self.common().protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// Gives up: queues `alert` in the clear as long as that is what the peer expects. Under the keys of a handshake rustls lets nobody but
    /// itself speak, so there the peer sees the end of the stream alone.
    pub(crate) fn give_up(&self, alert: Alert, out: &mut Outbox) {
        if !self.is_encrypting() {
            out.push(&alert.plain_record());
        }
    }

    /// Ends the handshake: what was agreed, and the keys.
    ///
    /// # Errors
    /// [`Fault::Internal`] if the handshake was not done.
    pub(crate) fn finish(self) -> Result<(Box<Summary>, Box<Traffic>), Fault> {
        let summary = self.summary()?;
        let (secrets, kernel) = match self.end {
            End::Server(connection) => {
                connection.dangerous_into_kernel_connection().map(|(secrets, kernel)| (secrets, Kernel::Server(kernel)))
            }
            End::Client(connection, _) => {
                connection.dangerous_into_kernel_connection().map(|(secrets, kernel)| (secrets, Kernel::Client(kernel)))
            }
        }
        .map_err(|_| Fault::Internal)?;
        let traffic = Traffic::new(summary.version, &secrets, kernel).ok_or(Fault::Internal)?;
        Ok((Box::new(summary), Box::new(traffic)))
    }

    fn summary(&self) -> Result<Summary, Fault> {
        let common = self.common();
        let version = match common.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => Version::Tls13,
            Some(ProtocolVersion::TLSv1_2) => Version::Tls12,
            _ => return Err(Fault::Internal),
        };
        let resumed = common.handshake_kind() == Some(HandshakeKind::Resumed);
        let (client, server, own) = match &self.end {
            End::Server(_) => (self.peer()?, None, if resumed { Own::NotAsked } else { Own::Shown }),
            End::Client(_, certificate) => (None, self.peer()?, certificate.own()),
        };
        Ok(Summary {
            version,
            suite: common.negotiated_cipher_suite().map(|suite| u16::from(suite.suite())).ok_or(Fault::Internal)?,
            group: common.negotiated_key_exchange_group().map(|group| u16::from(group.name())),
            alpn: common.alpn_protocol().map(<[u8]>::to_vec),
            server_name: None,
            resumed,
            retried: common.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest),
            client,
            server,
            own,
        })
    }

    /// The certificate that the peer showed; it was verified, and so was its proof that it holds the key.
    fn peer(&self) -> Result<Option<Arc<PeerCertificate>>, Fault> {
        let Some(leaf) = self.common().peer_certificates().and_then(<[_]>::first) else { return Ok(None) };
        PeerCertificate::parse(leaf).map(|peer| Some(Arc::new(peer))).ok_or(Fault::Internal)
    }
}

impl core::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Handshake").field("input", &self.input.len()).finish_non_exhaustive()
    }
}

/// What rustls wants of us: how much of the input it is done with, and whether there may be more to do.
fn turn<D>(status: UnbufferedStatus<'_, '_, D>, out: &mut Outbox) -> (usize, Result<bool, Error>) {
    let more = match status.state {
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
    (status.discard, more)
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
        Error::InvalidMessage(message) => Alert(u8::from(AlertDescription::from(*message))),
        Error::DecryptError => Alert::BAD_RECORD_MAC,
        Error::PeerSentOversizedRecord => Alert::RECORD_OVERFLOW,
        Error::NoApplicationProtocol => Alert::NO_APPLICATION_PROTOCOL,
        Error::PeerIncompatible(_) => Alert::HANDSHAKE_FAILURE,
        Error::NoCertificatesPresented => Alert::CERTIFICATE_REQUIRED,
        Error::InvalidCertificate(fault) => Alert(u8::from(AlertDescription::from(fault.clone()))),
        Error::PeerMisbehaved(rustls::PeerMisbehaved::InvalidKeyShare) => Alert::ILLEGAL_PARAMETER,
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } | Error::PeerMisbehaved(_) => {
            Alert::UNEXPECTED_MESSAGE
        }
        _ => Alert::INTERNAL_ERROR,
    }
}
