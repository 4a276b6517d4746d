//! A contest, its box, and somebody who claims.

use std::path::Path;
use std::sync::Arc;

use arbiter::key::Ed25519Key;
use arbiter::limits::NAME_LEN_MAX;
use arbiter::lines::sealed;
use arbiter::wallet::Network;
use arbiter::{Digest, Tier, claim, possession};
use bounty_log::append::Signer;
use bounty_log::check::{Report, Trust, check};
use bounty_log::store::Folder as Store;
use ceremony::{Folder, Mode, Order, Page, Ports, Program, mint};
use keeper::Keeper;
use ring::signature::{Ed25519KeyPair, KeyPair};
use tempfile::TempDir;

/// The contest's first second.
pub(crate) const START: u64 = 1_800_000_000;
/// The first second behind it.
pub(crate) const END: u64 = 1_831_536_000;

/// A contest on a disk. It goes when this goes.
pub(crate) struct Contest {
    _dir: TempDir,
    pub(crate) folder: Arc<Folder>,
}

impl Contest {
    pub(crate) fn new() -> Self {
        let digest = |label: &str| Digest::of(&[label.as_bytes()]);
        let order = Order {
            name: "Test contest",
            names: &["bounty.example.test".into()],
            page: Page::Minted,
            ports: Ports { server: 4433, call_back: 4434, dials: 4435, reverse: 4436 },
            start: START,
            end: END,
            prizes: ["honour"; Tier::ALL.len()],
            rules: "Break it.\n",
            image: digest("image"),
            tender: digest("tender"),
            source: "0123456789abcdef0123456789abcdef01234567",
            configuration: digest("configuration"),
            program: Program { version: "0.1.0", digest: digest("program") },
            network: Network::Regtest,
            mode: Mode::Sealed,
            now: START - 1000,
        };
        assert!(order.name.len() <= NAME_LEN_MAX);
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("contest");
        mint(&order).unwrap().write(&path).unwrap();
        Self { folder: Arc::new(Folder::open(&path).unwrap()), _dir: dir }
    }

    pub(crate) fn keeper(&self, now: u64) -> Keeper {
        Keeper::open(&self.folder, now).unwrap_or_else(|fault| panic!("{fault}"))
    }

    pub(crate) fn log(&self) -> std::path::PathBuf {
        self.folder.log_path()
    }

    /// What a stranger finds who trusts the two keys.
    pub(crate) fn checked(&self) -> Report {
        report(&self.folder, &self.log())
    }

    /// A flag's proof.
    pub(crate) fn proof(&self, tier: Tier, nonce: [u8; 32], time: u64) -> Vec<u8> {
        let body = possession::Body { manifest: self.folder.digest(), tier, nonce, time }.to_string();
        sealed(&body, &self.folder.flags().sign(tier, body.as_bytes()))
    }

    /// The proofs of all flags.
    pub(crate) fn proofs(&self, nonce: [u8; 32], time: u64) -> Vec<u8> {
        Tier::ALL.iter().flat_map(|tier| self.proof(*tier, nonce, time)).collect()
    }

    /// A claim for this tier, by the flag of that.
    pub(crate) fn claim(&self, tier: Tier, flag: Tier, text: &str, time: u64) -> Vec<u8> {
        let claimant = claimant(1);
        let body = claim::Body { manifest: self.folder.digest(), tier, claimant: &claimant, text, time, record: None }.to_string();
        sealed(&body, &self.folder.flags().sign(flag, body.as_bytes()))
    }

    /// A claim of a crash.
    pub(crate) fn crash_claim(&self, record: &[u8], seed: u8, time: u64) -> Vec<u8> {
        let claimant = claimant(seed);
        let record = Some(record.to_vec());
        let body = claim::Body { manifest: self.folder.digest(), tier: Tier::Down, claimant: &claimant, text: "boom", time, record };
        let body = body.to_string();
        sealed(&body, pair(seed).sign(body.as_bytes()).as_ref())
    }
}

pub(crate) fn report(folder: &Folder, log: &Path) -> Report {
    let trust = Trust { log: folder.log().key(), operator: Some(folder.operator()), earlier: Vec::new() };
    check(&Store::new(log), &trust)
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

/// Somebody's key, as a claimant.
pub(crate) fn claimant(seed: u8) -> String {
    format!("ed25519:{}", Ed25519Key::new(pair(seed).public_key().as_ref().try_into().unwrap()).unwrap())
}
