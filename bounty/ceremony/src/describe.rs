//! The file `contest`: what there is to know of a box beside its manifest. Lines of `key value` in strict order; public, and signed by nobody.

use core::fmt;

use arbiter::Digest;
use arbiter::digest::from_hex;
use arbiter::wallet::Network;

use crate::limits::NAMES_MAX;
use crate::order::{Mode, Ports};

const HEAD: &str = "bountybox-contest 1";

/// See the module. It prints as the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) manifest: Digest,
    pub(crate) mode: Mode,
    pub(crate) network: Network,
    pub(crate) names: Vec<String>,
    pub(crate) ports: Ports,
    pub(crate) p2wpkh: String,
    pub(crate) p2tr: String,
}

/// The word of a network.
const fn word(network: Network) -> &'static str {
    match network {
        Network::Main => "bitcoin",
        Network::Test => "testnet",
        Network::Regtest => "regtest",
    }
}

/// A line that is not as it must be: its key.
pub(crate) type BadLine = &'static str;

impl Description {
    pub(crate) fn parse(text: &str) -> Result<Self, BadLine> {
        let mut lines = Lines(text);
        lines.take(HEAD, |rest| rest.is_empty().then_some(()))?;
        let manifest = lines.value("manifest", |text| from_hex(text).map(Digest))?;
        let mode = lines.value("mode", |text| [Mode::Sealed, Mode::Lab].into_iter().find(|mode| mode.word() == text))?;
        let networks = [Network::Main, Network::Test, Network::Regtest];
        let network = lines.value("network", |text| networks.into_iter().find(|network| word(*network) == text))?;
        let mut names = Vec::new();
        while lines.0.starts_with("name ") && names.len() < NAMES_MAX {
            names.push(lines.value("name", |text| Some(text.to_owned()))?);
        }
        let mut port = |key| lines.value(key, |text| text.parse().ok().filter(|port: &u16| *port != 0 && port.to_string() == text));
        let ports = Ports {
            server: port("server.port")?,
            call_back: port("call-back.port")?,
            dials: port("call-back.dials")?,
            reverse: port("reverse.port")?,
        };
        let mut text = |key| lines.value(key, |text| Some(text.to_owned()));
        let (p2wpkh, p2tr) = (text("wallet.p2wpkh")?, text("wallet.p2tr")?);
        if lines.0.is_empty() { Ok(Self { manifest, mode, network, names, ports, p2wpkh, p2tr }) } else { Err("the end") }
    }
}

struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    fn take<T>(&mut self, begins: &'static str, read: impl FnOnce(&'a str) -> Option<T>) -> Result<T, BadLine> {
        let (line, rest) = self.0.split_once('\n').ok_or(begins)?;
        self.0 = rest;
        line.strip_prefix(begins).and_then(read).ok_or(begins)
    }

    fn value<T>(&mut self, key: &'static str, read: impl FnOnce(&'a str) -> Option<T>) -> Result<T, BadLine> {
        self.take(key, |rest| read(rest.strip_prefix(' ')?))
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}\nmanifest {}\nmode {}\nnetwork {}", self.manifest, self.mode.word(), word(self.network))?;
        self.names.iter().try_for_each(|name| writeln!(f, "name {name}"))?;
        let Ports { server, call_back, dials, reverse } = self.ports;
        writeln!(f, "server.port {server}\ncall-back.port {call_back}\ncall-back.dials {dials}\nreverse.port {reverse}")?;
        writeln!(f, "wallet.p2wpkh {}\nwallet.p2tr {}", self.p2wpkh, self.p2tr)
    }
}
