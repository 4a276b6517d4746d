//! Words for who runs this: results on standard output, progress on standard error, and only where a person watches.

use std::io::{IsTerminal as _, Write as _};

/// A line of progress, written over and over. Nothing where standard error is no terminal.
#[derive(Debug)]
pub(crate) struct Line {
    title: String,
    shown: bool,
}

impl Line {
    pub(crate) fn new(title: String) -> Self {
        Self { title, shown: std::io::stderr().is_terminal() }
    }

    /// Shows this in place of what was shown before.
    pub(crate) fn show(&self, text: &str) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K{}: {text}", self.title);
        }
    }

    /// Leaves an empty line.
    pub(crate) fn clear(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// A line of results.
pub(crate) fn out(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A line beside them.
pub(crate) fn aside(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
