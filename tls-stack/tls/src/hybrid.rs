//! X25519MLKEM768: ML-KEM-768 and X25519 side by side (draft-ietf-tls-ecdhe-mlkem, codepoint 0x11EC).
//!
//! The server's half only: it gets a share and answers with a ciphertext, so the key never outlives the call. The order is the post-quantum
//! part first, in both shares and in the secret (§4.1 to §4.3 of the draft). X25519 is ring's, ML-KEM is RustCrypto's; see
//! `docs/adr/0005-ml-kem.md`. Where X25519 and the randomness come from is the maker's to say, so that a simulator can say it by a seed.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ml_kem::{EncapsulationKey, MlKem768};
use ring::rand::SystemRandom;
use rustls::crypto::ring::kx_group::X25519;
use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};
use zeroize::Zeroizing;

/// Length of an ML-KEM-768 encapsulation key, in bytes (FIPS 203, table 3).
const ENCAPSULATION_KEY_LEN: usize = 1184;
const X25519_LEN: usize = 32;

/// The group that ships: ring's X25519, and what ring itself draws from.
pub(crate) static X25519_ML_KEM_768: X25519MlKem768 = X25519MlKem768::new(X25519, &Machine);

/// The group, as rustls wants it.
#[derive(Debug)]
pub struct X25519MlKem768 {
    classical: &'static dyn SupportedKxGroup,
    random: &'static dyn SecureRandom,
}

impl X25519MlKem768 {
    /// Of this X25519, and with encapsulations drawn from `random`.
    pub const fn new(classical: &'static dyn SupportedKxGroup, random: &'static dyn SecureRandom) -> Self {
        Self { classical, random }
    }
}

/// ring's source: in the guest, the platform's `getrandom`.
#[derive(Debug)]
struct Machine;

impl SecureRandom for Machine {
    fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        ring::rand::SecureRandom::fill(&SystemRandom::new(), buf).map_err(|_| GetRandomFailed)
    }
}

impl SupportedKxGroup for X25519MlKem768 {
    /// Never called: rustls' server calls only [`start_and_complete`](Self::start_and_complete).
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Err(Error::General("this group answers shares, it makes none".into()))
    }

    fn start_and_complete(&self, client_share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        if client_share.len() != ENCAPSULATION_KEY_LEN + X25519_LEN {
            return Err(PeerMisbehaved::InvalidKeyShare.into());
        }
        let (encapsulation_key, x25519_share) = client_share.split_at(ENCAPSULATION_KEY_LEN);
        let classical = self.classical.start_and_complete(x25519_share)?;
        let (ciphertext, quantum_safe) = encapsulate(encapsulation_key, self.random)?;
        let secret = Zeroizing::new([quantum_safe.as_slice(), classical.secret.secret_bytes()].concat());
        Ok(CompletedKeyExchange {
            group: self.name(),
            pub_key: [ciphertext.as_slice(), &classical.pub_key].concat(),
            secret: SharedSecret::from(secret.as_slice()),
        })
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }

    /// The draft defines the group for TLS 1.3 alone.
    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

/// A ciphertext for the holder of `key`, and the secret in it. A key with coefficients out of range is refused (FIPS 203 §7.2).
fn encapsulate(key: &[u8], random: &dyn SecureRandom) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), Error> {
    let key = key.try_into().map_err(|_| PeerMisbehaved::InvalidKeyShare)?;
    let key = EncapsulationKey::<MlKem768>::new(key).map_err(|_| PeerMisbehaved::InvalidKeyShare)?;
    let mut message = Zeroizing::new([0; 32]);
    random.fill(&mut *message)?;
    let (ciphertext, mut secret) = key.encapsulate_deterministic((&*message).into());
    let kept = Zeroizing::new(secret.to_vec());
    zeroize::Zeroize::zeroize(secret.as_mut_slice());
    Ok((ciphertext.to_vec(), kept))
}
