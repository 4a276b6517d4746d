//! The manifest: what the operator of a contest promises. A signed note whose text is lines of `key value`.
//!
//! Its digest is SHA-256 over the note's text: every byte from the first to the line feed of the last line before the empty one. It names the contest in every other document.

use alloc::vec::Vec;
use core::fmt;

use crate::digest::Digest;
use crate::fault::{Document, Fault, Wrong};
use crate::key::{Ed25519Key, FlagKey};
use crate::limits::{CERTIFICATES_MAX, NAME_LEN_MAX, NOTE_LEN_MAX, PRIZE_LEN_MAX};
use crate::lines::{Lines, Value, Word};
use crate::note::{Note, VerifierKey};
use crate::tier::Tier;
use crate::wallet::WalletKey;

/// A manifest that its operator signed. It prints as the note's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest<'a> {
    /// What the contest is called.
    pub name: &'a str,
    /// Of the rules' text.
    pub rules: Digest,
    /// Of the guest image.
    pub image: Digest,
    /// Of the tender's program.
    pub tender: Digest,
    /// The revision of the sources.
    pub source: &'a str,
    /// Of the configuration.
    pub configuration: Digest,
    /// Of the box's certificates in DER, in ascending order.
    pub certificates: Vec<Digest>,
    /// The key of the transparency log.
    pub log: VerifierKey,
    /// The first second of the contest, since 1970.
    pub start: u64,
    /// The first second behind it.
    pub end: u64,
    /// One for each tier, in their order.
    pub flags: [Flag<'a>; Tier::ALL.len()],
}

/// What a manifest says of one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag<'a> {
    /// The public half of its key.
    pub key: FlagKey,
    /// What is published beside it.
    pub published: Published<'a>,
    /// What there is to be won.
    pub prize: &'a str,
}

/// What is published of a tier beside its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published<'a> {
    /// Nothing.
    Nothing,
    /// Of `read`: where in the guest's memory the flag lies.
    Read(u64),
    /// Of `write`: a word's address in the guest's memory, and what it is to hold.
    Write(u64, u64),
    /// Of `wallet`: its address.
    Wallet(&'a str),
}

impl<'a> Manifest<'a> {
    /// Reads a note that this operator signed.
    ///
    /// # Errors
    /// Says what is wrong, and where.
    pub fn read(bytes: &'a [u8], operator: &VerifierKey) -> Result<Self, Fault> {
        let text = Note::parse(Document::Manifest, bytes)?.open(operator)?;
        Self::parse(text, operator)
    }

    fn parse(text: &'a [u8], operator: &VerifierKey) -> Result<Self, Fault> {
        let mut lines = Lines::begin(Document::Manifest, text, NOTE_LEN_MAX)?;
        let mut keys = Keys { taken: alloc::vec![operator.key()] };
        let name = lines.field("name")?.words(NAME_LEN_MAX)?;
        let [rules, image, tender] = [lines.field("rules")?.digest()?, lines.field("image")?.digest()?, lines.field("tender")?.digest()?];
        let source = revision(lines.field("source")?)?;
        let configuration = lines.field("configuration")?.digest()?;
        let certificates = certificates(&mut lines)?;
        let log = lines.field("log")?;
        let log = VerifierKey::parse(log.text).and_then(|key| keys.take(key.key()).map(|()| key)).map_err(|wrong| log.wrong(wrong))?;
        let start = lines.field("start")?.time()?;
        let end = lines.field("end")?;
        let end = end.time().and_then(|time| if time > start { Ok(time) } else { Err(end.wrong(Wrong::Period)) })?;
        let mut flag = |tier| Flag::parse(&mut lines, &mut keys, tier);
        let [auth, read, write, key, exec, escape, down, wallet] = Tier::ALL;
        let flags = [flag(auth)?, flag(read)?, flag(write)?, flag(key)?, flag(exec)?, flag(escape)?, flag(down)?, flag(wallet)?];
        lines.end()?;
        Ok(Self { name, rules, image, tender, source, configuration, certificates, log, start, end, flags })
    }

    /// What names this contest in other documents.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&[alloc::string::ToString::to_string(self).as_bytes()])
    }

    /// What is said of a tier.
    #[must_use]
    pub const fn flag(&self, tier: Tier) -> &Flag<'a> {
        let [auth, read, write, key, exec, escape, down, wallet] = &self.flags;
        match tier {
            Tier::Auth => auth,
            Tier::Read => read,
            Tier::Write => write,
            Tier::Key => key,
            Tier::Exec => exec,
            Tier::Escape => escape,
            Tier::Down => down,
            Tier::Wallet => wallet,
        }
    }
}

