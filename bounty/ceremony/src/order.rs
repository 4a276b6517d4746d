//! What a contest is to be: all that is decided before anything is made.

use core::fmt;
use core::net::IpAddr;

use arbiter::limits::{NAME_LEN_MAX, PRIZE_LEN_MAX, TIME_MAX};
use arbiter::wallet::Network;
use arbiter::{Digest, Tier};
use keys::Secret;
use keys::names::parse_pattern;

use crate::limits::{FIRST_NAME_LEN_MAX, LENGTH_S_MAX, NAMES_MAX, RULES_LEN_MAX, VERSION_LEN_MAX};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// What the contest is called: printable ASCII.
    pub name: &'a str,
    /// Names and addresses under which the page is reached; the first also names the operator's and the log's key.
    pub names: &'a [String],
    /// The page's certificate.
    pub page: Page<'a>,
    /// Where the doors are.
    pub ports: Ports,
    /// The first second of the contest, since 1970.
    pub start: u64,
    /// The first second behind it.
    pub end: u64,
    /// What there is to be won, in the order of [`Tier::ALL`]: printable ASCII.
    pub prizes: [&'a str; Tier::ALL.len()],
    /// The rules.
    pub rules: &'a str,
    /// Of the guest image.
    pub image: Digest,
    /// Of the tender's program.
    pub tender: Digest,
    /// The revision of the sources: 40 or 64 hexadecimal digits.
    pub source: &'a str,
    /// Of the configuration.
    pub configuration: Digest,
    /// The program that mints.
    pub program: Program<'a>,
    /// The chain of the wallet's address.
    pub network: Network,
    /// Whether anybody may know the secrets.
    pub mode: Mode,
    /// The time, in seconds since 1970.
    pub now: u64,
}

/// Where the page's certificate comes from.
#[derive(Debug, Clone, Copy)]
pub enum Page<'a> {
    /// An authority of its own, whose key is destroyed, and a leaf.
    Minted,
    /// What the operator has. It will be renewed, so the manifest does not name it.
    Own {
        /// The chain in PEM, leaf first.
        chain: &'a str,
        /// Its key in PEM.
        key: &'a Secret<String>,
    },
}

/// Ports of the doors: not zero, no two alike where the box listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Where the box is a TLS server.
    pub server: u16,
    /// Where one knocks to be called back.
    pub call_back: u16,
    /// The port that the box then connects to.
    pub dials: u16,
    /// Where the box is a TLS client on one's own connection.
    pub reverse: u16,
}

/// A program that somebody can hold against a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program<'a> {
    /// Its version: one word.
    pub version: &'a str,
    /// Of its file.
    pub digest: Digest,
}

/// Whether it is a contest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is: nobody gets to know a flag, and the authorities' keys are destroyed.
    Sealed,
    /// It is a rehearsal: flags and authorities' keys are published in `lab`.
    Lab,
}

impl Mode {
    /// Its word in texts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Lab => "lab",
        }
    }
}

/// What is wrong with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderFault {
    /// The name is empty, too long, or holds something else than printable ASCII.
    Name,
    /// None, or more than [`NAMES_MAX`].
    Names,
    /// This one, counted from 0, is neither a host name nor an address.
    NameOf(usize),
    /// The first is too long to name keys.
    FirstName,
    /// A port is zero, or two doors have the same.
    Ports,
    /// The contest ends before it starts, before it is minted, or beyond what certificates may last.
    Period,
    /// A prize is empty, too long, or holds something else than printable ASCII.
    Prize(Tier),
    /// There are no rules, or too many.
    Rules,
    /// No revision of sources.
    Source,
    /// The program's version is not one word of printable ASCII.
    Program,
    /// In the lab everybody gets the wallet's key, so its address must not be of the public chain.
    LabWallet,
    /// The page's chain or key is no PEM, or the two do not belong together.
    Page,
}

