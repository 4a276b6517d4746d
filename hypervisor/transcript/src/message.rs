//! One thing that was said, in words that a line and a JSON object can be made of.

use core::fmt;
use core::time::Duration;

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// Whoever is at the other end of the link.
    Client,
    /// The guest.
    Guest,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The guest's time when its last byte was there.
    pub at: Duration,
    /// Who said it.
    pub from: Speaker,
    /// What it is.
    pub what: &'static str,
    /// What is known of it.
    pub details: Vec<(&'static str, Detail)>,
}

/// Something that is known of a message. Bytes from the wire are escaped in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// A number.
    Number(u64),
    /// A word.
    Text(String),
    /// Words.
    List(Vec<String>),
}

impl Message {
    /// The detail of this name.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<&Detail> {
        self.details.iter().find(|(found, _)| *found == name).map(|(_, detail)| detail)
    }
}

impl Speaker {
    /// In one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Guest => "guest",
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:>14.6}  {:<6}  {}", self.at.as_secs_f64(), self.from.name(), self.what)?;
        self.details.iter().try_for_each(|(name, detail)| write!(out, " {name}={detail}"))
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(out, "{number}"),
            Self::Text(text) => out.write_str(text),
            Self::List(words) if words.is_empty() => out.write_str("-"),
            Self::List(words) => out.write_str(&words.join(",")),
        }
    }
}

impl From<u64> for Detail {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Detail {
    fn from(number: usize) -> Self {
        Self::Number(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Detail {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<String>> for Detail {
    fn from(words: Vec<String>) -> Self {
        Self::List(words)
    }
}
