//! What was said on one connection: its records, both ways, as messages.

use core::time::Duration;

use misbehave::wire::registry::{alert, content, handshake};
use proxy::{Decoder, Header};

use crate::hello::{self, Details};
use crate::limits::{ENCRYPTED_TOLD, HANDSHAKE_LEN_MAX};
use crate::message::{Detail, Message, Speaker};
use crate::names;
use crate::records::{Broken, Record, Records};

/// What is told of a connection, as far as there is room.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) messages: Vec<Message>,
    pub(crate) left_out: u64,
    /// How many messages it may have.
    pub(crate) room: usize,
}

impl Page {
    /// Adds a message; its place, if there was room.
    pub(crate) fn push(&mut self, at: Duration, from: Speaker, what: &'static str, details: Details) -> Option<usize> {
        if self.messages.len() >= self.room {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.messages.push(Message { at, from, what, details });
        self.messages.len().checked_sub(1)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    client: Side,
    guest: Side,
    /// A ServerHello chose TLS 1.3, where a ChangeCipherSpec changes nothing (RFC 8446 section 5).
    is_tls13: bool,
}

/// One direction.
#[derive(Debug, Default)]
struct Side {
    start: Start,
    records: Records,
    /// The beginning of a handshake message.
    message: Vec<u8>,
    has_changed_cipher: bool,
    /// Encrypted records so far.
    encrypted: u64,
    run: Option<Run>,
    /// Nothing more is read of it.
    stopped: bool,
}

/// What a stream begins with.
#[derive(Debug, Default)]
enum Start {
    #[default]
    Unknown,
    Proxy(Box<Decoder>),
    Tls,
}

/// Application data in a row, and the message that tells of it.
#[derive(Debug, Clone, Copy)]
struct Run {
    message: usize,
    records: u64,
    bytes: u64,
}

impl Talk {
    /// Takes bytes of one direction, in order.
    pub(crate) fn receive(&mut self, now: Duration, from: Speaker, bytes: &[u8], page: &mut Page) {
        let Some(rest) = self.skip_proxy_header(now, from, bytes, page) else { return };
        if self.side(from).stopped {
            return;
        }
        let mut records = core::mem::take(&mut self.side(from).records);
        let outcome = records.receive(rest, |record| self.record(now, from, record, page));
        self.side(from).records = records;
        match outcome {
            Ok(()) => {}
            Err(Broken::NotTls) => self.stop(now, from, "not TLS", page),
            Err(Broken::TooLong) => self.stop(now, from, "record too long", page),
        }
    }

    /// Nothing more is read of this direction.
    pub(crate) fn stop(&mut self, now: Duration, from: Speaker, why: &'static str, page: &mut Page) {
        self.end_runs();
        let side = self.side(from);
        if !side.stopped {
            *side = Side { stopped: true, ..Side::default() };
            page.push(now, from, why, vec![("read_on", "no".into())]);
        }
    }

    /// A direction has ended, or the connection has.
    pub(crate) fn end(&mut self, now: Duration, from: Speaker, what: &'static str, page: &mut Page) {
        self.end_runs();
        let cut = self.side(from).records.is_within() || !self.side(from).message.is_empty();
        page.push(now, from, what, if cut { vec![("within", "a record or message".into())] } else { Vec::new() });
    }

    /// Bytes of memory that it holds.
    pub(crate) fn kept_len(&self) -> usize {
        [&self.client, &self.guest].iter().map(|side| side.records.kept_len().saturating_add(side.message.capacity())).sum()
    }

    /// What stands behind a PROXY header, which begins as no record does; `None` while it is not whole.
    fn skip_proxy_header<'b>(&mut self, now: Duration, from: Speaker, bytes: &'b [u8], page: &mut Page) -> Option<&'b [u8]> {
        let side = self.side(from);
        if matches!(side.start, Start::Unknown) {
            side.start = if matches!(bytes, [b'P' | b'\r', ..]) { Start::Proxy(Box::default()) } else { Start::Tls };
        }
        let Start::Proxy(decoder) = &mut side.start else { return Some(bytes) };
        let (taken, outcome) = decoder.receive(bytes);
        match outcome {
            Ok(None) => return None,
            Ok(Some(header)) => {
                side.start = Start::Tls;
                let client = match header {
                    Header::Own => "-".to_owned(),
                    Header::Client(addresses) => addresses.source().to_string(),
                };
                page.push(now, from, "PROXY header", vec![("client", client.into())]);
            }
            Err(_) => {
                side.start = Start::Tls;
                self.stop(now, from, "not TLS", page);
            }
        }
        bytes.get(taken..)
    }

