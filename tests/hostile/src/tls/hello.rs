//! A ClientHello, sound as it is made, to be changed field by field.

use core::fmt;

use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::rand;
use e2e::Outcome;

use super::bytes::{message, numbers, vec8, vec16};

pub(crate) use misbehave::wire::registry::extension;
pub(crate) use misbehave::wire::registry::group::{SECP256R1, X25519 as GROUP_X25519, X25519MLKEM768};
pub(crate) use misbehave::wire::registry::handshake::CLIENT_HELLO;
pub(crate) use misbehave::wire::registry::suite::{AES_128_GCM_SHA256, ECDHE_ECDSA_AES_128_GCM_SHA256, FALLBACK_SCSV};

/// See the module.
pub(crate) struct Hello {
    pub(crate) legacy_version: u16,
    pub(crate) random: [u8; 32],
    pub(crate) session: Vec<u8>,
    pub(crate) suites: Vec<u16>,
    pub(crate) compression: Vec<u8>,
    pub(crate) extensions: Vec<(u16, Vec<u8>)>,
    /// Stands behind the extensions.
    pub(crate) tail: Vec<u8>,
    key: PrivateKey,
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello").field("suites", &self.suites).field("extensions", &self.extensions).finish_non_exhaustive()
    }
}

/// Bytes that nobody has seen.
pub(crate) fn random<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| "no randomness")?;
    Ok(bytes)
}

/// A list of one host name.
pub(crate) fn server_name(name: &[u8]) -> Vec<u8> {
    vec16(&[&[0][..], &vec16(name)].concat())
}

/// One entry of a key share.
pub(crate) fn share(group: u16, key: &[u8]) -> Vec<u8> {
    [&group.to_be_bytes()[..], &vec16(key)].concat()
}

impl Hello {
    /// TLS 1.3 for `localhost`, with AES-128-GCM and X25519.
    pub(crate) fn tls13() -> Outcome<Self> {
        let mut hello = Self::new(AES_128_GCM_SHA256)?;
        let key = hello.public()?;
        hello.set(extension::VERSIONS, vec8(&numbers(&[0x0304])));
        hello.set(extension::PSK_MODES, vec8(&[1]));
        hello.set(extension::KEY_SHARE, vec16(&share(GROUP_X25519, &key)));
        Ok(hello)
    }

    /// TLS 1.2, likewise.
    pub(crate) fn tls12() -> Outcome<Self> {
        let mut hello = Self::new(ECDHE_ECDSA_AES_128_GCM_SHA256)?;
        hello.set(extension::POINT_FORMATS, vec8(&[0]));
        hello.set(extension::MASTER_SECRET, vec![]);
        hello.set(extension::TICKET, vec![]);
        hello.set(extension::RENEGOTIATION, vec8(&[]));
        Ok(hello)
    }

    fn new(suite: u16) -> Outcome<Self> {
        let extensions = vec![
            (extension::SERVER_NAME, server_name(b"localhost")),
            (extension::GROUPS, vec16(&numbers(&[GROUP_X25519, SECP256R1]))),
            (extension::SIGNATURES, vec16(&numbers(&[0x0403, 0x0804, 0x0807]))),
        ];
        Ok(Self {
            legacy_version: 0x0303,
            random: random()?,
            session: random::<32>()?.to_vec(),
            suites: vec![suite],
            compression: vec![0],
            extensions,
            tail: Vec::new(),
            key: PrivateKey::generate(&X25519).map_err(|_| "no key")?,
        })
    }

    /// Gives an extension this body; a new one goes last.
    pub(crate) fn set(&mut self, kind: u16, body: Vec<u8>) {
        match self.extensions.iter_mut().find(|(found, _)| *found == kind) {
            Some((_, found)) => *found = body,
            None => self.extensions.push((kind, body)),
        }
    }

    pub(crate) fn remove(&mut self, kind: u16) {
        self.extensions.retain(|(found, _)| *found != kind);
    }

    pub(crate) fn name(&mut self, name: &str) {
        self.set(extension::SERVER_NAME, server_name(name.as_bytes()));
    }

    /// The key share's public key, X25519.
    pub(crate) fn public(&self) -> Outcome<Vec<u8>> {
        Ok(self.key.compute_public_key().map_err(|_| "no public key")?.as_ref().to_vec())
    }

    /// What both sides share.
    pub(crate) fn agree(&self, server: &[u8]) -> Outcome<Vec<u8>> {
        let server = UnparsedPublicKey::new(&X25519, server);
        agree(&self.key, server, "no agreement", |shared| Ok(shared.to_vec())).map_err(Into::into)
    }

    /// The message.
    pub(crate) fn message(&self) -> Vec<u8> {
        let extensions: Vec<u8> =
            self.extensions.iter().flat_map(|(kind, body)| [&kind.to_be_bytes()[..], &vec16(body)].concat()).collect();
        let body = [
            &self.legacy_version.to_be_bytes()[..],
            &self.random,
            &vec8(&self.session),
            &vec16(&numbers(&self.suites)),
            &vec8(&self.compression),
            &vec16(&extensions),
            &self.tail,
        ];
        message(CLIENT_HELLO, &body.concat())
    }
}
