//! The mint: makes all of a contest in memory. Pure but for randomness.

use core::fmt;
use std::path::Path;

use arbiter::manifest::{Flag, Manifest, Published};
use arbiter::note::VerifierKey;
use arbiter::{Digest, Fault, Tier};
use keys::Secret;

use crate::authority::{Authority, NotMade, P256, Period};
use crate::describe::Description;
use crate::door::{DoorName, PerDoor};
use crate::draw::{self, NoRandomness};
use crate::ed25519::Ed25519;
use crate::files::{self, Planned, WriteFault};
use crate::flags::Flags;
use crate::order::{Mode, Order, OrderFault};
use crate::page;
use crate::pem;
use crate::transcript::Transcript;
use crate::wallet::{Wallet, taproot};
use crate::watch::{Nobody, Step, Stop, Watch};

/// A contest that is in memory only.
#[derive(Debug)]
pub struct Minted {
    operator: VerifierKey,
    log: VerifierKey,
    manifest: Vec<u8>,
    digest: Digest,
    transcript: String,
    files: Vec<Planned>,
}

/// Why nothing was minted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MintFault {
    /// What was ordered.
    Order(OrderFault),
    /// A key or a certificate could not be made, for want of randomness or of memory.
    Making,
    /// The manifest would be none.
    Manifest(Fault),
    /// Whoever watches has stopped it.
    Stopped(Stop),
}

impl fmt::Display for MintFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(fault) => fault.fmt(f),
            Self::Making => f.write_str("a key or certificate could not be made"),
            Self::Manifest(fault) => fault.fmt(f),
            Self::Stopped(stop) => stop.fmt(f),
        }
    }
}

impl core::error::Error for MintFault {}

impl From<Stop> for MintFault {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

impl From<OrderFault> for MintFault {
    fn from(fault: OrderFault) -> Self {
        Self::Order(fault)
    }
}

impl From<NoRandomness> for MintFault {
    fn from(_: NoRandomness) -> Self {
        Self::Making
    }
}

impl From<NotMade> for MintFault {
    fn from(_: NotMade) -> Self {
        Self::Making
    }
}

/// Makes a contest.
///
/// # Errors
/// [`MintFault`].
pub fn mint(order: &Order<'_>) -> Result<Minted, MintFault> {
    mint_watched(order, &mut Nobody)
}

/// Makes a contest while somebody watches, and may stop it before each step.
///
/// # Errors
/// [`MintFault`].
pub fn mint_watched(order: &Order<'_>, watch: &mut dyn Watch) -> Result<Minted, MintFault> {
    order.check()?;
    let mut told = Transcript::begin(order, watch);
    told.before(Step::Keys)?;
    let keys = Keys::draw(order, &mut told)?;
    told.before(Step::Doors)?;
    let doors = Doors::make(order, &keys.flags.key, &mut told)?;
    told.before(Step::Page)?;
    let page = make_page(order, &mut told)?;
    told.before(Step::Places)?;
    let promise = Promise { order, keys: &keys, doors: &doors, page: &page, places: Places::draw(&mut told)? };
    told.before(Step::Manifest)?;
    let (manifest, digest) = promise.sign(&mut told)?;
    let transcript = told.end();
    let mut files = promise.public(&manifest, digest, &transcript);
    files.extend(promise.secret());
    if order.mode == Mode::Lab {
        files.extend(promise.lab());
    }
    Ok(Minted { operator: keys.operator_name, log: keys.log_name, manifest, digest, transcript, files })
}

impl Minted {
    /// The key that is trusted to have signed the manifest: what everybody is to be told by other ways too.
    #[must_use]
    pub const fn operator(&self) -> &VerifierKey {
        &self.operator
    }

    /// The log's key.
    #[must_use]
    pub const fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// The signed manifest.
    #[must_use]
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// What names the contest.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// What happened.
    #[must_use]
    pub fn transcript(&self) -> &str {
        &self.transcript
    }

