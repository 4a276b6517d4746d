//! Every client, with every kind of server key, over both versions, with ALPN, and once more resuming. What the client says, and what the box's
//! access log says, must be the same.

use e2e::{Config, Machine, Outcome, Place, Running, ensure};

use crate::authority::{Authority, Key};
use crate::client::{self, ALPN, Answer, Ask, Client};
use crate::page;
use crate::record::Log;
use crate::suite::Version;
use crate::summary::{self, Cell, Table};

/// One trial of the matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meeting {
    pub(crate) client: Client,
    pub(crate) key: Key,
    pub(crate) version: Version,
}

const TITLE: &str = "Clients";

/// The meetings on a machine: all of them on one, those with ECDSA on the other as well.
pub(crate) fn meetings(machine: Machine) -> Vec<Meeting> {
    let keys = |key: &Key| machine == Machine::Kvm || *key == Key::Ecdsa;
    let clients = client::all();
    let with_keys = clients.flat_map(|client| Key::ALL.into_iter().filter(keys).map(move |key| (client, key)));
    with_keys.flat_map(|(client, key)| Version::BOTH.map(|version| Meeting { client, key, version })).collect()
}

/// The table of them.
pub(crate) fn table() -> Table {
    let columns = meetings(Machine::Kvm).into_iter().filter(|meeting| meeting.client.name == client::HERE[0].name);
    Table {
        title: TITLE,
        preface: "Each trusts the root only, offers `http/1.1`, gets a page of 200 KB, and again over a resumed session. The cell is the suite. curl \
                  takes no tickets in TLS 1.2, and Erlang announces no mode for them (RFC 8446, section 4.2.9) before it has one: there they \
                  must not resume. What the box's access log says of each handshake is the same. The \
                  ECDSA columns hold on both machines. \"refuses\": the client does not verify this kind of certificate, and gets nothing.",
        rows: client::all().map(|client| client.name.to_owned()).collect(),
        columns: core::iter::once("says it is".to_owned()).chain(columns.map(|meeting| meeting.column())).collect(),
    }
}

impl Meeting {
    pub(crate) fn name(&self) -> String {
        let does = match (self.client.verifies(self.key, self.version), self.client.resumes(self.version)) {
            (false, _) => "refuses",
            (true, true) => "gets_and_resumes",
            (true, false) => "gets_and_never_resumes",
        };
        format!("{}_{does}_{}_over_tls_{}", self.client.slug(), self.key.name(), self.version)
    }

    fn column(&self) -> String {
        format!("{}, TLS {}", self.key.name(), self.version)
    }

    /// Asks twice: a full handshake, then one that resumes.
    pub(crate) fn run(&self, place: &Place, authority: &Authority) -> Outcome {
        let server = authority.server(self.key);
        let page = page::server()?;
        let config = Config::one_route(&[page.address()]).certificate(&server.chain, &server.key);
        let running = Running::start(place, &config.more(&format!("[tls]\nalpn = [\"{ALPN}\"]")))?;
        let ask = Ask::new(running.address(), authority.root(), &format!("/{}", self.name())).version(self.version);
        if !self.client.verifies(self.key, self.version) {
            ensure(self.client.ask(&ask).is_err(), "got a page over a certificate that it does not know")?;
            return self.note("refuses");
        }
        let mut log = Log::default();
        let full = self.client.ask(&ask)?;
        self.judge(&full, &ask)?;
        log.agrees(&running, &ask, &full)?;
        ensure(full.resumed != Some(true), "the first handshake was a resumption")?;
        let sent = server.certificates()?;
        ensure(full.chain == sent || full.chain == sent[..1], format!("another chain than the configured one: {:?}", full.chain))?;
        let again = ask.clone().resuming();
        let resumed = self.client.ask(&again)?;
        self.judge(&resumed, &ask)?;
        let record = log.agrees(&running, &again, &resumed)?;
        ensure(record.resumed == self.client.resumes(self.version), format!("resumed: {}", record.resumed))?;
        self.note(&format!("`{}`", full.suite))
    }

    fn judge(&self, answer: &Answer, ask: &Ask) -> Outcome {
        ensure(answer.version == self.version, format!("version {}", answer.version))?;
        ensure(self.suits(answer.suite), format!("suite {}", answer.suite))?;
        ensure(answer.alpn.as_deref() == Some(ALPN), format!("ALPN {:?}", answer.alpn))?;
        ensure(answer.body == page::of(&ask.path), format!("another page, of {} bytes", answer.body.len()))
    }

    /// A suite of the version, and of TLS 1.2's for this kind of key.
    fn suits(&self, suite: &str) -> bool {
        match (self.version, self.key) {
            (Version::Tls13, _) => !suite.contains("_WITH_"),
            (Version::Tls12, Key::Rsa) => suite.starts_with("TLS_ECDHE_RSA_WITH_"),
            (Version::Tls12, Key::Ecdsa | Key::Ed25519) => suite.starts_with("TLS_ECDHE_ECDSA_WITH_"),
        }
    }

    fn note(&self, what: &str) -> Outcome {
        let cell = |column: String| Cell { table: TITLE, row: self.client.name.to_owned(), column };
        summary::note(&cell("says it is".into()), &self.client.version()?);
        summary::note(&cell(self.column()), what);
        Ok(())
    }
}

/// An RSA and an ECDSA certificate for one name: each client gets, whole, the chain that it can verify, and the
/// ECDSA one if it can verify both.
pub(crate) fn two_keys(place: &Place, authority: &Authority) -> Outcome {
    let (page, [rsa, ecdsa]) = (page::server()?, [Key::Rsa, Key::Ecdsa].map(|key| authority.server(key)));
    let config = Config::one_route(&[page.address()]).certificate(&rsa.chain, &rsa.key).certificate(&ecdsa.chain, &ecdsa.key);
    let running = Running::start(place, &config)?;
    let knowing = [("RSA-PSS+SHA256", &rsa), ("ECDSA+SHA256", &ecdsa), ("ECDSA+SHA256:RSA-PSS+SHA256", &ecdsa)];
    for version in Version::BOTH {
        for (algorithms, expected) in knowing {
            let answer = client::with_signatures(&Ask::new(running.address(), authority.root(), "/two").version(version), algorithms)?;
            let right = answer.chain == expected.certificates()? && answer.body == page::of("/two");
            ensure(right, format!("TLS {version}: a client that knows {algorithms} got {}", answer.suite))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_has_every_meeting_and_the_other_a_third() {
        assert_eq!(meetings(Machine::Kvm).len(), 21 * 3 * 2);
        assert_eq!(meetings(Machine::Process).len(), 21 * 2);
    }

    #[test]
    fn a_suite_of_another_kind_of_key_does_not_suit() {
        let meeting = Meeting { client: client::HERE[0], key: Key::Rsa, version: Version::Tls12 };
        assert!(meeting.suits("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
        assert!(!meeting.suits("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
        assert!(!meeting.suits("TLS_AES_128_GCM_SHA256"));
    }
}
