//! The flags that a contest's guest holds. It proves that it has them to whoever asks with a nonce, and signs a claim for whoever has made it write.
//!
//! | what | does |
//! |---|---|
//! | [`Flags::new`] | takes the flags of a bundle |
//! | [`Flags::prove`] | one proof of possession for each flag, `read` among them (docs/arbiter.md) |
//! | [`Flags::sign`] | the signature of `write` under a claim, if the published word holds the published value, and the one behind it that claim's [`mark`] |
//!
//! A flag signs nothing but these two documents, whose first lines are their domains. Nothing here reads a clock or draws a number: Ed25519 and RFC 6979 need none.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use arbiter::lines::sealed;
use arbiter::possession::Body;
use arbiter::{Digest, Document, Tier, limits};
use k256::ecdsa::signature::Signer;
use k256::ecdsa::{Signature, SigningKey};
use keys::bundle::{Contest, Flag, FlagTier};
use ring::signature::Ed25519KeyPair;

/// See the crate.
pub struct Flags {
    manifest: Digest,
    /// In the manifest's order.
    held: Vec<(Tier, Key)>,
    write_value: u64,
}

enum Key {
    Ed25519(Ed25519KeyPair),
    /// ECDSA over secp256k1.
    Wallet(SigningKey),
}

/// Why a bundle's flags are none: this one is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoKey(pub Tier);

/// Why nothing is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// The published word does not hold the published value, or there is none.
    Word,
    /// The word behind it does not hold the message's [`mark`].
    Mark,
    /// The message is no claim for `write` in this contest.
    Message,
    /// There is no flag of `write`.
    NoFlag,
}

impl fmt::Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Word => "the word does not hold the value that the manifest names",
            Self::Mark => "the word holds the value, and the eight bytes behind it are not the first eight of this message's SHA-256",
            Self::Message => {
                "this is not the message of a claim for `write` in this contest, from its first line to the line feed behind its time"
            }
            Self::NoFlag => "this box has no flag of `write`",
        })
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flags").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

/// What has to stand behind the published word for `message` to be signed: the first eight bytes of its SHA-256, little-endian. Else whoever only asks, over and
/// over, would have the claim of his own signed as soon as somebody else has written.
///
/// ```
/// // SHA-256 of nothing begins with e3b0c442 98fc1c14.
/// assert_eq!(flags::mark(b"").to_le_bytes(), [0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14]);
/// ```
#[must_use]
pub fn mark(message: &[u8]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = Digest::of(&[message]).0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

impl Flags {
    /// The flags of a bundle's contest.
    ///
    /// # Errors
    /// A flag that is no key.
    pub fn new(contest: &Contest) -> Result<Self, NoKey> {
        let mut held = contest.flags.iter().map(Key::of).collect::<Result<Vec<_>, _>>()?;
        held.sort_by_key(|(tier, _)| *tier);
        Ok(Self { manifest: Digest(contest.manifest), held, write_value: contest.write_value })
    }

    /// Proofs that every flag is here, one document behind the other, in the manifest's order. `read` is the flag of that tier, as it lies in its window;
    /// `time` is in seconds since 1970.
    #[must_use]
    pub fn prove(&self, nonce: [u8; 32], time: u64, read: Option<&[u8; 32]>) -> Vec<u8> {
        let read = read.and_then(|seed| Ed25519KeyPair::from_seed_unchecked(seed).ok()).map(|pair| (Tier::Read, Key::Ed25519(pair)));
        let mut keys: Vec<_> = self.held.iter().chain(&read).collect();
        keys.sort_by_key(|(tier, _)| *tier);
        let proof = |(tier, key): &(Tier, Key)| {
            let message = Body { manifest: self.manifest, tier: *tier, nonce, time }.to_string();
            sealed(&message, &key.sign(message.as_bytes()))
        };
        keys.into_iter().flat_map(proof).collect()
    }

    /// The flag of `write` signs a claim, as far as its `time` line, if the published word and the one behind it (`words`) hold what they are to hold for it.
    ///
    /// # Errors
    /// Why it does not.
    pub fn sign(&self, message: &[u8], words: Option<[u64; 2]>) -> Result<Vec<u8>, Unsigned> {
        let marked = words.and_then(|[word, marked]| (word == self.write_value).then_some(marked)).ok_or(Unsigned::Word)?;
        let head = alloc::format!("{}\nmanifest {}\ntier {}\n", Document::Claim.head(), self.manifest, Tier::Write);
        if !message.starts_with(head.as_bytes()) || !message.ends_with(b"\n") || message.len() > limits::CLAIM_LEN_MAX {
            return Err(Unsigned::Message);
        }
        if marked != mark(message) {
            return Err(Unsigned::Mark);
        }
        let write = self.held.iter().find(|(tier, _)| *tier == Tier::Write);
        write.map(|(_, key)| key.sign(message)).ok_or(Unsigned::NoFlag)
    }
}

impl Key {
    fn of(flag: &Flag) -> Result<(Tier, Self), NoKey> {
        let tier = match flag.tier {
            FlagTier::Auth => Tier::Auth,
            FlagTier::Write => Tier::Write,
            FlagTier::Key => Tier::Key,
            FlagTier::Wallet => Tier::Wallet,
        };
        let bytes = flag.key.expose();
        let key = match tier {
            Tier::Wallet => SigningKey::from_slice(bytes).ok().map(Self::Wallet),
            _ => Ed25519KeyPair::from_seed_unchecked(bytes).ok().map(Self::Ed25519),
        };
        key.map(|key| (tier, key)).ok_or(NoKey(tier))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Wallet(key) => {
                // In the lower half of its range, as the arbiter and Bitcoin have it.
                let signature: Signature = key.sign(message);
                signature.normalize_s().to_der().as_bytes().to_vec()
            }
        }
    }
}