    fn record(&mut self, now: Duration, from: Speaker, record: Record<'_>, page: &mut Page) {
        let side = self.side(from);
        if side.stopped {
            return;
        }
        let sealed = side.has_changed_cipher && !self.is_tls13;
        match record.kind {
            content::HANDSHAKE if !sealed => self.handshake(now, from, record.body, page),
            content::ALERT if !sealed => self.tell(now, from, "alert", alerted(record.body), page),
            content::CHANGE_CIPHER_SPEC => {
                self.side(from).has_changed_cipher = true;
                self.tell(now, from, "change_cipher_spec", Vec::new(), page);
            }
            kind => self.encrypted(now, from, (kind, record.len), page),
        }
    }

    /// Messages may begin and end anywhere in a record.
    fn handshake(&mut self, now: Duration, from: Speaker, body: &[u8], page: &mut Page) {
        let mut buffer = core::mem::take(&mut self.side(from).message);
        buffer.extend_from_slice(body);
        let mut rest = &buffer[..];
        // Each turn takes four bytes at least.
        while let Some((kind, len, behind)) = header(rest) {
            if len > HANDSHAKE_LEN_MAX {
                return self.stop(now, from, "handshake message too long", page);
            }
            let Some((message, behind)) = behind.split_at_checked(len) else { break };
            rest = behind;
            self.message(now, from, (kind, message), page);
        }
        self.side(from).message = rest.to_vec();
    }

    fn message(&mut self, now: Duration, from: Speaker, (kind, body): (u8, &[u8]), page: &mut Page) {
        let mut what = names::message(kind);
        let details = match kind {
            handshake::CLIENT_HELLO => hello::client(body),
            handshake::SERVER_HELLO => hello::server(body).map(|hello| {
                self.is_tls13 = hello.is_tls13;
                what = if hello.is_retry { "HelloRetryRequest" } else { what };
                hello.details
            }),
            handshake::CERTIFICATE => hello::certificates(body),
            handshake::SERVER_KEY_EXCHANGE => hello::key_exchange(body).or(Some(Vec::new())),
            _ => Some(vec![("type", u64::from(kind).into())]),
        };
        let mut details = details.unwrap_or_else(|| vec![("malformed", "yes".into())]);
        details.push(("len", body.len().into()));
        self.tell(now, from, what, details, page);
    }

    fn encrypted(&mut self, now: Duration, from: Speaker, (kind, len): (u8, usize), page: &mut Page) {
        let bytes = u64::try_from(len).unwrap_or(u64::MAX);
        let side = self.side(from);
        side.encrypted = side.encrypted.saturating_add(1);
        if kind != content::DATA || side.encrypted <= ENCRYPTED_TOLD {
            return self.tell(now, from, "encrypted", vec![("type", names::content(kind).into()), ("len", bytes.into())], page);
        }
        let message = match side.run {
            Some(run) => Some(run.message),
            None => page.push(now, from, "application_data", Vec::new()),
        };
        let so_far = side.run.map_or((0, 0), |run| (run.records, run.bytes));
        side.run = message.map(|message| Run { message, records: so_far.0.saturating_add(1), bytes: so_far.1.saturating_add(bytes) });
        if let Some((run, message)) = side.run.and_then(|run| Some((run, page.messages.get_mut(run.message)?))) {
            let until = format!("{:.6}", now.as_secs_f64());
            message.details = vec![("records", run.records.into()), ("bytes", run.bytes.into()), ("until", until.into())];
        }
    }

    /// What is told by itself ends the runs of both directions.
    fn tell(&mut self, now: Duration, from: Speaker, what: &'static str, details: Details, page: &mut Page) {
        self.end_runs();
        page.push(now, from, what, details);
    }

    fn end_runs(&mut self) {
        self.client.run = None;
        self.guest.run = None;
    }

    fn side(&mut self, from: Speaker) -> &mut Side {
        match from {
            Speaker::Client => &mut self.client,
            Speaker::Guest => &mut self.guest,
        }
    }
}

/// Type, length, and what stands behind both.
fn header(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let ([kind, high, mid, low], behind) = bytes.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_be_bytes([0, *high, *mid, *low])).ok()?;
    Some((*kind, len, behind))
}

/// RFC 8446 section 6.
fn alerted(body: &[u8]) -> Details {
    let [level, description] = body else { return vec![("malformed", "yes".into()), ("len", body.len().into())] };
    let level: Detail = match *level {
        alert::WARNING => "warning".into(),
        alert::FATAL => "fatal".into(),
        other => u64::from(other).into(),
    };
    vec![("level", level), ("description", format!("{}({description})", alert::name(*description)).into())]
}
