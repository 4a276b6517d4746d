//! A panic's message, in memory that is there whatever has gone wrong.

use core::fmt::{self, Write};

/// As much of a message as is kept, in bytes.
const LEN_MAX: usize = 256;

/// How the message of `alloc::alloc::handle_alloc_error` begins.
const ALLOCATION_FAILURE: &str = "memory allocation of ";

/// A message, cut off at 256 bytes.
#[derive(Debug)]
pub(crate) struct LastWords {
    bytes: [u8; LEN_MAX],
    len: usize,
}

impl LastWords {
    /// What `message` says.
    pub(crate) fn of(message: impl fmt::Display) -> Self {
        let mut words = Self { bytes: [0; LEN_MAX], len: 0 };
        // It fails where the message is cut off, which is what is wanted.
        let _ = write!(words, "{message}");
        words
    }

    /// The message.
    #[must_use]
    pub(crate) fn text(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(cut) => bytes.get(..cut.valid_up_to()).and_then(|valid| core::str::from_utf8(valid).ok()).unwrap_or_default(),
        }
    }

    /// Whether this is what Rust says when an allocation that may not fail has failed.
    #[must_use]
    pub(crate) fn is_allocation_failure(&self) -> bool {
        self.text().starts_with(ALLOCATION_FAILURE)
    }
}

impl Write for LastWords {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..).ok_or(fmt::Error)?;
        let len = text.len().min(room.len());
        let (to, from) = (room.get_mut(..len).ok_or(fmt::Error)?, text.as_bytes().get(..len).ok_or(fmt::Error)?);
        to.copy_from_slice(from);
        self.len = self.len.saturating_add(len);
        if len == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::alloc::Layout;
    use std::string::String;

    #[test]
    fn a_message_is_kept_up_to_its_bound() {
        assert_eq!(LastWords::of("a".repeat(LEN_MAX)).text().len(), LEN_MAX);
        assert_eq!(LastWords::of("a".repeat(LEN_MAX + 1)).text().len(), LEN_MAX);
        assert_eq!(LastWords::of(format_args!("{}-{}", 1, 2)).text(), "1-2");
    }

    #[test]
    fn a_message_cut_inside_a_character_loses_the_character() {
        let message: String = "a".repeat(LEN_MAX - 1) + "ö";
        assert_eq!(LastWords::of(message).text(), "a".repeat(LEN_MAX - 1));
    }

    #[test]
    fn an_allocation_failure_is_told_from_other_panics() {
        let size = Layout::new::<u64>().size();
        assert!(LastWords::of(format_args!("memory allocation of {size} bytes failed")).is_allocation_failure());
        assert!(!LastWords::of("index out of bounds").is_allocation_failure());
    }
}