    /// Writes all of it into a folder that is not there yet: mode 0700, its files 0600. It is there whole, or not at all.
    ///
    /// # Errors
    /// [`WriteFault`].
    pub fn write(&self, dir: &Path) -> Result<(), WriteFault> {
        files::write(dir, &self.files)
    }
}

/// Every key pair that lasts.
struct Keys {
    operator: Ed25519,
    operator_name: VerifierKey,
    log: Ed25519,
    log_name: VerifierKey,
    flags: Flags,
}

impl Keys {
    fn draw(order: &Order<'_>, told: &mut Transcript<'_>) -> Result<Self, MintFault> {
        let (operator, log) = (Ed25519::draw()?, Ed25519::draw()?);
        let origin = order.names.first().ok_or(OrderFault::Names)?;
        let named =
            |what: &str, key: &Ed25519| VerifierKey::new(&format!("{origin}/{what}"), key.public()).map_err(|_| OrderFault::NameOf(0));
        let (operator_name, log_name) = (named("operator", &operator)?, named("log", &log)?);
        told.step(format_args!("made the operator's key: {operator_name}"));
        told.step(format_args!("made the log's key: {log_name}"));
        let flags = Flags::try_make(|_| Ed25519::draw(), Wallet::draw)?;
        for tier in Tier::ALL.into_iter().filter(|tier| *tier != Tier::Wallet) {
            told.step(format_args!("made the flag of {tier}: Ed25519 {}", flags.public(tier)));
        }
        let wallet = flags.wallet.public();
        let (p2wpkh, p2tr) = (wallet.address(order.network), taproot(&wallet, order.network));
        told.step(format_args!("made the flag of wallet: secp256k1 {wallet}, P2WPKH {p2wpkh}, P2TR {p2tr}"));
        Ok(Self { operator, operator_name, log, log_name, flags })
    }
}

/// What is shown at the doors, and asked for.
struct Doors {
    authorities: PerDoor<Vec<u8>>,
    certificates: PerDoor<Vec<u8>>,
    call_back: P256,
    reverse: P256,
    /// The authorities' keys, which outlive this only in a rehearsal.
    published: Vec<(DoorName, Secret<Vec<u8>>)>,
}

impl Doors {
    fn make(order: &Order<'_>, flag: &Ed25519, told: &mut Transcript<'_>) -> Result<Self, MintFault> {
        let period = Period { now: order.now, end: order.end };
        let made = PerDoor::try_make(|door| Authority::make(door, period))?;
        for door in DoorName::ALL {
            let digest = Digest::of(&[&made.of(door).der]);
            told.step(format_args!("made the authority of the door {door}: ECDSA P-256, certificate {digest}"));
        }
        let (call_back, reverse) = (P256::draw()?, P256::draw()?);
        let certificates = PerDoor::try_make(|door| match door {
            DoorName::Server => made.of(door.issuer()).sign_server(door, flag),
            DoorName::CallBack => made.of(door.issuer()).sign_client(door, &call_back),
            DoorName::Reverse => made.of(door.issuer()).sign_client(door, &reverse),
        })?;
        for door in DoorName::ALL {
            let (issuer, digest) = (door.issuer(), Digest::of(&[certificates.of(door)]));
            let key = if door == DoorName::Server { "the flag of key" } else { "a key of ECDSA P-256" };
            told.step(format_args!("signed {key} for the box at the door {door}, by the authority of {issuer}: certificate {digest}"));
        }
        let mut published = Vec::new();
        let authorities = Self::end(made, order.mode, &mut published);
        tell_end(order.mode, told);
        Ok(Self { authorities, certificates, call_back, reverse, published })
    }

    /// The authorities have signed all that they will. Their keys are wiped here, before anything else happens.
    fn end(made: PerDoor<Authority>, mode: Mode, published: &mut Vec<(DoorName, Secret<Vec<u8>>)>) -> PerDoor<Vec<u8>> {
        let mut end = |door, authority: Authority| match mode {
            Mode::Sealed => authority.destroy(),
            Mode::Lab => {
                let (der, key) = authority.publish();
                published.push((door, key));
                der
            }
        };
        PerDoor {
            server: end(DoorName::Server, made.server),
            call_back: end(DoorName::CallBack, made.call_back),
            reverse: end(DoorName::Reverse, made.reverse),
        }
    }
}

fn tell_end(mode: Mode, told: &mut Transcript<'_>) {
    for door in DoorName::ALL {
        match mode {
            Mode::Sealed => {
                told.step(format_args!("destroyed the key of the authority of the door {door}: wiped from memory, written nowhere"));
            }
            Mode::Lab => told.step(format_args!("published the key of the authority of the door {door}: lab/authority-{door}.pem")),
        }
    }
}

fn make_page(order: &Order<'_>, told: &mut Transcript<'_>) -> Result<page::Made, MintFault> {
    let page = page::Made::make(order)?;
    let leaf = page.leaf().ok_or(MintFault::Making)?;
    match (&page.authority, order.mode) {
        (None, _) => told.step(format_args!("took the operator's certificate for the page: {leaf}")),
        (Some(_), Mode::Sealed) => {
            told.step(format_args!("made the page's certificate: {leaf}; the key of its authority is written nowhere"));
        }
        (Some(_), Mode::Lab) => told.step(format_args!("made the page's certificate: {leaf}; the key of its authority is published")),
    }
    Ok(page)
}

/// What is published of the guest's memory.
struct Places {
    read: u64,
    write: u64,
    value: u64,
}

impl Places {
    fn draw(told: &mut Transcript<'_>) -> Result<Self, MintFault> {
        let ([read, write], value) = (draw::pages()?, draw::word()?);
        told.step(format_args!("drew the page of read: 0x{read:016x}"));
        told.step(format_args!("drew the page of write: 0x{write:016x}, to hold 0x{value:016x}"));
        Ok(Self { read, write, value })
    }
}

/// All that a manifest and a folder are made of.
struct Promise<'a> {
    order: &'a Order<'a>,
    keys: &'a Keys,
    doors: &'a Doors,
    page: &'a page::Made,
    places: Places,
}

