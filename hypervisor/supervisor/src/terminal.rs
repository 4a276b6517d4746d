//! The only place that writes to standard output and standard error.
//!
//! Results go to standard output, everything else to standard error, a line at a time under the stream's lock. Control characters in a line,
//! whoever put them there, are written as escapes, so that no file, certificate or guest can move a cursor or recolour a terminal. A reader
//! that has gone away (EPIPE) is no error: the exit code still says how it went.

use core::fmt::{self, Display, Write as _};
use std::io::{self, Write};

/// Writes one line of result.
pub fn result(line: impl Display) {
    write(&mut io::stdout().lock(), &line);
}

/// Writes one line of diagnostics.
pub fn note(line: impl Display) {
    write(&mut io::stderr().lock(), &line);
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
