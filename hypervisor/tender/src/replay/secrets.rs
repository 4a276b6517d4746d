//! The secrets of sessions, out of the log of an image that gives them away, as lines of an NSS key log: what Wireshark reads, and what clients write to `SSLKEYLOGFILE`.
//!
//! The guest is as hostile here as anywhere: a label is a word and nothing else, so that no record makes a line of its own choosing.

use core::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd, RawFd};

use zeroize::Zeroizing;

use crate::limits::{SECRET_LABEL_LEN_MAX, SECRET_VALUE_LEN_MAX};
use crate::log::Log;

/// What is to become of the secrets, beside what a pcapng file gets.
#[derive(Debug, Default)]
pub struct Secrets {
    /// A file for all of them.
    pub key_log: Option<File>,
}

/// How many there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Given {
    /// Lines of the key log.
    pub secrets: u64,
    /// Secrets for which the guest had no room.
    pub lost: u64,
}

/// Takes them.
#[derive(Debug)]
pub(super) struct Taker {
    log: Log,
    wish: Secrets,
    pub(super) given: Given,
}

impl Taker {
    /// For the guest of this image file.
    pub(super) fn new(image: &[u8], wish: Secrets) -> Self {
        let (log, _) = Log::new(image);
        Self { log, wish, given: Given::default() }
    }

    /// The descriptor that it writes to.
    pub(super) fn descriptor(&self) -> Option<RawFd> {
        self.wish.key_log.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// What the guest's log has of them after a turn, as lines.
    pub(super) fn take(&mut self, window: &[u8]) -> io::Result<Zeroizing<String>> {
        let mut lines = Zeroizing::new(String::new());
        let Self { log, wish, given } = self;
        log.secrets(window, |record| match (line(record), lost(record)) {
            (Some(line), _) => {
                given.secrets = given.secrets.saturating_add(1);
                lines.push_str(&line);
            }
            (None, Some(more)) => given.lost = given.lost.saturating_add(more),
            (None, None) => {}
        });
        if let Some(file) = &mut wish.key_log {
            file.write_all(lines.as_bytes())?;
        }
        Ok(lines)
    }
}

/// `LABEL random secret`, the latter two in hexadecimal.
fn line(record: &[u8]) -> Option<Zeroizing<String>> {
    let (len, rest) = record.split_first()?;
    let (label, rest) = rest.split_at_checked(usize::from(*len))?;
    let (random, secret) = rest.split_first_chunk::<32>()?;
    let is_word = label.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    let is_sound = is_word && (1..=SECRET_LABEL_LEN_MAX).contains(&label.len()) && (1..=SECRET_VALUE_LEN_MAX).contains(&secret.len());
    let label = core::str::from_utf8(label).ok().filter(|_| is_sound)?;
    // Made at its length, so that no copy of it stays behind when it grows.
    let mut line = Zeroizing::new(String::with_capacity(label.len().saturating_add(2 * (32 + SECRET_VALUE_LEN_MAX) + 3)));
    line.push_str(label);
    for bytes in [&random[..], secret] {
        line.push(' ');
        bytes.iter().try_for_each(|byte| write!(line, "{byte:02x}")).ok()?;
    }
    line.push('\n');
    Some(line)
}

/// As `tls::keylog` says it: no label, and a number.
fn lost(record: &[u8]) -> Option<u64> {
    record.strip_prefix(&[0])?.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(label: &[u8], secret: &[u8]) -> Vec<u8> {
        [&[u8::try_from(label.len()).unwrap()], label, &[0xab; 32], secret].concat()
    }

    #[test]
    fn a_secret_is_a_line_of_three_words() {
        let wanted = format!("CLIENT_TRAFFIC_SECRET_0 {} 01ff\n", "ab".repeat(32));
        assert_eq!(line(&record(b"CLIENT_TRAFFIC_SECRET_0", &[1, 0xff])).as_deref(), Some(&wanted));
        assert_eq!((lost(&[0, 3, 0, 0, 0, 0, 0, 0, 0]), lost(&[0, 3])), (Some(3), None));
    }

    #[test]
    fn what_is_no_secret_makes_no_line() {
        for (label, secret) in
            [(&b"A B"[..], &[1; 48][..]), (b"A\n", &[1; 48]), (b"", &[1; 48]), (b"A", &[]), (b"A", &[1; 65]), (&[b'A'; 65], &[1; 48])]
        {
            assert_eq!(line(&record(label, secret)), None, "{label:?}");
        }
        let whole = record(b"A", &[1; 48]);
        assert!((0..whole.len() - 48).all(|len| line(&whole[..len]).is_none()));
    }
}