impl Promise<'_> {
    fn sign(&self, told: &mut Transcript<'_>) -> Result<(Vec<u8>, Digest), MintFault> {
        let address = self.keys.flags.wallet.public().address(self.order.network);
        let manifest = self.manifest(&address);
        let text = manifest.to_string();
        let line = self.keys.operator_name.line(&self.keys.operator.sign(text.as_bytes()));
        let note = format!("{text}\n{line}").into_bytes();
        let digest = Manifest::read(&note, &self.keys.operator_name).map_err(MintFault::Manifest)?.digest();
        told.step(format_args!("signed the manifest with the operator's key: {digest}"));
        Ok((note, digest))
    }

    fn manifest<'m>(&'m self, address: &'m str) -> Manifest<'m> {
        let Order { name, source, image, tender, configuration, start, end, prizes, .. } = *self.order;
        let Places { read, write, value } = self.places;
        let mut prizes = prizes.into_iter();
        let flags = Tier::ALL.map(|tier| Flag {
            key: self.keys.flags.public(tier),
            published: match tier {
                Tier::Read => Published::Read(read),
                Tier::Write => Published::Write(write, value),
                Tier::Wallet => Published::Wallet(address),
                Tier::Auth | Tier::Key | Tier::Exec | Tier::Escape | Tier::Down => Published::Nothing,
            },
            prize: prizes.next().unwrap_or_default(),
        });
        let (rules, log) = (Digest::of(&[self.order.rules.as_bytes()]), self.keys.log_name.clone());
        Manifest { name, rules, image, tender, source, configuration, certificates: self.certificates(), log, start, end, flags }
    }

    /// What the box shows and asks for at its doors, and the page's leaf with what signed it, unless it is the operator's, who will renew it.
    fn certificates(&self) -> Vec<Digest> {
        let Doors { authorities, certificates, .. } = self.doors;
        let doors = DoorName::ALL.into_iter().flat_map(|door| [authorities.of(door), certificates.of(door)]);
        let authority = self.page.authority();
        let page = authority.and_then(|_| self.page.leaf()).into_iter().chain(authority);
        let mut digests: Vec<Digest> = doors.map(|der| Digest::of(&[der])).chain(page).collect();
        digests.sort_unstable();
        digests.dedup();
        digests
    }

    fn public(&self, manifest: &[u8], digest: Digest, transcript: &str) -> Vec<Planned> {
        let operator = format!("{}\n", self.keys.operator_name);
        let mut planned = vec![
            Planned::new(files::MANIFEST, manifest),
            Planned::new(files::OPERATOR, &operator),
            Planned::new(files::RULES, self.order.rules),
            Planned::new(files::TRANSCRIPT, transcript),
            Planned::new(files::CONTEST, &self.description(digest).to_string()),
            Planned::new(files::PAGE_CHAIN, &self.page.chain),
        ];
        planned.extend(self.page.authority.as_ref().map(|(pem, _)| Planned::new(files::PAGE_AUTHORITY, pem)));
        for door in DoorName::ALL {
            planned.push(Planned::new(files::authority(door), &pem::certificate(self.doors.authorities.of(door))));
            planned.push(Planned::new(files::certificate(door), &pem::certificate(self.doors.certificates.of(door))));
        }
        planned
    }

    fn description(&self, manifest: Digest) -> Description {
        let Order { mode, network, names, ports, .. } = *self.order;
        let wallet = self.keys.flags.wallet.public();
        let (p2wpkh, p2tr) = (wallet.address(network), taproot(&wallet, network));
        Description { manifest, mode, network, names: names.to_vec(), ports, p2wpkh, p2tr }
    }

    fn secret(&self) -> Vec<Planned> {
        let mut planned = vec![
            Planned::new(files::OPERATOR_KEY, self.keys.operator.pem().expose()),
            Planned::new(files::LOG_KEY, self.keys.log.pem().expose()),
            Planned::new(files::PAGE_KEY, self.page.key.expose()),
        ];
        planned.extend(Tier::ALL.into_iter().map(|tier| Planned::new(files::flag(tier), self.keys.flags.pem(tier).expose())));
        for (door, key) in [(DoorName::CallBack, &self.doors.call_back), (DoorName::Reverse, &self.doors.reverse)] {
            planned.push(Planned::new(files::key(door), pem::private(&key.der()).expose()));
        }
        planned
    }

    /// What only a rehearsal has: the way to every prize.
    fn lab(&self) -> Vec<Planned> {
        let flags = Tier::ALL.into_iter().map(|tier| Planned::new(format!("lab/{tier}.pem"), self.keys.flags.pem(tier).expose()));
        let authorities =
            self.doors.published.iter().map(|(door, key)| Planned::new(format!("lab/authority-{door}.pem"), pem::private(key).expose()));
        let page = self.page.authority.iter().map(|(_, key)| Planned::new("lab/page-authority.pem", key.expose()));
        flags.chain(authorities).chain(page).collect()
    }
}
