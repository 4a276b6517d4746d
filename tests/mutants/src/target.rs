//! What an exploit knows of the box that it attacks.

use core::net::SocketAddr;
use std::fs;
use std::path::PathBuf;

use arbiter::Tier;
use arbiter::key::FlagKey;
use arbiter::manifest::{Manifest, Published};
use arbiter::note::VerifierKey;

use crate::Outcome;

/// See the module.
#[derive(Debug, Clone)]
pub struct Target {
    /// The door where the box is a TLS server.
    pub server: SocketAddr,
    /// The door where the box is a TLS client on the connection that it is given.
    pub reverse: SocketAddr,
    /// The page, without TLS.
    pub page: SocketAddr,
    /// The contest's public files: manifest, operator's key, certificates.
    pub public: PathBuf,
    /// What a laboratory publishes besides, of which an exploit may use one thing: the key of a door's authority, to have signed what that authority might have signed for
    /// somebody (`auth-usage`). A real contest has none.
    pub lab: PathBuf,
    /// The guest image: whoever has the sources can build it.
    pub image: PathBuf,
}

impl Target {
    /// A public file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn file(&self, name: &str) -> Outcome<Vec<u8>> {
        let path = self.public.join(name);
        fs::read(&path).map_err(|fault| format!("{}: {fault}", path.display()).into())
    }

    /// The operator's key.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn operator(&self) -> Outcome<String> {
        Ok(String::from_utf8(self.file("operator")?)?.trim().to_owned())
    }

    /// What `read` makes of the manifest.
    ///
    /// # Errors
    /// It is none.
    pub fn manifest<T>(&self, read: impl FnOnce(&Manifest<'_>) -> T) -> Outcome<T> {
        let operator = VerifierKey::parse(&self.operator()?).map_err(|wrong| format!("the operator's key: {wrong:?}"))?;
        let note = self.file("manifest")?;
        let manifest = Manifest::read(&note, &operator).map_err(|fault| format!("the manifest: {fault:?}"))?;
        Ok(read(&manifest))
    }

    /// The public half of a flag.
    ///
    /// # Errors
    /// The manifest is none.
    pub fn flag(&self, tier: Tier) -> Outcome<FlagKey> {
        self.manifest(|manifest| manifest.flag(tier).key)
    }

    /// The address that is published of a tier, and the value that is to stand there (0 where there is none).
    ///
    /// # Errors
    /// The manifest is none, or publishes nothing of this tier.
    pub fn published(&self, tier: Tier) -> Outcome<(u64, u64)> {
        let published = self.manifest(|manifest| match manifest.flag(tier).published {
            Published::Read(address) => Some((address, 0)),
            Published::Write(address, value) => Some((address, value)),
            Published::Nothing | Published::Wallet(_) => None,
        })?;
        published.ok_or_else(|| format!("no address is published of {tier}").into())
    }
}
