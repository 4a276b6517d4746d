//! X25519MLKEM768: ML-KEM-768 and X25519 side by side (draft-ietf-tls-ecdhe-mlkem, codepoint 0x11EC).
//!
//! A server gets a share and answers with a ciphertext, so its key never outlives the call; a client keeps a key for as long as the answer
//! takes. The order is the post-quantum part first, in both shares and in the secret (§4.1 to §4.3 of the draft). X25519 is ring's, ML-KEM is
//! RustCrypto's; see `docs/adr/0005-ml-kem.md`. Where X25519 and the randomness come from is the maker's to say, so that a simulator can say
//! it by a seed.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ml_kem::{Ciphertext, Decapsulate, DecapsulationKey, EncapsulationKey, KeyExport, MlKem768};
use ring::rand::SystemRandom;
use rustls::crypto::ring::kx_group::X25519;
use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};
use zeroize::Zeroizing;

/// Length of an ML-KEM-768 encapsulation key, in bytes (FIPS 203, table 3).
const ENCAPSULATION_KEY_LEN: usize = 1184;
/// Length of an ML-KEM-768 ciphertext, in bytes (FIPS 203, table 3).
const CIPHERTEXT_LEN: usize = 1088;
const X25519_LEN: usize = 32;
/// `d` and `z` of FIPS 203, algorithm 19.
const SEED_LEN: usize = 64;

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
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut seed = Zeroizing::new([0; SEED_LEN]);
        self.random.fill(&mut *seed)?;
        let key = Box::new(DecapsulationKey::<MlKem768>::from_seed((*seed).into()));
        let classical = self.classical.start()?;
        let share = [key.encapsulation_key().to_bytes().as_slice(), classical.pub_key()].concat();
        Ok(Box::new(Started { key, classical, share }))
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

/// A client's share, and the keys to what is answered to it; they are wiped when they are dropped.
struct Started {
    key: Box<DecapsulationKey<MlKem768>>,
    classical: Box<dyn ActiveKeyExchange>,
    share: Vec<u8>,
}

impl ActiveKeyExchange for Started {
    /// A ciphertext that was tampered with yields a secret that nobody has (FIPS 203, algorithm 18): the handshake fails at its Finished.
    fn complete(self: Box<Self>, server_share: &[u8]) -> Result<SharedSecret, Error> {
        let (ciphertext, x25519_share) = server_share.split_at_checked(CIPHERTEXT_LEN).ok_or(PeerMisbehaved::InvalidKeyShare)?;
        let ciphertext = Ciphertext::<MlKem768>::try_from(ciphertext).map_err(|_| PeerMisbehaved::InvalidKeyShare)?;
        let classical = self.classical.complete(x25519_share)?;
        let mut quantum_safe = self.key.decapsulate(&ciphertext);
        let secret = Zeroizing::new([quantum_safe.as_slice(), classical.secret_bytes()].concat());
        zeroize::Zeroize::zeroize(quantum_safe.as_mut_slice());
        Ok(SharedSecret::from(secret.as_slice()))
    }

    /// The X25519 half is offered on its own as well: a server without ML-KEM needs no second hello.
    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        Some((self.classical.group(), self.classical.pub_key()))
    }

    fn complete_hybrid_component(self: Box<Self>, server_share: &[u8]) -> Result<SharedSecret, Error> {
        self.classical.complete(server_share)
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_come_to_one_secret_and_another_ciphertext_to_another() {
        let group = &X25519_ML_KEM_768;
        for turned in [None, Some(0), Some(CIPHERTEXT_LEN - 1)] {
            let client = group.start().unwrap();
            assert_eq!(client.pub_key().len(), ENCAPSULATION_KEY_LEN + X25519_LEN);
            let mut server = group.start_and_complete(client.pub_key()).unwrap();
            assert_eq!(server.pub_key.len(), CIPHERTEXT_LEN + X25519_LEN);
            if let Some(at) = turned {
                server.pub_key[at] ^= 1;
            }
            let secret = client.complete(&server.pub_key).unwrap();
            let (quantum_safe, classical) = secret.secret_bytes().split_at(32);
            assert_eq!(&server.secret.secret_bytes()[32..], classical);
            assert_eq!(&server.secret.secret_bytes()[..32] == quantum_safe, turned.is_none());
        }
    }

    #[test]
    fn an_answer_of_another_length_or_of_no_point_is_refused() {
        let group = &X25519_ML_KEM_768;
        let answer = group.start_and_complete(group.start().unwrap().pub_key()).unwrap().pub_key;
        let longer = [&answer[..], &[0]].concat();
        let zeros = [&answer[..CIPHERTEXT_LEN], &[0; X25519_LEN]].concat();
        for answer in [&answer[..0], &answer[..CIPHERTEXT_LEN - 1], &answer[..CIPHERTEXT_LEN], &answer[..answer.len() - 1], &longer, &zeros]
        {
            assert!(group.start().unwrap().complete(answer).is_err(), "{}", answer.len());
        }
    }

    #[test]
    fn the_classical_half_counts_on_its_own() {
        let client = X25519_ML_KEM_768.start().unwrap();
        let (group, share) = client.hybrid_component().unwrap();
        assert_eq!(group, NamedGroup::X25519);
        let server = X25519.start_and_complete(share).unwrap();
        assert_eq!(client.complete_hybrid_component(&server.pub_key).unwrap().secret_bytes(), server.secret.secret_bytes());
    }
}
