//! A minted contest, read back: everything typed, and held against the manifest.
//!
//! It works without the operator's key, which is to be taken away. The log, which others begin, is not looked at.

use core::net::IpAddr;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use arbiter::key::FlagKey;
use arbiter::manifest::{Manifest, Published};
use arbiter::note::VerifierKey;
use arbiter::wallet::Network;
use arbiter::{Digest, Tier};
use keys::Secret;
use keys::bundle::{Certificate, Contest, Door, Flag, FlagTier, Role};

use crate::describe::Description;
use crate::door::{DoorName, PerDoor};
use crate::ed25519::Ed25519;
use crate::fault::{FolderFault, FolderWrong};
use crate::files;
use crate::flags::Flags;
use crate::limits::FILE_LEN_MAX;
use crate::log_key::LogKey;
use crate::order::{Mode, Ports};
use crate::page;
use crate::prize;
use crate::transcript;
use crate::versions::{Version, Versions};
use crate::wallet::{Wallet, taproot};

/// See the module.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    versions: Versions,
    operator: VerifierKey,
    transcript: String,
    description: Description,
    flags: Flags,
    log: LogKey,
    doors: PerDoor<Shown>,
    page: page::Pair,
}

/// What stands at a door.
#[derive(Debug)]
pub struct Shown {
    /// The certificate of the authority that the peer's must come from, in DER.
    pub authority: Vec<u8>,
    /// The box's own certificate, in DER.
    pub certificate: Vec<u8>,
    key: Secret<Vec<u8>>,
}

/// Where a door is in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Index of its listener.
    pub listener: u16,
    /// Index of the box's certificate.
    pub certificate: u16,
}

impl Folder {
    /// Reads a folder, and holds everything in it against the manifest.
    ///
    /// # Errors
    /// Names the file, what is wrong with it, and what to do.
    pub fn open(path: &Path) -> Result<Self, FolderFault> {
        let files = Files(path);
        let operator = files.operator()?;
        let versions = Versions::read(&files, &operator)?;
        // What is here besides is of the ceremony, and no later version has another.
        let manifest = versions.first().manifest(&operator);
        let description = files.description(&manifest)?;
        files.is_closed(description.mode)?;
        let transcript = files.transcript(&manifest)?;
        let flags = files.flags(&manifest)?;
        let log = files.ed25519(files::LOG_KEY)?;
        files.require(files::LOG_KEY, log.public() == manifest.log.key(), FolderWrong::OtherKey)?;
        let log = LogKey::new(manifest.log.clone(), log);
        let doors = PerDoor::try_make(|door| files.shown(door, &manifest))?;
        let page = page::pair(&files.read(files::PAGE_CHAIN)?, &files.secret(files::PAGE_KEY)?);
        let page = page.ok_or_else(|| files.fault(files::PAGE_CHAIN, FolderWrong::Pair(files::PAGE_KEY)))?;
        files.page_authority(&doors, &manifest)?;
        drop(manifest);
        Ok(Self { path: path.into(), versions, operator, transcript, description, flags, log, doors, page })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its log is, or is to be.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.path.join(files::LOG)
    }

    /// Where its evidence is, or is to be.
    #[must_use]
    pub fn evidence_path(&self) -> PathBuf {
        self.path.join(files::EVIDENCE)
    }

