//! The wallet's key: secp256k1, its P2WPKH address, and ECDSA signatures.

use alloc::string::String;
use core::fmt;

use bech32::{Hrp, hrp, segwit};
use k256::ecdsa::signature::Verifier;
use k256::ecdsa::{Signature, VerifyingKey};
use ripemd::Ripemd160;
use sha2::{Digest as _, Sha256};

use crate::fault::Wrong;
use crate::lines::encode_base64;

/// The networks whose addresses a manifest may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// The public chain.
    Main,
    /// The public chains for tests.
    Test,
    /// A chain of one's own.
    Regtest,
}

impl Network {
    const ALL: [Self; 3] = [Self::Main, Self::Test, Self::Regtest];

    const fn prefix(self) -> Hrp {
        match self {
            Self::Main => hrp::BC,
            Self::Test => hrp::TB,
            Self::Regtest => hrp::BCRT,
        }
    }
}

/// A secp256k1 public key. It prints as its compressed form (SEC 1, 2.3.3) in base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WalletKey {
    key: VerifyingKey,
    compressed: [u8; 33],
}

impl WalletKey {
    /// The key of this compressed form, whose first byte is 2 or 3. The library takes 5 as well, for a point by its x alone: to Bitcoin that is no key, so nobody could spend from its address.
    ///
    /// # Errors
    /// [`Wrong::Key`].
    pub fn new(compressed: &[u8; 33]) -> Result<Self, Wrong> {
        if !matches!(compressed[0], 2 | 3) {
            return Err(Wrong::Key);
        }
        let key = VerifyingKey::from_sec1_bytes(compressed).map_err(|_| Wrong::Key)?;
        Ok(Self { key, compressed: *compressed })
    }

    /// Its 33 bytes.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 33] {
        self.compressed
    }

    /// Its P2WPKH address (BIP 141, BIP 173), in lower case.
    ///
    /// # Panics
    /// Never: 20 bytes are a witness program of version 0.
    #[must_use]
    pub fn address(&self, network: Network) -> String {
        let program = Ripemd160::digest(Sha256::digest(self.compressed));
        segwit::encode_v0(network.prefix(), &program).expect("invariant: a program of 20 bytes")
    }

    /// Whether the text is its address on any network.
    #[must_use]
    pub fn has_address(&self, text: &str) -> bool {
        Network::ALL.into_iter().any(|network| self.address(network) == text)
    }

    /// Whether this is a signature of that message: ECDSA with SHA-256, in DER, s in the lower half of its range, so that there is one form of each.
    ///
    /// # Errors
    /// [`Wrong::SignatureForm`], [`Wrong::Signature`], [`Wrong::HighS`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Wrong> {
        let parsed = Signature::from_der(signature).map_err(|_| Wrong::SignatureForm)?;
        if parsed.to_der().as_bytes() != signature {
            return Err(Wrong::SignatureForm);
        }
        if parsed.normalize_s() != parsed {
            return Err(Wrong::HighS);
        }
        self.key.verify(message, &parsed).map_err(|_| Wrong::Signature)
    }
}

impl fmt::Display for WalletKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_base64(&self.compressed))
    }
}

impl fmt::Debug for WalletKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WalletKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::SigningKey;
    use k256::ecdsa::signature::Signer;
    use k256::elliptic_curve::ops::Neg;

    use super::*;
    use crate::digest::from_hex;

    /// The key of BIP 173's and BIP 141's examples, and its addresses there.
    #[test]
    fn the_addresses_of_bip_173_are_those_of_its_key() {
        let key = from_hex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798").expect("hex");
        let key = WalletKey::new(&key).expect("a key");
        assert!(key.has_address("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"));
        assert!(key.has_address("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"));
        for other in [
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
            "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9",
            "",
        ] {
            assert!(!key.has_address(other), "{other}");
        }
    }

    #[test]
    fn a_signature_has_one_form() {
        let signing = SigningKey::from_slice(&[7; 32]).expect("a key");
        let key = WalletKey::new(&signing.verifying_key().to_sec1_point(true).as_bytes().try_into().expect("33 bytes")).expect("a key");
        let signature: Signature = signing.sign(b"message");
        let der = signature.to_der();
        assert_eq!(key.verify(b"message", der.as_bytes()), Ok(()));
        assert_eq!(key.verify(b"massage", der.as_bytes()), Err(Wrong::Signature));
        let (r, s) = signature.split_scalars();
        let high = Signature::from_scalars(r.to_bytes(), s.neg().to_bytes()).expect("a signature");
        assert_eq!(key.verify(b"message", high.to_der().as_bytes()), Err(Wrong::HighS));
        assert_eq!(key.verify(b"message", &signature.to_bytes()), Err(Wrong::SignatureForm));
        assert_eq!(key.verify(b"message", &[der.as_bytes(), &[0]].concat()), Err(Wrong::SignatureForm));
    }

    /// The tags of SEC 1, 2.3.3 are 2 and 3; 5 is one of the library's own, for a point of x alone. [7; 32] is the x of a point.
    #[test]
    fn a_point_that_is_not_compressed_or_not_on_the_curve_is_no_key() {
        let tagged = |head| {
            let mut bytes = [7; 33];
            bytes[0] = head;
            bytes
        };
        assert!([2, 3].into_iter().all(|head| WalletKey::new(&tagged(head)).is_ok()));
        for head in [0, 1, 4, 5, 6, 7] {
            assert_eq!(WalletKey::new(&tagged(head)), Err(Wrong::Key), "{head}");
        }
        assert_eq!(WalletKey::new(&[2; 33].map(|_| 0xff)), Err(Wrong::Key));
    }
}
