//! An established session: data, alerts and KeyUpdate, under keys taken over from rustls.
//!
//! What may come here is little: TLS 1.3 has data, alerts, KeyUpdate, and tickets for a client, which are read over; TLS 1.2 has data and
//! alerts. All else is refused, renegotiation by its own alert.

mod tickets;

use rustls::client::ClientConnectionData;
use rustls::kernel::KernelConnection;
use rustls::server::ServerConnectionData;
use rustls::{ConnectionTrafficSecrets, Error, ExtractedSecrets};

use crate::limits::{EMPTY_RECORDS_MAX, KEY_UPDATES_MAX, RECORD_PLAIN_LEN_MAX, WARNING_ALERTS_MAX};
use crate::outbox::Outbox;
use crate::record::{Protection, content};
use crate::{Alert, Fault, Sent, Version};
use tickets::Tickets;

const KEY_UPDATE_LEN: usize = 5;
const KEY_UPDATE: [u8; KEY_UPDATE_LEN - 1] = [24, 0, 0, 1];
const NOT_REQUESTED: u8 = 0;
const REQUESTED: u8 = 1;
const HELLO_REQUEST: u8 = 0;
const CLIENT_HELLO: u8 = 1;
const WARNING: u8 = 1;
const FATAL: u8 = 2;

/// Both directions of an established session.
pub(crate) struct Traffic {
    opener: Protection,
    sealer: Protection,
    version: Version,
    /// Makes the next keys of a TLS 1.3 session.
    kernel: Kernel,
    /// The part of a KeyUpdate that came in earlier records.
    message: heapless::Vec<u8, KEY_UPDATE_LEN>,
    tickets: Tickets,
    empty_records: u8,
    key_updates: u8,
    warnings: u8,
}

/// What rustls keeps of a connection whose records are ours. It also tells which end we are.
pub(crate) enum Kernel {
    Server(KernelConnection<ServerConnectionData>),
    Client(KernelConnection<ClientConnectionData>),
}

impl Kernel {
    fn update_rx_secret(&mut self) -> Result<(u64, ConnectionTrafficSecrets), Error> {
        match self {
            Self::Server(kernel) => kernel.update_rx_secret(),
            Self::Client(kernel) => kernel.update_rx_secret(),
        }
    }

    fn update_tx_secret(&mut self) -> Result<(u64, ConnectionTrafficSecrets), Error> {
        match self {
            Self::Server(kernel) => kernel.update_tx_secret(),
            Self::Client(kernel) => kernel.update_tx_secret(),
        }
    }

    fn takes_tickets(&self) -> bool {
        matches!(self, Self::Client(_))
    }

    /// The message by which the peer would ask for a new handshake in TLS 1.2.
    fn renegotiation(&self) -> u8 {
        match self {
            Self::Server(_) => CLIENT_HELLO,
            Self::Client(_) => HELLO_REQUEST,
        }
    }
}

/// What a record held, for the session to act on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inbound<'a> {
    /// Application data, never empty.
    Data(&'a [u8]),
    /// close_notify.
    Closed,
    /// Nothing for the session.
    Nothing,
}

impl Traffic {
    /// Takes over from rustls.
    pub(crate) fn new(version: Version, secrets: &ExtractedSecrets, kernel: Kernel) -> Option<Self> {
        Some(Self {
            opener: Protection::new(version, &secrets.rx)?,
            sealer: Protection::new(version, &secrets.tx)?,
            version,
            kernel,
            message: heapless::Vec::new(),
            tickets: Tickets::default(),
            empty_records: 0,
            key_updates: 0,
            warnings: 0,
        })
    }

    /// The most plaintext that a record with a fragment of `len` bytes can hold.
    pub(crate) fn plain_len_max(&self, len: usize) -> usize {
        self.opener.plain_len_max(len)
    }