    /// The versions of what is promised, in order: the first is the ceremony's, the last in force.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        self.versions.all()
    }

    /// The version of this digest.
    #[must_use]
    pub fn version(&self, digest: &Digest) -> Option<&Version> {
        self.versions().find(|version| version.digest == *digest)
    }

    /// The number of the version in force, from 1.
    #[must_use]
    pub fn version_number(&self) -> u64 {
        self.versions.number()
    }

    /// The signed manifest that is in force.
    #[must_use]
    pub fn manifest_note(&self) -> &[u8] {
        self.versions.current().note()
    }

    /// What it says.
    ///
    /// # Panics
    /// Never: it was read when the folder was opened.
    #[must_use]
    pub fn manifest(&self) -> Manifest<'_> {
        self.versions.current().manifest(&self.operator)
    }

    /// What names the contest: of the manifest that is in force.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.versions.current().digest
    }

    /// The key that is trusted to have signed the manifest.
    #[must_use]
    pub const fn operator(&self) -> &VerifierKey {
        &self.operator
    }

    /// Whether the operator's private key still lies here.
    #[must_use]
    pub fn has_operator_key(&self) -> bool {
        self.path.join(files::OPERATOR_KEY).symlink_metadata().is_ok()
    }

    /// The rules that are in force.
    #[must_use]
    pub fn rules(&self) -> &str {
        self.versions.current().rules()
    }

    /// The transcript of the ceremony.
    #[must_use]
    pub fn transcript(&self) -> &str {
        &self.transcript
    }

    /// Whether it is a contest, or a rehearsal.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.description.mode
    }

    /// The chain of the wallet.
    #[must_use]
    pub const fn network(&self) -> Network {
        self.description.network
    }

    /// The wallet's P2WPKH address, and the P2TR address of the same key.
    #[must_use]
    pub fn addresses(&self) -> [&str; 2] {
        [&self.description.p2wpkh, &self.description.p2tr]
    }

    /// Names and addresses of the page.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.description.names
    }

    /// The doors' ports.
    #[must_use]
    pub const fn ports(&self) -> Ports {
        self.description.ports
    }

    /// What stands at a door.
    #[must_use]
    pub const fn shown(&self, door: DoorName) -> &Shown {
        self.doors.of(door)
    }

    /// The flags.
    #[must_use]
    pub const fn flags(&self) -> &Flags {
        &self.flags
    }

    /// Where the page of `read` lies, and that of `write`, and what the latter is to hold.
    ///
    /// # Panics
    /// Never: a manifest has them.
    #[must_use]
    pub fn places(&self) -> (u64, u64, u64) {
        let manifest = self.manifest();
        match (manifest.flag(Tier::Read).published, manifest.flag(Tier::Write).published) {
            (Published::Read(read), Published::Write(write, value)) => (read, write, value),
            other => unreachable!("invariant: the arbiter reads no other manifest than one with both: {other:?}"),
        }
    }

    /// The log's key.
    #[must_use]
    pub const fn log(&self) -> &LogKey {
        &self.log
    }

    /// What whoever is let in at a door gets.
    #[must_use]
    pub fn prize(&self) -> Secret<Vec<u8>> {
        prize::text(&self.digest(), &self.flags.auth, &self.flags.wallet, self.description.network)
    }

    /// What the guest is told: the prize, the flags that it holds, and the doors, at these places of its bundle.
    #[must_use]
    pub fn contest(&self, places: &PerDoor<Place>) -> Contest {
        let flag = |(tier, of)| Flag { tier, key: self.flags.bytes(of) };
        let flags =
            [(FlagTier::Auth, Tier::Auth), (FlagTier::Write, Tier::Write), (FlagTier::Key, Tier::Key), (FlagTier::Wallet, Tier::Wallet)];
        let doors = DoorName::ALL.into_iter().map(|door| self.door(door, *places.of(door))).collect();
        let (_, _, write_value) = self.places();
        Contest { manifest: self.digest().0, prize: self.prize(), flags: flags.into_iter().map(flag).collect(), write_value, doors }
    }

    fn door(&self, door: DoorName, Place { listener, certificate }: Place) -> Door {
        let role = match door {
            DoorName::Server => Role::Server,
            DoorName::CallBack => Role::CallBack { port: self.description.ports.dials },
            DoorName::Reverse => Role::Reverse,
        };
        Door { listener, role, certificate, authority: self.shown(door).authority.clone(), peer: door.peer().into() }
    }

    /// The box's certificate at a door, and its key.
    #[must_use]
    pub fn certificate(&self, door: DoorName) -> Certificate {
        let Shown { certificate, key, .. } = self.shown(door);
        Certificate { chain: vec![certificate.clone()], key: Secret::from_slice(key.expose()), names: vec![door.own().into()] }
    }

    /// The page's certificate and key.
    #[must_use]
    pub fn page(&self) -> Certificate {
        let page::Pair { chain, key } = &self.page;
        let names = self.names().iter().filter(|name| name.parse::<IpAddr>().is_err()).map(|name| name.to_ascii_lowercase()).collect();
        Certificate { chain: chain.clone(), key: Secret::from_slice(key.expose()), names }
    }
}

/// A folder whose files are still to be read.
pub(crate) struct Files<'a>(pub(crate) &'a Path);

