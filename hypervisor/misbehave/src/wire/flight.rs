//! Handshake messages, however they are cut into records.

use super::Fault;
use super::bytes::Reader;
use super::peer::{Came, Peer};
use super::registry::content::{CHANGE_CIPHER_SPEC, HANDSHAKE};
use crate::limits::MESSAGE_LEN_MAX;

/// A handshake message, whole.
#[derive(Debug, Clone)]
pub struct Message(pub Vec<u8>);

impl Message {
    /// Its type.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.0.first().copied().unwrap_or_default()
    }

    /// What stands behind its length.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.0.get(4..).unwrap_or_default()
    }
}

/// Handshake bytes that have come and are no whole message yet.
#[derive(Debug, Default)]
pub struct Flight(Vec<u8>);

impl Flight {
    /// The next message; anything else than handshake records is an error.
    ///
    /// # Errors
    /// [`Fault::PeerUnexpected`], or what the connection comes to.
    pub fn next(&mut self, peer: &mut Peer) -> Result<Message, Fault> {
        loop {
            if let Some(message) = self.whole()? {
                return Ok(message);
            }
            match peer.hear()? {
                Came::Record(HANDSHAKE, content) => self.0.extend(content),
                Came::Record(CHANGE_CIPHER_SPEC, _) => {}
                other => return Err(Fault::PeerUnexpected(other)),
            }
        }
    }

    fn whole(&mut self) -> Result<Option<Message>, Fault> {
        if self.0.len() < 4 {
            return Ok(None);
        }
        let len = 4 + Reader(self.0.get(1..4).unwrap_or_default()).number(3)?;
        if len > MESSAGE_LEN_MAX {
            return Err(Fault::PeerLong);
        }
        Ok((self.0.len() >= len).then(|| Message(self.0.drain(..len).collect())))
    }

    /// Whether part of a message has come, or more than was asked for.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.0.is_empty()
    }
}
