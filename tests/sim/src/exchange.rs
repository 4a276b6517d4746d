//! Cryptography whose every byte comes from a seed: the randomness of rustls, and the ephemeral keys of X25519 and X25519MLKEM768.
//!
//! As rustls uses them, ring and aws-lc draw ephemeral keys from the operating system, and neither lets a caller replace that. So X25519 is made here, on
//! both sides, of aws-lc's and private keys of the seed. The server's half of the hybrid group is the one that ships, given this X25519 and this randomness; the
//! client's half opens what the server answers with aws-lc's ML-KEM, so that two implementations meet; its keys are of RustCrypto's making, as aws-lc's takes no seed.
//! Nothing here is secret: dice make the keys.

use core::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::agreement::{PrivateKey, PublicKey, UnparsedPublicKey, X25519 as CURVE, agree};
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, ML_KEM_768};
use ml_kem::{KeyExport, MlKem768};
use rustls_std::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls_std::crypto::{ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup};
use rustls_std::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};
use tls::X25519MlKem768;

use crate::rng::Rng;
use crate::signatures;

/// Length of an ML-KEM-768 ciphertext, in bytes (FIPS 203, table 3).
const CIPHERTEXT_LEN: usize = 1088;

/// One side's source of randomness and what draws from it. rustls holds such things for ever, so each costs some hundred bytes that are never given
/// back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    source: &'static Source,
    x25519: &'static X25519,
}

impl Exchange {
    pub(crate) fn new(seed: u64) -> Self {
        let source: &'static Source = Box::leak(Box::new(Source(Mutex::new(Rng::new(seed)))));
        Self { source, x25519: Box::leak(Box::new(X25519(source))) }
    }

    /// What a server answers shares of this group with, if it is one of ours.
    pub(crate) fn server(self) -> impl Fn(NamedGroup) -> Option<&'static dyn SupportedKxGroup> {
        let hybrid: &'static X25519MlKem768 = Box::leak(Box::new(X25519MlKem768::new(self.x25519, self.source)));
        move |group| match group {
            NamedGroup::X25519MLKEM768 => Some(hybrid),
            NamedGroup::X25519 => Some(self.x25519),
            _ => None,
        }
    }

    /// A client's cryptography: aws-lc's but for what draws. Of the other groups it says that it knows them; the appliance prefers these two.
    pub(crate) fn client(self) -> Arc<CryptoProvider> {
        let hybrid: &'static ClientHybrid = Box::leak(Box::new(ClientHybrid(self)));
        let kx_groups: Vec<&'static dyn SupportedKxGroup> = vec![hybrid, self.x25519, kx_group::SECP256R1, kx_group::SECP384R1];
        Arc::new(CryptoProvider {
            kx_groups,
            secure_random: self.source,
            signature_verification_algorithms: signatures::algorithms(),
            ..default_provider()
        })
    }
}

struct Source(Mutex<Rng>);

impl Source {
    fn draw<const LEN: usize>(&self) -> [u8; LEN] {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes(LEN);
        bytes.try_into().expect("invariant: as many as were asked for")
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source(..)")
    }
}

impl SecureRandom for Source {
    fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        buf.copy_from_slice(&self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes(buf.len()));
        Ok(())
    }
}

#[derive(Debug)]
struct X25519(&'static Source);

impl SupportedKxGroup for X25519 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Active::new(self.0)))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

struct Active {
    secret: PrivateKey,
    public: PublicKey,
}

impl Active {
    fn new(source: &Source) -> Self {
        let secret = PrivateKey::from_private_key(&CURVE, &source.draw::<32>()).expect("any 32 bytes are a key");
        let public = secret.compute_public_key().expect("a key has its other half");
        Self { secret, public }
    }

    /// An all-zero secret is refused, by aws-lc (RFC 8446 section 7.4.2).
    fn agree(&self, share: &[u8]) -> Result<Vec<u8>, Error> {
        let refused = Error::from(PeerMisbehaved::InvalidKeyShare);
        agree(&self.secret, UnparsedPublicKey::new(&CURVE, share), refused, |shared| Ok(shared.to_vec()))
    }
}

