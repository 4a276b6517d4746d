//! A hello on its way to somebody else: the very bytes that the client sent, in the records in which they came.

use alloc::vec::Vec;

use crate::limits::{HELLO_CUTS_MAX, RECORD_HEADER_LEN};

/// A record's type, major and minor version and length.
const HANDSHAKE: u8 = 22;
const MAJOR: u8 = 3;

/// How a hello was cut into records, in runs of records alike.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    runs: Vec<Run>,
    lost: bool,
}

/// So many records of one length and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    minor: u8,
    len: u16,
    count: u16,
}

impl Cuts {
    /// One more record. What has more runs than any honest client makes is not remembered.
    pub(crate) fn push(&mut self, minor: u8, len: u16) {
        let last = self.runs.last_mut().filter(|run| run.minor == minor && run.len == len && run.count < u16::MAX);
        if let Some(run) = last {
            run.count = run.count.saturating_add(1);
        } else if self.runs.len() < HELLO_CUTS_MAX {
            self.runs.push(Run { minor, len, count: 1 });
        } else {
            self.lost = true;
        }
    }

    /// Whether all of them are remembered.
    pub(crate) fn are_known(&self) -> bool {
        !self.lost
    }
}

/// See the module. It holds the message once, and of the records only how long they were.
#[derive(Debug)]
pub struct Replay {
    message: Vec<u8>,
    cuts: Cuts,
    /// Bytes of the message that have been read.
    read: usize,
    /// The run and, within it, the record that is being read.
    run: usize,
    record: u16,
    /// Bytes of that record, its header included, that have been read.
    within: usize,
}

impl Replay {
    /// A message whose cuts are all remembered.
    pub(crate) fn new(message: Vec<u8>, cuts: Cuts) -> Self {
        Self { message, cuts, read: 0, run: 0, record: 0, within: 0 }
    }

    /// Writes the next bytes into the front of `out`; returns how many. 0, where there is room, means that all have been read.
    pub fn read(&mut self, out: &mut [u8]) -> usize {
        let mut written = 0_usize;
        while let Some(rest) = out.get_mut(written..).filter(|rest| !rest.is_empty()) {
            match self.piece(rest) {
                0 => break,
                len => written = written.saturating_add(len),
            }
        }
        written
    }

    /// Whether all has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.run >= self.cuts.runs.len()
    }

    /// Writes what is left of the record's header, or of its fragment; 0 at the end of all.
    fn piece(&mut self, out: &mut [u8]) -> usize {
        let Some(run) = self.cuts.runs.get(self.run).copied() else { return 0 };
        let [high, low] = run.len.to_be_bytes();
        let header = [HANDSHAKE, MAJOR, run.minor, high, low];
        let from = match header.get(self.within..) {
            Some(rest) if !rest.is_empty() => rest,
            _ => self.message.get(self.read..self.read.saturating_add(self.left(run))).unwrap_or_default(),
        };
        let len = from.len().min(out.len());
        if let (Some(from), Some(out)) = (from.get(..len), out.get_mut(..len)) {
            out.copy_from_slice(from);
        }
        if self.within >= RECORD_HEADER_LEN {
            self.read = self.read.saturating_add(len);
        }
        self.within = self.within.saturating_add(len);
        self.end_record(run);
        len
    }

    /// Bytes of the record's fragment that have not been read.
    fn left(&self, run: Run) -> usize {
        usize::from(run.len).saturating_add(RECORD_HEADER_LEN).saturating_sub(self.within)
    }

    fn end_record(&mut self, run: Run) {
        if self.left(run) > 0 {
            return;
        }
        self.within = 0;
        self.record = self.record.saturating_add(1);
        if self.record == run.count {
            self.record = 0;
            self.run = self.run.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::collection::vec as many;
    use proptest::prelude::*;

    /// Records of these lengths and versions, and what is replayed of them in pieces of `step`.
    fn replayed(records: &[(u8, u16)], step: usize) -> (Vec<u8>, Vec<u8>) {
        let (mut wire, mut message, mut cuts) = (Vec::new(), Vec::new(), Cuts::default());
        for (minor, len) in records {
            let fragment: Vec<u8> = (0..*len).map(|n| u8::try_from(n % 251).unwrap()).collect();
            wire.extend([22, 3, *minor]);
            wire.extend(len.to_be_bytes());
            wire.extend(&fragment);
            message.extend(fragment);
            cuts.push(*minor, *len);
        }
        let mut replay = Replay::new(message, cuts);
        let (mut out, mut piece) = (Vec::new(), vec![0; step]);
        while !replay.is_empty() {
            let len = replay.read(&mut piece);
            assert!(len > 0, "what is not at its end goes on");
            out.extend(&piece[..len]);
        }
        assert_eq!(replay.read(&mut piece), 0);
        (wire, out)
    }

    proptest! {
        #[test]
        fn what_came_is_replayed_whatever_the_pieces(records in many((0_u8..5, 1_u16..400), 1..60), step in 1_usize..700) {
            let (wire, out) = replayed(&records, step);
            prop_assert_eq!(wire, out);
        }

        #[test]
        fn records_alike_are_one_run(len in 1_u16..4, count in 1_usize..4000, step in 1_usize..64) {
            let (wire, out) = replayed(&vec![(1, len); count], step);
            prop_assert_eq!(wire, out);
        }
    }

    #[test]
    fn more_runs_than_any_client_makes_are_not_remembered() {
        let are_known = |count: usize| {
            let mut cuts = Cuts::default();
            (0..count).for_each(|n| cuts.push(3, if n % 2 == 0 { 1 } else { 2 }));
            cuts.are_known()
        };
        assert!(are_known(HELLO_CUTS_MAX));
        assert!(!are_known(HELLO_CUTS_MAX + 1));
    }
}