    /// Opens one whole record in place. Answers that are due go to `out`; on a fault of the peer's, so does the alert.
    ///
    /// # Errors
    /// The session is over.
    pub(crate) fn receive<'a>(&mut self, record: &'a mut [u8], out: &mut Outbox) -> Result<Inbound<'a>, Fault> {
        let inbound = match self.opener.open(record) {
            Ok((kind, plain)) => self.dispatch(kind, plain, out),
            Err(alert) => Err(Fault::Peer(alert)),
        };
        inbound.inspect_err(|fault| {
            if let Fault::Peer(alert) = fault {
                self.push_alert(*alert, out);
            }
        })
    }

    fn dispatch<'a>(&mut self, kind: u8, plain: &'a [u8], out: &mut Outbox) -> Result<Inbound<'a>, Fault> {
        // RFC 8446 §5.1: the fragments of a handshake message have nothing between them.
        if kind != content::HANDSHAKE && (!self.message.is_empty() || self.tickets.is_within()) {
            return Err(Fault::Peer(Alert::UNEXPECTED_MESSAGE));
        }
        match kind {
            content::DATA => self.data(plain),
            content::ALERT => self.alert(plain),
            content::HANDSHAKE => self.handshake(plain, out),
            _ => Err(Fault::Peer(Alert::UNEXPECTED_MESSAGE)),
        }
    }

    fn data<'a>(&mut self, plain: &'a [u8]) -> Result<Inbound<'a>, Fault> {
        if plain.is_empty() {
            self.empty_records = self.empty_records.saturating_add(1);
            return if self.empty_records > EMPTY_RECORDS_MAX { Err(Fault::Peer(Alert::UNEXPECTED_MESSAGE)) } else { Ok(Inbound::Nothing) };
        }
        self.empty_records = 0;
        self.key_updates = 0;
        self.tickets.start_anew();
        Ok(Inbound::Data(plain))
    }

    fn alert(&mut self, plain: &[u8]) -> Result<Inbound<'static>, Fault> {
        let (level, alert) = match *plain {
            [level, description] => (level, Alert(description)),
            // RFC 8446 §5.4: no alert of no content.
            [] => return Err(Fault::Peer(Alert::UNEXPECTED_MESSAGE)),
            _ => return Err(Fault::Peer(Alert::DECODE_ERROR)),
        };
        // RFC 5246 §7.2 knows two levels.
        if self.version == Version::Tls12 && !matches!(level, WARNING | FATAL) {
            return Err(Fault::Peer(Alert::ILLEGAL_PARAMETER));
        }
        // RFC 8446 §6: the level means nothing any more, all but these two are fatal. RFC 5246 §7.2: the level decides.
        let is_warning = match self.version {
            Version::Tls13 => alert == Alert::USER_CANCELED,
            Version::Tls12 => level != FATAL,
        };
        match alert {
            Alert::CLOSE_NOTIFY => Ok(Inbound::Closed),
            _ if !is_warning => Err(Fault::PeerAlert(alert)),
            _ if self.warnings >= WARNING_ALERTS_MAX => Err(Fault::Peer(Alert::UNEXPECTED_MESSAGE)),
            _ => {
                self.warnings += 1;
                Ok(Inbound::Nothing)
            }
        }
    }

    fn handshake(&mut self, plain: &[u8], out: &mut Outbox) -> Result<Inbound<'static>, Fault> {
        if self.version == Version::Tls12 || !self.kernel.takes_tickets() || plain.is_empty() || !self.message.is_empty() {
            return self.control(plain, out);
        }
        match self.tickets.skip(plain).map_err(Fault::Peer)? {
            [] => Ok(Inbound::Nothing),
            rest => self.control(rest, out),
        }
    }

    /// KeyUpdate, or a part of it; there is no other message.
    fn control(&mut self, plain: &[u8], out: &mut Outbox) -> Result<Inbound<'static>, Fault> {
        let first = self.message.first().or(plain.first()).copied();
        match (self.version, first) {
            // RFC 5246 §7.2.2: we never renegotiate (T6).
            (Version::Tls12, Some(kind)) if kind == self.kernel.renegotiation() => return Err(Fault::Peer(Alert::NO_RENEGOTIATION)),
            (Version::Tls13, Some(24)) => {}
            _ => return Err(Fault::Peer(Alert::UNEXPECTED_MESSAGE)),
        }
        // RFC 8446 §5.1: no empty fragments, and nothing behind a KeyUpdate in its record.
        if plain.is_empty() || self.message.extend_from_slice(plain).is_err() {
            return Err(Fault::Peer(Alert::UNEXPECTED_MESSAGE));
        }
        // Another length than a KeyUpdate has is not waited for: it may be none.
        if self.message.iter().zip(KEY_UPDATE).any(|(byte, wanted)| *byte != wanted) {
            return Err(Fault::Peer(Alert::DECODE_ERROR));
        }
        if self.message.is_full() {
            let message = core::mem::take(&mut self.message);
            self.key_update(&message, out)?;
        }
        Ok(Inbound::Nothing)
    }

    /// `message` is whole, and its head is a KeyUpdate's.
    fn key_update(&mut self, message: &[u8], out: &mut Outbox) -> Result<(), Fault> {
        let asks = match message.last() {
            Some(&NOT_REQUESTED) => false,
            Some(&REQUESTED) => true,
            _ => return Err(Fault::Peer(Alert::ILLEGAL_PARAMETER)),
        };
        self.key_updates = self.key_updates.saturating_add(1);
        if self.key_updates > KEY_UPDATES_MAX {
            return Err(Fault::Peer(Alert::UNEXPECTED_MESSAGE));
        }
        self.opener = next_keys(self.kernel.update_rx_secret())?;
        // RFC 8446 §4.6.3: several requests may be answered by one update; an answer that is still queued will do.
        if asks && out.is_empty() { self.change_own_keys(out) } else { Ok(()) }
    }

    /// Tells the peer that our keys change, and changes them.
    fn change_own_keys(&mut self, out: &mut Outbox) -> Result<(), Fault> {
        let [kind, a, b, c] = KEY_UPDATE;
        self.push_record(content::HANDSHAKE, &[kind, a, b, c, NOT_REQUESTED], out);
        self.sealer = next_keys(self.kernel.update_tx_secret())?;
        Ok(())
    }

    /// Seals as much of `plain` as fits into `out`, in as few records as possible.
    ///
    /// # Errors
    /// [`Fault::LimitKeyUse`] where no fresh keys can be had; nothing was sealed then.
    pub(crate) fn send(&mut self, plain: &[u8], out: &mut [u8], outbox: &mut Outbox) -> Result<Sent, Fault> {
        let mut sent = Sent::default();
        while let Some(rest) = plain.get(sent.consumed..).filter(|rest| !rest.is_empty()) {
            if self.sealer.is_spent() {
                self.renew(outbox)?;
                return Ok(sent);
            }
            let space = out.get_mut(sent.produced..).unwrap_or_default();
            let len = rest.len().min(RECORD_PLAIN_LEN_MAX).min(space.len().saturating_sub(self.sealer.overhead()));
            let Some(produced) =
                rest.get(..len).filter(|part| !part.is_empty()).and_then(|part| self.sealer.seal(content::DATA, part, space))
            else {
                break;
            };
            sent.consumed += len;
            sent.produced += produced;
        }
        Ok(sent)
    }

    fn renew(&mut self, outbox: &mut Outbox) -> Result<(), Fault> {
        match self.version {
            Version::Tls13 => self.change_own_keys(outbox),
            Version::Tls12 => {
                self.push_alert(Alert::CLOSE_NOTIFY, outbox);
                Err(Fault::LimitKeyUse)
            }
        }
    }

    /// Queues an alert.
    pub(crate) fn push_alert(&mut self, alert: Alert, out: &mut Outbox) {
        self.push_record(content::ALERT, &[alert.level(), alert.0], out);
    }

    #[cfg(test)]
    pub(crate) fn sealer_mut(&mut self) -> &mut Protection {
        &mut self.sealer
    }

    fn push_record(&mut self, kind: u8, plain: &[u8], out: &mut Outbox) {
        let len = plain.len().saturating_add(self.sealer.overhead());
        // A record that cannot be sealed (the counter is at its end) is left out: the session ends without it.
        let _ = out.push_with(len, |buf| self.sealer.seal(kind, plain, buf).ok_or(()));
    }
}

fn next_keys(secrets: Result<(u64, ConnectionTrafficSecrets), rustls::Error>) -> Result<Protection, Fault> {
    let secrets = secrets.map_err(|_| Fault::Internal)?;
    Protection::new(Version::Tls13, &secrets).ok_or(Fault::Internal)
}

impl core::fmt::Debug for Traffic {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Traffic").field("version", &self.version).field("sealer", &self.sealer).finish_non_exhaustive()
    }
}
