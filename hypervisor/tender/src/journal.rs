//! Where access lines go: to standard error among the others, to a pipe whose other end the supervisor writes to a file, or nowhere.
//!
//! Nothing here waits. A pipe that is full costs lines, which are counted and said, never a turn.

use core::net::SocketAddr;
use core::time::Duration;
use std::os::fd::OwnedFd;
use std::time::SystemTime;

use status::Access;

use crate::access::Row;
use crate::limits::{ACCESS_LINES_BURST, ACCESS_LINES_PER_S, WRITE_LEN_MAX};
use crate::line::{Bucket, Line, Speaker};
use crate::order::{AccessLog, AccessTo, Lines};

/// See the module.
#[derive(Debug)]
pub struct Journal {
    to: To,
    lines: Lines,
    bucket: Bucket,
    /// Whole lines that wait to be written in one go.
    waiting: String,
    lost: u64,
}

#[derive(Debug)]
enum To {
    Nowhere,
    Stderr,
    Pipe(OwnedFd),
}

impl Journal {
    /// A journal as ordered; `pipe` is the descriptor that came with the order.
    #[must_use]
    pub fn new(order: AccessLog, pipe: Option<OwnedFd>) -> Self {
        let to = match (order.to, pipe) {
            (AccessTo::Stderr, _) => To::Stderr,
            (AccessTo::Pipe, Some(pipe)) => To::Pipe(pipe),
            (AccessTo::Pipe, None) | (AccessTo::Nowhere, _) => To::Nowhere,
        };
        let bucket = Bucket::new(ACCESS_LINES_PER_S, ACCESS_LINES_BURST);
        Self { to, lines: order.lines, bucket, waiting: String::new(), lost: 0 }
    }

    /// Takes a record. `real` says where a backend is that the guest knows under another address.
    pub fn take(&mut self, access: &Access<'_>, now: Duration, real: impl Fn(SocketAddr) -> Option<SocketAddr>) {
        if matches!(self.to, To::Nowhere) {
            return;
        }
        if self.bucket.take(1, now) == 0 {
            self.lost = self.lost.saturating_add(1);
            return;
        }
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let line = Row::new(access, unix, real).render(self.lines);
        if self.waiting.len().saturating_add(line.len()) > WRITE_LEN_MAX {
            self.write();
        }
        self.waiting.push_str(&line);
    }

    /// Writes what waits, and says what was lost.
    pub fn flush(&mut self, speaker: &mut Speaker) {
        if !self.waiting.is_empty() {
            self.write();
        }
        if self.lost > 0 {
            speaker.say(&[Line::tender("warn", "access records were dropped").with("count", core::mem::take(&mut self.lost))]);
        }
    }

    fn write(&mut self) {
        let written = match &self.to {
            To::Nowhere => true,
            To::Stderr => crate::line::write(&std::io::stderr(), &self.waiting),
            // A pipe takes so few bytes as a whole or not at all (pipe(7)).
            To::Pipe(pipe) => rustix::io::write(pipe, self.waiting.as_bytes()).is_ok(),
        };
        if !written {
            let count = self.waiting.bytes().filter(|byte| *byte == b'\n').count();
            self.lost = self.lost.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};
    use std::io::Read;

    fn access() -> Access<'static> {
        Access {
            serial: 1,
            source: "203.0.113.9:51000".parse().unwrap(),
            front_end: None,
            server_name: None,
            agreed: None,
            route: None,
            backend: None,
            passed: false,
            bytes_up: 0,
            bytes_down: 0,
            handshake_us: None,
            connect_us: None,
            time_us: 0,
            end: status::End::ClientGone,
            failure: None,
        }
    }

    #[test]
    fn a_full_pipe_costs_whole_lines_and_no_time() {
        let (reader, writer) = pipe_with(PipeFlags::NONBLOCK).unwrap();
        let mut journal = Journal::new(AccessLog { to: AccessTo::Pipe, lines: Lines::Text }, Some(writer));
        for _ in 0..2000 {
            journal.take(&access(), Duration::ZERO, |_| None);
        }
        journal.write();
        assert!(journal.lost > 0 && journal.lost < 2000);
        let mut text = vec![0; 1 << 20];
        let len = std::fs::File::from(reader).read(&mut text).unwrap();
        let text = core::str::from_utf8(&text[..len]).unwrap();
        assert!(text.ends_with('\n') && text.lines().all(|line| line.starts_with("access ") && line.ends_with(" alert=-")));
        assert_eq!(text.lines().count() as u64 + journal.lost, 2000);
    }

    #[test]
    fn a_flood_of_records_is_bounded() {
        let mut journal = Journal::new(AccessLog { to: AccessTo::Stderr, lines: Lines::Text }, None);
        journal.bucket.take(usize::MAX, Duration::ZERO);
        journal.take(&access(), Duration::ZERO, |_| None);
        assert_eq!((journal.lost, journal.waiting.len()), (1, 0));
    }
}
