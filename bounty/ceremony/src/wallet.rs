//! The wallet's key pair, and the forms in which wallets take it.

use core::fmt;

use arbiter::Digest;
use arbiter::wallet::{Network, WalletKey};
use bech32::{hrp, segwit};
use k256::ecdsa::signature::Signer;
use k256::ecdsa::{Signature, SigningKey};
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::point::AffineCoordinates;
use k256::{ProjectivePoint, PublicKey, Scalar};
use keys::Secret;
use pki_types::PrivatePkcs8KeyDer;
use pki_types::pem::PemObject;
use zeroize::{Zeroize, Zeroizing};

use crate::draw::{NoRandomness, first};
use crate::pem;

/// A private key of secp256k1 and its public half. It wipes itself when dropped, and does not print.
pub struct Wallet(SigningKey);

impl Wallet {
    pub(crate) fn draw() -> Result<Self, NoRandomness> {
        first(|scalar| SigningKey::from_slice(scalar).ok()).map(Self)
    }

    /// The key in a PEM file of PKCS#8.
    pub(crate) fn from_pem(text: &[u8]) -> Option<Self> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(text).ok()?;
        let der = Secret::from_slice(der.secret_pkcs8_der());
        let wallet = Self(SigningKey::from_slice(&*pem::secp256k1_scalar(der.expose())?).ok()?);
        (wallet.der() == der).then_some(wallet)
    }

    /// Its public half.
    ///
    /// # Panics
    /// Never: a key of secp256k1 has a compressed form.
    #[must_use]
    pub fn public(&self) -> WalletKey {
        let compressed = self.0.verifying_key().to_sec1_point(true);
        let compressed = compressed.as_bytes().try_into().expect("invariant: a compressed point has 33 bytes");
        WalletKey::new(&compressed).expect("invariant: a point of the curve")
    }

    /// Signs: ECDSA with SHA-256, in DER, s in the lower half of its range.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.normalize_s().to_der().as_bytes().to_vec()
    }

    /// Its scalar, most significant byte first.
    #[must_use]
    pub fn scalar(&self) -> Secret<Vec<u8>> {
        Secret::from_slice(&*self.bytes())
    }

    /// As PKCS#8.
    ///
    /// # Panics
    /// Never: a key of secp256k1 has an uncompressed form.
    #[must_use]
    pub fn der(&self) -> Secret<Vec<u8>> {
        let point = self.0.verifying_key().to_sec1_point(false);
        pem::secp256k1(&self.bytes(), point.as_bytes().try_into().expect("invariant: a point has 65 bytes"))
    }

    /// As PKCS#8 in PEM.
    #[must_use]
    pub fn pem(&self) -> Secret<String> {
        pem::private(&self.der())
    }

    /// As wallets import it: Base58Check over the network's byte, the scalar, and a byte that says that the public key is compressed.
    #[must_use]
    pub fn wif(&self, network: Network) -> Secret<String> {
        let mut bytes = Zeroizing::new([0; 38]);
        let (payload, check) = bytes.split_at_mut(34);
        payload[0] = if network == Network::Main { 0x80 } else { 0xef };
        payload[1..33].copy_from_slice(&*self.bytes());
        payload[33] = 1;
        let Digest(sum) = Digest::of(&[&Digest::of(&[payload]).0]);
        check.copy_from_slice(sum.split_at(4).0);
        Secret::new(base58(&bytes))
    }

    fn bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut field = self.0.to_bytes();
        let bytes = Zeroizing::new(field.into());
        field.as_mut_slice().zeroize();
        bytes
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wallet({}, ..)", self.public())
    }
}

/// The P2TR address of a key (BIP 341) that is spent with by the key alone, tweaked with nothing else than itself (BIP 86).
///
/// # Panics
/// Never: a hash is below the group's order but once in 2^127, and a program of 32 bytes has an address.
#[must_use]
pub fn taproot(key: &WalletKey, network: Network) -> String {
    let [_, x @ ..] = key.bytes();
    // Of the two points with this x the one with an even y is meant (BIP 340).
    let even = PublicKey::from_sec1_bytes(&[&[2], &x[..]].concat()).expect("invariant: the x of a point");
    let Digest(tag) = Digest::of(&[b"TapTweak"]);
    let Digest(hash) = Digest::of(&[&tag, &tag, &x]);
    let tweak = Option::<Scalar>::from(Scalar::from_repr(hash.into())).expect("invariant: 2^-127");
    let output = (ProjectivePoint::from(even.as_affine()) + ProjectivePoint::GENERATOR * tweak).to_affine();
    let prefix = match network {
        Network::Main => hrp::BC,
        Network::Test => hrp::TB,
        Network::Regtest => hrp::BCRT,
    };
    segwit::encode_v1(prefix, &output.x()).expect("invariant: a program of 32 bytes")
}

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Base 58 of bytes that do not begin with a zero, as one long division.
fn base58(bytes: &[u8; 38]) -> String {
    // 38 bytes are at most 52 digits, least significant first.
    let mut digits = Zeroizing::new([0_u8; 52]);
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in digits.iter_mut() {
            carry += u32::from(*digit) * 256;
            *digit = u8::try_from(carry % 58).unwrap_or_default();
            carry /= 58;
        }
    }
    let text = digits.iter().rev().skip_while(|digit| **digit == 0).map(|digit| char::from(ALPHABET[usize::from(*digit)]));
    let mut made = String::with_capacity(52);
    made.extend(text);
    made
}

#[cfg(test)]
mod tests {
    use arbiter::digest::from_hex;

    use super::*;

    /// BIP 86, account 0, first receiving address.
    #[test]
    fn the_taproot_address_of_bip_86_is_that_of_its_key() {
        let key = from_hex("03cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115").expect("hex");
        let key = WalletKey::new(&key).expect("a key");
        assert_eq!(taproot(&key, Network::Main), "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr");
    }

    /// The example of Bitcoin's wiki.
    #[test]
    fn the_import_format_is_that_of_wallets() {
        let scalar: [u8; 32] = from_hex("0c28fca386c7a227600b2fe50b7cae11ec86d3bf1fbe471be89827e19d72aa1d").expect("hex");
        let wallet = Wallet(SigningKey::from_slice(&scalar).expect("a key"));
        assert_eq!(wallet.wif(Network::Main).expose(), "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617");
        assert!(wallet.wif(Network::Regtest).expose().starts_with('c'));
    }

    #[test]
    fn a_wallet_is_read_as_it_was_written_and_signs() {
        let wallet = Wallet::draw().expect("randomness");
        let read = Wallet::from_pem(wallet.pem().expose().as_bytes()).expect("a key");
        assert_eq!(read.public(), wallet.public());
        assert_eq!(wallet.public().verify(b"message", &read.sign(b"message")), Ok(()));
        assert!(Wallet::from_pem(b"nothing").is_none());
    }
}
