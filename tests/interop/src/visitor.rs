//! Clients with certificates of their own, on a route that requires one: the right one is let in, and each wrong one is refused with an alert that
//! says why, as far as the client passes it on.

use e2e::{Config, Outcome, Place, Running, ensure};

use crate::authority::{Authority, Identity, Key};
use crate::client::{self, ALPN, Ask, Client};
use crate::page;
use crate::suite::Version;
use crate::summary::{self, Cell, Table};

const TITLE: &str = "Client certificates";

/// Who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visitor {
    Robot,
    Nobody,
    Stranger,
    Forger,
    Revoked,
    Other,
}

/// What may stand in a client's message about an alert, in small letters without underscores.
const NONE_SENT: [&str; 3] = ["certificate required", "certificate is required", "handshake failure"];

impl Visitor {
    const ALL: [Self; 6] = [Self::Robot, Self::Nobody, Self::Stranger, Self::Forger, Self::Revoked, Self::Other];

    fn column(self) -> &'static str {
        match self {
            Self::Robot => "the right one",
            Self::Nobody => "none",
            Self::Stranger => "another authority's",
            Self::Forger => "one signed with another key",
            Self::Revoked => "a revoked one",
            Self::Other => "another name's",
        }
    }

    /// The alerts with which it may be refused. A client that knows from the server's list that its own will not do sends none.
    fn alerts(self) -> Vec<&'static str> {
        let own: &[_] = match self {
            Self::Robot | Self::Nobody => &[],
            Self::Stranger => &["unknown ca", "ca is unknown"],
            Self::Forger => &["decrypt error"],
            Self::Revoked => &["certificate revoked", "certificate was revoked"],
            Self::Other => &["access denied", "access was denied"],
        };
        let none: &[_] = if matches!(self, Self::Nobody | Self::Stranger) { &NONE_SENT } else { &[] };
        [own, none].concat()
    }
}

/// The table of them.
pub(crate) fn table() -> Table {
    Table {
        title: TITLE,
        preface: "On a route with `mode = \"required\"`, `names` and `crls`, in both versions. The right one gets the page; the others an alert, which is \
                  what the cell has, in the client's words for TLS 1.3.",
        rows: client::HERE.iter().map(|client| client.name.to_owned()).collect(),
        columns: Visitor::ALL.map(|visitor| visitor.column().to_owned()).to_vec(),
    }
}

/// The trial's name.
pub(crate) fn name(client: &Client) -> String {
    format!("{}_is_let_in_with_the_right_certificate_only", client.name)
}

/// Every visitor, in both versions.
pub(crate) fn run(client: &Client, place: &Place, authority: &Authority) -> Outcome {
    let (page, server) = (page::server()?, authority.server(Key::Ecdsa));
    // The forger's issuers have the same names as the real ones.
    let (foreign, forged) = (Authority::new("foreign")?, Authority::new("interop")?);
    let [robot, revoked, other] = ["robot", "revoked", "other"].map(|name| authority.client(name));
    let (robot, revoked, other, stranger, forger) = (robot?, revoked?, other?, foreign.client("robot")?, forged.client("robot")?);
    let lists = authority.revocations(&revoked)?;
    let section = format!(
        "[route.client]\nmode = \"required\"\nca = \"{}\"\ncrls = {lists:?}\nnames = [\"robot.clients.test\", \"revoked.clients.test\"]\n\
         [tls]\nalpn = [\"{ALPN}\"]",
        authority.root().display()
    );
    let config = Config::one_route(&[page.address()]).certificate(&server.chain, &server.key).more(&section);
    let running = Running::start(place, &config)?;
    let ask = Ask::new(running.address(), authority.root(), "/visitor");
    for version in Version::BOTH {
        let ask = ask.clone().version(version);
        let certificate = |visitor| match visitor {
            Visitor::Robot => Some(&robot),
            Visitor::Nobody => None,
            Visitor::Stranger => Some(&stranger),
            Visitor::Forger => Some(&forger),
            Visitor::Revoked => Some(&revoked),
            Visitor::Other => Some(&other),
        };
        for visitor in Visitor::ALL {
            let said =
                visit(client, &ask, visitor, certificate(visitor)).map_err(|fault| format!("{visitor:?}, TLS {version}: {fault}"))?;
            summary::note(&Cell { table: TITLE, row: client.name.to_owned(), column: visitor.column().to_owned() }, said);
        }
    }
    Ok(())
}

/// What became of a visitor.
fn visit(client: &Client, ask: &Ask, visitor: Visitor, certificate: Option<&Identity>) -> Outcome<&'static str> {
    let ask = certificate.map_or_else(|| ask.clone(), |certificate| ask.clone().identity(certificate));
    match client.ask(&ask) {
        Ok(answer) if visitor == Visitor::Robot => {
            ensure(answer.body == page::of(&ask.path), "another page")?;
            Ok("the page")
        }
        Ok(_) => Err("was let in".into()),
        Err(fault) => refusal(visitor, &fault.to_string()).ok_or_else(|| format!("not refused as it should be: {fault}").into()),
    }
}

/// The alert in a client's message, if it is one of those that the visitor may get.
fn refusal(visitor: Visitor, message: &str) -> Option<&'static str> {
    let message = message.to_ascii_lowercase().replace('_', " ");
    visitor.alerts().into_iter().find(|alert| message.contains(alert))
}

/// Nothing is resumed on such a route: each handshake proves the certificate anew.
pub(crate) fn never_resumes(place: &Place, authority: &Authority) -> Outcome {
    let (page, server, robot) = (page::server()?, authority.server(Key::Ecdsa), authority.client("resumer")?);
    let section = format!("[route.client]\nmode = \"required\"\nca = \"{}\"", authority.root().display());
    let config = Config::one_route(&[page.address()]).certificate(&server.chain, &server.key).more(&section);
    let running = Running::start(place, &config)?;
    let python = client::HERE.into_iter().find(|client| client.name == "python").ok_or("no python")?;
    for version in Version::BOTH {
        let ask = Ask::new(running.address(), authority.root(), "/again").version(version).resuming().identity(&robot);
        ensure(python.ask(&ask)?.resumed == Some(false), format!("resumed over TLS {version}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_alert_is_known() {
        let messages = [
            "tlsv13 alert certificate required",
            "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
            "(certificate_required) Received fatal alert",
        ];
        assert!(messages.iter().all(|message| refusal(Visitor::Nobody, message) == Some("certificate required")));
    }

    #[test]
    fn another_alert_is_not_the_right_refusal() {
        assert_eq!(refusal(Visitor::Revoked, "alert certificate required"), None);
        assert_eq!(refusal(Visitor::Nobody, "connection refused"), None);
        assert_eq!(refusal(Visitor::Robot, "alert certificate required"), None);
    }
}
