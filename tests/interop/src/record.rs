//! What the box's access log says of a connection: the other witness beside the client, and the only one of what a client does not tell.

use core::time::Duration;

use e2e::{Outcome, Running, ensure};

use crate::client::{Answer, Ask};
use crate::group::Group;
use crate::suite::{Version, iana};

/// A record may come this much later than the client's end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection, as the box saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) version: Version,
    pub(crate) suite: &'static str,
    /// IANA's name, of any group. A session that is resumed in TLS 1.2 has none.
    pub(crate) group: Option<String>,
    pub(crate) alpn: Option<String>,
    pub(crate) resumed: bool,
}

/// The log of a box that one client asks, time after time.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Connections so far.
    seen: usize,
}

impl Log {
    /// The record of the connection that gave `answer`, which must not say otherwise.
    ///
    /// # Errors
    /// When there is none, or the two do not agree.
    pub(crate) fn agrees(&mut self, running: &Running, ask: &Ask, answer: &Answer) -> Outcome<Record> {
        self.seen += if ask.resume { 2 } else { 1 };
        running.wait_for_count("access time=", self.seen, PATIENCE)?;
        let said = running.said();
        let line = said.lines().rfind(|line| line.starts_with("access time=")).unwrap_or_default();
        let record = Record::read(line).ok_or_else(|| format!("not a record of a handshake: {line}"))?;
        let same = record.version == answer.version && record.suite == answer.suite && record.alpn == answer.alpn;
        let same = same && answer.resumed.is_none_or(|resumed| resumed == record.resumed);
        // Some clients tell the group of the session that they resume, which is not this handshake's in TLS 1.2.
        let same = same && (record.group.is_none() || answer.group.is_none_or(|group| record.is_of(group)));
        ensure(
            same,
            format!("the client says {} {:?} {:?} {:?}, the box {record:?}", answer.suite, answer.alpn, answer.group, answer.resumed),
        )?;
        Ok(record)
    }
}

impl Record {
    /// Whether keys were exchanged with this group.
    pub(crate) fn is_of(&self, group: Group) -> bool {
        self.group.as_deref().and_then(Group::read) == Some(group)
    }

    fn read(line: &str) -> Option<Self> {
        let word = |key: &str| line.split(' ').find_map(|word| word.strip_prefix(key)).map(|value| value.trim_matches('"'));
        let text = |key: &str| word(key).filter(|value| *value != "-").map(str::to_owned);
        Some(Self {
            version: Version::read(word("version=")?)?,
            suite: iana(word("suite=")?)?,
            group: text("group="),
            alpn: text("alpn="),
            resumed: word("resumed=")? == "true",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "access time=2026-01-31T12:00:00Z connection=7 sni=\"localhost\" alpn=\"http/1.1\" version=TLSv1.3 \
                        suite=TLS_AES_128_GCM_SHA256 group=X25519MLKEM768 resumed=false retried=false client=-";

    #[test]
    fn a_record_is_read() {
        let expected = Record {
            version: Version::Tls13,
            suite: "TLS_AES_128_GCM_SHA256",
            group: Some("X25519MLKEM768".into()),
            alpn: Some("http/1.1".into()),
            resumed: false,
        };
        assert!(expected.is_of(Group::Hybrid) && !expected.is_of(Group::X25519));
        assert_eq!(Record::read(LINE), Some(expected));
        let resumed = Record::read(&LINE.replace("resumed=false", "resumed=true").replace("X25519MLKEM768", "-"));
        assert!(resumed.is_some_and(|record| record.resumed && record.group.is_none()));
    }

    #[test]
    fn a_connection_without_a_handshake_has_no_record() {
        assert_eq!(Record::read(&LINE.replace("TLSv1.3", "-")), None);
        assert_eq!(Record::read(""), None);
    }
}
