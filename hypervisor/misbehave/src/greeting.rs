//! What a server greets with: ServerHello and HelloRetryRequest, sound as they are made, to be changed field by field.

use ring::agreement::{Algorithm, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::{SecureRandom, SystemRandom};

use crate::hello::ClientHello;
use crate::session::Session;
use crate::wire::Fault;
use crate::wire::bytes::{message, vec8, vec16};
use crate::wire::registry::handshake::SERVER_HELLO;
use crate::wire::registry::{RETRY_RANDOM as RETRY, extension, group, suite};
use crate::wire::schedule::Secret;

/// The groups that we know.
pub(crate) const GROUPS: [u16; 2] = [group::X25519, group::SECP256R1];

pub(crate) const TLS12: u16 = 0x0303;
pub(crate) const TLS13: u16 = 0x0304;

/// A ServerHello.
#[derive(Debug, Clone)]
pub(crate) struct ServerHello {
    pub(crate) legacy_version: u16,
    pub(crate) random: [u8; 32],
    pub(crate) session: Vec<u8>,
    pub(crate) suite: u16,
    pub(crate) compression: u8,
    pub(crate) extensions: Vec<(u16, Vec<u8>)>,
}

impl ServerHello {
    /// The answer of TLS 1.3 to a hello, as yet without a key share.
    pub(crate) fn tls13(client: &ClientHello) -> Result<Self, Fault> {
        let mut hello = Self::tls12(client)?;
        hello.suite = suite::AES_128_GCM_SHA256;
        hello.session.clone_from(&client.session);
        hello.extensions = vec![(extension::VERSIONS, TLS13.to_be_bytes().to_vec())];
        Ok(hello)
    }

    /// The same of TLS 1.2, as a server says it that knows no other: no sign of a downgrade is in it.
    pub(crate) fn tls12(client: &ClientHello) -> Result<Self, Fault> {
        let suite = suite::ECDHE_ECDSA_AES_128_GCM_SHA256;
        let mut hello =
            Self { legacy_version: TLS12, random: random()?, session: Vec::new(), suite, compression: 0, extensions: Vec::new() };
        if client.extension(extension::MASTER_SECRET).is_some() {
            hello.set(extension::MASTER_SECRET, &[]);
        }
        // RFC 5746 section 3.6; TLS_EMPTY_RENEGOTIATION_INFO_SCSV says the same as the extension.
        if client.extension(extension::RENEGOTIATION).is_some() || client.suites.contains(&0x00ff) {
            hello.set(extension::RENEGOTIATION, &[0]);
        }
        Ok(hello)
    }

    /// A HelloRetryRequest that changes something for every client: there is a cookie in it, and the group that is wanted, if any.
    pub(crate) fn retry(client: &ClientHello, group: Option<u16>) -> Result<Self, Fault> {
        let mut hello = Self { random: RETRY, ..Self::tls13(client)? };
        hello.set(extension::COOKIE, &vec16(b"crumb"));
        if let Some(group) = group {
            hello.set(extension::KEY_SHARE, &group.to_be_bytes());
        }
        Ok(hello)
    }

    /// Gives an extension this body; a new one goes last.
    pub(crate) fn set(&mut self, kind: u16, body: &[u8]) {
        self.remove(kind);
        self.extensions.push((kind, body.to_vec()));
    }

    pub(crate) fn remove(&mut self, kind: u16) {
        self.extensions.retain(|(found, _)| *found != kind);
    }

    /// The key share.
    pub(crate) fn share(&mut self, group: u16, key: &[u8]) {
        self.set(extension::KEY_SHARE, &[&group.to_be_bytes()[..], &vec16(key)].concat());
    }

    /// The message.
    pub(crate) fn message(&self) -> Vec<u8> {
        let body = [
            &self.legacy_version.to_be_bytes()[..],
            &self.random,
            &vec8(&self.session),
            &self.suite.to_be_bytes(),
            &[self.compression],
            &vec16(&extensions(&self.extensions)),
        ];
        message(SERVER_HELLO, &body.concat())
    }
}

/// A list of extensions, without the length before it.
pub(crate) fn extensions(list: &[(u16, Vec<u8>)]) -> Vec<u8> {
    list.iter().flat_map(|(kind, body)| [&kind.to_be_bytes()[..], &vec16(body)].concat()).collect()
}

/// A ServerHello that is about to be said, and what depends on it.
#[derive(Debug)]
pub(crate) struct Greeting<'a> {
    pub(crate) client: &'a ClientHello,
    pub(crate) hello: ServerHello,
    /// What a client that takes all of it will have in common with us.
    pub(crate) shared: Vec<u8>,
    /// The pre-shared key in the schedule; zeros stand for none (RFC 8446 section 7.1).
    pub(crate) psk: Secret,
    /// What the client has come back with.
    pub(crate) session: Option<&'a Session>,
    /// Is said in the hello's place.
    pub(crate) instead: Option<Vec<u8>>,
    /// Stands behind the hello, in its record.
    pub(crate) behind: Vec<u8>,
}

impl Greeting<'_> {
    /// Takes up what the client has come back with.
    pub(crate) fn resume(&mut self) {
        let Some(session) = self.session else { return };
        self.choose(session.place(self.client).unwrap_or_default());
        self.psk = session.secret.as_slice().try_into().unwrap_or_default();
    }

    /// Says that this identity is chosen.
    pub(crate) fn choose(&mut self, at: u16) {
        self.hello.set(extension::PRE_SHARED_KEY, &at.to_be_bytes());
    }
}

/// Our half of a key agreement.
#[derive(Debug)]
pub(crate) struct Half {
    pub(crate) public: Vec<u8>,
    key: EphemeralPrivateKey,
    algorithm: &'static Algorithm,
}

impl Half {
    pub(crate) fn new(of: u16) -> Result<Self, Fault> {
        let algorithm = if of == group::SECP256R1 { &ECDH_P256 } else { &X25519 };
        let key = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).map_err(|_| Fault::OwnKey)?;
        let public = key.compute_public_key().map_err(|_| Fault::OwnKey)?.as_ref().to_vec();
        Ok(Self { public, key, algorithm })
    }

    /// What both have in common.
    pub(crate) fn agree(self, theirs: &[u8]) -> Result<Vec<u8>, Fault> {
        agree_ephemeral(self.key, &UnparsedPublicKey::new(self.algorithm, theirs), <[u8]>::to_vec).map_err(|_| Fault::PeerKey)
    }
}

/// 32 bytes that nobody knows.
pub(crate) fn random() -> Result<[u8; 32], Fault> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Fault::OwnKey)?;
    Ok(bytes)
}
