//! The scanners, testssl.sh, sslyze, sslscan and nmap, against each profile. Whatever they find that is not good must be in `accepted.toml` with a reason, and
//! whatever is in there must be found. Their reports are kept in `target/interop/`.

mod accepted;
mod nmap;
mod sslscan;
mod sslyze;
mod testssl;

use core::fmt;
use core::net::SocketAddr;
use std::fs;
use std::path::{Path, PathBuf};

use e2e::{Config, Net, Outcome, Place, Running, ensure};

use crate::authority::{Authority, Key};
use crate::client::ALPN;
use crate::page;
use crate::summary::{self, Cell, Table};

/// Something that a scanner does not call good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) id: String,
    pub(crate) says: String,
}

/// A profile of `[tls]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Intermediate,
    Modern,
}

/// What a scanner needs to know.
#[derive(Debug)]
struct Target {
    address: SocketAddr,
    root: PathBuf,
    profile: Profile,
    /// Where its report goes.
    report: PathBuf,
}

/// A scanner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanner {
    pub(crate) name: &'static str,
    /// What the box stands on. One that asks about TCP wants ours, and not the host's.
    pub(crate) net: Net,
    missing: fn() -> Option<String>,
    scan: fn(&Target) -> Outcome<Vec<Finding>>,
    version: fn() -> Outcome<String>,
}

/// All of them.
pub(crate) const SCANNERS: [Scanner; 5] = [
    Scanner { name: "testssl", net: Net::User, missing: testssl::missing, scan: testssl::scan, version: testssl::version },
    Scanner { name: "sslyze", net: Net::User, missing: sslyze::missing, scan: sslyze::scan, version: sslyze::version },
    Scanner { name: "sslscan", net: Net::User, missing: sslscan::missing, scan: sslscan::scan, version: sslscan::version },
    Scanner { name: "nmap", net: Net::User, missing: nmap::missing, scan: nmap::scripts, version: nmap::version },
    Scanner { name: "nmap_o", net: Net::Tap, missing: nmap::missing, scan: nmap::fingerprint, version: nmap::version },
];

impl Profile {
    pub(crate) const BOTH: [Self; 2] = [Self::Intermediate, Self::Modern];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Intermediate => "intermediate",
            Self::Modern => "modern",
        }
    }

    /// The kinds of keys that Mozilla has for it.
    fn keys(self) -> &'static [Key] {
        match self {
            Self::Intermediate => &[Key::Ecdsa, Key::Rsa],
            Self::Modern => &[Key::Ecdsa],
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.says)
    }
}

const TITLE: &str = "Scanners";
const VERSION: &str = "says it is";

/// The table of the scans.
pub(crate) fn table() -> Table {
    Table {
        title: TITLE,
        preface: "What they find beside \"good\". Each is in [accepted.toml](../tests/interop/accepted.toml) with the reason why it is right so; one that \
                  is not in there, or is no longer found, fails the run. `nmap` is \
                  its scripts on TLS, `nmap_o` is `nmap -O` against a box on a TAP device, whose TCP it sees.",
        rows: SCANNERS.iter().map(|scanner| scanner.name.to_owned()).collect(),
        columns: core::iter::once(VERSION).chain(Profile::BOTH.map(Profile::name)).map(str::to_owned).collect(),
    }
}

impl Scanner {
    /// Why it cannot scan here, if so.
    pub(crate) fn missing(&self) -> Option<String> {
        self.net.missing().map(str::to_owned).or_else(self.missing)
    }

    /// The trial's name.
    pub(crate) fn trial(&self, profile: Profile) -> String {
        format!("{}_finds_nothing_but_what_is_accepted_for_{}", self.name, profile.name())
    }

    /// Scans a box with this profile.
    pub(crate) fn run(&self, place: &Place, authority: &Authority, profile: Profile) -> Outcome {
        let page = page::server()?;
        let mut config = Config::one_route(&[page.address()]);
        for key in profile.keys() {
            let server = authority.server(*key);
            config = config.certificate(&server.chain, &server.key);
        }
        let running = Running::start(place, &config.more(&format!("[tls]\nprofile = \"{}\"\nalpn = [\"{ALPN}\"]", profile.name())))?;
        fs::create_dir_all(crate::target())?;
        let report = crate::target().join(format!("{}-{}.json", self.name, profile.name()));
        let _ = fs::remove_file(&report);
        let found = (self.scan)(&Target { address: running.address(), root: authority.root(), profile, report })?;
        let accepted = accepted::read()?;
        let complaints = accepted::compare(&found, &accepted, self.name, profile.name());
        ensure(complaints.is_empty(), complaints.join("\n"))?;
        let cell = |column: &str| Cell { table: TITLE, row: self.name.to_owned(), column: column.to_owned() };
        summary::note(&cell(VERSION), &(self.version)()?);
        summary::note(&cell(profile.name()), &accepted::names(&accepted, self.name, profile.name()));
        Ok(())
    }
}

/// A file in this package.
fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
