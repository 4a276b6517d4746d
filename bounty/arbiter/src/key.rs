//! Public keys of flags, and what is a signature by one.

use core::fmt;

use ed25519_dalek::{Signature, VerifyingKey};

use crate::fault::Wrong;
use crate::lines::{decode_base64, encode_base64};
use crate::wallet::WalletKey;

/// What an Ed25519 key begins with where a claimant is one.
const CLAIMANT_KIND: &str = "ed25519:";

/// An Ed25519 public key (RFC 8032) that is a point of the curve and not of small order. It prints as base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ed25519Key(VerifyingKey);

impl Ed25519Key {
    /// The key of these bytes.
    ///
    /// # Errors
    /// [`Wrong::Key`] for no point of the curve, [`Wrong::WeakKey`] for one under which a signature of one thing may be one of another.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, Wrong> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| Wrong::Key)?;
        if key.is_weak() { Err(Wrong::WeakKey) } else { Ok(Self(key)) }
    }

    /// The key that a claimant is, if it is one: `ed25519:` and base64.
    #[must_use]
    pub fn from_claimant(claimant: &str) -> Option<Self> {
        let bytes = decode_base64(claimant.strip_prefix(CLAIMANT_KIND)?)?;
        Self::new(&bytes.try_into().ok()?).ok()
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Whether this is a signature of that message: 64 bytes, in canonical form (RFC 8032, 5.1.7, without the cofactor), and R not of small order.
    ///
    /// # Errors
    /// [`Wrong::SignatureForm`], [`Wrong::Signature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Wrong> {
        let signature = Signature::from_slice(signature).map_err(|_| Wrong::SignatureForm)?;
        self.0.verify_strict(message, &signature).map_err(|_| Wrong::Signature)
    }
}

impl fmt::Display for Ed25519Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_base64(self.0.as_bytes()))
    }
}

impl fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Key({self})")
    }
}

/// The public key of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagKey {
    /// Of every tier but the wallet.
    Ed25519(Ed25519Key),
    /// Of the wallet.
    Wallet(WalletKey),
}

impl FlagKey {
    /// Whether this is a signature of that message.
    ///
    /// # Errors
    /// [`Wrong::SignatureForm`], [`Wrong::Signature`], [`Wrong::HighS`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Wrong> {
        match self {
            Self::Ed25519(key) => key.verify(message, signature),
            Self::Wallet(key) => key.verify(message, signature),
        }
    }
}

impl fmt::Display for FlagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519(key) => key.fmt(f),
            Self::Wallet(key) => key.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    /// RFC 8032, 7.1, test 2.
    const KEY: [u8; 32] = [
        0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
        0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c,
    ];
    const SIGNATURE: [u8; 64] = [
        0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f, 0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50,
        0x3f, 0x8f, 0xb3, 0x76, 0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99, 0x6e, 0x45, 0x8f, 0x36, 0x13,
        0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae, 0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00,
    ];

    #[test]
    fn a_signature_of_rfc_8032_verifies_and_an_altered_one_does_not() {
        let key = Ed25519Key::new(&KEY).expect("a key");
        assert_eq!(key.verify(&[0x72], &SIGNATURE), Ok(()));
        assert_eq!(key.verify(&[0x73], &SIGNATURE), Err(Wrong::Signature));
        assert_eq!(key.verify(&[0x72], &SIGNATURE[..63]), Err(Wrong::SignatureForm));
        assert_eq!(Ed25519Key::from_claimant(&format!("ed25519:{key}")), Some(key));
        assert_eq!(Ed25519Key::from_claimant(&format!("Ed25519:{key}")), None);
    }

    #[test]
    fn a_key_of_small_order_is_none() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(Ed25519Key::new(&identity), Err(Wrong::WeakKey));
        assert_eq!(Ed25519Key::new(&[0; 32]), Err(Wrong::WeakKey));
        let mut off_the_curve = [0; 32];
        off_the_curve[0] = 2;
        assert_eq!(Ed25519Key::new(&off_the_curve), Err(Wrong::Key));
    }
}
