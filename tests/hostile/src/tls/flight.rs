//! What a server says before a client must answer.

use e2e::Outcome;

use super::bytes::Reader;
use super::hello::extension;

pub(crate) use misbehave::wire::flight::{Flight, Message};
pub(crate) use misbehave::wire::registry::handshake::{
    CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, ENCRYPTED_EXTENSIONS, FINISHED, KEY_UPDATE, MESSAGE_HASH,
    NEW_SESSION_TICKET, SERVER_HELLO, SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE,
};

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
