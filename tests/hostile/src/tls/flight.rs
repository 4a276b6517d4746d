//! What a server says before a client must answer: handshake messages, however they are cut into records.

use e2e::Outcome;

use super::bytes::Reader;
use super::hello::extension;
use super::peer::{CHANGE_CIPHER_SPEC, Came, HANDSHAKE, Peer};

pub(crate) const SERVER_HELLO: u8 = 2;
pub(crate) const NEW_SESSION_TICKET: u8 = 4;
pub(crate) const ENCRYPTED_EXTENSIONS: u8 = 8;
pub(crate) const CERTIFICATE: u8 = 11;
pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
pub(crate) const SERVER_HELLO_DONE: u8 = 14;
pub(crate) const CERTIFICATE_VERIFY: u8 = 15;
pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
pub(crate) const FINISHED: u8 = 20;
pub(crate) const KEY_UPDATE: u8 = 24;
pub(crate) const MESSAGE_HASH: u8 = 254;

/// A handshake message, whole.
#[derive(Debug, Clone)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    pub(crate) fn kind(&self) -> u8 {
        self.0.first().copied().unwrap_or_default()
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.0.get(4..).unwrap_or_default()
    }
}

/// Handshake bytes that have come and are no whole message yet.
#[derive(Debug, Default)]
pub(crate) struct Flight(Vec<u8>);

impl Flight {
    /// The next message; anything else than handshake records is an error.
    pub(crate) fn next(&mut self, peer: &mut Peer) -> Outcome<Message> {
        loop {
            if let Some(message) = self.whole()? {
                return Ok(message);
            }
            match peer.next()? {
                Came::Record(HANDSHAKE, content) => self.0.extend(content),
                Came::Record(CHANGE_CIPHER_SPEC, _) => {}
                other => return Err(format!("{other:?} instead of a handshake message").into()),
            }
        }
    }

    fn whole(&mut self) -> Outcome<Option<Message>> {
        if self.0.len() < 4 {
            return Ok(None);
        }
        let len = 4 + Reader(self.0.get(1..4).unwrap_or_default()).number(3)?;
        Ok((self.0.len() >= len).then(|| Message(self.0.drain(..len).collect())))
    }
}

/// What a ServerHello says.
#[derive(Debug)]
pub(crate) struct ServerHello {
    pub(crate) random: Vec<u8>,
    pub(crate) session: Vec<u8>,
    extensions: Vec<(u16, Vec<u8>)>,
}

/// The random of a HelloRetryRequest (RFC 8446 section 4.1.3) begins so.
const RETRY: [u8; 4] = [0xcf, 0x21, 0xad, 0x74];

impl ServerHello {
    pub(crate) fn parse(message: &Message) -> Outcome<Self> {
        if message.kind() != SERVER_HELLO {
            return Err(format!("message {} instead of a ServerHello", message.kind()).into());
        }
        let mut reader = Reader(message.body());
        reader.take(2)?;
        let (random, session) = (reader.take(32)?.to_vec(), reader.vec(1)?.to_vec());
        // The suite, and no compression: there was one of each to choose from.
        reader.take(3)?;
        let (mut list, mut extensions) = (Reader(if reader.0.is_empty() { &[] } else { reader.vec(2)? }), Vec::new());
        while !list.0.is_empty() {
            extensions.push((u16::try_from(list.number(2)?)?, list.vec(2)?.to_vec()));
        }
        Ok(Self { random, session, extensions })
    }

    pub(crate) fn extension(&self, kind: u16) -> Option<&[u8]> {
        self.extensions.iter().find(|(found, _)| *found == kind).map(|(_, body)| &body[..])
    }

    pub(crate) fn is_retry(&self) -> bool {
        self.random.starts_with(&RETRY)
    }

    pub(crate) fn is_tls13(&self) -> bool {
        self.extension(extension::VERSIONS) == Some(&[3, 4])
    }
}
