//! A contest whose secrets are known: keys from fixed seeds, a manifest, claims and all that goes with them, right and wrong. For tests; what ships cannot sign.
//!
//! Ed25519 signatures are made by *ring*, which knows nothing of what the arbiter verifies them with.
//!
//! - [`page`]: what `docs/arbiter.md` shows;
//! - [`vectors`]: what `bounty/vectors` holds, with the verdict on each.
#![forbid(unsafe_code)]

pub mod page;
pub mod vectors;

use std::sync::LazyLock;

use arbiter::claim;
use arbiter::commitment::{Opening, commit};
use arbiter::crash::{self, Ending};
use arbiter::key::{Ed25519Key, FlagKey};
use arbiter::lines::sealed;
use arbiter::manifest::{Flag, Manifest, Published};
use arbiter::note::VerifierKey;
use arbiter::possession;
use arbiter::receipt::Receipt;
use arbiter::wallet::{Network, WalletKey};
use arbiter::{Digest, Tier};
use k256::ecdsa::signature::Signer;
use k256::ecdsa::{Signature, SigningKey};
use k256::elliptic_curve::ops::Neg;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// When the contest begins.
pub const START: u64 = 1_800_000_000;
/// When it ends.
pub const END: u64 = 1_831_536_000;
/// When the claims are made.
pub const TIME: u64 = START + 86_400;
/// A write-up.
pub const WRITE_UP: &[u8] = b"How it was done.\n";
/// What a commitment is salted with.
pub const SALT: [u8; 32] = *b"a salt that nobody else may know";
/// What flags are asked with.
pub const NONCE: [u8; 32] = *b"a nonce that nobody has had yet.";

/// The private half of a label, in a contest whose secrets are known.
#[must_use]
pub fn seed(label: &str) -> [u8; 32] {
    Digest::of(&[b"arbiter test key: ", label.as_bytes()]).0
}

/// The key pair of a label.
///
/// # Panics
/// Never: every seed is one.
#[must_use]
pub fn pair(label: &str) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&seed(label)).expect("a seed")
}

/// Its public half.
///
/// # Panics
/// Never.
#[must_use]
pub fn key(label: &str) -> Ed25519Key {
    Ed25519Key::new(pair(label).public_key().as_ref().try_into().expect("32 bytes")).expect("a key")
}

/// A key that signs notes.
///
/// # Panics
/// Never.
#[must_use]
pub fn named(label: &str) -> VerifierKey {
    VerifierKey::new(&format!("contest.example/{label}"), key(label)).expect("a name")
}

/// A claimant: a public key as text.
#[must_use]
pub fn claimant(label: &str) -> String {
    format!("ed25519:{}", key(label))
}

fn wallet() -> SigningKey {
    SigningKey::from_slice(&seed("wallet")).expect("a seed")
}

fn wallet_key() -> WalletKey {
    WalletKey::new(&wallet().verifying_key().to_sec1_point(true).as_bytes().try_into().expect("33 bytes")).expect("a key")
}

/// The address on a chain of one's own: nobody is to send money to a key that stands in a repository.
#[must_use]
pub fn address() -> String {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| wallet_key().address(Network::Regtest));
    ADDRESS.clone()
}

/// A signature by a label's key; by the wallet's, for that label.
///
/// # Panics
/// Never.
#[must_use]
pub fn sign(label: &str, message: &[u8]) -> Vec<u8> {
    if label == "wallet" {
        let signature: Signature = wallet().sign(message);
        return signature.to_der().as_bytes().to_vec();
    }
    pair(label).sign(message).as_ref().to_vec()
}

/// Who holds the key of a log.
#[derive(Debug)]
pub struct Holder {
    label: &'static str,
    key: VerifierKey,
}

/// Whoever holds a label's key, of which a log is kept.
#[must_use]
pub fn holder(label: &'static str) -> Holder {
    Holder { label, key: named(label) }
}

impl bounty_log::append::Signer for Holder {
    fn key(&self) -> &VerifierKey {
        &self.key
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        sign(self.label, message).try_into().expect("64 bytes")
    }
}

/// A note that these keys sign.
///
/// # Panics
/// Never.
#[must_use]
pub fn note(text: &str, labels: &[&str]) -> Vec<u8> {
    let lines = labels.iter().map(|label| named(label).line(pair(label).sign(text.as_bytes()).as_ref().try_into().expect("64 bytes")));
    format!("{text}\n{}", lines.collect::<String>()).into_bytes()
}

/// A document that one key seals.
#[must_use]
pub fn seal(label: &str, body: &impl ToString) -> Vec<u8> {
    let message = body.to_string();
    sealed(&message, &sign(label, message.as_bytes()))
}

