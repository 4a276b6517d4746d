//! The access log: one line for each connection that ended, as text or as JSON.
//!
//! The guest's words are decoded within bounds, its numbers become the names that people know, its virtual backend address the real one. What a
//! client could choose (names, protocols, subjects) stands in quotes, escaped, so that none of it can pass for another field or another line.

use core::fmt::Write as _;
use core::net::SocketAddr;
use core::time::Duration;

use serde_json::Value;
use status::{Access, Agreed, names};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::line::escape;
use crate::order::Lines;

/// One line of the access log, before it is known how it will be printed.
#[derive(Debug)]
pub struct Row {
    fields: Vec<(&'static str, Value)>,
}

impl Row {
    /// The row of a record that came at `unix`. `real` says where a backend is that the guest knows under another address.
    #[must_use]
    pub fn new(access: &Access<'_>, unix: Duration, real: impl Fn(SocketAddr) -> Option<SocketAddr>) -> Self {
        let mut row = Self { fields: Vec::with_capacity(FIELDS_MAX) };
        row.add("time", rfc3339(unix));
        row.add("connection", access.serial);
        row.add("source", access.source.to_string());
        row.add("front_end", access.front_end.map(|peer| peer.to_string()));
        row.add("sni", access.server_name.map(escape));
        row.agreed(access.agreed.as_ref());
        row.add("route", access.route.map(escape));
        row.add("backend", access.backend.map(|backend| real(backend).unwrap_or(backend).to_string()));
        row.add("passthrough", access.passed);
        row.add("bytes_up", access.bytes_up);
        row.add("bytes_down", access.bytes_down);
        row.add("handshake_us", access.handshake_us);
        row.add("connect_us", access.connect_us);
        row.add("duration_us", access.time_us);
        row.add("end", access.end.name());
        row.add("failure", access.failure.map(|failure| failure.kind.name()));
        row.add("alert", access.failure.filter(|failure| failure.alert.is_some()).map(status::Failure::alert_name));
        row
    }

    fn agreed(&mut self, agreed: Option<&Agreed<'_>>) {
        self.add("alpn", agreed.and_then(|agreed| agreed.alpn).map(|alpn| escape(&String::from_utf8_lossy(alpn))));
        self.add("version", agreed.map(|agreed| names::version(agreed.version)));
        self.add("suite", agreed.map(|agreed| names::suite(agreed.suite)));
        self.add("group", agreed.and_then(|agreed| agreed.group).map(names::group));
        self.add("resumed", agreed.map(|agreed| agreed.resumed));
        self.add("retried", agreed.map(|agreed| agreed.retried));
        self.add("client", agreed.and_then(|agreed| agreed.client).map(escape));
    }

    fn add(&mut self, name: &'static str, value: impl Into<Value>) {
        self.fields.push((name, value.into()));
    }

    /// The line as it is written, with its newline: printable ASCII and nothing else.
    #[must_use]
    pub fn render(&self, lines: Lines) -> String {
        let mut line = match lines {
            Lines::Text => self.text_line(),
            Lines::Json => self.json_line(),
        };
        line.push('\n');
        line
    }

    /// `access time=.. connection=1 sni="www.example.org" alpn=- ..`: what is absent is `-`, what a peer or the configuration chose is quoted.
    fn text_line(&self) -> String {
        let mut line = String::from("access");
        for (name, value) in &self.fields {
            // Writing to a string cannot fail.
            let _written = match value {
                Value::Null => write!(line, " {name}=-"),
                Value::String(text) if QUOTED.contains(name) => write!(line, " {name}=\"{}\"", text.replace('"', "\\\"")),
                Value::String(text) => write!(line, " {name}={text}"),
                other => write!(line, " {name}={other}"),
            };
        }
        line
    }