impl fmt::Display for OrderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(f, "name: 1 to {NAME_LEN_MAX} printable ASCII characters are wanted, without a space at either end"),
            Self::Names => write!(f, "names: 1 to {NAMES_MAX} are wanted"),
            Self::NameOf(index) => write!(f, "names: the one at {index} is neither a host name nor an IP address"),
            Self::FirstName => write!(f, "names: the first also names keys, and may have at most {FIRST_NAME_LEN_MAX} characters"),
            Self::Ports => f.write_str("ports: a port from 1 to 65535 is wanted for each door, another for each"),
            Self::Period => {
                write!(
                    f,
                    "end: must be after the start and the time of minting, and at most {} days after the latter",
                    LENGTH_S_MAX / 86_400
                )
            }
            Self::Prize(tier) => {
                write!(f, "prize of {tier}: 1 to {PRIZE_LEN_MAX} printable ASCII characters are wanted, without a space at either end")
            }
            Self::Rules => write!(f, "rules: 1 to {RULES_LEN_MAX} bytes are wanted"),
            Self::Source => f.write_str("source: a revision of 40 or 64 lower-case hexadecimal digits is wanted"),
            Self::Program => write!(f, "program: its version is to be one word of at most {VERSION_LEN_MAX} printable ASCII characters"),
            Self::LabWallet => f.write_str("network: a lab publishes the wallet's key; take regtest or testnet"),
            Self::Page => f.write_str("page: a PEM chain, leaf first, and the PEM key of its leaf are wanted"),
        }
    }
}

impl Order<'_> {
    /// All that can be said before anything is made.
    pub(crate) fn check(&self) -> Result<(), OrderFault> {
        let port = |port: u16| port != 0;
        let Ports { server, call_back, dials, reverse } = self.ports;
        let apart = server != call_back && server != reverse && call_back != reverse;
        let version = (1..=VERSION_LEN_MAX).contains(&self.program.version.len());
        let lab_wallet = self.mode == Mode::Lab && self.network == Network::Main;
        check_name(self.name)?;
        check_names(self.names)?;
        require(port(dials) && [server, call_back, reverse].into_iter().all(port) && apart, OrderFault::Ports)?;
        check_period(self.start, self.end, self.now)?;
        for (tier, prize) in Tier::ALL.into_iter().zip(self.prizes) {
            check_prize(tier, prize)?;
        }
        check_rules(self.rules)?;
        check_source(self.source)?;
        require(version && self.program.version.bytes().all(|byte| byte.is_ascii_graphic()), OrderFault::Program)?;
        require(!lab_wallet, OrderFault::LabWallet)
    }
}

/// Whether a contest may be called so.
///
/// # Errors
/// [`OrderFault::Name`].
pub fn check_name(name: &str) -> Result<(), OrderFault> {
    require(is_text(name, NAME_LEN_MAX), OrderFault::Name)
}

/// Whether a page may be reached so.
///
/// # Errors
/// [`OrderFault::Names`], [`OrderFault::FirstName`], [`OrderFault::NameOf`].
pub fn check_names(names: &[String]) -> Result<(), OrderFault> {
    require((1..=NAMES_MAX).contains(&names.len()), OrderFault::Names)?;
    require(names.first().is_some_and(|name| name.len() <= FIRST_NAME_LEN_MAX), OrderFault::FirstName)?;
    let good = |name: &String| name.parse::<IpAddr>().is_ok() || parse_pattern(name).is_some();
    names.iter().position(|name| !good(name)).map_or(Ok(()), |index| Err(OrderFault::NameOf(index)))
}

/// Whether a contest that is minted now may last from `start` to `end`.
///
/// # Errors
/// [`OrderFault::Period`].
pub fn check_period(start: u64, end: u64, now: u64) -> Result<(), OrderFault> {
    let length = end.checked_sub(now);
    require(start < end && end <= TIME_MAX && length.is_some_and(|length| (1..=LENGTH_S_MAX).contains(&length)), OrderFault::Period)
}

/// Whether this may be promised for a tier.
///
/// # Errors
/// [`OrderFault::Prize`].
pub fn check_prize(tier: Tier, prize: &str) -> Result<(), OrderFault> {
    require(is_text(prize, PRIZE_LEN_MAX), OrderFault::Prize(tier))
}

/// Whether these may be a contest's rules.
///
/// # Errors
/// [`OrderFault::Rules`].
pub fn check_rules(rules: &str) -> Result<(), OrderFault> {
    require((1..=RULES_LEN_MAX).contains(&rules.len()), OrderFault::Rules)
}

/// Whether this is a revision of sources.
///
/// # Errors
/// [`OrderFault::Source`].
pub fn check_source(source: &str) -> Result<(), OrderFault> {
    let digits = source.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    require(digits && matches!(source.len(), 40 | 64), OrderFault::Source)
}

fn is_text(text: &str, len_max: usize) -> bool {
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    printable && (1..=len_max).contains(&text.len()) && !text.starts_with(' ') && !text.ends_with(' ')
}

fn require(holds: bool, fault: OrderFault) -> Result<(), OrderFault> {
    if holds { Ok(()) } else { Err(fault) }
}
