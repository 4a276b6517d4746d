//! The flags' key pairs, one for each tier.

use arbiter::Tier;
use arbiter::key::FlagKey;
use keys::Secret;

use crate::ed25519::Ed25519;
use crate::wallet::Wallet;

/// See the module.
#[derive(Debug)]
pub struct Flags {
    pub(crate) auth: Ed25519,
    pub(crate) read: Ed25519,
    pub(crate) write: Ed25519,
    pub(crate) key: Ed25519,
    pub(crate) exec: Ed25519,
    pub(crate) escape: Ed25519,
    pub(crate) down: Ed25519,
    pub(crate) wallet: Wallet,
}

/// A flag as what it is.
#[derive(Debug)]
pub(crate) enum Pair<'a> {
    Ed25519(&'a Ed25519),
    Wallet(&'a Wallet),
}

impl Flags {
    pub(crate) fn try_make<E>(
        mut flag: impl FnMut(Tier) -> Result<Ed25519, E>,
        wallet: impl FnOnce() -> Result<Wallet, E>,
    ) -> Result<Self, E> {
        Ok(Self {
            auth: flag(Tier::Auth)?,
            read: flag(Tier::Read)?,
            write: flag(Tier::Write)?,
            key: flag(Tier::Key)?,
            exec: flag(Tier::Exec)?,
            escape: flag(Tier::Escape)?,
            down: flag(Tier::Down)?,
            wallet: wallet()?,
        })
    }

    pub(crate) const fn pair(&self, tier: Tier) -> Pair<'_> {
        match tier {
            Tier::Auth => Pair::Ed25519(&self.auth),
            Tier::Read => Pair::Ed25519(&self.read),
            Tier::Write => Pair::Ed25519(&self.write),
            Tier::Key => Pair::Ed25519(&self.key),
            Tier::Exec => Pair::Ed25519(&self.exec),
            Tier::Escape => Pair::Ed25519(&self.escape),
            Tier::Down => Pair::Ed25519(&self.down),
            Tier::Wallet => Pair::Wallet(&self.wallet),
        }
    }

    /// A flag's public half.
    #[must_use]
    pub fn public(&self, tier: Tier) -> FlagKey {
        match self.pair(tier) {
            Pair::Ed25519(pair) => FlagKey::Ed25519(pair.public()),
            Pair::Wallet(wallet) => FlagKey::Wallet(wallet.public()),
        }
    }

    /// Signs with a flag, as documents of the arbiter are signed.
    #[must_use]
    pub fn sign(&self, tier: Tier, message: &[u8]) -> Vec<u8> {
        match self.pair(tier) {
            Pair::Ed25519(pair) => pair.sign(message).to_vec(),
            Pair::Wallet(wallet) => wallet.sign(message),
        }
    }

    /// A flag's 32 bytes: a seed of Ed25519, for the wallet a scalar, most significant byte first.
    #[must_use]
    pub fn bytes(&self, tier: Tier) -> Secret<Vec<u8>> {
        match self.pair(tier) {
            Pair::Ed25519(pair) => pair.seed(),
            Pair::Wallet(wallet) => wallet.scalar(),
        }
    }

    /// A flag as PKCS#8 in PEM.
    #[must_use]
    pub fn pem(&self, tier: Tier) -> Secret<String> {
        match self.pair(tier) {
            Pair::Ed25519(pair) => pair.pem(),
            Pair::Wallet(wallet) => wallet.pem(),
        }
    }
}
