//! Lines: all that a tender prints, on standard error. Text that a guest made is escaped, cut and never waited for.

use core::fmt::Write as _;
use core::time::Duration;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec};
use serde_json::{Map, Value};

use crate::limits::{LINE_LEN_MAX, LOG_LINES_BURST, LOG_LINES_PER_S, WRITE_LEN_MAX};
use crate::order::Lines;

/// What a line is about; the first word of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The tender's own words.
    Tender,
    /// The guest's log.
    Guest,
    /// A crash report.
    Crash,
}

/// One line, before it is known how it will be printed.
#[derive(Debug, Clone)]
pub struct Line {
    kind: Kind,
    level: &'static str,
    text: String,
    fields: Map<String, Value>,
}

impl Line {
    /// A line of the tender itself.
    #[must_use]
    pub fn tender(level: &'static str, text: impl Into<String>) -> Self {
        Self::new(Kind::Tender, level, text)
    }

    /// A line of any kind.
    #[must_use]
    pub fn new(kind: Kind, level: &'static str, text: impl Into<String>) -> Self {
        Self { kind, level, text: text.into(), fields: Map::new() }
    }

    /// Adds a field: `name=value` in text, a member in JSON.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// The line as it is printed, with its newline: printable ASCII and nothing else.
    #[must_use]
    pub fn render(&self, lines: Lines) -> String {
        let mut out = match lines {
            Lines::Text => self.text_line(),
            Lines::Json => self.json_line(),
        };
        out.push('\n');
        out
    }

    fn text_line(&self) -> String {
        let mut line = format!("{} {} {}", self.kind.word(), self.level, self.text);
        write_fields(&mut line, &self.fields);
        escape(&line)
    }

    fn json_line(&self) -> String {
        let mut object = Map::new();
        object.insert("kind".into(), self.kind.word().into());
        object.insert("level".into(), self.level.into());
        object.insert("text".into(), escape(&self.text).into());
        object.extend(
            self.fields
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.clone(), |text| escape(text).into()))),
        );
        Value::Object(object).to_string()
    }
}

/// ` name=value` for each field; what has members is its members.
fn write_fields(line: &mut String, fields: &Map<String, Value>) {
    for (name, value) in fields {
        // Writing to a string cannot fail.
        let _written = match value {
            Value::Object(members) => {
                write_fields(line, members);
                Ok(())
            }
            Value::String(text) => write!(line, " {name}={text}"),
            other => write!(line, " {name}={other}"),
        };
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Tender => "tender",
            Self::Guest => "guest",
            Self::Crash => "crash",
        }
    }
}

/// Printable ASCII as it is; everything else, backslashes included, as Rust writes it in a string; cut at [`LINE_LEN_MAX`].
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' '..='~' if character != '\\' => out.push(character),
            other => out.extend(other.escape_default()),
        }
        if out.len() >= LINE_LEN_MAX {
            out.push_str("..");
            break;
        }
    }
    out
}

/// Writes lines to standard error, and drops and counts them where nobody reads it.
#[derive(Debug)]
pub struct Speaker {
    lines: Lines,
    lost: u64,
    bucket: Bucket,
}

impl Speaker {
    /// A speaker in this format.
    #[must_use]
    pub fn new(lines: Lines) -> Self {
        Self { lines, lost: 0, bucket: Bucket::new(LOG_LINES_PER_S, LOG_LINES_BURST) }
    }

    /// Prints lines of the tender, as a whole or not at all each.
    pub fn say(&mut self, lines: &[Line]) {
        let mut waiting = String::new();
        for line in lines {
            let rendered = line.render(self.lines);
            if waiting.len() + rendered.len() > WRITE_LEN_MAX {
                self.write(&waiting);
                waiting.clear();
            }
            waiting.push_str(&rendered);
        }
        self.write(&waiting);
    }

    /// Prints lines of the guest, as far as its rate allows.
    pub fn relay(&mut self, mut lines: Vec<Line>, now: Duration) {
        let allowed = self.bucket.take(lines.len(), now);
        self.lost = self.lost.saturating_add(u64::try_from(lines.len().saturating_sub(allowed)).unwrap_or(0));
        lines.truncate(allowed);
        if allowed > 0 && self.lost > 0 {
            lines.push(Line::tender("warn", "log lines were dropped").with("count", core::mem::take(&mut self.lost)));
        }
        self.say(&lines);
    }

    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !write(&std::io::stderr(), text) {
            self.lost = self.lost.saturating_add(1);
        }
    }
}

