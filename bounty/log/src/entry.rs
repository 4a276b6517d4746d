//! One thing that happened: when, what, and the document that shows it.
//!
//! An entry is two lines and an empty one, then the document as it is:
//!
//! ```text
//! bountybox-entry 1
//! time 1800000000
//! kind claim
//!
//! bountybox-claim 1
//! ..
//! ```

use core::fmt;

use crate::limits::ENTRY_LEN_MAX;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The contest is promised: a signed manifest. The first entry of every log, and no other.
    Manifest,
    /// The box begins to serve. No document.
    Start,
    /// It has stopped on purpose. No document.
    Stop,
    /// It serves: a proof of possession for each flag, of the log's root before this entry.
    Heartbeat,
    /// A cell has ended that was not to end: the tender's signed crash record.
    Restart,
    /// Somebody has committed to a claim: the receipt that he was given.
    Commitment,
    /// Somebody has claimed: the claim, and what it was [committed to](crate::reveal) if it was.
    Claim,
    /// The operator has [changed](crate::change) rules, prizes or end: what names the manifest before and the new one, the new one, and its rules.
    Rules,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Manifest, Self::Start, Self::Stop, Self::Heartbeat, Self::Restart, Self::Commitment, Self::Claim, Self::Rules];

    /// Its word in an entry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Heartbeat => "heartbeat",
            Self::Restart => "restart",
            Self::Commitment => "commitment",
            Self::Claim => "claim",
            Self::Rules => "rules",
        }
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Seconds since 1970, by the log's clock.
    pub time: u64,
    /// What happened.
    pub kind: Kind,
    /// What shows it; empty where nothing does.
    pub document: &'a [u8],
}

const HEAD: &str = "bountybox-entry 1\ntime ";

/// Why some bytes are no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryFault {
    /// It is longer than [`ENTRY_LEN_MAX`].
    TooLong,
    /// Its first lines are not those of an entry.
    Form,
    /// Nothing of this name happens.
    Kind,
}

impl fmt::Display for EntryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "it is longer than {ENTRY_LEN_MAX} bytes"),
            Self::Form => write!(f, "it does not begin with `bountybox-entry 1`, `time N`, `kind WORD` and an empty line"),
            Self::Kind => write!(f, "there is no such kind of entry"),
        }
    }
}

impl core::error::Error for EntryFault {}

impl<'a> Entry<'a> {
    /// The entry as the tree takes it.
    ///
    /// # Errors
    /// [`EntryFault::TooLong`].
    pub fn encode(&self) -> Result<Vec<u8>, EntryFault> {
        let head = format!("{HEAD}{}\nkind {}\n\n", self.time, self.kind.name());
        let bytes = [head.as_bytes(), self.document].concat();
        if bytes.len() <= ENTRY_LEN_MAX { Ok(bytes) } else { Err(EntryFault::TooLong) }
    }

    /// Reads an entry. There is one way to write it.
    ///
    /// # Errors
    /// [`EntryFault`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EntryFault> {
        if bytes.len() > ENTRY_LEN_MAX {
            return Err(EntryFault::TooLong);
        }
        let line = |bytes: &'a [u8], begins: &str| -> Option<(&'a str, &'a [u8])> {
            let rest = bytes.strip_prefix(begins.as_bytes())?;
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let (value, rest) = rest.split_at(end);
            Some((core::str::from_utf8(value).ok()?, rest.get(1..)?))
        };
        let (time, rest) = line(bytes, HEAD).ok_or(EntryFault::Form)?;
        let (kind, rest) = line(rest, "kind ").ok_or(EntryFault::Form)?;
        let document = rest.strip_prefix(b"\n").ok_or(EntryFault::Form)?;
        let number: u64 = time.parse().map_err(|_| EntryFault::Form)?;
        if number.to_string() != time {
            return Err(EntryFault::Form);
        }
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or(EntryFault::Kind)?;
        Ok(Self { time: number, kind, document })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_was_written() {
        for kind in Kind::ALL {
            let entry = Entry { time: 1_800_000_000, kind, document: b"any\n\nbytes \xff" };
            assert_eq!(Entry::parse(&entry.encode().unwrap()), Ok(entry));
        }
    }

    #[test]
    fn there_is_one_way_to_write_an_entry() {
        for bad in [
            "",
            "bountybox-entry 1\n",
            "bountybox-entry 2\ntime 1\nkind start\n\n",
            "bountybox-entry 1\ntime 01\nkind start\n\n",
            "bountybox-entry 1\ntime +1\nkind start\n\n",
            "bountybox-entry 1\ntime 1\nkind start\n",
            "bountybox-entry 1\ntime 1\nkind start \n\n",
            "bountybox-entry 1\ntime 99999999999999999999\nkind start\n\n",
        ] {
            assert!(Entry::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert_eq!(Entry::parse(&[0; ENTRY_LEN_MAX + 1]), Err(EntryFault::TooLong));
        let long = Entry { time: 1, kind: Kind::Rules, document: &[b'a'; ENTRY_LEN_MAX] };
        assert_eq!(long.encode(), Err(EntryFault::TooLong));
    }
}
