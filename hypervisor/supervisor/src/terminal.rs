//! The only place that writes to standard output and standard error.
//!
//! Results go to standard output, everything else to standard error, a line at a time under the stream's lock. Control characters in a line,
//! whoever put them there, are written as escapes, so that no file, certificate or guest can move a cursor or recolour a terminal. A reader
//! that has gone away (EPIPE) is no error: the exit code still says how it went.

use core::fmt::{self, Display, Write as _};
use core::sync::atomic::{AtomicBool, Ordering};
use std::io::{self, IsTerminal, Write};

use serde_json::json;

/// Writes one line of result.
pub fn result(line: impl Display) {
    write(&mut io::stdout().lock(), &line);
}

/// Writes one line of diagnostics: as it is, or as a JSON object after [`speak_json`].
pub fn note(line: impl Display) {
    if JSON.load(Ordering::Relaxed) {
        write(&mut io::stderr().lock(), &json_line(&line.to_string()));
    } else {
        write(&mut io::stderr().lock(), &line);
    }
}

/// Asks something: text to standard error after which whoever sits there answers on the same line.
pub fn prompt(text: impl Display) {
    let text = Clean(&text.to_string()).to_string();
    let mut stream = io::stderr().lock();
    let _gone = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Whether somebody sits there who can be asked: both what is read and what is said go to a terminal.
#[must_use]
pub fn is_attended() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// From now on [`note`] writes JSON objects, one a line, as tenders do.
pub fn speak_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// Whether [`note`] writes JSON objects.
pub fn speaks_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

static JSON: AtomicBool = AtomicBool::new(false);

/// `{"kind":"supervisor","level":..,"text":..}`: the level is what the line begins with.
fn json_line(line: &str) -> String {
    let (level, text) = match line.split_once(": ") {
        Some((level @ ("error" | "warning"), text)) => (level, text),
        _ if line.starts_with("error[") => ("error", line),
        _ if line.starts_with("warning[") => ("warning", line),
        _ => ("info", line),
    };
    let level = if level == "warning" { "warn" } else { level };
    json!({ "kind": "supervisor", "level": level, "text": Clean(text).to_string() }).to_string()
}

/// Writes text of our own making that has lines of its own, each escaped by itself.
pub fn result_lines(text: impl Display) {
    let text = text.to_string();
    let mut stream = io::stdout().lock();
    text.lines().for_each(|line| write(&mut stream, &line));
}

fn write(stream: &mut impl Write, line: &dyn Display) {
    // Nobody is left to tell that telling failed.
    // In one piece, for tenders write to the same standard error.
    let text = format!("{}\n", Clean(&line.to_string()));
    let _gone = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Shows text with everything escaped that is not plain to see: control characters, and those that turn or hide text.
#[derive(Debug, Clone, Copy)]
pub struct Clean<'a>(pub &'a str);

impl Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if is_plain(c) { f.write_char(c)? } else { write!(f, "{}", c.escape_unicode())? }
        }
        Ok(())
    }
}

fn is_plain(c: char) -> bool {
    let turns_or_hides = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !turns_or_hides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_get_through() {
        let shown = Clean("a\u{1b}[31mb\r\n\u{9b}2Jc\u{7f}").to_string();
        assert_eq!(shown, "a\\u{1b}[31mb\\u{d}\\u{a}\\u{9b}2Jc\\u{7f}");
    }

    #[test]
    fn text_that_turns_around_is_shown_as_what_it_is() {
        assert_eq!(Clean("a\u{202e}b\u{200b}").to_string(), "a\\u{202e}b\\u{200b}");
    }

    #[test]
    fn plain_text_of_any_script_stays() {
        assert_eq!(Clean("größe 尺寸 «x»").to_string(), "größe 尺寸 «x»");
    }

    #[test]
    fn a_line_of_json_says_how_grave_it_is_and_keeps_control_characters_out() {
        for (line, level, text) in [
            ("error: no kvm here", "error", "no kvm here"),
            ("warning: no kvm here", "warn", "no kvm here"),
            ("error[unknown-key] b.toml:3: x", "error", "error[unknown-key] b.toml:3: x"),
            ("ready: https on 127.0.0.1:8443", "info", "ready: https on 127.0.0.1:8443"),
            ("a\u{1b}[2J\"", "info", "a\\u{1b}[2J\""),
        ] {
            let value: serde_json::Value = serde_json::from_str(&json_line(line)).unwrap();
            assert_eq!((&value["kind"], &value["level"], &value["text"]), (&"supervisor".into(), &level.into(), &text.into()));
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_no_fault() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        write(&mut Gone, &"line");
    }
}