/// Writes at most [`WRITE_LEN_MAX`] bytes, as a whole or not at all, and never waits. Says whether it did.
pub(crate) fn write(stream: &impl AsFd, text: &str) -> bool {
    is_writable(stream) && rustix::io::write(stream, text.as_bytes()).is_ok()
}

/// A pipe that is writable takes [`WRITE_LEN_MAX`] bytes without blocking.
fn is_writable(stream: &impl AsFd) -> bool {
    let mut polled = [PollFd::new(stream, PollFlags::OUT)];
    matches!(rustix::event::poll(&mut polled, Some(&Timespec::default())), Ok(1))
}

/// A token bucket over lines.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_s: u32,
    burst: u32,
    tokens: u32,
    filled: Duration,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(per_s: u32, burst: u32) -> Self {
        Self { per_s, burst, tokens: burst, filled: Duration::ZERO }
    }

    /// Up to `wanted` lines, as many as may be printed now.
    pub(crate) fn take(&mut self, wanted: usize, now: Duration) -> usize {
        self.fill(now);
        let allowed = self.tokens.min(u32::try_from(wanted).unwrap_or(u32::MAX));
        self.tokens = self.tokens.saturating_sub(allowed);
        usize::try_from(allowed).unwrap_or(0)
    }

    fn fill(&mut self, now: Duration) {
        let since = now.saturating_sub(self.filled);
        let fresh = since.as_millis().saturating_mul(self.per_s.into()) / 1000;
        if fresh > 0 {
            let fresh = u32::try_from(fresh).unwrap_or(u32::MAX);
            self.tokens = self.tokens.saturating_add(fresh).min(self.burst);
            self.filled = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_directions_never_reach_a_terminal() {
        let hostile = "\x1b]0;title\x07 \r\n\u{202e}\u{9b}31m \\";
        let line = Line::new(Kind::Guest, "info", hostile).with("field", hostile);
        for lines in [Lines::Text, Lines::Json] {
            let rendered = line.render(lines);
            let (newline, rest) = rendered.as_bytes().split_last().unwrap();
            assert_eq!(*newline, b'\n');
            assert!(rest.iter().all(|byte| (b' '..=b'~').contains(byte)), "{rendered}");
        }
    }

    #[test]
    fn json_lines_are_json() {
        let line = Line::tender("warn", "say \"hi\"\n").with("count", 7).with("name", "\u{1b}");
        let value: Value = serde_json::from_str(&line.render(Lines::Json)).unwrap();
        assert_eq!((value["kind"].as_str(), value["count"].as_u64()), (Some("tender"), Some(7)));
        assert_eq!(value["text"], "say \"hi\"\\n");
        assert_eq!(value["name"], "\\u{1b}");
    }

    #[test]
    fn members_stand_in_a_text_line_like_fields() {
        let registers: Map<String, Value> = [("rip".to_owned(), "0x10".into()), ("rsp".to_owned(), 7.into())].into_iter().collect();
        let line = Line::new(Kind::Crash, "error", "hung").with("at", "f+0x1").with("registers", registers);
        assert_eq!(line.render(Lines::Text), "crash error hung at=f+0x1 rip=0x10 rsp=7\n");
    }

    #[test]
    fn long_text_is_cut() {
        assert!(escape(&"\u{1}".repeat(LINE_LEN_MAX)).len() <= LINE_LEN_MAX + 16);
        assert_eq!(escape(&"a".repeat(LINE_LEN_MAX - 1)).len(), LINE_LEN_MAX - 1);
    }

    #[test]
    fn a_flood_is_bounded_and_recovers() {
        let mut bucket = Bucket::new(LOG_LINES_PER_S, LOG_LINES_BURST);
        let burst = crate::limits::LOG_LINES_BURST as usize;
        assert_eq!(bucket.take(burst * 2, Duration::ZERO), burst);
        assert_eq!(bucket.take(1, Duration::ZERO), 0);
        assert_eq!(bucket.take(burst * 2, Duration::from_secs(1)), crate::limits::LOG_LINES_PER_S as usize);
        assert_eq!(bucket.take(burst * 2, Duration::from_secs(3600)), burst, "nobody saves up lines by silence");
    }
}