impl fmt::Display for Manifest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Document::Manifest.head())?;
        writeln!(f, "name {}", self.name)?;
        writeln!(f, "rules {}\nimage {}\ntender {}", self.rules, self.image, self.tender)?;
        writeln!(f, "source {}\nconfiguration {}", self.source, self.configuration)?;
        self.certificates.iter().try_for_each(|certificate| writeln!(f, "certificate {certificate}"))?;
        writeln!(f, "log {}\nstart {}\nend {}", self.log, self.start, self.end)?;
        Tier::ALL.into_iter().try_for_each(|tier| self.flag(tier).print(f, tier))
    }
}

impl<'a> Flag<'a> {
    fn parse(lines: &mut Lines<'a>, keys: &mut Keys, tier: Tier) -> Result<Self, Fault> {
        let fields = Fields::of(tier);
        let value = lines.field(fields.flag)?;
        let key = match tier {
            Tier::Wallet => WalletKey::new(&value.base64_array()?).map(FlagKey::Wallet),
            _ => Ed25519Key::new(&value.base64_array()?).and_then(|key| keys.take(key).map(|()| FlagKey::Ed25519(key))),
        };
        let key = key.map_err(|wrong| value.wrong(wrong))?;
        let published = Published::parse(lines, &fields, tier, &key)?;
        Ok(Self { key, published, prize: lines.field(fields.prize)?.words(PRIZE_LEN_MAX)? })
    }

    fn print(&self, f: &mut fmt::Formatter<'_>, tier: Tier) -> fmt::Result {
        writeln!(f, "{tier}.flag {}", self.key)?;
        match self.published {
            Published::Nothing => {}
            Published::Read(address) => writeln!(f, "{tier}.address {}", Word(address))?,
            Published::Write(address, value) => writeln!(f, "{tier}.address {}\n{tier}.value {}", Word(address), Word(value))?,
            Published::Wallet(address) => writeln!(f, "{tier}.address {address}")?,
        }
        writeln!(f, "{tier}.prize {}", self.prize)
    }
}

impl<'a> Published<'a> {
    fn parse(lines: &mut Lines<'a>, fields: &Fields, tier: Tier, key: &FlagKey) -> Result<Self, Fault> {
        Ok(match (tier, key) {
            (Tier::Read, _) => Self::Read(lines.field(fields.address)?.word()?),
            (Tier::Write, _) => Self::Write(lines.field(fields.address)?.word()?, lines.field(fields.value)?.word()?),
            (Tier::Wallet, FlagKey::Wallet(key)) => {
                let address = lines.field(fields.address)?;
                if !key.has_address(address.text) {
                    return Err(address.wrong(Wrong::WalletAddress));
                }
                Self::Wallet(address.text)
            }
            _ => Self::Nothing,
        })
    }
}

/// The keys of a tier's lines.
struct Fields {
    flag: &'static str,
    address: &'static str,
    value: &'static str,
    prize: &'static str,
}

impl Fields {
    const fn of(tier: Tier) -> Self {
        macro_rules! fields {
            ($name:literal) => {
                Self {
                    flag: concat!($name, ".flag"),
                    address: concat!($name, ".address"),
                    value: concat!($name, ".value"),
                    prize: concat!($name, ".prize"),
                }
            };
        }
        match tier {
            Tier::Auth => fields!("auth"),
            Tier::Read => fields!("read"),
            Tier::Write => fields!("write"),
            Tier::Key => fields!("key"),
            Tier::Exec => fields!("exec"),
            Tier::Escape => fields!("escape"),
            Tier::Down => fields!("down"),
            Tier::Wallet => fields!("wallet"),
        }
    }
}

/// The keys that stand for something already: a flag that opens two tiers would make the greater as easy as the lesser.
struct Keys {
    taken: Vec<Ed25519Key>,
}

impl Keys {
    fn take(&mut self, key: Ed25519Key) -> Result<(), Wrong> {
        if self.taken.contains(&key) {
            return Err(Wrong::SameKey);
        }
        self.taken.push(key);
        Ok(())
    }
}

/// A revision as git writes it, in full.
fn revision(value: Value<'_>) -> Result<&str, Fault> {
    let digits = value.text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits && matches!(value.text.len(), 40 | 64) { Ok(value.text) } else { Err(value.wrong(Wrong::Revision)) }
}

fn certificates(lines: &mut Lines<'_>) -> Result<Vec<Digest>, Fault> {
    let mut certificates = Vec::new();
    while lines.is_next("certificate") || certificates.is_empty() {
        let value = lines.field("certificate")?;
        if certificates.len() == CERTIFICATES_MAX {
            return Err(value.wrong(Wrong::Certificates));
        }
        let digest = value.digest()?;
        if certificates.last().is_some_and(|last| *last >= digest) {
            return Err(value.wrong(Wrong::Ascending));
        }
        certificates.push(digest);
    }
    Ok(certificates)
}
