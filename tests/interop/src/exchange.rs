//! Every client, with every group that keys may be exchanged with, in a full handshake and in a resumed one; and left to itself.

use e2e::{Config, Machine, Outcome, Place, Running, ensure};

use crate::authority::{Authority, Key};
use crate::client::{self, ALPN, Ask, Client};
use crate::group::Group;
use crate::page;
use crate::record::{Log, Record};
use crate::suite::Version;
use crate::summary::{self, Cell, Table};

const TITLE: &str = "Key exchange";

/// One trial: a client and a version, with every group of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) client: Client,
    version: Version,
}

/// The exchanges on a machine. TLS does not know of the machine: they take turns.
pub(crate) fn exchanges(machine: Machine) -> Vec<Exchange> {
    let all = client::all().flat_map(|client| Version::BOTH.map(|version| Exchange { client, version }));
    all.enumerate().filter(|(at, _)| (at % 4 < 2) == (machine == Machine::Kvm)).map(|(_, exchange)| exchange).collect()
}

/// What a client may offer: one group, or what it likes.
fn offers(version: Version) -> Vec<Option<Group>> {
    let groups = Group::ALL.into_iter().filter(|group| version == Version::Tls13 || *group != Group::Hybrid);
    core::iter::once(None).chain(groups.map(Some)).collect()
}

/// The table of them.
pub(crate) fn table() -> Table {
    let columns = Version::BOTH.into_iter().flat_map(|version| offers(version).into_iter().map(move |offer| column(version, offer)));
    Table {
        title: TITLE,
        preface: "A full handshake, then a resumed one, in which the client offers a single group; before that, what they agree on if it is left to \
                  itself. The box's access log says so, and the client, where it tells (a resumed session of TLS 1.2 exchanges no keys). \
                  \"has it not\": asked to, the client offers nothing that leads to a handshake. Clients take turns on the two machines.",
        rows: client::all().map(|client| client.name.to_owned()).collect(),
        columns: columns.collect(),
    }
}

fn column(version: Version, offer: Option<Group>) -> String {
    offer.map_or_else(|| format!("TLS {version}, left to itself"), |group| format!("TLS {version}, {group}"))
}

impl Exchange {
    pub(crate) fn name(&self) -> String {
        format!("{}_exchanges_keys_with_each_group_over_tls_{}", self.client.slug(), self.version)
    }

    /// Every offer of the version, on one box.
    pub(crate) fn run(&self, place: &Place, authority: &Authority) -> Outcome {
        // In TLS 1.2 the same list of the client's is about the curves of certificates (RFC 8422, section 5.1), which RSA has not.
        let key = if self.version == Version::Tls12 { Key::Rsa } else { Key::Ecdsa };
        let (page, server) = (page::server()?, authority.server(key));
        let config = Config::one_route(&[page.address()]).certificate(&server.chain, &server.key);
        let running = Running::start(place, &config.more(&format!("[tls]\nalpn = [\"{ALPN}\"]")))?;
        let mut log = Log::default();
        let (known, unknown): (Vec<_>, Vec<_>) =
            offers(self.version).into_iter().partition(|offer| offer.is_none_or(|group| self.client.knows(group)));
        // What fails comes last: nobody knows how many connections it takes.
        for offer in known.into_iter().chain(unknown) {
            let ask = Ask { group: offer, ..Ask::new(running.address(), authority.root(), "/exchange").version(self.version) };
            let said = self.offer(&running, &mut log, &ask).map_err(|fault| format!("{}: {fault}", column(self.version, offer)))?;
            summary::note(&Cell { table: TITLE, row: self.client.name.to_owned(), column: column(self.version, offer) }, &said);
        }
        Ok(())
    }

    /// What the cell has.
    fn offer(&self, running: &Running, log: &mut Log, ask: &Ask) -> Outcome<String> {
        if let Some(group) = ask.group.filter(|group| !self.client.knows(*group)) {
            // Python's OpenSSL 3.0 passes over a name that it does not know.
            if let Ok(answer) = self.client.ask(ask) {
                let record = log.agrees(running, ask, &answer)?;
                ensure(!record.is_of(group), "the list says that the client does not know it")?;
            }
            return Ok("has it not".into());
        }
        let full = self.get(running, log, ask)?;
        ensure(!full.resumed, "the first handshake was a resumption")?;
        let resumed = self.get(running, log, &ask.clone().resuming())?;
        ensure(resumed.resumed == self.client.resumes(self.version), format!("resumed: {}", resumed.resumed))?;
        let group = full.group.clone().ok_or("no group")?;
        ensure(resumed.group.as_ref().is_none_or(|again| *again == group), format!("{:?} when it resumed", resumed.group))?;
        ensure(ask.group.is_none_or(|asked| full.is_of(asked)), format!("agreed on {group}"))?;
        let how = if resumed.resumed { "full, resumed" } else { "full" };
        Ok(if ask.group.is_none() { format!("{group}: {how}") } else { how.into() })
    }

    fn get(&self, running: &Running, log: &mut Log, ask: &Ask) -> Outcome<Record> {
        let answer = self.client.ask(ask)?;
        ensure(answer.body == page::of(&ask.path), format!("another page, of {} bytes", answer.body.len()))?;
        let record = log.agrees(running, ask, &answer)?;
        ensure(record.version == self.version, format!("version {}", record.version))?;
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hybrid_is_for_tls_1_3_only() {
        assert_eq!(offers(Version::Tls12), [None, Some(Group::X25519), Some(Group::P256)]);
        assert_eq!(offers(Version::Tls13).len(), 4);
    }

    #[test]
    fn the_machines_share_the_exchanges() {
        let [kvm, process] = [Machine::Kvm, Machine::Process].map(|machine| exchanges(machine).len());
        assert_eq!(kvm + process, client::all().count() * 2);
        assert!(kvm.abs_diff(process) <= 2);
    }

    #[test]
    fn enough_clients_know_the_hybrid() {
        assert!(client::all().count() >= 14);
        assert!(client::all().filter(|client| client.knows(Group::Hybrid)).count() >= 9);
    }
}