impl ActiveKeyExchange for Active {
    fn complete(self: Box<Self>, share: &[u8]) -> Result<SharedSecret, Error> {
        Ok(SharedSecret::from(self.agree(share)?))
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_ref()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// The client's half of draft-ietf-tls-ecdhe-mlkem: the post-quantum part first.
#[derive(Debug)]
struct ClientHybrid(Exchange);

impl SupportedKxGroup for ClientHybrid {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let (classical, key) = (Active::new(self.0.source), Key::of(self.0.source.draw()));
        let share = [&key.public, classical.public.as_ref()].concat();
        Ok(Box::new(ActiveHybrid { classical, key, share }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

/// A client's ML-KEM key. There are 256, the same in every run, each made when it is first drawn: making one costs more than all the rest of a hello. To the
/// server one is as good as another, and each of its answers is fresh.
struct Key {
    public: Vec<u8>,
    secret: DecapsulationKey,
}

impl Key {
    fn of([number]: [u8; 1]) -> &'static Self {
        static KEYS: [OnceLock<Key>; 256] = [const { OnceLock::new() }; 256];
        KEYS[usize::from(number)].get_or_init(|| Self::new([number; 64]))
    }

    /// What aws-lc takes is a key in its full form (FIPS 203 algorithm 16).
    #[expect(deprecated, reason = "RustCrypto would rather keep a seed")]
    fn new(seed: [u8; 64]) -> Self {
        let key = ml_kem::DecapsulationKey::<MlKem768>::from_seed(seed.into());
        let secret = DecapsulationKey::new(&ML_KEM_768, &ml_kem::ExpandedKeyEncoding::to_expanded_bytes(&key));
        Self { public: key.encapsulation_key().to_bytes().to_vec(), secret: secret.expect("a key in its full form") }
    }
}

struct ActiveHybrid {
    classical: Active,
    key: &'static Key,
    share: Vec<u8>,
}

impl ActiveKeyExchange for ActiveHybrid {
    fn complete(self: Box<Self>, share: &[u8]) -> Result<SharedSecret, Error> {
        let (ciphertext, classical) = share.split_at_checked(CIPHERTEXT_LEN).ok_or(PeerMisbehaved::InvalidKeyShare)?;
        let quantum_safe = self.key.secret.decapsulate(Ciphertext::from(ciphertext)).map_err(|_| PeerMisbehaved::InvalidKeyShare)?;
        Ok(SharedSecret::from([quantum_safe.as_ref(), &self.classical.agree(classical)?].concat()))
    }

    /// A client that offers both sends its X25519 share once more alone.
    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        Some((NamedGroup::X25519, self.classical.public.as_ref()))
    }

    fn complete_hybrid_component(self: Box<Self>, share: &[u8]) -> Result<SharedSecret, Error> {
        Ok(SharedSecret::from(self.classical.agree(share)?))
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls_std::crypto::ring;

    /// Both halves with another's: rustls' own, of aws-lc and of ring, which draw from the system.
    #[test]
    fn both_groups_agree_with_rustls_own() {
        let exchange = Exchange::new(1);
        for (ours, theirs) in exchange.client().kx_groups.iter().zip([kx_group::X25519MLKEM768, ring::kx_group::X25519]) {
            let begun = ours.start().unwrap();
            let answer = theirs.start_and_complete(begun.pub_key()).unwrap();
            assert_eq!(begun.complete(&answer.pub_key).unwrap().secret_bytes(), answer.secret.secret_bytes());
            let begun = theirs.start().unwrap();
            let answer = exchange.server()(ours.name()).unwrap().start_and_complete(begun.pub_key()).unwrap();
            assert_eq!(begun.complete(&answer.pub_key).unwrap().secret_bytes(), answer.secret.secret_bytes());
        }
    }

    #[test]
    fn one_seed_gives_one_share_and_another_seed_another() {
        let share = |seed| Exchange::new(seed).client().kx_groups[0].start().unwrap().pub_key().to_vec();
        assert_eq!(share(1), share(1));
        assert_ne!(share(1), share(2));
    }

    #[test]
    fn shares_of_a_wrong_length_or_order_are_refused() {
        let exchange = Exchange::new(1);
        let server = exchange.server()(NamedGroup::X25519).unwrap();
        assert!(server.start_and_complete(&[9; 31]).is_err());
        assert!(server.start_and_complete(&[0; 32]).is_err(), "a share that makes every secret zero");
        let begun = exchange.client().kx_groups[0].start().unwrap();
        assert!(begun.complete(&[0; 100]).is_err());
    }
}