impl Files<'_> {
    pub(crate) fn fault(&self, name: &str, wrong: FolderWrong) -> FolderFault {
        FolderFault { file: self.0.join(name), wrong }
    }

    pub(crate) fn require(&self, name: &str, holds: bool, wrong: FolderWrong) -> Result<(), FolderFault> {
        if holds { Ok(()) } else { Err(self.fault(name, wrong)) }
    }

    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, FolderFault> {
        let unreadable = |fault: std::io::Error| match fault.kind() {
            ErrorKind::NotFound => self.fault(name, FolderWrong::Missing),
            kind => self.fault(name, FolderWrong::Unreadable(kind)),
        };
        let file = File::open(self.0.join(name)).map_err(unreadable)?;
        // In the final size, so that nothing is left behind of a key; one more shows that it is the end.
        let len = file.metadata().map_err(unreadable)?.len();
        let mut bytes = Vec::with_capacity(usize::try_from(len).map_or(FILE_LEN_MAX, |len| len.min(FILE_LEN_MAX)).saturating_add(1));
        file.take(u64::try_from(FILE_LEN_MAX).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() > FILE_LEN_MAX { Err(self.fault(name, FolderWrong::TooLong)) } else { Ok(bytes) }
    }

    /// Whether there is something of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.join(name).symlink_metadata().is_ok()
    }

    /// The key that is trusted to have signed the manifest.
    pub(crate) fn operator(&self) -> Result<VerifierKey, FolderFault> {
        let text = self.text(files::OPERATOR)?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        VerifierKey::parse(text).map_err(|wrong| self.fault(files::OPERATOR, FolderWrong::Operator(wrong)))
    }

    fn secret(&self, name: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, FolderFault> {
        self.read(name).map(zeroize::Zeroizing::new)
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, FolderFault> {
        String::from_utf8(self.read(name)?).map_err(|_| self.fault(name, FolderWrong::NoText))
    }

    fn description(&self, manifest: &Manifest<'_>) -> Result<Description, FolderFault> {
        let description = Description::parse(&self.text(files::CONTEST)?);
        let description = description.map_err(|line| self.fault(files::CONTEST, FolderWrong::Line(line)))?;
        let same = description.manifest == manifest.digest() && is_wallet(&description, manifest);
        self.require(files::CONTEST, same, FolderWrong::OtherContest)?;
        Ok(description)
    }

    /// In a contest nobody but the owner may look into the folder.
    fn is_closed(&self, mode: Mode) -> Result<(), FolderFault> {
        let found = fs::metadata(self.0).map_err(|fault| self.fault("", FolderWrong::Unreadable(fault.kind())))?;
        self.require("", mode == Mode::Lab || found.permissions().mode() & 0o077 == 0, FolderWrong::Open)
    }

    fn transcript(&self, manifest: &Manifest<'_>) -> Result<String, FolderFault> {
        let text = self.text(files::TRANSCRIPT)?;
        transcript::check(text.as_bytes()).map_err(|fault| self.fault(files::TRANSCRIPT, FolderWrong::Transcript(fault)))?;
        self.require(files::TRANSCRIPT, text.contains(&manifest.digest().to_string()), FolderWrong::OtherContest)?;
        Ok(text)
    }

    fn ed25519(&self, name: &str) -> Result<Ed25519, FolderFault> {
        Ed25519::from_pem(&self.secret(name)?).ok_or_else(|| self.fault(name, FolderWrong::Key))
    }

    fn flags(&self, manifest: &Manifest<'_>) -> Result<Flags, FolderFault> {
        let wallet = files::flag(Tier::Wallet);
        let read = || Wallet::from_pem(&self.secret(&wallet)?).ok_or_else(|| self.fault(&wallet, FolderWrong::Key));
        let flags = Flags::try_make(|tier| self.ed25519(&files::flag(tier)), read)?;
        for tier in Tier::ALL {
            self.require(&files::flag(tier), flags.public(tier) == manifest.flag(tier).key, FolderWrong::OtherKey)?;
        }
        Ok(flags)
    }

    fn certificate(&self, name: &str, manifest: &Manifest<'_>) -> Result<Vec<u8>, FolderFault> {
        let found = page::certificates(&self.read(name)?);
        let Some([der]) = found.as_deref() else { return Err(self.fault(name, FolderWrong::Certificate)) };
        self.require(name, manifest.certificates.contains(&Digest::of(&[der])), FolderWrong::OtherCertificate)?;
        Ok(der.clone())
    }

    /// What people are told to trust for the page: if the manifest names more than what stands at the doors, the page was minted with the box, and this is among it.
    fn page_authority(&self, doors: &PerDoor<Shown>, manifest: &Manifest<'_>) -> Result<(), FolderFault> {
        let at_doors: Vec<Digest> = DoorName::ALL
            .into_iter()
            .flat_map(|door| [&doors.of(door).authority, &doors.of(door).certificate].map(|der| Digest::of(&[der])))
            .collect();
        let is_minted = manifest.certificates.iter().any(|digest| !at_doors.contains(digest));
        if !is_minted && !self.has(files::PAGE_AUTHORITY) {
            return Ok(());
        }
        let der = self.certificate(files::PAGE_AUTHORITY, manifest)?;
        self.require(files::PAGE_AUTHORITY, !at_doors.contains(&Digest::of(&[&der])), FolderWrong::OtherCertificate)
    }

    fn shown(&self, door: DoorName, manifest: &Manifest<'_>) -> Result<Shown, FolderFault> {
        let authority = self.certificate(&files::authority(door), manifest)?;
        let (name, key) = (files::certificate(door), files::key(door));
        let certificate = self.certificate(&name, manifest)?;
        let pair = page::pair(&self.read(&name)?, &self.secret(&key)?);
        let page::Pair { key, .. } = pair.ok_or_else(|| self.fault(&key, FolderWrong::OtherKey))?;
        Ok(Shown { authority, certificate, key })
    }
}

/// Whether the addresses are those of the wallet's key, on the chain that is named.
fn is_wallet(description: &Description, manifest: &Manifest<'_>) -> bool {
    let flag = manifest.flag(Tier::Wallet);
    let FlagKey::Wallet(key) = flag.key else { return false };
    let p2wpkh = key.address(description.network);
    flag.published == Published::Wallet(&p2wpkh) && description.p2wpkh == p2wpkh && description.p2tr == taproot(&key, description.network)
}
