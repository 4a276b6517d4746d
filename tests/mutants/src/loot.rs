//! Keys in what an exploit got, and claims that are made with them. That a key is the right one is known from the manifest: its public half stands there.

use core::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use arbiter::claim::Body;
use arbiter::key::FlagKey;
use arbiter::lines::sealed;
use arbiter::{Tier, key};
use curve25519_dalek::{EdwardsPoint, Scalar};
use k256::ecdsa::signature::Signer as _;
use k256::ecdsa::{Signature, SigningKey};
use ring::digest::{SHA512, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::{Outcome, Target};

/// A private key of a flag.
pub enum Key {
    /// An Ed25519 key from its seed.
    Seed(Ed25519KeyPair),
    /// An Ed25519 key of which only the scalar is known: that is enough to sign.
    Scalar(Scalar),
    /// A key of secp256k1.
    Wallet(SigningKey),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What 32 bytes of `bytes` are the private half of `flag`, if any are, wherever they lie.
#[must_use]
pub fn find(bytes: &[u8], flag: &FlagKey) -> Option<Key> {
    bytes.windows(32).find_map(|window| match flag {
        FlagKey::Ed25519(public) => seed(window, public),
        FlagKey::Wallet(public) => {
            let key = SigningKey::from_slice(window).ok()?;
            (key.verifying_key().to_sec1_point(true).as_bytes() == public.bytes()).then_some(Key::Wallet(key))
        }
    })
}

fn seed(window: &[u8], public: &key::Ed25519Key) -> Option<Key> {
    let pair = Ed25519KeyPair::from_seed_unchecked(window).ok()?;
    (pair.public_key().as_ref() == public.bytes()).then_some(Key::Seed(pair))
}

/// A key pair as signers keep it in memory: the scalar, the prefix of nonces, and behind them the public half, which is what is looked for.
#[must_use]
pub fn find_pair(bytes: &[u8], public: &key::Ed25519Key) -> Option<Key> {
    let public = public.bytes();
    let places = bytes.windows(32).enumerate().filter(|(_, window)| *window == public);
    places.flat_map(|(place, _)| [64, 32].into_iter().filter_map(move |before| place.checked_sub(before))).find_map(|place| {
        let scalar = Scalar::from_bytes_mod_order(*bytes.get(place..)?.first_chunk()?);
        (EdwardsPoint::mul_base(&scalar).compress().to_bytes() == public).then_some(Key::Scalar(scalar))
    })
}

/// Who claims: a key of the exploit's own.
#[derive(Debug)]
pub struct Claimant(Ed25519KeyPair);

impl Claimant {
    /// The same one every time: who claims is nothing that an exploit has to hide.
    ///
    /// # Errors
    /// Never: every seed is one.
    pub fn new() -> Outcome<Self> {
        Ok(Self(Ed25519KeyPair::from_seed_unchecked(&[0x6d; 32]).map_err(|fault| fault.to_string())?))
    }

    /// As documents name it.
    ///
    /// # Errors
    /// Never: a key is one.
    pub fn name(&self) -> Outcome<String> {
        let public = self.0.public_key().as_ref().try_into()?;
        let key = key::Ed25519Key::new(public).map_err(|wrong| format!("{wrong:?}"))?;
        Ok(format!("ed25519:{key}"))
    }

    /// The message of a claim, as far as its signature.
    ///
    /// # Errors
    /// The manifest is none.
    pub fn message(&self, target: &Target, tier: Tier, record: Option<Vec<u8>>) -> Outcome<String> {
        let manifest = target.manifest(|manifest| manifest.digest())?;
        let time = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let text = "An exploit of tests/mutants, by the network alone.";
        Ok(Body { manifest, tier, claimant: &self.name()?, text, time, record }.to_string())
    }

    /// A claim for `down`, whose seal is the claimant's own.
    ///
    /// # Errors
    /// The manifest is none.
    pub fn claim_down(&self, target: &Target, record: Vec<u8>) -> Outcome<Vec<u8>> {
        let message = self.message(target, Tier::Down, Some(record))?;
        Ok(sealed(&message, self.0.sign(message.as_bytes()).as_ref()))
    }
}

/// A claim that is sealed with a key that was found.
///
/// # Errors
/// The manifest is none.
pub fn claim(target: &Target, tier: Tier, key: &Key) -> Outcome<Vec<u8>> {
    let message = Claimant::new()?.message(target, tier, None)?;
    Ok(sealed(&message, &key.sign(message.as_bytes())))
}

impl Key {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Seed(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Scalar(scalar) => sign_with_scalar(scalar, message).to_vec(),
            Self::Wallet(key) => {
                let signature: Signature = key.sign(message);
                signature.normalize_s().to_der().as_bytes().to_vec()
            }
        }
    }
}

/// RFC 8032 section 5.1.6 without the prefix, for which anything does that is not known: here the scalar takes its place.
fn sign_with_scalar(scalar: &Scalar, message: &[u8]) -> [u8; 64] {
    let wide = |parts: &[&[u8]]| {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(digest(&SHA512, &parts.concat()).as_ref());
        Scalar::from_bytes_mod_order_wide(&bytes)
    };
    let public = EdwardsPoint::mul_base(scalar).compress().to_bytes();
    let nonce = wide(&[scalar.as_bytes(), message]);
    let point = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
    let s = nonce + wide(&[&point, &public, message]) * scalar;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&point);
    signature[32..].copy_from_slice(s.as_bytes());
    signature
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(pair: &Ed25519KeyPair) -> key::Ed25519Key {
        key::Ed25519Key::new(pair.public_key().as_ref().try_into().expect("32 bytes")).expect("a key")
    }

    #[test]
    fn a_seed_is_found_wherever_it_lies_and_nowhere_else() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("a seed");
        let flag = FlagKey::Ed25519(public(&pair));
        assert!(find(&[&[1; 13][..], &[9; 32], &[2; 5]].concat(), &flag).is_some());
        assert!(find(&[&[1; 13][..], &[9; 31], &[2; 5]].concat(), &flag).is_none());
    }

    #[test]
    fn a_signature_by_the_scalar_alone_is_one() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("a seed");
        let mut scalar: [u8; 32] = digest(&SHA512, &[9; 32]).as_ref()[..32].try_into().expect("32 bytes");
        scalar[0] &= 248;
        scalar[31] = scalar[31] & 127 | 64;
        let memory = [&[3; 7][..], &scalar, &[5; 32], pair.public_key().as_ref(), &[4; 9]].concat();
        let found = find_pair(&memory, &public(&pair)).expect("the pair");
        assert_eq!(public(&pair).verify(b"message", &found.sign(b"message")), Ok(()));
        assert!(find_pair(&memory[8..], &public(&pair)).is_none());
    }
}
