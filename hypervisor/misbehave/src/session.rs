//! What a first connection leaves for a second one: what the client is to come back with, and what both sides then have in common.

use std::time::Instant;

use crate::hello::ClientHello;
use crate::wire::registry::extension;

/// See the module.
#[derive(Debug)]
pub(crate) struct Session {
    /// A ticket of either version, or a session id of TLS 1.2.
    shown: Vec<u8>,
    /// The pre-shared key of TLS 1.3, or the master secret of TLS 1.2.
    pub(crate) secret: Vec<u8>,
    /// When it was given.
    pub(crate) given: Instant,
}

impl Session {
    /// Given right now.
    pub(crate) fn new(shown: Vec<u8>, secret: Vec<u8>) -> Self {
        Self { shown, secret, given: Instant::now() }
    }

    /// Whether a client comes back with it.
    pub(crate) fn is_offered(&self, client: &ClientHello) -> bool {
        self.place(client).is_some() || client.extension(extension::TICKET) == Some(&self.shown) || client.session == self.shown
    }

    /// Where it stands among the identities of TLS 1.3.
    pub(crate) fn place(&self, client: &ClientHello) -> Option<u16> {
        let at = client.identities().iter().position(|identity| *identity == self.shown)?;
        u16::try_from(at).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bytes::vec16;

    fn hello(kind: u16, body: &[u8]) -> ClientHello {
        ClientHello { extensions: vec![(kind, body.to_vec())], ..ClientHello::default() }
    }

    #[test]
    fn it_is_offered_as_an_identity_as_a_ticket_or_as_a_session() {
        let session = Session::new(vec![7; 16], vec![]);
        let [other, ours] = [[1; 16], [7; 16]].map(|identity| [&vec16(&identity)[..], &[0; 4]].concat());
        let both = hello(extension::PRE_SHARED_KEY, &vec16(&[&other[..], &ours].concat()));
        assert_eq!((session.place(&both), session.is_offered(&both)), (Some(1), true));
        assert!(!session.is_offered(&hello(extension::PRE_SHARED_KEY, &vec16(&other))));
        assert!(session.is_offered(&hello(extension::TICKET, &[7; 16])) && !session.is_offered(&hello(extension::TICKET, &[])));
        assert!(session.is_offered(&ClientHello { session: vec![7; 16], ..ClientHello::default() }));
    }
}