    fn json_line(&self) -> String {
        let mut line = String::from("{\"kind\":\"access\"");
        for (name, value) in &self.fields {
            let _written = write!(line, ",\"{name}\":{value}");
        }
        line.push('}');
        line
    }
}

/// Fields whose text somebody else chose.
const QUOTED: [&str; 4] = ["sni", "alpn", "client", "route"];
/// More fields than a row has.
const FIELDS_MAX: usize = 24;

/// As RFC 3339 writes it, in UTC, to the microsecond.
fn rfc3339(unix: Duration) -> Option<String> {
    let nanoseconds = i128::try_from(unix.as_micros()).ok()?.checked_mul(1000)?;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use status::{End, Failure, FailureKind};

    fn access() -> Access<'static> {
        Access {
            serial: 7,
            source: "203.0.113.9:51000".parse().unwrap(),
            front_end: None,
            server_name: Some("www.example.org"),
            agreed: Some(Agreed {
                version: 0x0304,
                suite: 0x1301,
                group: Some(0x11ec),
                alpn: Some(b"h2"),
                resumed: false,
                retried: false,
                client: Some("CN=robot \"7\""),
            }),
            route: Some("shop"),
            backend: Some("100.64.0.1:80".parse().unwrap()),
            passed: false,
            bytes_up: 6,
            bytes_down: 16,
            handshake_us: Some(1200),
            connect_us: Some(300),
            time_us: 5000,
            end: End::Done,
            failure: None,
        }
    }

    fn row(access: &Access<'_>) -> Row {
        let real = |guest: SocketAddr| (guest.port() == 80).then(|| "10.1.2.3:8080".parse().unwrap());
        Row::new(access, Duration::new(1_700_000_000, 123_456_789), real)
    }

    #[test]
    fn a_text_line_has_every_field_in_order() {
        let expected = "access time=2023-11-14T22:13:20.123456Z connection=7 source=203.0.113.9:51000 front_end=- sni=\"www.example.org\" \
            alpn=\"h2\" version=TLSv1.3 suite=TLS_AES_128_GCM_SHA256 group=X25519MLKEM768 resumed=false retried=false client=\"CN=robot \\\"7\\\"\" \
            route=\"shop\" backend=10.1.2.3:8080 passthrough=false bytes_up=6 bytes_down=16 handshake_us=1200 connect_us=300 duration_us=5000 end=done failure=- \
            alert=-\n";
        assert_eq!(row(&access()).render(Lines::Text), expected);
    }

    #[test]
    fn a_json_line_is_json_and_what_is_absent_is_null() {
        let failed = Access {
            agreed: None,
            backend: None,
            route: None,
            failure: Some(Failure { kind: FailureKind::ClientAlert, alert: Some(48) }),
            end: End::ClientFault,
            ..access()
        };
        let value: Value = serde_json::from_str(&row(&failed).render(Lines::Json)).unwrap();
        assert_eq!((&value["kind"], &value["sni"], &value["suite"]), (&"access".into(), &"www.example.org".into(), &Value::Null));
        assert_eq!(
            (&value["failure"], &value["alert"], &value["end"]),
            (&"client_alert".into(), &"unknown_ca".into(), &"client_fault".into())
        );
        assert_eq!((&value["bytes_up"], &value["backend"]), (&6.into(), &Value::Null));
    }

    #[test]
    fn a_client_cannot_forge_a_field_or_a_line() {
        let hostile = Access { server_name: Some("a\" end=done\nclosed\u{1b}[2J\u{202e}"), ..access() };
        let text = row(&hostile).render(Lines::Text);
        assert!(text.contains(r#" sni="a\" end=done\nclosed\u{1b}[2J\u{202e}" "#), "{text}");
        for lines in [Lines::Text, Lines::Json] {
            let line = row(&hostile).render(lines);
            let (newline, rest) = line.as_bytes().split_last().unwrap();
            assert!(*newline == b'\n' && rest.iter().all(|byte| (b' '..=b'~').contains(byte)), "{line}");
        }
        let value: Value = serde_json::from_str(&row(&hostile).render(Lines::Json)).unwrap();
        assert_eq!(value["end"], "done");
    }

    #[test]
    fn a_backend_that_nobody_knows_is_named_as_the_guest_does() {
        let other = Access { backend: Some("100.64.0.1:81".parse().unwrap()), ..access() };
        assert!(row(&other).render(Lines::Text).contains(" backend=100.64.0.1:81 "));
    }
}