fn digest(label: &str) -> Digest {
    Digest::of(&[label.as_bytes()])
}

/// What the operator promises.
#[must_use]
pub fn manifest(address: &str) -> Manifest<'_> {
    let flag = |tier: Tier| Flag {
        key: if tier == Tier::Wallet { FlagKey::Wallet(wallet_key()) } else { FlagKey::Ed25519(key(tier.name())) },
        published: match tier {
            Tier::Read => Published::Read(0x0000_7f3a_1234_5000),
            Tier::Write => Published::Write(0x0000_7f3a_1234_6000, 0x626f_756e_7479_2121),
            Tier::Wallet => Published::Wallet(address),
            _ => Published::Nothing,
        },
        prize: if tier == Tier::Wallet { "what lies at the address" } else { "honour" },
    };
    let mut certificates = vec![digest("certificate 1"), digest("certificate 2")];
    certificates.sort();
    Manifest {
        name: "Example contest",
        rules: digest("rules"),
        image: digest("image"),
        tender: digest("tender"),
        source: "0123456789abcdef0123456789abcdef01234567",
        configuration: digest("configuration"),
        certificates,
        log: named("log"),
        start: START,
        end: END,
        flags: Tier::ALL.map(flag),
    }
}

/// The manifest as its operator publishes it.
#[must_use]
pub fn manifest_note() -> Vec<u8> {
    static NOTE: LazyLock<Vec<u8>> = LazyLock::new(|| note(&manifest(&address()).to_string(), &["operator"]));
    NOTE.clone()
}

/// What names the contest.
#[must_use]
pub fn manifest_digest() -> Digest {
    static DIGEST: LazyLock<Digest> = LazyLock::new(|| manifest(&address()).digest());
    *DIGEST
}

/// The key to trust.
#[must_use]
pub fn operator() -> String {
    static OPERATOR: LazyLock<String> = LazyLock::new(|| named("operator").to_string());
    OPERATOR.clone()
}

/// What the tender says of a cell.
#[must_use]
pub fn crash_body(claimant: &str) -> crash::Body<'_> {
    crash::Body {
        manifest: manifest_digest(),
        cell: 3,
        time: TIME - 60,
        ending: Ending::Crash,
        detail: "vector 14, error code 6, rip 0x00007f3a12341234, cr2 0x0000000000000010",
        evidence: digest("recording"),
        claimants: vec![claimant],
    }
}

/// What is said to have been won.
#[must_use]
pub fn claim_body(tier: Tier, claimant: &str) -> claim::Body<'_> {
    let record = (tier == Tier::Down).then(|| seal("down", &crash_body(claimant)));
    claim::Body { manifest: manifest_digest(), tier, claimant, text: "It was there to be read.", time: TIME, record }
}

/// Whose key signs a claim for this tier.
#[must_use]
pub fn claims_with(tier: Tier) -> &'static str {
    if tier == Tier::Down { "claimant" } else { tier.name() }
}

/// A claim that holds.
#[must_use]
pub fn claim(tier: Tier) -> Vec<u8> {
    seal(claims_with(tier), &claim_body(tier, &claimant("claimant")))
}

/// What opens the commitment.
#[must_use]
pub fn opening() -> Opening {
    Opening { write_up: Digest::of(&[WRITE_UP]), salt: SALT }
}

/// What the log says of a claim.
#[must_use]
pub fn receipt_body(claim: &[u8]) -> Receipt {
    let opening = opening();
    Receipt { manifest: manifest_digest(), commitment: commit(claim, &opening.write_up, &opening.salt), time: TIME + 600 }
}

/// The log's receipt for a claim.
#[must_use]
pub fn receipt(claim: &[u8]) -> Vec<u8> {
    note(&receipt_body(claim).to_string(), &["log"])
}

/// What a flag says.
#[must_use]
pub fn possession_body(tier: Tier) -> possession::Body {
    possession::Body { manifest: manifest_digest(), tier, nonce: NONCE, time: TIME }
}

/// A flag's answer to [`NONCE`].
#[must_use]
pub fn possession(tier: Tier) -> Vec<u8> {
    seal(tier.name(), &possession_body(tier))
}

/// A claim for the wallet that only its s makes wrong.
///
/// # Panics
/// Never.
#[must_use]
pub fn high_claim() -> Vec<u8> {
    let message = claim_body(Tier::Wallet, &claimant("claimant")).to_string();
    let signature: Signature = wallet().sign(message.as_bytes());
    let (r, s) = signature.split_scalars();
    let high = Signature::from_scalars(r.to_bytes(), s.neg().to_bytes()).expect("a signature");
    sealed(&message, high.to_der().as_bytes())
}
