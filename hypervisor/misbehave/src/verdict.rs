//! What a client is found to have done.

use core::fmt;

use crate::wire::Fault;
use crate::wire::peer::Came;
use crate::wire::registry::alert::{CLOSE_NOTIFY, USER_CANCELED, name};
use crate::wire::registry::content::{ALERT, DATA};

/// The judgement of one client about one misbehaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It would have none of it.
    Noticed(Notice),
    /// It went on as if nothing were wrong.
    Fooled(Folly),
    /// The honest server was taken for one: so it must be.
    Accepted,
    /// The honest server was refused, and so what the client notices means nothing.
    Refused(Notice),
    /// The client does not offer that in which it could be said.
    Untried,
    /// There was nobody to be judged.
    NoClient(Absence),
}

/// How a client shows that it has noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// By an alert of this number.
    Alert(u8),
    /// It closes the connection without one.
    Closed,
    /// Its exit code says so.
    Failed,
    /// It never asks for anything.
    Silent,
    /// It came back without what had expired.
    NotOffered,
}

/// How a client shows that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folly {
    /// It sent application data.
    Data,
    /// It neither closed nor complained.
    WentOn,
    /// Its exit code says that all is well.
    Succeeded,
    /// It came back with what had expired.
    Offered,
}

/// Why nobody could be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Nobody connected in time.
    Nobody,
    /// What came does not begin with a ClientHello.
    NoHello,
    /// It left before anything wrong was said.
    Left,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noticed(notice) => write!(f, "noticed ({notice})"),
            Self::Fooled(folly) => write!(f, "fooled ({folly})"),
            Self::Accepted => f.write_str("accepted"),
            Self::Refused(notice) => write!(f, "refused ({notice})"),
            Self::Untried => f.write_str("untried (the client does not offer it)"),
            Self::NoClient(absence) => write!(f, "no client ({absence})"),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alert(number) => write!(f, "alert {}", name(*number)),
            Self::Closed => f.write_str("closed"),
            Self::Failed => f.write_str("failed"),
            Self::Silent => f.write_str("it asked for nothing"),
            Self::NotOffered => f.write_str("not offered"),
        }
    }
}

impl fmt::Display for Folly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "it sent application data",
            Self::WentOn => "it went on",
            Self::Succeeded => "it ended well",
            Self::Offered => "it offered it",
        })
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "nobody came",
            Self::NoHello => "no hello",
            Self::Left => "it left before anything was wrong",
        })
    }
}

/// What a client did when it was told something wrong; none if it says nothing yet.
pub(crate) fn reaction(came: &Result<Came, Fault>) -> Option<Verdict> {
    match came {
        Ok(Came::Record(ALERT, content)) => Some(Verdict::Noticed(told(content))),
        Ok(Came::Record(DATA, content)) => (!content.is_empty()).then_some(Verdict::Fooled(Folly::Data)),
        // Its handshake messages say nothing by themselves; and what does not open is a complaint under keys that we do not have: the end will tell.
        Ok(Came::Record(..)) | Err(Fault::PeerSealed { .. }) => None,
        Ok(Came::Silence) => Some(Verdict::Fooled(Folly::WentOn)),
        Ok(Came::End | Came::Reset) | Err(_) => Some(Verdict::Noticed(Notice::Closed)),
    }
}

/// An orderly end complains of nothing.
fn told(content: &[u8]) -> Notice {
    match content {
        [_, CLOSE_NOTIFY | USER_CANCELED] => Notice::Closed,
        [_, number] => Notice::Alert(*number),
        _ => Notice::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::registry::content::HANDSHAKE;

    #[test]
    fn an_orderly_end_is_no_alert_and_silence_is_folly() {
        let of = |came| reaction(&came);
        assert_eq!(of(Ok(Came::Record(ALERT, vec![1, 0]))), Some(Verdict::Noticed(Notice::Closed)));
        assert_eq!(of(Ok(Came::Record(ALERT, vec![2, 48]))), Some(Verdict::Noticed(Notice::Alert(48))));
        assert_eq!(of(Ok(Came::Record(HANDSHAKE, vec![20]))), None);
        assert_eq!(of(Ok(Came::Record(DATA, vec![]))), None);
        assert_eq!(of(Ok(Came::Record(DATA, vec![1]))), Some(Verdict::Fooled(Folly::Data)));
        assert_eq!(of(Ok(Came::Silence)), Some(Verdict::Fooled(Folly::WentOn)));
        assert_eq!(of(Err(Fault::PeerCut)), Some(Verdict::Noticed(Notice::Closed)));
    }

    #[test]
    fn verdicts_read_well() {
        assert_eq!(Verdict::Noticed(Notice::Alert(45)).to_string(), "noticed (alert certificate_expired)");
        assert_eq!(Verdict::NoClient(Absence::Nobody).to_string(), "no client (nobody came)");
    }
}
